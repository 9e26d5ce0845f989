"""Rows that say the same as another row, nearly the same, or something that deserves a look."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from capelib.clean.changes import GUESS
from capelib.clean.distinct import Column, once
from capelib.clean.ids import Exiles, ours
from capelib.clean.rows import Rows
from capelib.clean.several import Lines

NEAR = pd.Timedelta(days=7)  # two reports of one event seldom differ by more


def refuse_repeats(frames: list[pd.DataFrame], lines: Lines, persons: Column, rows: Rows) -> None:
    """Sets aside rows with a key of ours that occurs twice and, without such keys, rows of a person that repeat another whole row."""
    fine = ~rows.bad & ~rows.withdrawn
    key = lines.cells.get("incident_id")
    if key is not None:
        own = np.flatnonzero(
            key.flags(ours(key.words, "incident_id")) & (lines.part == 0) & fine[lines.of]
        )
        twice = own[pd.Series(key.places[own]).duplicated().to_numpy()]
        rows.refuse(
            lines.of[twice], "incident_id", "the key occurs twice", "each row needs its own key"
        )
        return
    known = persons.filled.copy()
    if "exile_id" in lines.cells:
        known[lines.of[lines.cells["exile_id"].filled]] = True
    names = dict.fromkeys(name for frame in frames for name in frame.columns)
    whole = (
        frames[0]
        if len(frames) == 1
        else pd.concat([frame.reindex(columns=list(names)) for frame in frames], ignore_index=True)
    )
    order = (
        whole.iloc[:1000].nunique().sort_values(ascending=False, kind="stable").index
    )  # first what tells most rows apart
    again = _again(
        [pd.Series(persons.places), *(whole[name] for name in order)], np.flatnonzero(known & fine)
    )
    rows.refuse(again, "row", "says the same as an earlier row", "take one of the two out")


def _again(columns: Sequence[pd.Series], left: np.ndarray) -> np.ndarray:
    """Which of the rows `left` have the same cells as an earlier one? After each column only those that may repeat another stay."""
    key = np.zeros(len(left), dtype="int64")
    for cells in columns:
        codes, words = pd.factorize(cells.array[left])
        key, _ = pd.factorize(key * (len(words) + 1) + codes + 1)
        again = pd.Series(key).duplicated(keep=False).to_numpy()
        left, key = left[again], key[again]
        if not len(left):
            return left
    return left[pd.Series(key).duplicated().to_numpy()]


def look(
    lines: Lines,
    kept: np.ndarray,
    tidy: dict[str, Column],
    days: pd.DataFrame,
    exiles: Exiles,
    rows: Rows,
    named: bool,
) -> None:
    """Tells what is kept but deserves a look: a host that is the origin, and nearly the same incident twice.

    tidy, days: of the kept lines. named: are persons told apart at all?
    """
    row = lines.of[kept]
    if "host" in tidy:
        host, origin = (tidy[name].cells() for name in ("host", "origin"))
        same = np.flatnonzero((host == origin).fillna(False).to_numpy(dtype=bool))
        remedy = "a measure abroad has another host; for relatives the host is the exile's own"
        rows.say("host", once(row[same]), "host.is_origin", "kept", GUESS, remedy, 0.5)
    if named and "date" in tidy:
        remedy = "one event in two reports? then take one out"
        rows.say(
            "row",
            np.unique(_near(row, tidy, days, exiles)),
            "duplicate.near",
            "kept",
            GUESS,
            remedy,
            0.5,
        )


def _near(
    row: np.ndarray, tidy: dict[str, Column], days: pd.DataFrame, exiles: Exiles
) -> np.ndarray:
    """Rows that tell of the same person, measure and host as another row, within a week of it."""
    about = pd.DataFrame({"exile": exiles.of, "measure": tidy["measure"].places})
    if "host" in tidy:
        about["host"] = tidy["host"].places
    dated = days["date_start"].notna().to_numpy()
    some = np.flatnonzero(dated)[about[dated].duplicated(keep=False).to_numpy()]
    order = about.iloc[some].assign(
        start=days["date_start"].to_numpy()[some],
        end=days["date_end"].to_numpy()[some],
        row=row[some],
    )
    order = order.sort_values([*about, "start"], kind="stable")
    same = (order[list(about)] == order[list(about)].shift()).all(axis=1)
    group = (~same).cumsum()
    until = order.groupby(group)["end"].cummax().shift()
    close = same & (order["start"] <= until + NEAR) & (order["row"] != order["row"].shift())
    return order.loc[close, "row"].to_numpy()
