"""Rows of a user's table that name a withdrawn key, removed before anything is made of them."""

from collections.abc import Collection
from dataclasses import replace

import numpy as np
import pandas as pd

from capelib.clean.changes import HIDDEN, ChangeLog
from capelib.clean.ids import KEYS
from capelib.clean.matching import Match
from capelib.clean.shown import MASK
from capelib.read.sheet import Sheet
from capelib.vocabulary.text import bare
from capelib.vocabulary.withdrawal import is_withdrawn, names_key


def key_columns(sheet: Sheet, match: Match) -> dict[str, str]:
    """Our column by header, for the columns that hold keys.

    Also where the layout does not use a column that is called so.
    """
    named = {str(name): bare(str(name)).replace(" ", "_") for name in sheet.frame.columns}
    named |= match.columns
    return {header: column for header, column in named.items() if column in KEYS}


def with_plain_names(sheet: Sheet, keys: Collection[str]) -> Sheet:
    """A sheet of which neither file, name nor a header names a withdrawn key.

    A column with such a header is called by its number.
    """
    if not keys:
        return sheet
    names = [str(name) for name in sheet.frame.columns]
    naming = names_key(pd.Series(names, dtype="str"), keys, False)
    new = {names[place]: f"column {place + 1}" for place in np.flatnonzero(naming)}
    frame = sheet.frame.set_axis([new.get(name, name) for name in names], axis=1)
    notes = sheet.notes.replace({"column": new})
    made = names_key(notes["made"].fillna("").astype("str"), keys, False)
    notes = notes.assign(made=notes["made"].mask(made, HIDDEN))
    file, name = (without_key(text, keys) for text in (sheet.file, sheet.sheet))
    return replace(sheet, frame=frame, notes=notes, file=file, sheet=name)


def without_key(name: str, keys: Collection[str]) -> str:
    """The name of a file or sheet; what stands for it where it names a withdrawn key."""
    naming = keys and names_key(pd.Series([name], dtype="str"), keys, False).any()
    return MASK if naming else name


def without_withdrawn(
    sheet: Sheet, ids: Collection[str], keys: Collection[str], log: ChangeLog
) -> Sheet:
    """A sheet without the rows that name a withdrawn key, which are counted in the log.

    The notes of reading on these rows go with them.

    Parameters
    ----------
    sheet
        As it was read.
    ids
        The columns that hold keys.
    keys
        The withdrawn ones.
    log
        Gets a line for each row removed.

    Returns
    -------
    Sheet
    """
    if not keys:
        return sheet
    gone = is_withdrawn(sheet.frame, keys, ids)
    rows = sheet.frame.index[gone]
    log.withdrawn(sheet.file, sheet.sheet, rows)
    notes = sheet.notes[~sheet.notes["row"].isin(rows)]
    naming = names_key(notes["value"].fillna("").astype("str"), keys, True)
    notes = notes.assign(value=notes["value"].mask(naming, HIDDEN))
    return replace(sheet, frame=sheet.frame[~gone], notes=notes)
