"""A column by its distinct cells: what is done to a million rows is done once to what differs in them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Column:
    """words: the distinct cells, text. places: for each line the place of its cell in `words`, -1 where it is blank."""

    places: np.ndarray
    words: pd.Series

    @classmethod
    def of(cls, cells: pd.Series) -> "Column":
        """A column of text by its distinct cells, in the order in which they occur.

        >>> Column.of(pd.Series(["RUS", None, "RUS"], dtype="str")).places.tolist()
        [0, -1, 0]
        """
        places, words = pd.factorize(cells.astype("str").array)
        return cls(places.astype("int32"), pd.Series(words, dtype="str"))

    @classmethod
    def at(cls, places: np.ndarray, words: pd.Series) -> "Column":
        """A column whose cells are these words, by place: equal ones become one, missing ones blank."""
        of, distinct = pd.factorize(words.astype("str").array)
        return cls(np.append(of, -1)[places].astype("int32"), pd.Series(distinct, dtype="str"))

    @classmethod
    def blank(cls, lines: int) -> "Column":
        """A column without any cell."""
        return cls(np.full(lines, -1, dtype="int32"), pd.Series(dtype="str"))

    @classmethod
    def together(cls, columns: Sequence["Column"]) -> "Column":
        """Columns one below the other."""
        if len(columns) == 1:
            return columns[0]
        starts = np.cumsum([0, *(len(column.words) for column in columns)])
        places = [
            np.where(column.places < 0, -1, column.places + start)
            for column, start in zip(columns, starts, strict=False)
        ]
        words = pd.concat([column.words for column in columns], ignore_index=True)
        return cls.at(np.concatenate(places), words)

    def made(self, words: pd.Series) -> "Column":
        """Each word made into another."""
        return Column.at(self.places, words)

    def take(self, lines: np.ndarray) -> "Column":
        """The column with these lines alone."""
        return Column(self.places[lines], self.words)

    def without(self, lines: np.ndarray) -> "Column":
        """The column with these lines left blank."""
        places = self.places.copy()
        places[lines] = -1
        return Column(places, self.words)

    @property
    def filled(self) -> np.ndarray:
        """The lines that are not blank, as True and False."""
        return self.places >= 0

    def flags(self, words: np.ndarray) -> np.ndarray:
        """What is True or False of each word, for each line; False where it is blank."""
        return np.append(words, False)[self.places]

    def cells(self) -> pd.Series:
        """Every cell as text."""
        return pd.Series(
            pd.array(self.words, dtype="str").take(self.places, allow_fill=True), dtype="str"
        )


def once(places: np.ndarray) -> np.ndarray:
    """Places in order, each named once.

    >>> once(np.array([2, 2, 5])).tolist()
    [2, 5]
    """
    return places[np.diff(places, prepend=-1) != 0]
