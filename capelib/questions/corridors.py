"""Corridors, pairs of a pursuing and a host state: which carry the incidents, and why might they?

Do shared memberships of CIS, CSTO and SCO go with more incidents?
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from capelib.dataset import takes_dataset
from capelib.display import Result
from capelib.errors import TooFewCases
from capelib.estimators.clusters import ClusteredShare, cluster_of
from capelib.estimators.counts import years
from capelib.estimators.panel_counts import Ratios
from capelib.questions.corridor_choices import variants
from capelib.questions.corridor_exposure import (
    exposure_ratios,
    simulated_sentence,
    without_exposure_counted,
)
from capelib.questions.corridor_models import leave_one_host_out, membership_ratios
from capelib.questions.corridor_panel import overlap, panel
from capelib.questions.corridor_switches import spans, switch_label, switches
from capelib.questions.corridor_words import counts_sentence, odds_sentence
from capelib.questions.direct_acts import direct_choices, direct_or_cooperative, direct_sentence
from capelib.questions.displaced_ratios import people_of, per_displaced
from capelib.questions.host_acts import HostActs, host_act_choices, host_acts
from capelib.questions.membership_shares import (
    ANY,
    ORGANISATIONS,
    Period,
    by_stage,
    counted,
    fellow,
    fellow_shares,
    matrix,
    possible_hosts,
    share_of,
)
from capelib.questions.wording import (
    named,
    percent,
    pursued_by,
)

__all__ = [
    "ANY", "FEWEST", "MODELS", "ORGANISATIONS", "THINGS", "Cooperation", "by_stage", "cooperation",
    "counted", "direct_choices", "direct_or_cooperative", "direct_sentence", "exposure_ratios",
    "fellow", "fellow_shares", "host_act_choices", "host_acts", "leave_one_host_out", "matrix",
    "membership_ratios", "named", "overlap", "panel", "people_of", "per_displaced",
    "possible_hosts", "simulated_sentence", "spans", "switch_label", "switches", "variants",
    "without_exposure_counted",
]  # fmt: skip

THINGS = {
    "incident": "incidents on record",
    "exile": "persons on record (once a year and host)",
    "episode": "incidents on record (clusters once)",
}
FEWEST = 5  # incidents that a sentence about shares needs
# The fields of `Cooperation` that hold the models; terms, effects and model of each.
MODELS = {
    "hosts compared": (ORGANISATIONS, "origin", "poisson"),
    "hosts compared, any of the three": ((ANY,), "origin", "poisson"),
    "hosts compared, negative binomial": (ORGANISATIONS, "origin", "negative_binomial"),
    "a corridor with itself": (ORGANISATIONS, "corridor", "poisson"),
}


@dataclass(frozen=True, repr=False)
class Cooperation(Result):
    """Where the incidents of some states happen, and how that goes with shared memberships.

    What needs no count of exiles comes first: `acts`.

    Attributes
    ----------
    period
        First and last year, both included.
    unit
        What is counted, see `counted`.
    rows
        The incidents that count, each marked with the memberships of its year.
    acts
        Acts that need the host against acts that do not, see `host_acts`.
    exposures
        Counts by what is held equal, beside acts that do not need the host, see `exposure_ratios`.
    table
        Counts, origin by host, see `matrix`.
    shares
        Of fellow members, by organisation and period, see `fellow_shares`.
    stages
        The share in fellow-member states of the incidents counted and of all others, and the
        difference, see `by_stage`.
    people
        Incidents per 1,000 displaced people, see `per_displaced`.
    cells
        The panel, see `panel`.
    separate, together, negative, within
        Models with the three organisations, with any of them, negative binomial, and of each
        corridor with itself, see `MODELS`; None with too few cases.
    switches
        Changes of membership, see the function of this name.
    why
        Why a model is None, in words.
    """

    period: Period
    unit: str
    rows: pd.DataFrame
    acts: HostActs
    exposures: pd.DataFrame
    table: pd.DataFrame
    shares: pd.DataFrame
    stages: pd.DataFrame
    people: pd.DataFrame
    cells: pd.DataFrame
    separate: Ratios | None
    together: Ratios | None
    negative: Ratios | None
    within: Ratios | None
    switches: pd.DataFrame
    why: tuple[str, ...]

    CAVEAT = "Rests on what was reported: shares of a collection, no rates."

    def summary(self) -> str:
        """The answer in words."""
        return self.sentence(pursued_by(self.rows["origin"]))

    @property
    def share(self) -> ClusteredShare | None:
        """The share of incidents in fellow-member states of any kind; None without incidents."""
        return share_of(self.rows[ANY], cluster_of(self.rows)) if len(self.rows) else None

    @property
    def largest_host(self) -> str:
        """The host with most incidents; "" without incidents."""
        return str(self.rows["host"].mode().iloc[0]) if len(self.rows) else ""

    def corridors(self, most: int = 10) -> pd.DataFrame:
        """Which corridors have most incidents?

        Returns
        -------
        DataFrame
            `corridor`, `incidents`, CIS, CSTO, SCO (how many of them as fellow members).
        """
        corridor = self.rows["origin"] + " to " + self.rows["host"]
        sums = {name: (name, "sum") for name in ORGANISATIONS}
        table = self.rows.assign(corridor=corridor).groupby("corridor")
        table = table.agg(incidents=("host", "size"), **sums)
        table = table.sort_values("incidents", ascending=False, kind="stable")
        return table.head(most).astype("int64").reset_index()

    def models(self) -> pd.DataFrame:
        """All terms of the models.

        Returns
        -------
        DataFrame
            `model` (in words), `term`, `ratio`, `low`, `high`, `df`, `vif`, `n`, and a `note` where
            a term or its interval is missing.
        """
        fits = (self.separate, self.together, self.negative, self.within)
        rows = []
        for name, fit in zip(MODELS, fits, strict=True):
            if fit:
                for row in fit.terms.drop(columns="p").to_dict("records"):
                    why = fit.no_interval.get(str(row["term"]), "")
                    rows.append({"model": name, **row, "n": fit.n, "note": str(why)})
                for term, reason in fit.dropped.items():
                    rows.append({"model": name, "term": term, "n": fit.n, "note": reason})
        names = ["model", "term", "ratio", "low", "high", "df", "vif", "n", "note"]
        return pd.DataFrame(rows, columns=names)

    def switch(self) -> pd.Series | None:
        """The change of membership with most incidents on both sides; None where there is none.

        Returns
        -------
        Series
            A row of `switches`.
        """
        rows = self.switches
        rows = rows[(rows["n_with"] > 0) & (rows["n_without"] > 0) & (rows["ratio"] > 0)]
        rows = rows[np.isfinite(rows["high"])]
        return None if rows.empty else rows.loc[(rows["n_with"] + rows["n_without"]).idxmax()]

    def estimates(self) -> pd.DataFrame:
        """The main estimates.

        Returns
        -------
        DataFrame
            `estimate`, `value`, `low`, `high`, `n`, `unit` ("share", "difference", "ratio"); rows
            without a number or an interval are left out.
        """
        rows: list[tuple[object, ...]] = []
        share, switch = self.share, self.switch()
        if self.acts.fit:
            name = "odds of an act that needs the host, fellow members against others"
            rows.append((name, *self.acts.ratio.values(), self.acts.fit.n, "ratio"))
        if share is not None:
            gap = self.stages.loc["difference"]
            change = gap[["share", "low", "high"]]
            rows.append(("share in states that are fellow members", *share[2:5], share.n, "share"))
            name = "that share, minus that of other stages"
            rows.append((name, *change, int(gap["n"]), "difference"))
        if self.together:
            ratio = self.together.row(ANY).values()
            rows.append(
                (
                    "counts without exposure, fellow members against others",
                    *ratio,
                    self.together.n,
                    "ratio",
                )
            )
        if switch is not None:
            n = int(switch[["n_with", "n_without", "other_with", "other_without"]].sum())
            rows.append((switch_label(switch), *switch[["ratio", "low", "high"]], n, "ratio"))
        table = pd.DataFrame(rows, columns=["estimate", "value", "low", "high", "n", "unit"])
        table = table.dropna(subset=["value", "low"])
        numbers = dict.fromkeys(("value", "low", "high"), "float64")
        return table.astype({**numbers, "n": "int64"})

    def sentence(self, who: str) -> str:
        """The answer in a few sentences, with intervals.

        Parameters
        ----------
        who
            The pursuing states, for example "Tajikistan".
        """
        share, period = self.share, years(self.period)
        cases = f"of {who} with a known host and year in {period}"
        if share is None:
            return f"No incident {cases}: nothing to compare."
        if share.n < FEWEST:
            return f"Too few incidents {cases} to compare (n = {share.n})."
        other = self.stages.loc["other stages"]
        stages = str(self.stages.index[0])
        against = ""
        if other["n"]:
            other_share = percent(*other[["share", "low", "high"]])
            against = f", {other_share} of those of other stages"
        parts = [
            odds_sentence(self.acts, stages),
            f"In {period}, {percent(*share[2:5])} of the {THINGS[self.unit]} by {who} ({stages}; "
            f"n = {share.n}) happened in fellow-member states{against}.",
            counts_sentence(self.exposures),
            self._largest_corridor(),
        ]
        return " ".join(parts)

    def _largest_corridor(self) -> str:
        """Which corridor has most incidents, where one has."""
        first, *rest = self.corridors().to_dict("records")
        if rest and rest[0]["incidents"] == first["incidents"]:
            return f"No corridor is the largest: several have {first['incidents']} each."
        return f"The largest corridor is {named(first['corridor'])} ({first['incidents']})."


@takes_dataset
def cooperation(
    joined: pd.DataFrame,
    hosts: Iterable[str],
    first_year: int,
    split_year: int,
    last_year: int,
    stages: Sequence[int] = (2, 3),
    unit: str = "episode",
    measure: str = "fiw",
    cutoff: str | int = "NF",
) -> Cooperation:
    """Which pairs of states cooperate, and are they fellow members of CIS, CSTO or SCO?

    Parameters
    ----------
    joined
        Incidents of all stages of the states asked about.
    hosts
        The possible host states, see `possible_hosts`.
    first_year, split_year, last_year
        The period, and the first year of its second part.
    stages
        Those that count.
    unit
        As for `counted`.
    measure, cutoff
        Which hosts count as authoritarian, see `cape.regimes.at_or_below`.

    Returns
    -------
    Cooperation
        Nothing is raised for too few cases: the parts that cannot be estimated are None or empty,
        and `why` says so.

    Examples
    --------
    >>> import capelib as cape
    >>> ds = cape.load()
    >>> hosts = possible_hosts(ds.incidents, 2001, 2024)
    >>> result = cooperation(ds.where(origin=cape.CENTRAL_ASIA).joined(), hosts, 2001, 2013, 2024)
    >>> result.share.k, result.share.n, result.largest_host
    (277, 390, 'RUS')
    """
    hosts = sorted(hosts)
    dated = joined[joined["year"].between(first_year, last_year).fillna(False).astype(bool)]
    chosen = dated[dated["stage"].isin(stages)]
    periods = _periods(first_year, split_year, last_year)
    cells = panel(chosen, hosts, first_year, last_year, unit, measure, cutoff)
    others = dated[~dated["stage"].isin(stages).astype(bool)]
    beside = None
    if len(others):
        beside = panel(others, hosts, first_year, last_year, unit, measure, cutoff)
    fits, why = _fitted(cells)
    separate, together, negative, within = fits
    return Cooperation(
        period=(first_year, last_year),
        unit=unit,
        rows=fellow(counted(chosen, unit)),
        acts=host_acts(dated, (first_year, last_year), stages, unit, measure, cutoff),
        exposures=exposure_ratios(cells, beside),
        table=matrix(chosen, unit),
        shares=fellow_shares(chosen, periods, hosts, unit),
        stages=by_stage(dated, stages, unit),
        people=per_displaced(chosen, periods, unit),
        cells=cells,
        separate=separate,
        together=together,
        negative=negative,
        within=within,
        switches=switches(cells),
        why=why,
    )


def _periods(first_year: int, split_year: int, last_year: int) -> list[Period]:
    """The whole period and its two parts, each once, without parts that hold no year."""
    early = (first_year, min(split_year - 1, last_year))
    late = (max(split_year, first_year), last_year)
    periods = dict.fromkeys([(first_year, last_year), early, late])
    return [(first, last) for first, last in periods if first <= last]


def _fitted(cells: pd.DataFrame) -> tuple[list[Ratios | None], tuple[str, ...]]:
    """The models of `MODELS`, None with too few cases, and the reasons, each once."""
    fits, reasons = [], []
    for terms, effects, model in MODELS.values():
        try:
            fits.append(membership_ratios(cells, terms, effects, model))
        except TooFewCases as reason:
            fits.append(None)
            reasons.append(str(reason))
    return fits, tuple(dict.fromkeys(reasons))
