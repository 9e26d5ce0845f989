"""Make the site: pages as sources, Sphinx over them, links checked, then put in place."""

import gc
import io
import json
import logging
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from functools import partial
from pathlib import Path
from typing import Any

from capelib import __version__
from capelib.errors import CapeError
from capelib.files import read_json
from capelib.runs.execute import grammars_left_out
from capelib.site import filled, links
from capelib.site.collection import Collection, collect
from capelib.site.documents import settled
from capelib.site.markup import Page
from capelib.site.pages import all_pages
from capelib.site.parallel import PROCESSES
from capelib.vocabulary import editions, withdrawal

RECORD = ".site.json"  # in the site's folder: which files `cape site` has put there
HERE = Path(__file__).parent
_LISTED = 5  # warnings that an error names


def build(
    out: Path,
    figures: Path = Path("figures"),
    executed: Path = Path("build"),
    edition: str = "",
    notebooks: Sequence[str] = (),
) -> dict[str, int]:
    """Make the site from the runs of the last `cape reproduce`.

    Parameters
    ----------
    out
        Where it goes. Files that an earlier site left there and this one does not have are removed;
        a folder that holds anything else is refused.
    figures, executed
        The folders of `cape reproduce`.
    edition
        Of the public record; the current one where none is given.
    notebooks
        Only these, for a look at a page; all where none is named.

    Returns
    -------
    dict
        How many `pages` and `links` there are.

    Raises
    ------
    CapeError
        A run is missing or stale, a text names a withdrawn key, Sphinx is not installed or has a
        warning, or a link leads nowhere.
    """
    require_sphinx()
    require_free(out)
    edition = editions.meant(edition) if edition else editions.current()
    collection = collect(edition, figures, executed, tuple(notebooks))
    pages = all_pages(collection)
    require_nothing_withdrawn(pages, withdrawal.built_in_keys())
    places = {page.path: page.path for page in pages}
    for notebook, finished in collection.by_notebook.items():
        places.setdefault(f"notebooks/{notebook}.ipynb", f"notebooks/{finished[0].name}.ipynb")
    pages = [settled(page, places) for page in pages]
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".site-", dir=out.parent) as folder:
        source, made = Path(folder, "source"), Path(folder, "site")
        read = [page for page in pages if not page.path.endswith(".html")]
        others = [page for page in pages if page.path.endswith(".html")]
        write([*read, *filled.frames(others)], source)
        run_sphinx(source, made, Path(folder, "doctrees"), collection, others)
        filled.fill(others, made)
        put_files(pages, made)
        checked = links.check(made)
        if checked.faults:
            raise CapeError(f"{len(checked.faults)} links lead nowhere: {checked.faults[0]}")
        _move(made, out)
    return {"pages": checked.pages, "links": checked.links}


def require_sphinx() -> None:
    """Raises CapeError where the packages of the site are not installed."""
    try:
        with grammars_left_out():
            import myst_nb.sphinx_ext  # noqa: F401
        import pydata_sphinx_theme  # noqa: F401
        import sphinx  # noqa: F401
    except ImportError as error:
        raise CapeError(
            f"the site needs the package {error.name}: `make site` installs what it needs, "
            "and so does pip install 'capelib[site]'"
        ) from None


def require_free(out: Path) -> None:
    """Raises CapeError for a folder that holds anything but an earlier site."""
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        raise CapeError(f"{out} is no folder: choose another with --out")
    if out.is_dir() and any(out.iterdir()) and not (out / RECORD).exists():
        raise CapeError(f"{out} holds other files: choose an empty folder with --out")


def require_nothing_withdrawn(pages: Sequence[Page], keys: set[str]) -> None:
    """Raises CapeError where a page, or a file beside it, names a withdrawn key.

    Tables are made without them, but a sentence written by hand may take one as its example.

    Parameters
    ----------
    pages
    keys
        Of exiles, incidents and sources; none in most cases.
    """
    if not keys:
        return
    named = re.compile(rf"\b(?:{'|'.join(map(re.escape, sorted(keys)))})\b", re.IGNORECASE)
    for page in pages:
        contents = {page.path: f"{page.title}\n{page.text}".encode()}
        for name, content in page.files.items():
            contents[name] = content.read_bytes() if isinstance(content, Path) else content
        for name, content in contents.items():
            if key := named.search(content.decode("utf-8", errors="replace")):
                raise CapeError(
                    f"{name} names {key[0]}, which was withdrawn: take the key out of the text "
                    "that this page is made from, then make the site again"
                )


