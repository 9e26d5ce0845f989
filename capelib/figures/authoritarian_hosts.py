"""Figures of notebook 04: the share of incidents on the soil of other authoritarian states."""

from collections.abc import Mapping

import pandas as pd

from capelib.dataset import Info
from capelib.estimators.counts import years
from capelib.figures.forest import behind, intervals
from capelib.figures.style import Chart
from capelib.findings.ledger import Published
from capelib.questions.hosts import HostShares
from capelib.questions.wording import named, number_word


def host_shares(result: HostShares, info: Info, claims: Mapping[str, Published]) -> Chart:
    """What share of incidents happens on the soil of other authoritarian states, then and later?

    Parameters
    ----------
    result
        From `cape.hosts.host_shares`.
    info
        The dataset, for the source line.
    claims
        Published shares by period in words ("2021"); those of other periods are not drawn.

    Returns
    -------
    Chart
        The frame behind: label, value, low, high, n, published.
    """
    numbers = result.numbers
    rows = []
    for name, period in (("early", result.early), ("late", result.late)):
        span = years(period)
        if span in claims:
            claim = claims[span]
            rows.append((f"{span}, Freedom House", claim.value, claim.low, claim.high, 0, True))
        if numbers:
            share = (numbers[f"{name}{end}"] for end in ("", "_low", "_high", "_n"))
            rows.append((f"{span}, {info.label}", *share, False))
    data = pd.DataFrame(rows, columns=["label", "value", "low", "high", "n", "published"])
    title = "What share of incidents happens on the soil of other authoritarian states?"
    total = numbers["early_n"] + numbers["late_n"] if numbers else 0
    what = f"{total} incidents with a known host. Authoritarian: {result.definition}"
    also = ""
    if data["published"].any():
        references = sorted({claim.reference for claim in claims.values()})
        also = f"published: {'; '.join(references)}"
    return intervals(data, info, title, f"{info.heading}: {what}. Lines: 95 %.", also=also)


def corridors(result: HostShares, info: Info, claim: Published | None, most: int = 8) -> Chart:
    """Does the change rest on one corridor? The change with each of the weightiest left out.

    Parameters
    ----------
    result
        From `cape.hosts.host_shares`.
    info
        The dataset, for the source line.
    claim
        The published change in points, drawn as a line.
    most
        Corridors shown.

    Returns
    -------
    Chart
        The frame behind: label, value, low, high, n (incidents left out), strong.
    """
    columns = ["corridor", "difference", "low", "high", "left_out"]
    table = result.corridors.head(most + 1).reindex(columns=columns)
    labels = [
        "all corridors" if corridor == "none" else f"without {named(corridor)}"
        for corridor in table["corridor"]
    ]
    data = behind(labels, table, "difference", n="left_out")
    data["strong"] = table["corridor"] == "none"
    what = f", with one corridor left out. Authoritarian: {result.definition}"
    return _change(data, result, info, claim, "rest on one corridor", what)


def definitions(result: HostShares, info: Info, claim: Published | None) -> Chart:
    """Does the change depend on what "authoritarian" means? The change under other definitions.

    Parameters
    ----------
    result
        From `cape.hosts.host_shares`.
    info
        The dataset, for the source line.
    claim
        The published change in points, drawn as a line.

    Returns
    -------
    Chart
        The frame behind: label, value, low, high, n, strong (the chosen definition).
    """
    table = result.definitions
    data = behind(table["definition"], table, "difference", n="late_n")
    data["strong"] = table["definition"] == result.definition
    what = f" under {number_word(len(table))} definitions; the chosen one in colour"
    return _change(data, result, info, claim, "depend on what authoritarian means", what)


def _change(
    data: pd.DataFrame,
    result: HostShares,
    info: Info,
    claim: Published | None,
    question: str,
    what: str,
) -> Chart:
    """The change between the periods in several forms, beside the published one."""
    title = f"Does the change from {years(result.early)} to {years(result.late)} {question}?"
    subtitle = f"{info.heading}: change of the share on authoritarian soil{what}. Lines: 95 %."
    if claim is None:
        return intervals(data, info, title, subtitle, signed=True)
    line = (claim.value / 100, f"published: {claim.text}")
    also = f"published: {claim.reference}"
    return intervals(data, info, title, subtitle, line, signed=True, also=also)
