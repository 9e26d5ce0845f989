"""A specification curve: its estimates, its joint test, and both in words."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from capelib.display import Result
from capelib.estimators.specifications import JointTest, joint_test
from capelib.questions.wording import signed, two_digits


@dataclass(frozen=True, repr=False)
class Curve(Result):
    """A specification curve.

    Attributes
    ----------
    notebook
        Whose main number it is.
    unit
        "difference", "ratio" (a factor a year) or "odds ratio"; of the two last `estimates` holds
        logarithms.
    listed
        Specifications that were listed.
    without
        Of these, those with too few cases.
    table
        One row for each that rests on rows of its own: the options, `alike` (listed ones that rest
        on the same rows and hits), `value`, `p` (of it alone).
    estimates
        Labelings by rows of `table`, the true labeling first.
    moved
        What was moved between what, in words.
    mark
        What was moved, in a word.
    test
        Of all together.
    default
        The row of `table` that the notebook shows.
    by_host
        The joint test with the regimes of hosts moved in place of years; None where the question
        has no such test.
    """

    notebook: str
    unit: str
    listed: int
    without: int
    table: pd.DataFrame
    estimates: np.ndarray
    moved: str
    mark: str
    test: JointTest
    default: int
    by_host: JointTest | None = None

    def summary(self) -> str:
        """What the curve says."""
        return self.sentence()

    def sentence(self) -> str:
        """What the curve says, in a few sentences."""
        value, distinct = self.table["value"], len(self.table)
        quarter, middle, three = value.quantile([0.25, 0.5, 0.75])
        shown = value.iloc[self.default]
        above = 100 * (value < shown).mean()
        text = (
            f"Of {self.listed:,} specifications {distinct:,} rest on rows of their own"
            f"{self._too_few()}. "
            f"Their median is {self._number(middle)}, the middle half runs from "
            f"{self._number(quarter)} to {self._number(three)}; the notebook's "
            f"{self._number(shown)} lies above {above:.0f} % of them. "
        )
        return f"{text}{self._joint()}"

    def _too_few(self) -> str:
        return f" ({self.without:,} more have too few cases)" if self.without else ""

    def _number(self, value: float) -> str:
        if self.unit == "ratio":
            return f"{value:.3f} a year"
        if self.unit == "odds ratio":
            return f"{two_digits(value)} times"
        return f"{signed(100 * value).replace('+0', '0')} points"

    def _joint(self) -> str:
        """The joint tests in words."""
        text = f"{self.moved}: {_in_ways(self.test)}"
        if self.unit == "odds ratio":
            middle = self._number(float(np.exp(np.median(np.median(self.estimates[1:], axis=1)))))
            text += f" Moved so, half of the medians are {middle} or more."
        if self.by_host:
            text += f" With the regimes of hosts moved from host to host: {_in_ways(self.by_host)}"
        return text

    def by_option(self) -> pd.DataFrame:
        """Which choice moves the number? Per option `n`, `low`, `median`, `high` (quartiles)."""
        columns = [name for name in self.table if name not in ("alike", "value", "p")]
        rows = [
            (choice, option, len(part), *part.quantile([0.25, 0.5, 0.75]))
            for choice in columns
            for option, part in self.table.groupby(choice, sort=False)["value"]
        ]
        return pd.DataFrame(rows, columns=["choice", "option", "n", "low", "median", "high"])


def _in_ways(test: JointTest) -> str:
    """How often moving gave as much, and whether that is chance."""
    count, least = test.labelings, f"1/{test.labelings:,}"
    rank = round(test.p_median * count)
    verdict = "is not beyond chance"
    if rank == 1:
        verdict = "is the least that this test can give"
    if test.p_median <= 0.05:
        verdict = "is beyond chance"
    return (
        f"in {rank:,} of {count:,} ways the median lies at least as far from none as in truth "
        f"(p = {test.p_median:.2f}; no p can be below {least}), and that {verdict}."
    )


def curve_of(
    notebook: str,
    unit: str,
    listed: pd.DataFrame,
    keys: list[bytes],
    estimates: np.ndarray,
    enough: np.ndarray,
    moved: str,
    mark: str,
    by_host: np.ndarray | None = None,
) -> Curve | None:
    """Specifications that rest on the same rows become one: the first that was listed."""
    estimate = listed["estimate"] if "estimate" in listed else pd.Series("", listed.index)
    key = pd.Series(keys, listed.index).astype("object")
    group = pd.factorize(pd.MultiIndex.from_arrays([key, estimate]))[0]
    first = pd.Series(group).drop_duplicates().index.to_numpy()
    chosen = first[enough[first]]
    if not len(chosen):
        return None
    kept = estimates[:, chosen]
    test = joint_test(kept)
    value = kept[0] if unit == "difference" else np.exp(kept[0])
    alike = pd.Series(group).map(pd.Series(group).value_counts()).to_numpy()[chosen]
    table = listed.loc[chosen].assign(alike=alike, value=value, p=test.p_each)
    default = int(np.flatnonzero(chosen == 0)[0]) if 0 in chosen else 0
    return Curve(
        notebook,
        unit,
        len(listed),
        int((~enough).sum()),
        table.reset_index(drop=True),
        kept,
        moved,
        mark,
        test,
        default,
        None if by_host is None else joint_test(by_host[:, chosen]),
    )
