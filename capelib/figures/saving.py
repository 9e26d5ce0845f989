"""The functions that write a figure or a page, and note where it comes from."""

import hashlib
import os
import re
from collections.abc import Sequence
from pathlib import Path

from capelib.errors import ParameterError
from capelib.figures.pages import Page
from capelib.figures.style import Chart
from capelib.files import FORMATS, PROVENANCE, Form, as_json, read_provenance, write_files
from capelib.vocabulary.codebook import codebook, licences, unknown


def save(chart: Chart, name: str, out: str | Path = "", formats: str | Sequence[str] = ()) -> Chart:
    """Write a chart as `name`.svg and `name`.csv, and note what it rests on.

    Parameters
    ----------
    chart
        What a function of `cape.figures` gave.
    name
        Lower-case words joined by underscores.
    out
        The folder, made where it is missing; "" writes nothing, so that a notebook can be read
        without leaving files.
    formats
        What to write besides, of "png" and "pdf". `cape reproduce --format png` asks for it for
        all figures.

    Returns
    -------
    Chart
        The chart, so that a notebook shows it.

    Raises
    ------
    ParameterError
        For a bad name or format.
    CapeError
        Where the folder cannot be written. What was there before stays.

    Notes
    -----
    The same chart gives the same bytes.

    Examples
    --------
    >>> import capelib as cape, tempfile, pathlib
    >>> chart = cape.figures.by_measure(cape.load().where(origin="TJK"))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = save(chart, "measures", folder)
    ...     sorted(path.name for path in pathlib.Path(folder).iterdir())
    ['measures.csv', 'measures.svg', 'provenance.json']
    """
    _check_name(name)
    if not str(out):
        return chart
    table = chart.data.to_csv(index=False, float_format="%.6g", lineterminator="\n")
    files = {
        f"{name}.svg": chart.picture("svg"),
        f"{name}.csv": table.encode(),
    }
    asked = [formats] if isinstance(formats, str) else formats
    for form in {*asked, *filter(None, os.environ.get(FORMATS, "").split(","))}:
        if form not in list(Form):
            raise ParameterError(unknown("format", form, list(Form)))
        files[f"{name}.{form}"] = chart.picture(form)
    about = {
        "title": chart.title,
        "data": {
            "label": chart.info.label,
            "name": chart.info.name,
            "edition": chart.info.edition,
            "sha256": chart.info.sha256,
        },
        "filters": list(chart.info.filters),
        **_terms(chart, table),
        "files": {file: hashlib.sha256(content).hexdigest() for file, content in files.items()},
    }
    folder = Path(out)
    provenance = read_provenance(folder)
    provenance.setdefault("figures", {})[name] = about
    write_files(folder, files | {PROVENANCE: as_json(provenance)})
    return chart


def _terms(chart: Chart, table: str) -> dict[str, str]:
    """The licence of a figure that shows ratings with terms of their own (V-Dem's, by their name).

    Of figures that only rest on such ratings the provenance of the whole folder says it.
    """
    measure = codebook()["codes"]["regime_measure"]["row"]["label"]
    named = measure in f"{chart.title}\n{table}" or "regime_measure row" in table
    if not named and not re.search(r"^.*_row\b", table):
        return {}
    return {"licence": f"{licences()['reference/regimes_row.csv']}: {measure}, V-Dem"}


def save_page(page: Page, name: str, out: str | Path = "") -> Page:
    """Write a page as `name`.html.

    Parameters
    ----------
    page
        What a function of `cape.figures` gave.
    name
        Lower-case words joined by underscores.
    out
        The folder, made where it is missing; "" writes nothing.

    Returns
    -------
    Page
        The page, so that a notebook shows it.

    Raises
    ------
    ParameterError
        For a bad name.
    CapeError
        Where the folder cannot be written. What was there before stays.
    """
    _check_name(name)
    if str(out):
        write_files(Path(out), {f"{name}.html": page.document().encode()})
    return page


def _check_name(name: str) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise ParameterError(
            f"a figure's name is made of lower-case letters, digits and underscores, not {name!r}"
        )
