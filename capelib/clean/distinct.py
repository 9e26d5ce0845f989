"""A column by its distinct cells: what is done to a million rows is done once to each."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class DistinctColumn:
    """A column of text, each distinct cell kept once.

    Attributes
    ----------
    places
        For each line the place of its cell in `words`, -1 where it is blank.
    words
        The distinct cells.
    """

    places: np.ndarray
    words: pd.Series

    @classmethod
    def from_cells(cls, cells: pd.Series) -> "DistinctColumn":
        """A column of text by its distinct cells, in the order in which they occur.

        >>> DistinctColumn.from_cells(pd.Series(["RUS", None, "RUS"], dtype="str")).places.tolist()
        [0, -1, 0]
        """
        places, words = pd.factorize(cells.astype("str").array)
        return cls(places.astype("int32"), pd.Series(words, dtype="str"))

    @classmethod
    def from_words(cls, places: np.ndarray, words: pd.Series) -> "DistinctColumn":
        """A column with these words, by place: equal words become one, missing ones blank."""
        place_of_word, distinct = pd.factorize(words.astype("str").array)
        places = at_places(place_of_word, places, -1).astype("int32")
        return cls(places, pd.Series(distinct, dtype="str"))

    @classmethod
    def blank(cls, lines: int) -> "DistinctColumn":
        """A column without any cell."""
        return cls(np.full(lines, -1, dtype="int32"), pd.Series(dtype="str"))

    @classmethod
    def stacked(cls, columns: Sequence["DistinctColumn"]) -> "DistinctColumn":
        """Columns one below the other."""
        if len(columns) == 1:
            return columns[0]
        places, words = [], 0
        for column in columns:
            places.append(np.where(column.filled, column.places + words, -1))
            words += len(column.words)
        all_words = pd.concat([column.words for column in columns], ignore_index=True)
        return cls.from_words(np.concatenate(places), all_words)

    def map(self, words: pd.Series) -> "DistinctColumn":
        """Each word made into another; `words` stand in the order of `self.words`."""
        return DistinctColumn.from_words(self.places, words)

    def take(self, lines: np.ndarray) -> "DistinctColumn":
        """The column with these lines alone."""
        return DistinctColumn(self.places[lines], self.words)

    def without(self, lines: np.ndarray) -> "DistinctColumn":
        """The column with these lines left blank."""
        places = self.places.copy()
        places[lines] = -1
        return DistinctColumn(places, self.words)

    @property
    def filled(self) -> np.ndarray:
        """For each line: does it hold a cell?"""
        return self.places >= 0

    def flags(self, words: np.ndarray) -> np.ndarray:
        """What is True or False of each word, for each line; False where it is blank."""
        return at_places(words, self.places, False)

    def cells(self) -> pd.Series:
        """Every cell as text."""
        words = pd.array(self.words, dtype="str")
        return pd.Series(words.take(self.places, allow_fill=True), dtype="str")


def at_places(values: np.ndarray, places: np.ndarray, blank: object) -> np.ndarray:
    """The value at each place; `blank` where the place is -1.

    >>> at_places(np.array([5, 7]), np.array([1, -1, 0]), 0).tolist()
    [7, 0, 5]
    """
    return np.append(values, blank)[places]  # index -1 is the last one


def once(places: np.ndarray) -> np.ndarray:
    """Places in order, each named once.

    >>> once(np.array([2, 2, 5])).tolist()
    [2, 5]
    """
    return places[np.diff(places, prepend=-1) != 0]
