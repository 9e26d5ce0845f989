"""Formulas as MathML, by docutils' own converter: no script, no font, no request.

A Sphinx extension. Sphinx's default renderer loads MathJax from another host. docutils comes with
the packages of the site, so it is imported when a page is written.
"""

from typing import Any


def _inline(writer: Any, node: Any) -> None:
    from docutils.nodes import SkipNode
    from docutils.utils.math.latex2mathml import tex2mathml

    writer.body.append(tex2mathml(node.astext()))
    raise SkipNode


def _display(writer: Any, node: Any) -> None:
    from docutils.nodes import SkipNode
    from docutils.utils.math.latex2mathml import tex2mathml

    box = {"CLASS": "formula scroll", "tabindex": "0", "role": "group", "aria-label": "Formula"}
    writer.body.append(writer.starttag(node, "div", **box))
    writer.body.append(tex2mathml(node.astext(), as_block=True))
    writer.body.append("</div>\n")
    raise SkipNode


def setup(app: Any) -> dict[str, bool]:
    """Tell Sphinx of the renderer `mathml`."""
    app.add_html_math_renderer("mathml", (_inline, None), (_display, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
