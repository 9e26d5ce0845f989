"""Verdicts on published numbers: computed from intervals, never typed in."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from math import isinf
from typing import Any

import pandas as pd

from capelib.dataset import Info
from capelib.errors import ParameterError
from capelib.findings.ledger import Published, written
from capelib.findings.relations import CONTRADICTION, Relation
from capelib.questions.ledger_numbers import Tally

DEPENDS = "depends on the reading"
REPRODUCED = "reproduced"
NOT_REPRODUCED = "not reproduced"
AGREES = "pattern agrees"
DIFFERS = "pattern differs"
TOO_FEW = "too few cases"
NEEDS_DATA = "needs data"
MEANING = {
    REPRODUCED: "the table declared to be the very one behind the number gives it again, "
    "within its rounding",
    NOT_REPRODUCED: "the table declared to be the very one behind the number gives another one",
    AGREES: "another dataset shows the same pattern: its 95 % interval, which allows for cases "
    "reported together, meets the number, or it holds as many as a minimum asks for",
    DIFFERS: "another dataset shows another pattern: its 95 % interval, "
    "which says nothing of how it was searched, lies apart",
    DEPENDS: "the publication can be read in more than one way, "
    "and its readings come out differently",
    TOO_FEW: "another dataset holds too few cases to say: neither for nor against the number",
    NEEDS_DATA: "the data at hand cannot speak to it; the reason says which data could",
}
FEWEST = 10  # cases below which a share or difference is not judged
WIDEST = 0.5  # a share whose 95 % interval is wider says nothing about the published one


@dataclass(frozen=True)
class Verdict:
    """What does the data at hand say about a published number?

    Attributes
    ----------
    finding_id, publication, statement : str
        As in the ledger.
    reading : str
        Where the publication can be read in more than one way, which one.
    published : str
        The number as published, in words.
    published_value : float
    published_low, published_high : float or None
        Its interval; None: no such end.
    quantity, unit : str
        As in the ledger.
    here : str
        The estimate on the data at hand, in words.
    verdict : str
        One of `MEANING`.
    reason : str
    value, low, high : float or None
        The estimate and its 95 % interval, in the unit of the published number; None where there is
        none (a count has no interval).
    n : int or None
        The cases behind the estimate.
    label : str
        Whose data.
    made_by : str
        The function and its arguments.
    arithmetic, relations : str
        Does the number fit the other published ones, and by which relations? "" where it stands in
        none.
    """

    finding_id: str
    publication: str
    statement: str
    reading: str
    published: str
    published_value: float
    published_low: float | None
    published_high: float | None
    quantity: str
    unit: str
    here: str
    verdict: str
    reason: str
    value: float | None
    low: float | None
    high: float | None
    n: int | None
    label: str
    made_by: str
    arithmetic: str = ""
    relations: str = ""

    @property
    def said(self) -> str:
        """What was stated, and in which reading?"""
        return f"{self.statement} Read as: {self.reading}." if self.reading else self.statement

    def row(self) -> dict[str, Any]:
        """How does it stand as a row of a table or a JSON object?"""
        return asdict(self)


class Verdicts(Sequence[Verdict]):
    """Which published numbers hold? Verdicts in order: a sequence, and a table.

    Attributes
    ----------
    frame : pandas.DataFrame
        One row a verdict, with the fields of `Verdict` as columns.

    Examples
    --------
    >>> len(Verdicts([]))
    0
    """

    SHOWN = ("published", "statement", "here", "verdict", "reason", "made_by")

    def __init__(self, verdicts: Sequence[Verdict]) -> None:
        self._all = list(verdicts)
        rows = pd.DataFrame(
            [verdict.row() for verdict in verdicts], columns=list(Verdict.__dataclass_fields__)
        )
        self.frame = rows.astype(
            {"value": "float64", "low": "float64", "high": "float64", "n": "Int64"}
        )

    def __getitem__(self, position: Any) -> Any:
        return self._all[position]

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[Verdict]:
        return iter(self._all)

    @property
    def table(self) -> pd.DataFrame:
        """For readers: published, statement (with its reading), here, verdict, reason, how."""
        rows = self.frame.assign(statement=[verdict.said for verdict in self._all])
        return rows[list(self.SHOWN)].rename(columns={"made_by": "how"})

    def _repr_html_(self) -> str:
        if self.frame.empty:
            return "<p>No published number speaks to this question.</p>"
        with pd.option_context("display.max_colwidth", None):
            return self.table.to_html(index=False, border=0)

    def __repr__(self) -> str:
        lines = [" | ".join(row) for row in self.table.itertuples(index=False)]
        return "\n".join(lines) or "no published number"


def judge(
    claim: Published,
    info: Info,
    made_by: str = "",
    tally: Tally | None = None,
    reading: str = "",
    needs: str = "",
    empty: str = "",
) -> Verdict:
    """Does the data at hand show the published number?

    Parameters
    ----------
    claim
        From `cape.findings.published`.
    info
        Of the dataset that speaks.
    made_by
        The function that made the estimate.
    tally
        The estimate with its interval and n, as `cape.tallies` gives them (shares and differences
        as fractions); without one the question cannot be put to this data.
    reading
        Which reading of the publication, where there is more than one.
    needs
        The data that could say more.
    empty
        Why there is no estimate, where the data could speak but holds no case.

    Returns
    -------
    Verdict
        With the interval and the reason.

    Raises
    ------
    ParameterError
        For a share or difference without an interval, a reason for that, and n.

    Notes
    -----
    Where the whole dataset is declared to be the very vintage of the finding: "reproduced" where
    the number lies within the published interval (its upper end left out, as numbers are rounded),
    otherwise "not reproduced".

    For another dataset, or a part of the vintage: "too few cases" are a share or difference of
    fewer than 10 cases or of too few groups reported together, a share with an interval wider
    than 50 points, and a difference whose interval holds both the published number and 0. Otherwise
    it "agrees" where its interval meets the published one, or else "differs". A minimum ("at least
    49") agrees where the data at hand counts as many; a collection that counts fewer cannot
    contradict it and is "too few cases". Any other count "needs data".

    Examples
    --------
    >>> import capelib as cape
    >>> claim = cape.findings.published("fa2022-autoc-share-2021")
    >>> judge(claim, cape.load().info, "by hand", Tally(0.78, 0.66, 0.86, 63)).verdict
    'pattern agrees'
    """
    if tally is not None and claim.unit == "percent_points":
        in_points = [None if part is None else 100 * part for part in tally[:3]]
        tally = Tally(*in_points, tally.n, tally.why)
    if empty:
        verdict, reason = TOO_FEW, empty
    elif tally is not None and is_the_vintage(claim, info):
        verdict, reason = _of_the_vintage(claim, tally, info)
    else:
        verdict, reason = _of_another(claim, tally, needs)
    estimate = tally or Tally(None, None, None, None)
    return Verdict(
        finding_id=claim.finding_id,
        publication=claim.publication,
        statement=claim.statement,
        reading=reading,
        published=claim.text,
        published_value=claim.value,
        published_low=claim.low if claim.exact else None,
        published_high=None if isinf(claim.high) else claim.high,
        quantity=claim.quantity,
        unit=claim.unit,
        here="" if tally is None else _here(claim, tally),
        verdict=verdict,
        reason=reason,
        value=estimate.value,
        low=estimate.low,
        high=estimate.high,
        n=estimate.n,
        label=info.label,
        made_by=made_by,
    )


def is_the_vintage(claim: Published, info: Info) -> bool:
    """Is this the whole of the table behind the number, as the user declared it?"""
    return bool(info.vintage) and claim.vintage == info.vintage and not info.filters


def _of_the_vintage(claim: Published, tally: Tally, info: Info) -> tuple[str, str]:
    """The verdict of the very table behind the number, and the reason."""
    if not claim.exact:
        return NEEDS_DATA, 'published as "about": no interval to judge by'
    computed = f"computed from {info.label}, declared to be {claim.vintage}"
    if claim.holds(tally.value) or _shares_the_place(claim, tally):
        return REPRODUCED, computed
    return NOT_REPRODUCED, f"{computed}: {_here(claim, Tally(tally.value, None, None, tally.n))}"


def _shares_the_place(claim: Published, tally: Tally) -> bool:
    """Is the published rank one of those that states with equal counts share?"""
    last = tally.value if tally.high is None else tally.high
    return claim.quantity == "rank" and tally.value <= claim.high and claim.low <= last


def _of_another(claim: Published, tally: Tally | None, needs: str) -> tuple[str, str]:
    """The verdict of another dataset, and the reason."""
    if tally is None or claim.quantity not in ("share", "difference", "minimum_count"):
        release = f"the {claim.vintage} release" if claim.vintage else "the publication's own cases"
        return NEEDS_DATA, f"needs {needs or release}"
    if claim.quantity == "minimum_count":
        if tally.value >= claim.low:
            return AGREES, "as many are on record here"
        return TOO_FEW, "a collection that holds fewer cannot contradict a minimum"
    if tally.why:
        return TOO_FEW, tally.why
    if tally.low is None or tally.high is None or tally.n is None:
        raise ParameterError(
            "a share or difference is judged by its interval and n: give low, high and n"
        )
    if tally.n < FEWEST:
        return TOO_FEW, f"n = {tally.n}; {FEWEST} are needed"
    if claim.quantity == "share" and tally.high - tally.low > WIDEST:
        return TOO_FEW, f"the interval is {100 * (tally.high - tally.low):.0f} points wide"
    if tally.high < claim.low or claim.high < tally.low:
        return DIFFERS, "the 95 % interval lies apart from the published number"
    if claim.quantity == "difference" and tally.low <= 0 <= tally.high:
        return TOO_FEW, "the interval holds the published number and no difference at all"
    return AGREES, "the 95 % interval meets the published number"


def _here(claim: Published, tally: Tally) -> str:
    """The estimate in words."""
    if claim.quantity == "rank" and tally.high is not None and tally.high > tally.value:
        return f"places {tally.value:.0f} to {tally.high:.0f}, which share a count"
    if tally.low is None or tally.high is None or claim.quantity == "rank":
        return written(tally.value, claim.quantity, claim.unit)
    if claim.quantity == "share":
        share, low, high = (100 * part for part in (tally.value, tally.low, tally.high))
        return f"{share:.0f} % [{low:.0f}, {high:.0f}], n = {tally.n}"
    return f"{tally.value:+.0f} points [{tally.low:+.0f}, {tally.high:+.0f}], n = {tally.n}"


def by_finding(found: Verdicts) -> pd.Series:
    """What is the verdict on each finding, whatever its readings?

    Parameters
    ----------
    found
        From `check`.

    Returns
    -------
    pandas.Series
        By finding_id: its verdict; "depends on the reading" where its readings differ.

    Examples
    --------
    >>> by_finding(Verdicts([])).tolist()
    []
    """
    verdicts = found.frame.groupby("finding_id", sort=False)["verdict"]
    return verdicts.agg(lambda each: each.iloc[0] if len(set(each)) == 1 else DEPENDS)


def summary(found: Verdicts, among: Sequence[Relation]) -> str:
    """What does the ledger come to, in one sentence?

    Parameters
    ----------
    found
        From `check`.
    among
        From `relations`.

    Returns
    -------
    str
        How many relations can hold, and what the data at hand says. A number whose readings come
        out differently counts as that.
    """
    between = [relation for relation in among if not relation.derived]
    against = sum(relation.verdict == CONTRADICTION for relation in between)
    counts = by_finding(found).value_counts()
    total = int(counts.sum())
    few = int(counts.get(TOO_FEW, 0))
    missing = int(counts.get(NEEDS_DATA, 0))
    judged = [
        f"{counts[name]} {name}"
        for name in MEANING
        if name in counts and name not in (TOO_FEW, NEEDS_DATA)
    ]
    can_be_judged = "none can be judged"
    if judged:
        number = total - few - missing
        can_be_judged = f"{number} can be judged with the data at hand ({', '.join(judged)})"
    return (
        f"Of {len(between)} relations between published numbers {against} cannot hold as printed; "
        f"of {total} published numbers {can_be_judged}, "
        f"for {few} it holds too few cases, {missing} need other data."
    )
