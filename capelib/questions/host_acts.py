"""Acts that need the host against acts that do not, in the same corridors: no exposure is needed.

How many exiles of a state live in a host state multiplies both kinds of act alike, so it cancels
in the odds of the one kind against the other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from capelib.dataset import takes_dataset
from capelib.display import Result
from capelib.errors import TooFewCases
from capelib.estimators.clustered_logit import OddsRatios, odds_ratios
from capelib.estimators.clusters import cluster_of
from capelib.questions.corridor_exposure import SOVIET
from capelib.questions.membership_shares import ANY, Period, counted, fellow, without_member
from capelib.questions.selections import kept
from capelib.reference import regimes
from capelib.vocabulary.codebook import codebook, codes
from capelib.vocabulary.groups import group
from capelib.vocabulary.tables import states

# What else the odds are held equal in; each pursuing state has a level of its own.
HELD_EQUAL = ("authoritarian", "year")
CLUSTERS = {
    "source": "grouped by source or episode",
    "corridor": "grouped by corridor",
    "host": "grouped by host",
}


@dataclass(frozen=True, repr=False)
class HostActs(Result):
    """The odds that an act is one that needs the host, fellow members against others.

    Attributes
    ----------
    rows
        The acts of both kinds, see `acts_of_both_kinds`.
    fit
        With origin, year and the host's regime held equal; None with too few cases.
    why
        What there is too little of; "" where there is a fit.
    choices
        The same odds ratio under other choices, see `host_act_choices`.
    """

    rows: pd.DataFrame
    fit: OddsRatios | None
    why: str
    choices: pd.DataFrame

    def summary(self) -> str:
        """The answer in words."""
        return self.fit.summary() if self.fit else self.why

    @property
    def ratio(self) -> dict[str, float]:
        """ratio, low, high of the fellow members against others; missing with too few cases."""
        if self.fit is None:
            return dict.fromkeys(("ratio", "low", "high"), np.nan)
        return self.fit.row(ANY)

    @property
    def counts(self) -> pd.DataFrame:
        """How many acts of each kind happened in fellow-member states, and in others?"""
        return kinds_by_membership(self.rows)


def kinds_by_membership(rows: pd.DataFrame) -> pd.DataFrame:
    """How many acts of each kind happened in fellow-member states, and in others?

    Parameters
    ----------
    rows
        From `acts_of_both_kinds`.

    Returns
    -------
    DataFrame
        Two rows ("fellow members", "others"), columns `needs_host`, `needs_none`, `odds`.
    """
    member = rows[ANY].map({True: "fellow members", False: "others"})
    table = pd.crosstab(member, rows["needs_host"].astype(bool))
    table = table.reindex(index=["fellow members", "others"], columns=[True, False], fill_value=0)
    table = table.set_axis(["needs_host", "needs_none"], axis=1).rename_axis("hosts")
    with np.errstate(divide="ignore", invalid="ignore"):
        return table.assign(odds=table["needs_host"] / table["needs_none"])


@takes_dataset
def acts_of_both_kinds(
    joined: pd.DataFrame,
    period: Period,
    stages: Sequence[int] = (2, 3),
    unit: str = "episode",
    measure: str = "fiw",
    cutoff: str | int = "NF",
) -> pd.DataFrame:
    """Which acts can be compared: abroad, with a known host and year, of either kind?

    Parameters
    ----------
    joined
        Incidents of all stages of the states asked about.
    period
        First and last year, both included.
    stages
        Those that need the host; all others do not.
    unit
        As for `counted`. Several people in one action, or one person in a year and host, count
        once for each kind.
    measure, cutoff
        Which hosts count as authoritarian, see `cape.regimes.at_or_below`.

    Returns
    -------
    DataFrame
        The incidents with columns more: `needs_host` (bool), the memberships of `fellow`,
        `authoritarian` (nullable boolean: the host in that year), "former Soviet host" (bool).

    Examples
    --------
    >>> import capelib as cape
    >>> rows = cape.load().where(origin="TJK").joined()
    >>> acts_of_both_kinds(rows, (2001, 2024))["needs_host"].value_counts().tolist()
    [107, 73]
    """
    inside = joined["year"].between(*period).fillna(False).astype(bool)
    needs = joined["stage"].isin(stages).astype(bool)
    kinds = [
        counted(joined[inside & (needs == kind)], unit).assign(needs_host=kind)
        for kind in (True, False)
    ]
    rows = fellow(pd.concat(kinds, ignore_index=True))
    rows = regimes.add_regime(rows, measure, "host")
    return rows.assign(
        authoritarian=regimes.is_authoritarian(rows[f"host_{measure}"], measure, cutoff),
        **{SOVIET: rows["host"].isin(group("former_soviet")).astype(bool)},
    )


def fellow_odds(
    rows: pd.DataFrame,
    terms: Sequence[str] = (ANY, *HELD_EQUAL),
    cluster: str = "host",
    by_origin: bool = True,
) -> OddsRatios:
    """By what factor are the odds of an act that needs the host higher in fellow-member states?

    Parameters
    ----------
    rows
        From `acts_of_both_kinds`.
    terms
        Columns of it. A regime that is not rated counts as not authoritarian.
    cluster
        A key of `CLUSTERS`: acts that may depend on each other.
    by_origin
        True for a level for each pursuing state.

    Returns
    -------
    OddsRatios

    Raises
    ------
    TooFewCases
        See `capelib.estimators.clustered_logit.odds_ratios`.

    Notes
    -----
    With E exiles in a corridor and year, let the expected records be E * a of acts that need the
    host and E * b of those that do not: in the odds a / b the exiles cancel, whoever counts them.
    So do reports, as far as both kinds of act come to light equally often there. Where held exiles
    are reported more readily than wanted ones in some hosts than in others, the odds show that.
    Membership is a trait of hosts, so intervals are clustered by host by default. In simulations
    with the rows of edition 2026-12 (true ratio 2; levels of hosts, corridors and sources with a
    standard deviation of the logit up to 1, 0.5 and 1) these hold in 96 to 100 %, those clustered
    by corridor in 87 to 99 %, by source or episode in 61 to 97 %.

    Examples
    --------
    >>> import capelib as cape
    >>> rows = acts_of_both_kinds(cape.load().where(origin=cape.CENTRAL_ASIA), (2001, 2024))
    >>> fellow_odds(rows).n == len(rows)
    True
    """
    given = {term: rows[term].to_numpy("float64", na_value=np.nan) for term in terms}
    if "authoritarian" in given:
        given["authoritarian"] = np.nan_to_num(given["authoritarian"])
    groups = rows["host"] if cluster == "host" else cluster_of(rows, cluster)
    levels = rows["origin"] if by_origin else None
    varying = {term: x for term, x in given.items() if len(x) and np.nanmax(x) > np.nanmin(x)}
    if terms[0] not in varying:
        raise TooFewCases("all acts, or none, happened in such states")
    return odds_ratios(rows["needs_host"], pd.DataFrame(varying, rows.index), groups, levels)


@takes_dataset
def host_acts(
    joined: pd.DataFrame,
    period: Period,
    stages: Sequence[int] = (2, 3),
    unit: str = "episode",
    measure: str = "fiw",
    cutoff: str | int = "NF",
) -> HostActs:
    """Is an act on record more often one that needs the host where the host is a fellow member?

    Parameters
    ----------
    joined, period, stages, unit, measure, cutoff
        As for `acts_of_both_kinds`.

    Returns
    -------
    HostActs
        Nothing is raised for too few cases.

    Examples
    --------
    >>> import capelib as cape
    >>> result = host_acts(cape.load().where(origin=cape.CENTRAL_ASIA), (2001, 2024))
    >>> result.fit.events, result.fit.n - result.fit.events
    (390, 380)
    """
    units = dict.fromkeys([unit, *codes("unit")])
    by_unit = {
        name: acts_of_both_kinds(joined, period, stages, name, measure, cutoff) for name in units
    }
    rows = by_unit[unit]
    fit, why = None, ""
    try:
        fit = fellow_odds(rows)
    except TooFewCases as reason:
        why = str(reason)
    return HostActs(rows, fit, why, host_act_choices(by_unit))


def host_act_choices(by_unit: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """What would change the odds ratio of `host_acts`? One row a choice.

    Parameters
    ----------
    by_unit
        From `acts_of_both_kinds`, by what is counted; the first is the one chosen.

    Returns
    -------
    DataFrame
        `choice`, `needs_host`, `needs_none` (acts), `ratio`, `low`, `high`, `df`; missing where
        there are too few cases. The term is membership, in one row "former Soviet host".
    """
    (_, rows), *others = by_unit.items()
    table = [_choice("as chosen", rows)]
    for cluster in ("source", "corridor"):
        table.append(_choice(f"intervals {CLUSTERS[cluster]}", rows, cluster=cluster))
    held = {
        "nothing held equal": ((ANY,), False),
        "origin held equal": ((ANY,), True),
        "origin and year held equal": ((ANY, "year"), True),
        "former Soviet hosts set apart": ((ANY, SOVIET, *HELD_EQUAL), True),
    }
    for words, (terms, by_origin) in held.items():
        table.append(_choice(words, rows, terms=terms, by_origin=by_origin))
    soviet = (SOVIET, *HELD_EQUAL)
    table.append(_choice("former Soviet hosts in place of members", rows, terms=soviet))
    table += [_choice(words, part) for words, part in _parts(rows).items()]
    table += [_choice(f"counted by {unit}", counted_so) for unit, counted_so in others]
    return pd.DataFrame(table)


def _parts(rows: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The acts without some of them, or with another membership."""
    parts = {}
    for host in rows["host"].value_counts().index[:2]:
        parts[f"without host {states()[host]}"] = rows[rows["host"] != host]
    parts["Ukraine no member of CIS"] = without_member(rows, "CIS", "UKR")
    parts["stage 3 against stage 1"] = rows[rows["stage"] != 2]
    requests = codebook()["analysis"]["requests"]
    parts["without requests to the host"] = rows[~rows["measure"].isin(requests)]
    parts["without the measure `other`"] = rows[rows["measure"] != "other"]
    remains = kept(rows, "relatives", "doubtful", "alleged", "cape")
    return parts | {words: rows[mask] for words, mask in remains.items()}


def _choice(
    words: str,
    rows: pd.DataFrame,
    terms: Sequence[str] = (ANY, *HELD_EQUAL),
    cluster: str = "host",
    by_origin: bool = True,
) -> dict[str, object]:
    """A row of `host_act_choices`; the ratio is that of the first term."""
    needs = int(rows["needs_host"].sum())
    row: dict[str, object] = {
        "choice": words,
        "needs_host": needs,
        "needs_none": len(rows) - needs,
        **dict.fromkeys(("ratio", "low", "high", "df"), np.nan),
    }
    try:
        fit = fellow_odds(rows, terms, cluster, by_origin)
    except TooFewCases:
        return row
    return row | fit.row(terms[0]) | {"df": float(fit.terms["df"].iloc[0])}
