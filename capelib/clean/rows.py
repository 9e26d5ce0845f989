"""The rows read: where each stands in its file, what is told of it, and why it is set aside."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from capelib.clean.changes import ASIDE, HIDDEN, Changes
from capelib.read.header import Sheet

Reasons = tuple[str, ...]


class Rows:
    """All rows of all sheets, numbered from 0 ("places").

    number: as the file numbers them. sheet: which one each stands in. untrusted: rows whose cells may not stand in their own columns,
    or do not fit together: they are set aside, and their cells neither read nor shown. withdrawn: rows with a withdrawn key.
    """

    def __init__(self, sheets: Sequence[Sheet], changes: Changes) -> None:
        sizes = [len(sheet.frame) for sheet in sheets]
        self.changes = changes
        self.sheets = [(sheet.file, sheet.sheet) for sheet in sheets]
        self.starts = np.cumsum([0, *sizes])
        self.total = int(self.starts[-1])
        self.number = np.concatenate(
            [sheet.frame.index.to_numpy(dtype="int32") for sheet in sheets]
        )
        self.sheet = np.repeat(np.arange(len(sizes), dtype="int32"), sizes)
        self.untrusted = np.zeros(self.total, dtype=bool)
        self.withdrawn = np.zeros(self.total, dtype=bool)
        self._why = np.zeros(self.total, dtype="int32")
        self._reasons: dict[Reasons, int] = {(): 0}

    def tell(self, column: str, places: np.ndarray, lines: np.ndarray, table: pd.DataFrame) -> None:
        """What was made of cells. lines: for each row the line of `table` (value, made, rule, severity, certainty, remedy)."""
        for number, (file, sheet) in enumerate(self.sheets):
            here = self.sheet[places] == number if len(self.sheets) > 1 else slice(None)
            self.changes.cells(file, sheet, column, self.number[places[here]], lines[here], table)

    def say(
        self,
        column: str,
        places: np.ndarray,
        rule: str,
        made: str,
        severity: str,
        remedy: str = "",
        certainty: float = 1.0,
        value: str = HIDDEN,
    ) -> None:
        """The same thing of many rows."""
        if len(places):
            line = {
                "value": value,
                "made": made,
                "rule": rule,
                "severity": severity,
                "certainty": certainty,
                "remedy": remedy or None,
            }
            self.tell(column, places, np.zeros(len(places), dtype="int32"), pd.DataFrame([line]))

    def refuse(self, places: np.ndarray, column: str, problem: str, remedy: str) -> None:
        """Sets rows aside, and says why and what to do."""
        self.say(column, places, problem, "set aside", ASIDE, remedy)
        self.set_aside(places, np.zeros(len(places), dtype="int32"), [f"{column}: {problem}"])

    def set_aside(self, places: np.ndarray, which: np.ndarray, reasons: Sequence[str]) -> None:
        """Sets rows aside, each for one of the reasons; several of one row are kept in turn."""
        while len(places):
            later = (
                pd.Series(places).duplicated().to_numpy()
            )  # two lines of a row can be bad in two ways
            now, reason = places[~later], which[~later].astype("int64")
            pairs, inverse = np.unique(
                self._why[now] * np.int64(len(reasons)) + reason, return_inverse=True
            )
            known = list(self._reasons)
            made = [
                self._code(known[pair // len(reasons)], reasons[pair % len(reasons)])
                for pair in pairs
            ]
            self._why[now] = np.array(made, dtype="int32")[inverse]
            places, which = places[later], which[later]

    def _code(self, reasons: Reasons, reason: str) -> int:
        return self._reasons.setdefault(
            reasons if reason in reasons else (*reasons, reason), len(self._reasons)
        )

    @property
    def bad(self) -> np.ndarray:
        """The rows that are set aside, as True and False."""
        return self._why > 0

    def why(self, places: np.ndarray) -> pd.Series:
        """Why these rows are set aside, in words."""
        words = pd.array(["; ".join(reasons) for reasons in self._reasons], dtype="str")
        return pd.Series(words.take(self._why[places]), dtype="str")

    def where(self, places: np.ndarray) -> pd.DataFrame:
        """File, sheet and row of these rows."""
        frame = pd.DataFrame({"row": self.number[places].astype("int64")})
        for at, name in enumerate(("file", "sheet")):
            of, words = pd.factorize(np.array([sheet[at] for sheet in self.sheets], dtype=object))
            frame.insert(
                at,
                name,
                pd.Categorical.from_codes(of[self.sheet[places]], pd.Index(words, dtype="str")),
            )
        return frame
