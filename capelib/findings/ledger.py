"""The ledger: every published number, typed, with the interval that rounding or wording allows."""

from dataclasses import dataclass, fields
from functools import cache
from math import inf
from typing import Any

import pandas as pd

from capelib import __version__
from capelib.display import Result
from capelib.errors import ParameterError
from capelib.findings.bibliography import address, entry, reference
from capelib.vocabulary.codebook import codebook, codes, require, unknown
from capelib.vocabulary.shipped import table

SLACK = 1e-9  # for numbers that binary fractions miss, such as 0.745


@dataclass(frozen=True, repr=False)
class Published(Result):
    """What was published? One number with its interval and its place.

    Attributes
    ----------
    finding_id : str
    publication : str
        Key of publications.bib.
    dataset : str
    vintage : str
        The release that the number comes from; "" where it comes from none.
    statement : str
    quantity : str
        Such as share, difference, count, minimum_count, rank, ratio.
    value : float
        Shares are fractions.
    low, high : float
        The interval that rounding or wording allows; "over 75 percent" has no upper end: infinity.
    exact : bool
        False where only "about" was published, so that no interval can be given: nothing can be
        judged by such a number.
    unit : str
    evidence : str
    url : str
        Where it was seen.
    note : str
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

    def summary(self) -> str:
        """The answer in words."""
        return f"{self.text}: {self.statement}"

    def holds(self, value: float) -> bool:
        """Can this be the number behind the published one?

        A rounded number leaves its upper end out, "over" its lower one.
        """
        if self.low == self.high or self.quantity in ("minimum_count", "rank"):
            return self.low - SLACK <= value <= self.high + SLACK
        if self.high == inf:
            return self.low + SLACK < value < inf
        return self.low - SLACK <= value < self.high - SLACK

    @property
    def reference(self) -> str:
        """How is its publication cited in one line?"""
        return reference(self.publication)

    @property
    def address(self) -> str:
        """Where does it stand? The publication's DOI, or the address where the number was seen."""
        doi = address(self.publication)
        return doi if doi.startswith("https://doi.org/") else self.url

    @property
    def text(self) -> str:
        """How does a reader expect it? 74 %, over 75 %, close to 80 %, +16 points, at least 49."""
        number = written(self.value, self.quantity, self.unit)
        if not self.exact:
            return f"about {number}"
        if self.quantity == "minimum_count":
            return f"at least {number}"
        if self.low < self.value == self.high and self.quantity != "rank":
            return f"up to {number}" if self.low == 0 else f"close to {number}"
        return f"over {number}" if self.high == inf else number


def written(value: float, quantity: str, unit: str, signed: bool = True) -> str:
    """How is a number written in the unit of a finding?

    Parameters
    ----------
    value
        Shares are fractions.
    quantity, unit
        As in findings.csv.
    signed
        Show the sign of a number of points.

    Examples
    --------
    >>> written(0.745, "share", "incidents"), written(16, "difference", "percent_points")
    ('74.5 %', '+16 points')
    >>> written(1219, "count", "incidents")
    '1,219'
    """
    match quantity, unit:
        case "share", _:
            return f"{100 * value:.3g} %"
        case _, "percent_points":
            return f"{value:+.3g} points" if signed else f"{value:.3g} points"
        case _, "relative_change":
            return f"{100 * value:+,.0f} %" if abs(value) >= 10 else f"{100 * value:+.3g} %"
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
    """Which numbers were published? By key, in the order of data/published/findings.csv.

    Examples
    --------
    >>> ledger()["cape1-uzb-tjk-share"].text
    'over 75 %'
    """
    rows = table("findings").astype({"quantity": "str", "evidence": "str"})
    return {row["finding_id"]: _published(row) for row in rows.to_dict("records")}


def _published(row: dict[str, Any]) -> Published:
    """A row of the table. A blank end of the interval is open; two blank ends mean "about"."""
    blank_low = pd.isna(row["value_low"])
    blank_high = pd.isna(row["value_high"])
    names = [field.name for field in fields(Published) if field.type is str]
    return Published(
        **{name: "" if pd.isna(row[name]) else row[name] for name in names},
        value=float(row["value"]),
        low=0.0 if blank_low else float(row["value_low"]),
        high=inf if blank_high else float(row["value_high"]),
        exact=not (blank_low and blank_high),
    )


def published(finding_id: str) -> Published:
    """What was published? One number of the ledger.

    Parameters
    ----------
    finding_id
        Its key.

    Raises
    ------
    ParameterError
        For an unknown key, naming the nearest.

    Examples
    --------
    >>> published("fa2022-autoc-share-2021").text
    '74 %'
    """
    rows = ledger()
    if finding_id not in rows:
        statements = {key: row.statement for key, row in rows.items()}
        raise ParameterError(unknown("finding", finding_id, statements))
    return rows[finding_id]


def claim(
    statement: str,
    value: float,
    low: float,
    high: float,
    quantity: str = "share",
    unit: str = "incidents",
    publication: str = "",
    url: str = "",
) -> Published:
    """How is a published number coded that is not in the ledger?

    Parameters
    ----------
    statement
        What the publication states, in your words.
    value
        As printed; a share as a fraction of 1, a difference of shares in percentage points.
    low, high
        The interval that rounding or wording allows: "27 points" is 26.5 to 27.5, "at least 49"
        begins at 49 and has no end (`float("inf")`).
    quantity
        A code of `cape.codes("quantity")`.
    unit
        What is counted; "percent_points" for a difference of shares.
    publication, url
        Where it stands.

    Returns
    -------
    Published
        For `cape.findings.judge`.

    Raises
    ------
    ParameterError
        Where the value lies outside its interval, or a share outside 0 to 1.

    Examples
    --------
    >>> claim("More than half took place in one host.", 0.5, 0.5, 1).text
    'over 50 %'
    """
    kind = require("quantity", quantity, codes("quantity"))[0]
    if not low <= value <= high:
        raise ParameterError(f"value must lie between low and high, not {value} in {low} to {high}")
    if kind == "share" and not 0 <= value <= 1:
        raise ParameterError(f"a share is a fraction of 1 (74 % is 0.74), not {value}")
    if not statement.strip():
        raise ParameterError("statement is blank: say what the publication states")
    return Published(
        finding_id="not in the ledger",
        publication=publication,
        dataset="",
        vintage="",
        statement=statement,
        quantity=kind,
        value=float(value),
        low=float(low),
        high=inf if kind == "share" and low == value and high == 1 else float(high),
        exact=True,
        unit=unit,
        evidence="",
        url=url,
        note="",
    )


def cite(key: str) -> str:
    """What is the BibTeX entry of a publication, or of the publication behind a finding?

    Parameters
    ----------
    key
        Of a publication, or of a finding of the ledger; "capelib" for this collection.

    Raises
    ------
    ParameterError
        For an unknown key, naming the nearest.

    Examples
    --------
    >>> print(cite("cordell2024").splitlines()[0])
    @article{cordell2024,
    """
    if key == "capelib":
        return _ourselves()
    rows = ledger()
    return entry(rows[key].publication if key in rows else key)


def _ourselves() -> str:
    """How is this collection cited? With the edition of the data as its note."""
    data = codebook()["dataset"]
    edition = data["edition"]
    fields = {
        "title": "{capelib: reproducible research on transnational repression}",
        "author": f"{{{{{data['contributors']}}}}}",
        "year": f"{{{edition[:4]}}}",
        "version": f"{{{__version__}}}",
        "note": f"{{Public record, edition {edition}}}",
    }
    return "@software{capelib,\n" + "".join(f"  {k} = {v},\n" for k, v in fields.items()) + "}"
