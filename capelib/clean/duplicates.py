"""Duplicates and near-duplicates, and what is kept but deserves a look."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from capelib.clean.changes import GUESS
from capelib.clean.distinct import DistinctColumn, once
from capelib.clean.ids import Exiles, has_our_form
from capelib.clean.rows import RowLog
from capelib.clean.several import IncidentRows

RULES = {
    "duplicate.near": "nearly the same incident as another row"
    " (person, measure, host, within a week): kept",
    "host.is_origin": "the host is the pursuing state itself: kept",
}
REPEATED_ROW = "says the same as an earlier row"
REPEATED_KEY = "the key occurs twice"
NEAR = pd.Timedelta(days=7)  # two reports of one event seldom differ by more


def refuse_repeats(
    frames: list[pd.DataFrame], lines: IncidentRows, persons: DistinctColumn, rows: RowLog
) -> None:
    """Sets aside rows that repeat a key of ours or, without such keys, another whole row.

    A row repeats another only where it names the person.
    """
    usable = ~rows.bad & ~rows.withdrawn
    key = lines.cells.get("incident_id")
    if key is not None:
        good = key.flags(has_our_form(key.words, "incident_id"))
        keyed = np.flatnonzero(good & (lines.part == 0) & usable[lines.row])
        again = keyed[pd.Series(key.places[keyed]).duplicated().to_numpy()]
        rows.refuse(lines.row[again], "incident_id", REPEATED_KEY, "each row needs its own key")
        return
    known = persons.filled.copy()
    if "exile_id" in lines.cells:
        known[lines.row[lines.cells["exile_id"].filled]] = True
    whole = frames[0] if len(frames) == 1 else pd.concat(frames, ignore_index=True)
    # First the column that tells most rows apart.
    differ = whole.iloc[:1000].nunique().sort_values(ascending=False, kind="stable")
    columns = [pd.Series(persons.places), *(whole[name] for name in differ.index)]
    again = repeated(columns, np.flatnonzero(known & usable))
    rows.refuse(again, "row", REPEATED_ROW, "take one of the two out")


def repeated(columns: Sequence[pd.Series], rows: np.ndarray) -> np.ndarray:
    """Which of these rows have the same cells as an earlier one of them?

    Column by column; after each, only rows that may still repeat another stay. (pandas'
    `duplicated` over all columns at once needs several times the memory.) `group` numbers the rows
    that are equal so far; group and cell are put into one number, as none can reach 64 bits.
    """
    group = np.zeros(len(rows), dtype="int64")
    for cells in columns:
        cell, words = pd.factorize(cells.array[rows])
        group, _ = pd.factorize(group * (len(words) + 1) + cell + 1)
        several = pd.Series(group).duplicated(keep=False).to_numpy()
        rows, group = rows[several], group[several]
    return rows[pd.Series(group).duplicated().to_numpy()]


def log_doubtful(
    lines: IncidentRows,
    kept: np.ndarray,
    tidy: dict[str, DistinctColumn],
    days: pd.DataFrame,
    exiles: Exiles,
    rows: RowLog,
    persons_known: bool,
) -> None:
    """Logs what is kept but deserves a look: a host that is the origin, and near-duplicates.

    tidy, days: of the kept lines. persons_known: are persons told apart at all?
    """
    row = lines.row[kept]
    if "host" in tidy:
        host, origin = (tidy[name].cells() for name in ("host", "origin"))
        same = (host == origin).fillna(False).to_numpy(dtype=bool)
        remedy = "a measure abroad has another host; for relatives the host is the exile's own"
        rows.log("host", once(row[same]), "host.is_origin", "kept", GUESS, remedy, 0.5)
    if persons_known and "date" in tidy:
        near = np.unique(_near(row, tidy, days, exiles))
        remedy = "one event in two reports? then take one out"
        rows.log("row", near, "duplicate.near", "kept", GUESS, remedy, 0.5)


def _near(
    row: np.ndarray, tidy: dict[str, DistinctColumn], days: pd.DataFrame, exiles: Exiles
) -> np.ndarray:
    """Rows with the same person, measure and host as another row, within a week of it."""
    about = pd.DataFrame({"exile": exiles.number, "measure": tidy["measure"].places})
    if "host" in tidy:
        about["host"] = tidy["host"].places
    about = about[days["date_start"].notna()]
    about = about[about.duplicated(keep=False)]
    order = about.join(days).assign(row=row[about.index])
    order = order.sort_values([*about, "date_start"], kind="stable")
    same = (order[list(about)] == order[list(about)].shift()).all(axis=1)
    last_day = order.groupby((~same).cumsum())["date_end"].cummax().shift()
    close = same & (order["date_start"] <= last_day + NEAR) & (order["row"] != order["row"].shift())
    return order.loc[close, "row"].to_numpy()
