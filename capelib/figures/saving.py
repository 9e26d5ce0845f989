"""One function that writes a figure: SVG, PNG, the CSV behind it, and where it comes from."""

import hashlib
import re
from pathlib import Path

from capelib.errors import ParameterError
from capelib.figures.style import Chart, Page
from capelib.files import PROVENANCE, as_json, read_provenance, write_files


def save(chart: Chart, name: str, out: str | Path = "") -> Chart:
    """Write a chart as `name`.svg, `name`.png and `name`.csv and note in provenance.json what it rests on.

    chart: what a function of `cape.figures` gave. name: lower-case words joined by underscores. out: the folder, made where
        missing; "" writes nothing, so that a notebook can be read without leaving files.
    The same chart gives the same bytes. Files are written under temporary names and moved when all are whole: a failure leaves
    what was there. Returns the chart, so that a notebook shows it. Raises ParameterError for a bad name, CapeError where the
    folder cannot be written.

    >>> import capelib as cape, tempfile, pathlib
    >>> chart = cape.figures.by_measure(cape.load().where(origin="TJK"))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = save(chart, "measures", folder)
    ...     sorted(path.name for path in pathlib.Path(folder).iterdir())
    ['measures.csv', 'measures.png', 'measures.svg', 'provenance.json']
    """
    _name(name)
    if not str(out):
        return chart
    files = {
        f"{name}.svg": chart.picture("svg"),
        f"{name}.png": chart.picture("png"),
        f"{name}.csv": chart.data.to_csv(
            index=False, float_format="%.6g", lineterminator="\n"
        ).encode(),
    }
    about = {
        "title": chart.title,
        "data": {
            "label": chart.info.label,
            "name": chart.info.name,
            "edition": chart.info.edition,
            "sha256": chart.info.sha256,
        },
        "filters": list(chart.info.filters),
        "files": {file: hashlib.sha256(content).hexdigest() for file, content in files.items()},
    }
    folder = Path(out)
    provenance = read_provenance(folder)
    provenance.setdefault("figures", {})[name] = about
    write_files(folder, files | {PROVENANCE: as_json(provenance)})
    return chart


def save_page(page: Page, name: str, out: str | Path = "") -> Page:
    """Write a page as `name`.html, whole or not at all; "" writes nothing. Returns the page, so that a notebook shows it.

    Raises ParameterError for a bad name, CapeError where the folder cannot be written.
    """
    _name(name)
    if str(out):
        write_files(Path(out), {f"{name}.html": page.document().encode()})
    return page


def _name(name: str) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise ParameterError(
            f"a figure's name is made of lower-case letters, digits and underscores, not {name!r}"
        )
