"""Numbers as published, and verdicts on them: computed from intervals, never typed in."""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

import pandas as pd

from capelib.dataset.codebook import unknown
from capelib.dataset.dataset import Info
from capelib.dataset.tables import table
from capelib.errors import ParameterError
from capelib.paths import room

AGREES, DIFFERS, TOO_FEW, NEEDS_DATA = "pattern agrees", "pattern differs", "too few cases", "needs data"
FEWEST = 10  # cases below which a share or difference is not judged
WIDEST = 0.5  # a share whose 95 % interval is wider says nothing about the published one


@dataclass(frozen=True)
class Published:
    """A number as published, with the interval that its rounding or wording allows. Shares are fractions."""

    finding_id: str
    statement: str
    quantity: str
    value: float
    low: float
    high: float
    unit: str
    publication: str
    reference: str
    url: str
    evidence: str
    vintage: str
    note: str

    @property
    def text(self) -> str:
        """The number as a reader expects it: 74 %, +16 points, 22, at least 49."""
        match self.quantity, self.unit:
            case "share", _:
                return f"{100 * self.value:.0f} %"
            case _, "percent_points":
                return f"{self.value:+.0f} points"
            case "minimum_count", _:
                return f"at least {self.value:,.0f}"
            case _:
                return f"{self.value:,.0f}"


@dataclass(frozen=True)
class Verdict:
    """What the data at hand says about a published number.

    verdict: "pattern agrees", "pattern differs", "too few cases" or "needs data". value, low, high: the estimate and its
    95 % interval in the unit of the published number; n: the cases behind it; label: whose data; made_by: the function.
    """

    finding_id: str
    statement: str
    published: str
    here: str
    verdict: str
    reason: str
    value: float | None
    low: float | None
    high: float | None
    n: int | None
    label: str
    made_by: str

    def row(self) -> dict[str, Any]:
        """As a row of a table or a JSON object."""
        return asdict(self)


@cache
def _findings() -> dict[str, dict[str, Any]]:
    rows = table("findings").astype({"quantity": "str", "evidence": "str"})
    return {row["finding_id"]: row for row in rows.to_dict("records")}


def published(finding_id: str) -> Published:
    """What was published? One number of the ledger, by its key.

    Raises ParameterError for an unknown key, naming the nearest.

    >>> published("fa2022-autoc-share-2021").text
    '74 %'
    """
    rows = _findings()
    if finding_id not in rows:
        raise ParameterError(unknown("finding", finding_id, {key: row["statement"] for key, row in rows.items()}))
    row = {key: "" if isinstance(value, float) and pd.isna(value) else value for key, value in rows[finding_id].items()}
    low = row["value"] if row["value_low"] == "" else row["value_low"]
    high = float("inf") if row["value_high"] == "" else row["value_high"]
    named = {
        name: row[name]
        for name in ("finding_id", "statement", "quantity", "value", "unit", "publication", "url", "evidence", "vintage", "note")
    }
    return Published(**named, low=low, high=high, reference=reference(row["publication"]))


@cache
def reference(key: str) -> str:
    """A publication of the ledger in one line: author, title, where, year.

    >>> reference("fa2022longarm")
    'Gorokhovskaia and Linzer: The Long Arm of Authoritarianism, Foreign Affairs, 2022'
    """
    text = (room("data") / "published" / "publications.bib").read_text(encoding="utf-8")
    entry = re.search(rf"@\w+\{{{re.escape(key)},\n(.*?)\n\}}", text, re.DOTALL)
    if entry is None:
        raise ParameterError(f"no publication {key!r} in publications.bib")
    fields = dict(re.findall(r"^\s*(\w+) = \{?(.*?)\}?,?$", entry[1], re.MULTILINE))
    clean = {
        name: value.strip("{}").replace(" and ", ", ") if name == "author" and value.count(" and ") > 1 else value.strip("{}")
        for name, value in fields.items()
    }
    where = next((clean[name] for name in ("journal", "howpublished", "institution", "school") if name in clean), "")
    rest = ", ".join(part for part in (clean.get("title", ""), where, clean.get("year", "")) if part)
    return f"{clean['author']}: {rest}" if "author" in clean else rest


