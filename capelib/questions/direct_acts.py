"""Do states attack exiles directly where they cannot work through the host's authorities?

The design of Michaelsen and Ruijgrok 2024 on this data, conditional on an incident.
"""

from collections.abc import Sequence
from contextlib import suppress

import numpy as np
import pandas as pd

from capelib.dataset import takes_dataset
from capelib.errors import TooFewCases
from capelib.estimators.clustered_logit import OddsRatios, odds_ratios
from capelib.estimators.clusters import cluster_of, clustered
from capelib.progress import progress
from capelib.questions.membership_shares import ANY, Period, counted, fellow
from capelib.questions.wording import percent, two_digits
from capelib.reference import regimes
from capelib.vocabulary.codebook import codebook

DIRECT = "direct"  # attacked, killed or missing, without the host's authorities
RENDITION = "rendition"  # outside any procedure: with the host's services or without them
AUTHORITARIAN = "authoritarian"
PAPER_YEARS = (2014, 2020)  # those of the paper


@takes_dataset
def direct_or_cooperative(
    joined: pd.DataFrame,
    period: Period,
    unit: str = "episode",
    measure: str = "fiw",
    cutoff: str | int = "NF",
    rendition: str = "cooperative",
) -> pd.DataFrame:
    """Which acts on foreign soil went through the host's authorities, and which were attacks?

    Parameters
    ----------
    joined
        Incidents of the states asked about.
    period
        First and last year, both included.
    unit
        As for `cape.corridors.counted`.
    measure, cutoff
        Which hosts count as authoritarian, see `cape.regimes.at_or_below`.
    rendition
        "cooperative", "direct" or "left out": how renditions count.

    Returns
    -------
    DataFrame
        The acts of the kinds held and taken (cooperative) and attacked (direct), abroad, with host
        and year; columns more: `direct` (bool), `authoritarian` (nullable boolean), the memberships
        of `fellow`.

    Examples
    --------
    >>> import capelib as cape
    >>> rows = direct_or_cooperative(cape.load().where(origin="TJK").joined(), (2014, 2020))
    >>> set(rows["stage"])
    {2, 3}
    """
    inside = joined["year"].between(*period).fillna(False).astype(bool)
    kinds = {code: entry["kind"] for code, entry in codebook()["codes"]["measure"].items()}
    kind = joined["measure"].map(kinds)
    chosen = joined.assign(direct=(kind == "attacked").astype(bool))
    chosen = chosen[inside & kind.isin(["held", "taken", "attacked"])]
    is_rendition = chosen["measure"] == RENDITION
    if rendition == "left out":
        chosen = chosen[~is_rendition]
    if rendition == "direct":
        chosen = chosen.assign(direct=chosen["direct"] | is_rendition)
    parts = [counted(part, unit) for _, part in chosen.groupby("direct")]
    if not parts:
        parts = [counted(chosen, unit)]
    rows = regimes.add_regime(fellow(pd.concat(parts, ignore_index=True)), measure, "host")
    authoritarian = regimes.is_authoritarian(rows[f"host_{measure}"], measure, cutoff)
    return rows.assign(authoritarian=authoritarian)


def direct_odds(
    rows: pd.DataFrame,
    terms: Sequence[str] = (AUTHORITARIAN, "year"),
    firth: bool = True,
) -> OddsRatios:
    """By what factor are the odds of a direct attack higher where the host is authoritarian?

    Parameters
    ----------
    rows
        From `direct_or_cooperative`; hosts that are not rated are left out.
    terms
        Columns of it; each pursuing state has a level of its own.
    firth
        True for Firth's penalty, since direct attacks are few.

    Returns
    -------
    OddsRatios
        Below 1: attacks are rarer, beside acts through authorities, in authoritarian hosts.
        Intervals are clustered by host.

    Raises
    ------
    TooFewCases
        See `capelib.estimators.clustered_logit.odds_ratios`.

    References
    ----------
    Michaelsen and Ruijgrok 2024, Democratization 31, 290-314.
    """
    known = rows[rows["authoritarian"].notna()]
    given = known[list(terms)].astype("float64")
    return odds_ratios(known["direct"], given, known["host"], known["origin"], firth)


