"""The ledger: every published number, typed, with the interval that its rounding or wording allows."""

from dataclasses import dataclass
from functools import cache
from math import inf
from typing import Any

import pandas as pd

from capelib.errors import ParameterError
from capelib.findings.bibliography import address, entry, reference
from capelib.vocabulary.codebook import unknown
from capelib.vocabulary.tables import table


@dataclass(frozen=True)
class Published:
    """A number as published. Shares are fractions.

    low, high: the interval that rounding or wording allows ("over 75 percent" has no upper end: infinity). exact: False where
    only "about" was published, so that no interval can be given: nothing can be judged by such a number.
    """

    finding_id: str
    publication: str
    dataset: str
    vintage: str
    statement: str
    quantity: str
    value: float
    low: float
    high: float
    exact: bool
    unit: str
    evidence: str
    url: str
    note: str

    def holds(self, value: float) -> bool:
        """Can this be the number behind the published one? A rounded number leaves its upper end out, "over" its lower one."""
        if self.low == self.high or self.quantity in ("minimum_count", "rank"):
            return self.low - 1e-9 <= value <= self.high + 1e-9
        return (
            value > self.low + 1e-9 if self.high == inf else value >= self.low - 1e-9
        ) and value < self.high - 1e-9

    @property
    def reference(self) -> str:
        """Its publication in one line."""
        return reference(self.publication)

    @property
    def address(self) -> str:
        """Where it stands: the publication's DOI, else the address where the number was seen."""
        doi = address(self.publication)
        return doi if doi.startswith("https://doi.org/") else self.url

    @property
    def text(self) -> str:
        """The number as a reader expects it: 74 %, over 75 %, close to 80 %, +16 points, 22, at least 49."""
        said = written(self.value, self.quantity, self.unit)
        if not self.exact:
            return f"about {said}"
        if self.quantity == "minimum_count":
            return f"at least {said}"
        if self.low < self.value == self.high and self.quantity != "rank":
            return f"up to {said}" if self.low == 0 else f"close to {said}"
        return f"over {said}" if self.high == inf else said


def written(value: float, quantity: str, unit: str, signed: bool = True) -> str:
    """A number in the unit of a finding.

    >>> written(0.745, "share", "incidents"), written(16, "difference", "percent_points"), written(1219, "count", "incidents")
    ('74.5 %', '+16 points', '1,219')
    """
    match quantity, unit:
        case "share", _:
            return f"{100 * value:.3g} %"
        case _, "percent_points":
            return f"{value:+.3g} points" if signed else f"{value:.3g} points"
        case _, "relative_change":
            return f"{100 * value:+.3g} %"
        case "rank", _:
            return f"place {value:.0f}"
        case "ratio", _:
            return f"{value:.3g} times"
        case _, "log_odds":
            return f"{value:.2f}"
        case _:
            return f"{value:,.0f}"


@cache
def ledger() -> dict[str, Published]:
    """Every published number by key, in the order of data/published/findings.csv.

    >>> ledger()["cape1-uzb-tjk-share"].text
    'over 75 %'
    """
    rows = table("findings").astype({"quantity": "str", "evidence": "str"})
    return {row["finding_id"]: _published(row) for row in rows.to_dict("records")}


def _published(row: dict[str, Any]) -> Published:
    ends = [
        None if pd.isna(row[name]) else float(row[name]) for name in ("value_low", "value_high")
    ]
    low, high = 0.0 if ends[0] is None else ends[0], inf if ends[1] is None else ends[1]
    text = {
        name: "" if pd.isna(row[name]) else row[name]
        for name in (
            "finding_id",
            "publication",
            "dataset",
            "vintage",
            "statement",
            "quantity",
            "unit",
            "evidence",
            "url",
            "note",
        )
    }
    return Published(
        **text, value=float(row["value"]), low=low, high=high, exact=ends != [None, None]
    )


def published(finding_id: str) -> Published:
    """What was published? One number of the ledger, by its key.

    Raises ParameterError for an unknown key, naming the nearest.

    >>> published("fa2022-autoc-share-2021").text
    '74 %'
    """
    rows = ledger()
    if finding_id not in rows:
        raise ParameterError(
            unknown("finding", finding_id, {key: row.statement for key, row in rows.items()})
        )
    return rows[finding_id]


def cite(key: str) -> str:
    """The BibTeX entry of a publication, or of the publication behind a finding.

    key: of a publication or of a finding of the ledger. Raises ParameterError naming the nearest key.

    >>> print(cite("cordell2024").splitlines()[0])
    @article{cordell2024,
    """
    rows = ledger()
    return entry(rows[key].publication if key in rows else key)