def compare(
    finding_id: str,
    info: Info,
    made_by: str,
    value: float | None = None,
    low: float | None = None,
    high: float | None = None,
    n: int | None = None,
) -> Verdict:
    """Does another dataset show the published pattern? The verdict, with the interval and the reason.

    finding_id: key in the ledger. info: of the dataset that speaks. made_by: the function that made the estimate.
    value, low, high: the estimate in the unit of the published number (fractions for shares, points for differences);
        without a value the question cannot be put to this data. n: the cases behind it.
    Rules: a share or difference of fewer than 10 cases, a share with an interval wider than 50 points, and a difference whose
    interval holds both the published number and 0, are "too few cases". Otherwise it "agrees" where its interval meets the
    published one, else it "differs". A minimum ("at least 49") agrees where the data at hand counts as many; a collection
    that counts fewer cannot contradict it and is "too few cases". A plain count of another collection "needs data".

    >>> import capelib as cape
    >>> compare("fa2022-autoc-share-2021", cape.load().info, "by hand", 0.78, 0.66, 0.86, 63).verdict
    'pattern agrees'
    """
    claim = published(finding_id)
    verdict, reason = _judge(claim, value, low, high, n)
    here = "" if value is None else _here(claim, value, low, high, n)
    return Verdict(finding_id, claim.statement, claim.text, here, verdict, reason, value, low, high, n, info.label, made_by)


def _judge(claim: Published, value: float | None, low: float | None, high: float | None, n: int | None) -> tuple[str, str]:
    if value is None or (claim.quantity not in ("share", "difference", "minimum_count")):
        which = f"the {claim.vintage} release" if claim.vintage else "the publication's own cases"
        return NEEDS_DATA, f"a count depends on the collection: it needs {which}"
    if claim.quantity == "minimum_count":
        enough = value >= claim.low
        return (AGREES, "as many are on record here") if enough else (TOO_FEW, "a collection that holds fewer cannot contradict a minimum")
    if low is None or high is None or n is None:
        raise ParameterError("a share or difference is judged by its interval and n: give low, high and n")
    if n < FEWEST:
        return TOO_FEW, f"n = {n}; {FEWEST} are needed"
    if claim.quantity == "share" and high - low > WIDEST:
        return TOO_FEW, f"the interval is {100 * (high - low):.0f} points wide"
    meets = low <= claim.high and claim.low <= high
    if meets and claim.quantity == "difference" and low <= 0 <= high:
        return TOO_FEW, "the interval holds the published number and no difference at all"
    return (
        (AGREES, "the 95 % interval meets the published number")
        if meets
        else (DIFFERS, "the 95 % interval lies apart from the published number")
    )


def _here(claim: Published, value: float, low: float | None, high: float | None, n: int | None) -> str:
    if claim.quantity == "share" and low is not None and high is not None:
        return f"{100 * value:.0f} % [{100 * low:.0f}, {100 * high:.0f}], n = {n}"
    if claim.quantity == "difference" and low is not None and high is not None:
        return f"{value:+.0f} points [{low:+.0f}, {high:+.0f}], n = {n}"
    return f"{value:,.0f}"


class Verdicts:
    """Verdicts as a reader sees them: a table in a notebook, with whole sentences; `.frame` holds it.

    Columns of the frame: published, statement, here, how, verdict, reason.

    >>> len(Verdicts([]).frame)
    0
    """

    def __init__(self, verdicts: Sequence[Verdict]) -> None:
        every = pd.DataFrame([verdict.row() for verdict in verdicts], columns=list(Verdict.__dataclass_fields__))
        self.frame = every.rename(columns={"made_by": "how"})[["published", "statement", "here", "how", "verdict", "reason"]]

    def _repr_html_(self) -> str:
        if self.frame.empty:
            return "<p>No published number speaks to this question.</p>"
        with pd.option_context("display.max_colwidth", None):
            return self.frame.to_html(index=False, border=0)

    def __repr__(self) -> str:
        return "\n".join(" | ".join(row) for row in self.frame.itertuples(index=False)) or "no published number"
