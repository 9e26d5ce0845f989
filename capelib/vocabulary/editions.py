"""Editions of the public record: an earlier one comes back when later corrections are undone."""

import csv
import io

import pandas as pd

from capelib.errors import DataError
from capelib.vocabulary.codebook import codebook, codes, columns, require, spelt
from capelib.vocabulary.tables import path_of, read_text
from capelib.vocabulary.withdrawal import built_in_keys, id_columns, is_withdrawn

RECORD = ("exiles", "sources", "incidents")


def current() -> str:
    """Which edition of the public record ships?

    Examples
    --------
    >>> current()
    '2026-12'
    """
    return codebook()["dataset"]["edition"]


def meant(edition: str) -> str:
    """Which edition is asked for? "" is the current one.

    Raises
    ------
    ParameterError
        There is no such edition; the nearest is named.

    Examples
    --------
    >>> meant(""), meant("2026-11")
    ('2026-12', '2026-11')
    """
    edition = spelt(edition, codes("edition")) or current()
    return require("edition", edition, list(codes("edition")))[0]


def of_public_record(edition: str) -> str:
    """What does a user read who asks for an edition of a table of their own?

    Examples
    --------
    >>> of_public_record("2026-11")
    'edition 2026-11 is one of the built-in public record: leave it out with a table of yours'
    """
    what = f"edition {edition} is one of the built-in public record"
    return f"{what}: leave it out with a table of yours"


def first() -> str:
    """Which edition was the first?

    Examples
    --------
    >>> first()
    '2026-11'
    """
    return next(iter(codes("edition")))


def _later(edition: str) -> list[str]:
    """The editions after this one, the oldest first."""
    order = list(codes("edition"))
    return order[order.index(edition) + 1 :]


def record(edition: str) -> dict[str, pd.DataFrame]:
    """What stood in the tables of an edition? Withdrawn entries included: for `cape.load` alone.

    Parameters
    ----------
    edition
        A code of the codebook.

    Returns
    -------
    dict of DataFrame
        `exiles`, `sources` and `incidents`, all cells text, blank cells missing: the rows, the
        cells and the columns that the edition had.

    Raises
    ------
    DataError
        A correction of data/changes.csv does not fit the tables.

    Examples
    --------
    >>> {table: frame.shape for table, frame in record("2026-11").items()}
    {'exiles': (694, 4), 'sources': (609, 4), 'incidents': (1074, 13)}
    """
    later = _later(edition)
    tables = {table: read_text(path_of(table)) for table in RECORD}
    if not later:
        return tables
    changes = read_text(path_of("changes"))
    for table, frame in tables.items():
        frame = frame[~frame["added"].isin(later)].set_index(id_columns(table)[0])
        for newest in reversed(later):
            undone = changes[(changes["table"] == table) & (changes["edition"] == newest)]
            _undo(frame, undone)
        had = [name for name, spec in columns(table).items() if spec.get("since") not in later]
        tables[table] = frame.reset_index()[had]
    return tables


def _undo(frame: pd.DataFrame, changes: pd.DataFrame) -> None:
    """Puts the cells back that stood there before; frame: by key."""
    for column, rows in changes.groupby("column"):
        known = rows["id"].isin(frame.index)
        cells = frame[column].reindex(rows["id"]).fillna("").to_numpy()
        wrong = ~known.to_numpy() | (cells != rows["is"].fillna("").to_numpy())
        if wrong.any():
            place = f"data/changes.csv, row {int(rows.index[wrong][0]) + 2}"
            raise DataError(
                f"{place}: the table does not hold this cell; write in `is` what stands there"
            )
        frame.loc[rows["id"], column] = rows["was"].to_numpy()


def as_csv(frame: pd.DataFrame) -> bytes:
    """A table of text as its file in data/ holds it.

    Examples
    --------
    >>> as_csv(pd.DataFrame({"a": ["x, y", None], "b": ["1", "2"]}))
    b'a,b\\n"x, y",1\\n,2\\n'
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(frame.columns)
    writer.writerows(frame.fillna("").to_numpy().tolist())
    return text.getvalue().encode()


def corrections(edition: str = "") -> pd.DataFrame:
    """Which cells were corrected since an edition, and why?

    Parameters
    ----------
    edition
        "" is the first.

    Returns
    -------
    DataFrame
        Columns `edition`, `table`, `id`, `column`, `was`, `is`, `reason`, `found_by`, all str.
        Withdrawn entries are left out.

    Raises
    ------
    ParameterError
        There is no such edition.

    Examples
    --------
    >>> corrections()["table"].value_counts().to_dict()
    {'incidents': 329, 'sources': 77, 'exiles': 24}
    """
    later = _later(meant(edition or first()))
    changes = read_text(path_of("changes"))
    keys = built_in_keys()
    if keys:
        changes = changes[~is_withdrawn(changes, keys, id_columns("changes"))]
    return changes[changes["edition"].isin(later)].reset_index(drop=True)


def changed(edition: str = "") -> pd.DataFrame:
    """How much changed since an edition, by table and column?

    Parameters
    ----------
    edition
        "" is the first.

    Returns
    -------
    DataFrame
        A row a table for its rows (`column` is "(rows)": `before`, `added`, `removed`, `now`),
        and a row for each column with corrected cells: `corrected`, and `found_by`, how they came
        to light ("audit 38, judgment 35").

    Raises
    ------
    ParameterError
        There is no such edition.

    Examples
    --------
    >>> rows = changed()
    >>> rows[rows["column"] == "(rows)"][["table", "before", "added", "removed"]].values.tolist()
    [['incidents', 1074, 741, 0], ['exiles', 694, 402, 0], ['sources', 609, 433, 0]]
    """
    later = _later(meant(edition or first()))
    cells, keys = corrections(edition), built_in_keys()
    lines = []
    for table in ("incidents", "exiles", "sources"):
        frame = read_text(path_of(table))
        frame = frame[~is_withdrawn(frame, keys, id_columns(table))]
        added = int(frame["added"].isin(later).sum())
        now = {"table": table, "column": "(rows)", "before": len(frame) - added, "added": added}
        lines.append(now | {"removed": 0, "now": len(frame)})
        of_table = cells[cells["table"] == table]
        for column in [name for name in columns(table) if name in set(of_table["column"])]:
            why = of_table.loc[of_table["column"] == column, "found_by"].value_counts()
            listed = ", ".join(f"{name} {count}" for name, count in why.items())
            line = {"table": table, "column": column, "corrected": int(why.sum())}
            lines.append(line | {"found_by": listed})
    order = ["table", "column", "before", "added", "removed", "now", "corrected", "found_by"]
    counts = dict.fromkeys(order[2:7], "Int64")
    return pd.DataFrame(lines, columns=order).astype(counts)