@takes_dataset
def direct_choices(
    joined: pd.DataFrame,
    period: Period,
    unit: str = "episode",
    measure: str = "fiw",
    cutoff: str | int = "NF",
) -> pd.DataFrame:
    """Direct attacks against acts through authorities, by the host's regime: one row a choice.

    Parameters
    ----------
    joined, period, unit, measure, cutoff
        As for `direct_or_cooperative`.

    Returns
    -------
    DataFrame
        `choice`, `direct`, `cooperative` (acts), `ratio`, `low`, `high` (odds ratio of a direct
        attack, authoritarian hosts against others), `fellow_ratio`, `fellow_low`, `fellow_high`
        (fellow members against others, in a model of its own with the regime); missing where there
        are too few cases.
    """

    def acts(span: Period = period, rendition: str = "cooperative") -> pd.DataFrame:
        return direct_or_cooperative(joined, span, unit, measure, cutoff, rendition)

    usual = acts()
    inside = (max(period[0], PAPER_YEARS[0]), min(period[1], PAPER_YEARS[1]))
    choices = {
        "as chosen": usual,
        "rendition as direct": acts(rendition="direct"),
        "rendition left out": acts(rendition="left out"),
        "without disappearances": usual[usual["measure"] != "disappearance"],
        "each corridor and year once": usual.drop_duplicates(["origin", "host", "year", "direct"]),
        "without alleged cases": usual[usual["attribution"].isna()],
    }
    if inside[0] <= inside[1] and inside != period:
        choices[f"{inside[0]}-{inside[1]}, the years of the paper"] = acts(inside)
    for host in usual["host"].value_counts().index[:1]:
        choices["without the host with most"] = usual[usual["host"] != host]
    table = [
        {"choice": words, **_choice(rows)} for words, rows in progress(choices.items(), "choices")
    ]
    table.insert(1, {"choice": "without Firth's penalty", **_choice(usual, firth=False)})
    return pd.DataFrame(table)


def _choice(rows: pd.DataFrame, firth: bool = True) -> dict[str, float]:
    """A row of `direct_choices`."""
    direct = int(rows["direct"].sum())
    row = {"direct": direct, "cooperative": len(rows) - direct}
    terms = {"": (AUTHORITARIAN, "year"), "fellow_": (ANY, AUTHORITARIAN, "year")}
    for prefix, names in terms.items():
        numbers = dict.fromkeys(("ratio", "low", "high"), np.nan)
        with suppress(TooFewCases):
            numbers = direct_odds(rows, names, firth).row(names[0])
        row |= {f"{prefix}{name}": number for name, number in numbers.items()}
    return row


def direct_sentence(rows: pd.DataFrame, who: str) -> str:
    """The answer in two sentences.

    Parameters
    ----------
    rows
        From `direct_or_cooperative`.
    who
        The pursuing states, for example "Tajikistan".
    """
    known = rows[rows["authoritarian"].notna()]
    direct = int(known["direct"].sum())
    try:
        ratio = direct_odds(rows).row(AUTHORITARIAN)
    except TooFewCases as reason:
        return f"Too few acts of {who} to compare direct attacks with others: {reason}."
    cluster = cluster_of(known)
    harsh = known["authoritarian"].astype(bool)
    shares = [
        percent(*clustered(known["direct"][side], cluster[side])[2:5]) for side in (harsh, ~harsh)
    ]
    established = not ratio["low"] <= 1 <= ratio["high"]
    verdict = "" if established else ": that they differ is not established"
    alleged = int(known.loc[known["direct"], "attribution"].notna().sum())
    numbers = [two_digits(ratio[name]) for name in ("ratio", "low", "high")]
    return (
        f"Of {len(known)} acts of {who} on foreign soil {direct} were direct attacks, the others "
        f"went through the host's authorities: {shares[0]} were attacks in authoritarian hosts, "
        f"{shares[1]} in others. The odds of an attack rather than an act through authorities are "
        f"{numbers[0]} times [{numbers[1]}, {numbers[2]}] as high in authoritarian hosts, with "
        f"origin and year held equal (Firth's penalty, clustered by host){verdict}. {alleged} of "
        "the attacks are laid to the state by allegation only."
    )
