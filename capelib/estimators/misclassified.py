"""Codes that two coders give differently: what becomes of a result, and of a family of tests."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from capelib.errors import DataError

__all__ = ["Confusion", "confusion", "holm", "holm_rows", "recodings", "symmetric_errors"]

PSEUDO = 1.0  # case that each row of a confusion gets, divided over all levels


class Confusion(NamedTuple):
    """How a second coder coded the cases of each level.

    Attributes
    ----------
    counts
        Cases by the level of the first coder (index) and of the second (columns, same levels).
    second
        The second coder's level of each case that both coded, by case (index).
    """

    counts: pd.DataFrame
    second: pd.Series

    @property
    def n(self) -> int:
        """Cases that both coded."""
        return len(self.second)


def confusion(first: pd.Series, second: pd.Series, levels: Sequence[str]) -> Confusion:
    """How did a second coder code the cases of each level?

    Parameters
    ----------
    first, second
        The level of each case by either coder, by case (index); cases that only one coded, or with
        another level than `levels`, are left out.
    levels
        All levels, in the order wanted.

    Examples
    --------
    >>> first, second = pd.Series(["a", "a", "b"]), pd.Series(["a", "b", "b"])
    >>> confusion(first, second, ["a", "b"]).counts.to_numpy().tolist()
    [[1, 1], [0, 1]]
    """
    both = pd.concat({"first": first, "second": second}, axis=1, join="inner").astype("object")
    both = both[both.isin(list(levels)).all(axis=1)]
    order = pd.Index(levels)
    cells = np.zeros((len(order), len(order)), "int64")
    np.add.at(cells, (order.get_indexer(both["first"]), order.get_indexer(both["second"])), 1)
    return Confusion(pd.DataFrame(cells, order, order), both["second"])


def recodings(
    codes: pd.Series,
    table: Confusion,
    draws: int,
    seed: int,
    symmetric: bool = False,
    together: pd.Series | None = None,
) -> Iterator[pd.Series]:
    """How might the cases have been coded, if coders differ as these two did?

    Parameters
    ----------
    codes
        The first coder's level of each case, by case (index).
    table
        From `confusion`.
    draws
        How many codings.
    seed
        The same seed gives the same codings.
    symmetric
        False takes the second coder as right: cases that the second coder had have that code, the
        others are drawn by the row of their level. True takes both coders as wrong equally often:
        every case is drawn by the square root of the symmetric table.
    together
        A group for each case, on the same index: cases of one group and level are coded alike, as
        where one report misleads. None draws each case by itself.

    Yields
    ------
    Series
        A level for each case, on the index of `codes`.

    Raises
    ------
    DataError
        With `symmetric`, where no such square root exists: the coders agree too little.

    Notes
    -----
    How the coders differ is known from few cases: each draw has a table of its own (each row is
    Dirichlet, with one case more, divided over all levels). A level that the second coder had no
    case of stays as it is.

    Two coders do not show who is right, and both readings are assumptions. In the symmetric one
    coders err independently, with chances that leave the shares of levels as they are, so that
    from one coder to the other is two such steps: each is the square root. Errors are independent,
    or, with `together`, the same within a group: the truth lies between the two. The table itself
    takes the cases that both coded as independent.

    References
    ----------
    Kuchenhoff, Mwalili and Lesaffre 2006, Biometrics 62, 85-96 (powers of the matrix).

    Examples
    --------
    >>> agree = confusion(pd.Series(["a"] * 500), pd.Series(["b"] * 500), ["a", "b"])
    >>> next(recodings(pd.Series(["a", "a", "b"]), agree, 1, seed=1)).tolist()
    ['b', 'b', 'b']
    """
    rng = np.random.default_rng(seed)
    levels = table.counts.index
    place = levels.get_indexer(codes.astype("object"))
    lot = np.arange(len(codes)) if together is None else pd.factorize(together)[0]
    counts = table.counts.to_numpy(float)
    names, first = levels.to_numpy(object), codes.to_numpy(object)
    known = table.second[table.second.index.isin(codes.index)]
    both = codes.index.get_indexer(known.index)
    for _ in range(draws):
        chances = _chances(rng, counts, symmetric)
        drawn = _drawn(rng, chances, place, lot)
        coded = np.where(place < 0, first, names[drawn])
        if not symmetric:
            coded[both] = known.to_numpy(object)
        yield pd.Series(coded, codes.index, dtype=object)


def _chances(rng: np.random.Generator, counts: np.ndarray, symmetric: bool) -> np.ndarray:
    """A table of chances that fits the counts, one row a level."""
    unknown = counts.sum(axis=1) == 0
    weight = rng.gamma(counts + PSEUDO / len(counts))
    if symmetric:
        weight = (weight + weight.T) / 2
    chances = weight / weight.sum(axis=1, keepdims=True)
    if symmetric:
        chances = _root(chances)
    chances[unknown] = np.eye(len(counts))[unknown]
    return chances


def _root(chances: np.ndarray) -> np.ndarray:
    """The square root of a table of chances; tiny negative entries become 0."""
    values, vectors = np.linalg.eig(chances)
    if np.abs(values.imag).max() > 1e-9 or values.real.min() < 0:
        raise DataError("the two coders agree too little to take their errors as symmetric")
    root = (vectors @ np.diag(np.sqrt(values)) @ np.linalg.inv(vectors)).real.clip(min=0)
    return root / root.sum(axis=1, keepdims=True)


def symmetric_errors(counts: np.ndarray) -> np.ndarray | None:
    """With which chances does each of two equally good coders err?

    Parameters
    ----------
    counts
        Cases by the codes of both coders, above 0 in each row.

    Returns
    -------
    array or None
        One row a true code; None where they agree too little. See `recodings` for what is assumed.

    Examples
    --------
    >>> symmetric_errors(np.array([[82.0, 18.0], [18.0, 82.0]])).round(2).tolist()
    [[0.9, 0.1], [0.1, 0.9]]
    """
    weight = (counts + counts.T) / 2
    try:
        return _root(weight / weight.sum(axis=1, keepdims=True))
    except DataError:
        return None


def _drawn(
    rng: np.random.Generator, chances: np.ndarray, place: np.ndarray, lot: np.ndarray
) -> np.ndarray:
    """A level for each case, by the row of its level; cases with the same lot share a draw."""
    ends = chances.cumsum(axis=1)[place]
    uniform = rng.random(len(place))[lot]
    level = (uniform[:, None] * ends[:, -1:] >= ends).sum(axis=1)
    return np.minimum(level, chances.shape[1] - 1)


def holm(p: pd.Series) -> pd.Series:
    """The p values of a family of tests that is read together, corrected by Holm's rule.

    Parameters
    ----------
    p
        Missing ones are left as they are, and are no tests of the family.

    Returns
    -------
    Series
        On the index of `p`. If one is below 0.05, the chance that any true null hypothesis of the
        family gets there is at most 5 %, however the tests depend on each other.

    Notes
    -----
    Own code: each call of statsmodels' `multipletests` collects garbage, which takes 0.2 s.

    References
    ----------
    Holm 1979, Scandinavian Journal of Statistics 6, 65-70.

    Examples
    --------
    >>> holm(pd.Series([0.01, 0.04, 0.03])).round(3).tolist()
    [0.03, 0.06, 0.06]
    """
    return pd.Series(holm_rows(p.to_numpy(float)[None])[0], p.index)


def holm_rows(p: np.ndarray) -> np.ndarray:
    """The same for many families, one a row.

    Examples
    --------
    >>> holm_rows(np.array([[0.01, 0.04, np.nan], [0.5, 0.4, 0.3]])).round(2).tolist()
    [[0.02, 0.04, nan], [0.9, 0.9, 0.9]]
    """
    order = np.argsort(p, axis=1, kind="stable")  # missing ones last
    rising = np.take_along_axis(p, order, axis=1)
    left = (~np.isnan(p)).sum(axis=1, keepdims=True) - np.arange(p.shape[1])
    corrected = np.minimum(np.maximum.accumulate(rising * left, axis=1), 1)
    result = np.empty_like(p)
    np.put_along_axis(result, order, corrected, axis=1)
    return result
