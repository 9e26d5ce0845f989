"""The data for people with a spreadsheet: words in place of codes, as a workbook or as CSV."""

import csv
import io
import re
import zipfile
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

import pandas as pd

from capelib.dataset import CAVEAT, Dataset
from capelib.errors import CapeError
from capelib.files import write_files
from capelib.meaning.csv_safety import defused
from capelib.vocabulary.codebook import codebook, codes
from capelib.vocabulary.tables import states

__all__ = ["COLUMNS", "export", "flat", "meanings", "open_addresses", "workbook"]

# Columns of the flat table: its name, the column of the data, and the list of the codebook.
COLUMNS = (
    ("incident", "incident_id", ""),
    ("exile", "exile_id", ""),
    ("pursuing state", "origin", "state"),
    ("host state", "host", "state"),
    ("date", "date", ""),
    ("year", "year", ""),
    ("measure", "measure", "measure"),
    ("stage", "stage", "stage"),
    ("category of exile", "category", "category"),
    ("a group", "is_group", "yes"),
    ("relatives targeted", "relatives_targeted", "yes"),
    ("Interpol used", "interpol", "yes"),
    ("attribution", "attribution", "attribution"),
    ("doubtful", "doubtful", "yes"),
    ("episode", "episode_id", ""),
    ("what came of it", "outcome", ""),
    ("source", "source_id", ""),
    ("kind of source", "kind", "kind"),
    ("publisher", "publisher", ""),
    ("address", "url", ""),
    ("report published", "published", ""),
    ("edition that brought it", "added", "edition"),
)
_DERIVED = {
    "year": "Year of the date. Blank: not stated, or the date crosses a year.",
    "stage": "How far it went; follows from the measure.",
}
_SPREADSHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_SCHEMAS = "http://schemas.openxmlformats.org"
_MAIN = f'xmlns="{_SCHEMAS}/spreadsheetml/2006/main"'
_OFFICE = f"{_SCHEMAS}/officeDocument/2006/relationships"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_DAY = (1980, 1, 1, 0, 0, 0)  # of each file in a zip, so that equal content is equal bytes
_MOST_LINKS = 65_530  # of a sheet; a program refuses more
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_STYLES = (
    f"{_HEAD}<styleSheet {_MAIN}><fonts><font/><font><b/></font></fonts>"
    '<fills><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills>'
    "<borders><border/></borders><cellStyleXfs><xf/></cellStyleXfs>"
    '<cellXfs><xf/><xf fontId="1" applyFont="1"/></cellXfs>'
    '<cellStyles><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)


def open_addresses(sources: pd.DataFrame) -> pd.Series:
    """Which addresses of sources may be shown?

    Parameters
    ----------
    sources
        As a Dataset has them.

    Returns
    -------
    Series
        "" where the address holds a name of a person, or where nobody has looked whether it does:
        earlier editions and tables of users.
    """
    if "name_in_address" not in sources or "url" not in sources:
        return pd.Series("", index=sources.index, dtype="object")
    named = sources["name_in_address"].fillna(False).astype(bool)
    return sources["url"].fillna("").astype(str).mask(named, "")


def flat(ds: Dataset) -> pd.DataFrame:
    """The incidents with their exiles and sources in one table, in words.

    Parameters
    ----------
    ds
        The public record, a part of it, or a table of yours.

    Returns
    -------
    DataFrame
        One row an incident, all cells text, "" where nothing is stated; columns as in `COLUMNS`
        (those that the data has), then `dataset`: name, edition and checksum.

    Examples
    --------
    >>> import capelib as cape
    >>> rows = flat(cape.load().where(origin="TJK", host="SWE"))
    >>> rows[["host state", "stage"]].iloc[0].tolist()
    ['Sweden', 'Exile ended or attacked']
    """
    sources = ds.sources.assign(url=open_addresses(ds.sources))
    sources = sources.drop(columns="added", errors="ignore")  # the incident's edition is meant
    joined = ds.joined().merge(sources, how="left", on="source_id")
    table = {
        name: _in_words(joined[column], known)
        for name, column, known in COLUMNS
        if column in joined
    }
    return pd.DataFrame(table).assign(dataset=ds.info.source_line)


def meanings() -> pd.DataFrame:
    """What does each column of the flat table mean, and each word in it?

    Returns
    -------
    DataFrame
        `column`, `value` ("" for the column itself) and `meaning`.
    """
    tables = codebook()["table"]
    described = {
        column: spec["description"]
        for table in ("sources", "exiles", "incidents")
        for column, spec in tables[table]["column"].items()
    } | _DERIVED
    rows = []
    for name, column, known in COLUMNS:
        rows.append((name, "", described[column]))
        if known not in ("", "state", "yes"):
            for entry in codebook()["codes"][known].values():
                rows.append((name, entry["label"], entry.get("description", "")))
    rows.append(("dataset", "", f"Name, edition and checksum of the data. {CAVEAT}"))
    return pd.DataFrame(rows, columns=["column", "value", "meaning"])


def export(ds: Dataset, file: Path) -> Path:
    """Write the flat table of a Dataset to a file.

    Parameters
    ----------
    ds
        The public record, a part of it, or a table of yours.
    file
        Ends in .xlsx (with the codebook as its second sheet) or .csv (UTF-8 with a mark, so that
        spreadsheet programs see it). It must not exist.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    CapeError
        The file exists, cannot be written, or has another ending.
    """
    if file.suffix.lower() not in (".xlsx", ".csv"):
        raise CapeError(f"{file} must end in .xlsx or .csv")
    if file.exists() or file.is_symlink():
        raise CapeError(f"{file} exists: choose another name with --out")
    content = as_workbook(ds) if file.suffix.lower() == ".xlsx" else as_csv(ds)
    write_files(file.parent, {file.name: content})
    return file


def as_csv(ds: Dataset) -> bytes:
    """The flat table as CSV."""
    safe = flat(ds).apply(defused)
    return safe.to_csv(index=False, quoting=csv.QUOTE_ALL, lineterminator="\r\n").encode(
        "utf-8-sig"
    )


def as_workbook(ds: Dataset) -> bytes:
    """The flat table as a workbook, with the codebook as its second sheet."""
    return workbook({"incidents": flat(ds), "codebook": meanings()})


def workbook(sheets: dict[str, pd.DataFrame]) -> bytes:
    """Tables of text as a workbook (Office Open XML).

    Own code: openpyxl, the library for it, is no dependency of capelib, and it writes the time of
    day into each workbook, so that equal data would not give equal bytes.

    Parameters
    ----------
    sheets
        By name. All cells are written as text, which no program runs as a formula; what begins
        with http is a link.

    Returns
    -------
    bytes
        Equal for equal tables.
    """
    numbers = range(1, len(sheets) + 1)
    names = "".join(
        f'<sheet name={quoteattr(name)} sheetId="{k}" r:id="rId{k}"/>'
        for k, name in zip(numbers, sheets, strict=True)
    )
    parts = {
        "[Content_Types].xml": _types(numbers),
        "_rels/.rels": _relations([("officeDocument", "xl/workbook.xml", "")]),
        "xl/workbook.xml": f'{_HEAD}<workbook {_MAIN} xmlns:r="{_OFFICE}">'
        f"<sheets>{names}</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": _relations(
            [
                *(("worksheet", f"worksheets/sheet{k}.xml", "") for k in numbers),
                ("styles", "styles.xml", ""),
            ]
        ),
        "xl/styles.xml": _STYLES,
    }
    for k, frame in zip(numbers, sheets.values(), strict=True):
        text, links = _sheet(frame)
        parts[f"xl/worksheets/sheet{k}.xml"] = text
        if links:
            relations = [("hyperlink", link, ' TargetMode="External"') for link in links]
            parts[f"xl/worksheets/_rels/sheet{k}.xml.rels"] = _relations(relations)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(zipfile.ZipInfo(name, _DAY), text, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _in_words(column: pd.Series, known: str) -> pd.Series:
    """A column as text, codes as their labels."""
    cells = column.astype(object).where(column.notna(), "")
    if known == "yes":
        return cells.map(lambda value: "yes" if value is True else "").astype(str)
    text = cells.astype(str)
    if not known:
        return text
    words = states() if known == "state" else codes(known)
    return text.map(lambda value: words.get(value, value))


def _types(numbers: Sequence[int]) -> str:
    parts = [("workbook", "sheet.main"), ("styles", "styles")]
    parts += [(f"worksheets/sheet{k}", "worksheet") for k in numbers]
    overrides = "".join(
        f'<Override PartName="/xl/{name}.xml" ContentType="{_SPREADSHEET}.{kind}+xml"/>'
        for name, kind in parts
    )
    default = "application/vnd.openxmlformats-package.relationships+xml"
    return (
        f'{_HEAD}<Types xmlns="{_SCHEMAS}/package/2006/content-types">'
        f'<Default Extension="rels" ContentType="{default}"/>{overrides}</Types>'
    )


def _relations(relations: Sequence[tuple[str, str, str]]) -> str:
    """What a part of the workbook points to: kind, target, and the mode where it is outside."""
    lines = "".join(
        f'<Relationship Id="rId{k}" Type="{_OFFICE}/{kind}" Target={quoteattr(target)}{mode}/>'
        for k, (kind, target, mode) in enumerate(relations, 1)
    )
    space = f"{_SCHEMAS}/package/2006/relationships"
    return f'{_HEAD}<Relationships xmlns="{space}">{lines}</Relationships>'


def _sheet(frame: pd.DataFrame) -> tuple[str, list[str]]:
    """A table as a sheet, its head bold and in sight, and the addresses that it links."""
    lines, references, links = [_row(1, frame.columns, 's="1" ')], [], []
    for number, cells in enumerate(frame.itertuples(index=False), 2):
        lines.append(_row(number, cells))
        for place, cell in enumerate(cells):
            if cell.startswith(("http://", "https://")) and len(links) < _MOST_LINKS:
                links.append(cell)
                references.append(
                    f'<hyperlink ref="{_letters(place)}{number}" r:id="rId{len(links)}"/>'
                )
    linked = f"<hyperlinks>{''.join(references)}</hyperlinks>" if references else ""
    corner = f"{_letters(len(frame.columns) - 1)}{len(frame) + 1}"
    return (
        f'{_HEAD}<worksheet {_MAIN} xmlns:r="{_OFFICE}"><sheetViews><sheetView workbookViewId="0">'
        '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView>'
        f'</sheetViews><sheetFormatPr defaultRowHeight="15"/><sheetData>{"".join(lines)}'
        f'</sheetData><autoFilter ref="A1:{corner}"/>{linked}</worksheet>'
    ), links


def _row(number: int, cells: Sequence[str], style: str = "") -> str:
    text = "".join(
        f'<c r="{_letters(place)}{number}" {style}t="inlineStr"><is>'
        f'<t xml:space="preserve">{_escaped(cell)}</t></is></c>'
        for place, cell in enumerate(cells)
        if cell
    )
    return f'<row r="{number}">{text}</row>'


def _escaped(text: str) -> str:
    """Text for XML, without signs that XML does not allow."""
    return escape(_NOT_IN_XML.sub("", text))


def _letters(place: int) -> str:
    """The name of a column: A, ..., Z, AA.

    Examples
    --------
    >>> _letters(0), _letters(25), _letters(26)
    ('A', 'Z', 'AA')
    """
    letters = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
