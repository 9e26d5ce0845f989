"""Pages of HTML, filled in from the files of `templates/`."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def render(template: str, **values: Any) -> Markup:
    """Fill in a template of `capelib/figures/templates`; values are escaped.

    Parameters
    ----------
    template
        Name of the file without `.html.j2`.
    values
        What the template names.

    Returns
    -------
    markupsafe.Markup
        HTML, which another template takes in as it is.
    """
    return Markup(TEMPLATES.get_template(f"{template}.html.j2").render(values))


def write(template: str, path: Path, **values: Any) -> None:
    """Write a template as a page while it is filled in: values may be generators of any length.

    Parameters
    ----------
    template, values
        As for `render`.
    path
        The file.
    """
    stream = TEMPLATES.get_template(f"{template}.html.j2").stream(values)
    stream.enable_buffering(64)
    stream.dump(str(path), encoding="utf-8")


class Page:
    """A piece of HTML with its style: shown in a notebook, or saved by `cape.figures.save_page`.

    Attributes
    ----------
    title
        The title of the document.
    body
        HTML.
    """

    def __init__(self, title: str, body: str) -> None:
        self.title = title
        self.body = Markup(body)

    def _repr_html_(self) -> str:
        return render("in_notebook", body=self.body)

    def __repr__(self) -> str:
        return f"<Page: {self.title}>"

    def document(self) -> str:
        """What is the whole HTML document?"""
        return render("document", title=self.title, body=self.body)
