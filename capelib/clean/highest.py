"""The highest stage that a table names for a person, compared with the person's incidents."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from capelib.clean.changes import GUESS
from capelib.clean.distinct import DistinctColumn, at_places
from capelib.clean.matching import Match
from capelib.clean.rows import RowLog
from capelib.vocabulary.codebook import stage_of

RULES = {
    "stage.more": "the table names a higher stage for the row than its incidents have: "
    "is a measure missing?",
    "stage.less": "an incident is of a higher stage than the highest that the table names",
    "stage.unread": "the highest stage is not 1, 2 or 3: not compared with the incidents",
}


def log_highest(
    frames: Sequence[pd.DataFrame],
    matches: Sequence[Match],
    rows: RowLog,
    row: np.ndarray,
    measures: DistinctColumn,
) -> None:
    """Logs each row of which the highest stage differs from that of its incidents.

    Parameters
    ----------
    frames, matches
        Of the sheets.
    rows
        All rows.
    row, measures
        Of the incidents that are kept.
    """
    if not any(match.highest for match in matches):
        return
    stages = measures.words.map(lambda code: stage_of().get(code, 0)).to_numpy(dtype="int64")
    reached = np.zeros(rows.total, dtype="int64")
    np.maximum.at(reached, row, at_places(stages, measures.places, 0))
    for number, (frame, match) in enumerate(zip(frames, matches, strict=True)):
        if not match.highest:
            continue
        start = int(rows.starts[number])
        cells = DistinctColumn.from_cells(frame[match.highest])
        stage = cells.words.str.extract(r"^\D{0,12}([1-3])(?:\.0)?\D{0,2}$")[0]
        stated = at_places(stage.fillna(0).astype("int64").to_numpy(), cells.places, 0)
        of_events = reached[start : start + len(frame)]
        in_use = of_events > 0
        differing = {
            "stage.more": in_use & (stated > of_events),
            "stage.less": in_use & (stated > 0) & (stated < of_events),
            "stage.unread": in_use & cells.filled & (stated == 0),
        }
        for rule, which in differing.items():
            remedy = "add the measure, or mend the highest stage"
            places = np.flatnonzero(which) + start
            rows.log("measure", places, rule, "kept", GUESS, remedy, 0.5)
