"""Verdicts on published numbers: computed from intervals, never typed in."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from math import isinf
from typing import Any

import pandas as pd

from capelib.dataset import Info
from capelib.display import Result
from capelib.errors import ParameterError
from capelib.findings.bibliography import publications
from capelib.findings.ledger import Published, written
from capelib.findings.relations import (
    CONTRADICTION,
    DIFFERENT_EDITIONS,
    Relation,
    Sum,
    between,
)
from capelib.questions.ledger_numbers import Tally
from capelib.vocabulary.codebook import require

DEPENDS = "depends on the reading"
REPRODUCED = "reproduced"
NOT_REPRODUCED = "not reproduced"
ADDS_UP = "adds up"
DOES_NOT_ADD_UP = "does not add up"
AGREES = "pattern agrees"
DIFFERS = "pattern differs"
TOO_FEW = "too few cases"
SET_BY_SEARCH = "set by the search"
NEEDS_DATA = "needs data"
MEANING = {
    REPRODUCED: "the table declared to be the very one behind the number gives it again, "
    "within its rounding",
    NOT_REPRODUCED: "the table declared to be the very one behind the number gives another one",
    ADDS_UP: "it comes out of other published numbers of the same state of the data, within "
    "their rounding; that says nothing of the world",
    DOES_NOT_ADD_UP: "other published numbers of the same state of the data give another one",
    AGREES: "another dataset shows the same pattern: its 95 % interval, which allows for cases "
    "reported together, meets the number and is narrow enough to tell, "
    "or it holds as many as a minimum asks for; the reason says what it would also agree with",
    DIFFERS: "another dataset shows another pattern: its 95 % interval, "
    "which says nothing of how it was searched, lies apart",
    DEPENDS: "the publication can be read in more than one way, "
    "and its readings come out differently",
    TOO_FEW: "another dataset holds too few cases to say, or its interval is so wide "
    "that it could not tell: neither for nor against the number",
    SET_BY_SEARCH: "how a collection is searched sets such a share: "
    "another collection can speak neither for nor against it",
    NEEDS_DATA: "nothing that ships can speak to it; the reason says which data could",
}
NOT_JUDGED = (TOO_FEW, SET_BY_SEARCH, NEEDS_DATA)
FEWEST = 10  # cases below which a share or difference is not judged
# A share agrees only by a 95 % interval of 30 points or less: a wider one can hold both a half and
# four fifths, so it cannot tell "most" from "almost all".
WIDEST = 0.3
# A difference agrees only by an interval that is narrower than twice the published one: a wider one
# cannot tell it both from none and from its double.
WIDEST_IN_DIFFERENCES = 2


@dataclass(frozen=True, repr=False)
class Verdict(Result):
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

    CAVEAT = "A verdict of another dataset is not a reproduction."

    def summary(self) -> str:
        """The answer in words."""
        parts = (self.published, self.statement_as_read, self.here, self.verdict, self.reason)
        return " | ".join(part for part in parts if part)

    @property
    def statement_as_read(self) -> str:
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
        rows = self.frame.assign(statement=[verdict.statement_as_read for verdict in self._all])
        return rows[list(self.SHOWN)].rename(columns={"made_by": "how"})

    def _repr_html_(self) -> str:
        if self.frame.empty:
            return "<p>No published number speaks to this question.</p>"
        with pd.option_context("display.max_colwidth", None):
            return self.table.to_html(index=False, border=0)

    def __repr__(self) -> str:
        lines = [" | ".join(row) for row in self.table.itertuples(index=False)]
        return "\n".join(lines) or "no published number"


def chosen(verdicts: "Verdicts", verdict: str = "", publication: str = "") -> "Verdicts":
    """Which of these verdicts are of one kind, or on numbers of one publication?

    Parameters
    ----------
    verdicts
        From `cape.findings.check`.
    verdict
        A key of `cape.findings.MEANING`; "" for all.
    publication
        Its key; "" for all.

    Raises
    ------
    ParameterError
        For an unknown verdict or publication, naming the nearest.

    Examples
    --------
    >>> chosen(Verdicts([]), verdict="adds up")
    no published number
    """
    if verdict:
        require("verdict", verdict, list(MEANING))
    if publication:
        require("publication", publication, publications())
    return Verdicts(
        [
            each
            for each in verdicts
            if verdict in ("", each.verdict) and publication in ("", each.publication)
        ]
    )


def judge(
    claim: Published,
    info: Info,
    made_by: str = "",
    tally: Tally | None = None,
    reading: str = "",
    needs: str = "",
    empty: str = "",
    searched: str = "",
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
    searched
        How the search of a collection sets this number, where it does.

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

    For another dataset, or a part of the vintage: a number that the search of a collection sets is
    "set by the search", whatever comes out. "Too few cases" are a share or difference of fewer than
    10 cases or of too few groups reported together. Otherwise it "differs" where its interval lies
    apart from the published one. Where they meet it "agrees" if the interval could have told
    otherwise, and is "too few cases" if not: a share with an interval wider than 30 points (it can
    hold both a half and four fifths), a difference whose interval holds 0, or is wider than twice
    the published number. A minimum ("at least 49") agrees where the data at hand counts as many; a
    collection that counts fewer cannot contradict it and is "too few cases". Any other count "needs
    data". The reason of each that agrees says what the data would also agree with.

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
    elif tally is not None and searched:
        verdict, reason = SET_BY_SEARCH, f"{searched}: neither for nor against the number"
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
            most = written(tally.value, claim.quantity, claim.unit)
            return (
                AGREES,
                f"as many are on record here; it would agree with any minimum up to {most}",
            )
        return TOO_FEW, "a collection that holds fewer cannot contradict a minimum"
    if tally.why:
        return TOO_FEW, tally.why
    if tally.low is None or tally.high is None or tally.n is None:
        raise ParameterError(
            "a share or difference is judged by its interval and n: give low, high and n"
        )
    if tally.n < FEWEST:
        return TOO_FEW, f"n = {tally.n}; {FEWEST} are needed"
    if tally.high < claim.low or claim.high < tally.low:
        return DIFFERS, "the 95 % interval lies apart from the published number"
    also = f"it would also agree with {_range(claim, tally.low, tally.high)}"
    if claim.quantity == "difference" and tally.low <= 0 <= tally.high:
        return TOO_FEW, f"the interval cannot tell the published number from none: {also}"
    if _cannot_tell(claim, tally.high - tally.low):
        return TOO_FEW, f"the interval is too wide to tell: {also}"
    return AGREES, f"the 95 % interval meets the published number; {also}"


def _cannot_tell(claim: Published, width: float) -> bool:
    """Is an interval of this width too wide to tell the published number from others?"""
    if claim.quantity == "share":
        return width > WIDEST
    return width > WIDEST_IN_DIFFERENCES * abs(claim.value)


def _range(claim: Published, low: float, high: float) -> str:
    """From one number to another, in the unit of a finding: "43 to 74 %"."""
    if claim.quantity == "share":
        return f"{100 * low:.0f} to {100 * high:.0f} %"
    return f"{low:+.0f} to {high:+.0f} points"


def judge_sum(claim: Published, info: Info, result: Sum, assumes: str = "") -> Verdict:
    """Does a published number come out of other published numbers?

    Parameters
    ----------
    claim
        From `cape.findings.published`.
    info
        Of the dataset at hand, which plays no part.
    result
        From `relations.computed`.
    assumes
        What the publication leaves open.

    Returns
    -------
    Verdict
        "adds up" where some number that comes out lies within the published interval, otherwise
        "does not add up". The reason says which other numbers would add up too.

    Examples
    --------
    >>> import capelib as cape
    >>> from capelib.findings.relations import computed
    >>> claim = cape.findings.published("fh2025-chn-share")
    >>> verdict = judge_sum(claim, cape.load().info, computed("272 / 1219", {}))
    >>> verdict.verdict, verdict.reason
    ('adds up', '272 / 1219 = 22.31 %')
    """
    printed, low, high = (
        _result(claim, value) for value in (result.printed, result.low, result.high)
    )
    reason = f"the other number as printed: {printed}"
    if claim.quantity == "rank":
        reason = f"by the counts as printed: {printed}"
    elif any(sign in result.words for sign in "+-*/"):
        reason = f"{result.words} = {printed}"
    adds_up = _meets(claim, result.low, result.high)
    if not result.exact:
        reason += f"; over the rounding {low} to {high}"
        reason += ", any of which would add up" if adds_up else ""
    if assumes:
        reason += f"; {assumes}"
    return replace(
        judge(claim, info), verdict=ADDS_UP if adds_up else DOES_NOT_ADD_UP, reason=reason
    )


def _result(claim: Published, value: float) -> str:
    """What comes out, with one digit more than is printed: 15.46 % rounds to 15 %, 15.5 % not."""
    if claim.quantity == "share":
        return f"{100 * value:.4g} %"
    return written(value, claim.quantity, claim.unit)


def _meets(claim: Published, low: float, high: float) -> bool:
    """Can one of the numbers from low to high be the one behind the published one?"""
    inside = low < claim.high and claim.low < high
    return inside or claim.holds(low) or claim.holds(high)


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


def by_finding(judged: Verdicts) -> pd.Series:
    """What is the verdict on each finding, whatever its readings?

    Parameters
    ----------
    judged
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
    verdicts = judged.frame.groupby("finding_id", sort=False)["verdict"]
    return verdicts.agg(lambda each: each.iloc[0] if len(set(each)) == 1 else DEPENDS)


