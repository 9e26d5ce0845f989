"""The rows read: where each stands in its file, what is logged of it, and why it is set aside."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from capelib.clean.changes import HIDDEN, SET_ASIDE, ChangeLog
from capelib.clean.shown import Shown
from capelib.read.sheet import Sheet


class RowLog:
    """All rows of all sheets, numbered from 0 ("places").

    Attributes
    ----------
    shown
        What of the cells may be shown.
    changes
        The log of all changes.
    sheets
        File and name of each sheet, as they may be shown.
    starts
        The place of the first row of each sheet, and behind the last the number of all rows.
    number
        For each row, its number in the file.
    sheet
        For each row, which sheet it stands in.
    untrusted
        Rows whose cells may not stand in their own columns, or do not fit together. They are set
        aside, and their cells neither read nor shown.
    unread
        For each row, how many filled cells of columns that are read were not used, and told.
    withdrawn
        Rows with a withdrawn key.
    some_removed
        Whether rows with a withdrawn key were removed before, and are not among these.
    """

    def __init__(self, sheets: Sequence[Sheet], shown: Shown, some_removed: bool = False) -> None:
        sizes = [len(sheet.frame) for sheet in sheets]
        numbers = [sheet.frame.index.to_numpy(dtype="int32") for sheet in sheets]
        self.shown = shown
        self.some_removed = some_removed
        self.changes = ChangeLog(shown=shown)
        self.sheets = [(shown.text(sheet.file), shown.text(sheet.sheet)) for sheet in sheets]
        self.starts = np.cumsum([0, *sizes])
        self.number = np.concatenate(numbers)
        self.sheet = np.repeat(np.arange(len(sizes), dtype="int32"), sizes)
        self.untrusted = np.zeros(self.total, dtype=bool)
        self.unread = np.zeros(self.total, dtype="int32")
        self.withdrawn = np.zeros(self.total, dtype=bool)
        self._reasons: dict[tuple[str, ...], int] = {(): 0}  # all sets of reasons that occur
        self._why = np.zeros(self.total, dtype="int32")  # for each row, the place of its reasons

    @property
    def total(self) -> int:
        """How many rows there are."""
        return int(self.starts[-1])

    @property
    def bad(self) -> np.ndarray:
        """For each row: is it set aside?"""
        return self._why > 0

    def log_cells(
        self, column: str, places: np.ndarray, lines: np.ndarray, cells: pd.DataFrame
    ) -> None:
        """What was made of the cells of a column. lines: for each row the line of `cells`."""
        for number, (file, sheet) in enumerate(self.sheets):
            inside = self.sheet[places] == number if len(self.sheets) > 1 else slice(None)
            self.changes.cells(
                file, sheet, column, self.number[places[inside]], lines[inside], cells
            )

    def log(
        self,
        column: str,
        places: np.ndarray,
        rule: str,
        made: str,
        severity: str,
        remedy: str = "",
        certainty: float = 1.0,
    ) -> None:
        """The same change in a column of many rows; its cells are not shown."""
        if not len(places):
            return
        line = {"value": HIDDEN, "made": made, "rule": rule, "severity": severity}
        line |= {"certainty": certainty, "remedy": remedy or None}
        self.log_cells(column, places, np.zeros(len(places), dtype="int32"), pd.DataFrame([line]))

    def refuse(self, places: np.ndarray, column: str, problem: str, remedy: str) -> None:
        """Sets rows aside, and logs why and what to do."""
        self.log(column, places, problem, "set aside", SET_ASIDE, remedy)
        self.set_aside(places, np.zeros(len(places), dtype="int32"), [f"{column}: {problem}"])

    def set_aside(self, places: np.ndarray, which: np.ndarray, reasons: Sequence[str]) -> None:
        """Sets rows aside. which: for each of them the place of its reason in `reasons`.

        A row may be named several times: two of its lines can be bad in two ways.
        """
        while len(places):
            again = pd.Series(places).duplicated().to_numpy()
            rows = places[~again]
            pairs = pd.DataFrame({"known": self._why[rows], "reason": which[~again]})
            pair = pairs.groupby(["known", "reason"], sort=False).ngroup().to_numpy()
            known_reasons = list(self._reasons)
            sets = []
            for known, reason in pairs.drop_duplicates().itertuples(index=False):
                more = dict.fromkeys((*known_reasons[known], reasons[reason]))
                sets.append(self._reasons.setdefault(tuple(more), len(self._reasons)))
            self._why[rows] = np.array(sets, dtype="int32")[pair]
            places, which = places[again], which[again]

    def why(self, places: np.ndarray) -> pd.Series:
        """Why these rows are set aside, in words."""
        words = pd.array(["; ".join(reasons) for reasons in self._reasons], dtype="str")
        return pd.Series(words.take(self._why[places]), dtype="str")

    def where(self, places: np.ndarray) -> pd.DataFrame:
        """File, sheet and row of these rows."""
        sheet = self.sheet[places]
        frame = pd.DataFrame()
        for part, name in enumerate(("file", "sheet")):
            place, words = pd.factorize(
                np.array([each[part] for each in self.sheets], dtype=object)
            )
            categories = pd.Index(words, dtype="str")
            frame[name] = pd.Categorical.from_codes(place[sheet], categories)
        return frame.assign(row=self.number[places].astype("int64"))