def write(pages: Sequence[Page], source: Path) -> None:
    """Write the pages as Sphinx reads them; their files are put onto the site afterwards."""
    for page in pages:
        path = source / page.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page.text, encoding="utf-8")


def settings(collection: Collection) -> dict[str, Any]:
    """How is Sphinx to make the pages?"""
    return {
        "project": "capelib",
        "version": __version__,
        "release": __version__,
        "html_title": f"capelib, edition {collection.edition}",
        "extensions": [
            "myst_nb",
            "sphinx.ext.autodoc",
            "sphinx.ext.napoleon",
            "capelib.site.docstrings",
            "capelib.site.mathml",
        ],
        "html_math_renderer": "mathml",  # MathJax is loaded from another host
        "nb_execution_mode": "off",
        "nb_code_prompt_show": "Show the code",
        "nb_code_prompt_hide": "Hide the code",
        "myst_heading_anchors": 3,
        "napoleon_google_docstring": False,
        "napoleon_use_rtype": False,
        "napoleon_use_ivar": True,  # else each field of a named tuple is described twice
        "add_module_names": False,
        "autodoc_member_order": "bysource",
        "autodoc_typehints": "none",  # the docstrings say it with units
        "autodoc_use_type_comments": False,  # there are none, and looking reads each source again
        "html_theme": "pydata_sphinx_theme",
        "html_theme_options": {
            "logo": {"text": "capelib"},
            "navbar_end": ["search-button", "theme-switcher"],
            "navbar_persistent": [],
            "header_links_before_dropdown": 8,
            "show_prev_next": False,
            "secondary_sidebar_items": ["page-toc"],
            "footer_start": ["edition"],
            "footer_end": [],
            "announcement": _announcement(collection),
        },
        "html_context": {
            "default_mode": "auto",  # the theme warns on the console without it
            "edition": collection.edition,
            "is_current": collection.is_current,
        },
        "html_sidebars": {
            "index": [],
            "explorer/**": [],
            "ledger/**": [],
            "states/**": [],
            "figures/index": [],
            "search": [],
        },
        "html_show_sourcelink": False,
        "html_copy_source": False,
        "html_show_sphinx": False,
        "templates_path": [str(HERE / "templates" / "sphinx")],
        "html_favicon": str(HERE / "static" / "icon.svg"),  # else a browser asks for one in vain
        "html_static_path": [str(HERE / "static")],
        "html_css_files": ["site.css"],
        "html_js_files": [("site.js", {"priority": 900})],
    }


def _announcement(collection: Collection) -> str:
    """What stands above each page of an earlier edition."""
    if collection.is_current:
        return ""
    newer = editions.current()
    return f"This is edition {collection.edition} of the public record; the current one is {newer}."


def run_sphinx(
    source: Path, made: Path, doctrees: Path, collection: Collection, others: Sequence[Page] = ()
) -> None:
    """Run Sphinx; raises CapeError for its first warning.

    others: pages that it does not set, but whose words its search is to know.
    """
    from sphinx.application import Sphinx
    from sphinx.util.console import nocolor

    warnings = io.StringIO()
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    nocolor()
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()), _no_collector():
        app = Sphinx(
            source,
            None,
            made,
            doctrees,
            "html",
            confoverrides=settings(collection),
            status=None,
            warning=warnings,
            parallel=PROCESSES + 1,  # of which one hands out the pages while the others write
        )
        app.connect("html-collect-pages", partial(filled.add_to_search, others))
        app.build()
    if text := warnings.getvalue().strip():
        lines = text.splitlines()
        shown = "; ".join(lines[:_LISTED])
        raise CapeError(f"Sphinx has {len(lines)} warnings, the first: {shown}")


@contextmanager
def _no_collector() -> Iterator[None]:
    """Without the search for garbage, which takes 7 of 46 seconds of processor time (measured)."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def put_files(pages: Sequence[Page], made: Path) -> None:
    """Put the files of the pages onto the site."""
    for page in pages:
        for name, content in page.files.items():
            path = made / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, Path):
                shutil.copyfile(content, path)
            else:
                path.write_bytes(content)
    (made / ".nojekyll").touch()  # code hosts leave folders like _static out otherwise


def _move(made: Path, out: Path) -> None:
    """Put a site in place of an earlier one; only files that `cape site` wrote are removed."""
    names = sorted(path.relative_to(made).as_posix() for path in made.rglob("*") if path.is_file())
    before = read_json(out / RECORD).get("files", [])
    for name in set(before) - set(names):
        (out / name).unlink(missing_ok=True)
    for name in names:
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        (made / name).replace(path)
    (out / RECORD).write_text(json.dumps({"files": names}, indent=1) + "\n", encoding="utf-8")