def summary(judged: Verdicts, among: Sequence[Relation]) -> str:
    """What does the ledger come to, in a few sentences?

    Parameters
    ----------
    judged
        From `check`.
    among
        From `relations`.

    Returns
    -------
    str
        How many relations can hold, how many numbers can be judged and how, and what is left. A
        number whose readings come out differently counts as that; a sentence that two publications
        print counts once.
    """
    counted = between(among)
    against = sum(relation.verdict == CONTRADICTION for relation in counted)
    editions = sum(relation.verdict == DIFFERENT_EDITIONS for relation in counted)
    each = by_finding(judged)
    sums = set(
        judged.frame.loc[judged.frame["verdict"].isin([ADDS_UP, DOES_NOT_ADD_UP]), "finding_id"]
    )
    judged = each[~each.isin(NOT_JUDGED)]
    by_sum = judged[judged.index.isin(sums)].value_counts()
    by_data = judged[~judged.index.isin(sums)].value_counts()
    left = each.value_counts()
    few, searched, missing = (int(left.get(name, 0)) for name in NOT_JUDGED)
    return (
        f"Of {len(counted)} relations between published numbers {against} cannot hold as printed, "
        f"and {editions} fail because they compare different editions. "
        f"Of {len(each)} published numbers {len(judged)} can be judged: "
        f"{int(by_sum.sum())} by arithmetic with other published numbers{_listed(by_sum)}, "
        f"{int(by_data.sum())} by the data at hand{_listed(by_data)}. "
        f"For {few} the data at hand holds too few cases, {searched} are set by the search, "
        f"{missing} need data that does not ship."
    )


def _listed(counts: pd.Series) -> str:
    """How often is each verdict, in brackets? "" for none."""
    parts = [f"{name}: {counts[name]}" for name in MEANING if name in counts]
    return f" ({'; '.join(parts)})" if parts else ""
