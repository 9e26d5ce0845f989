"""How far does the pursuit of each exile go? The highest stage on record, its odds, its time.

CAPE's authors name three stages: "on notice, detained, then rendered or assassinated" (Furstenberg,
Lemon and Heathershaw 2021). Which measure belongs to which stage is our reading (`cape.codebook`).
All of this describes what was recorded: it is not a risk.
"""

from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from capelib.dataset import takes_dataset
from capelib.errors import TooFewCases
from capelib.estimators.clusters import ClusteredShare, clustered
from capelib.questions.escalation import (
    AT_RISK,
    BLURRED,
    FOLLOWED,
    ORDERS,
    SCENARIOS,
    YEAR,
    escalation,
    followed,
    interval_censored,
    waiting,
)
from capelib.questions.exiles import FEWEST, SOURCES, enough, label, levels, people, within
from capelib.questions.odds import FACTORS, Odds, odds
from capelib.questions.selections import selections
from capelib.questions.wording import percent
from capelib.vocabulary.codebook import codebook

__all__ = [
    "AT_RISK", "FACTORS", "FEWEST", "FOLLOWED", "ORDERS", "SCENARIOS", "SOURCES", "YEAR",
    "Odds", "Stages", "composition", "escalation", "interval_censored", "odds", "people", "stages",
    "variants", "waiting", "within",
]  # fmt: skip


def composition(exiles: pd.DataFrame, by: str | None = None) -> pd.DataFrame:
    """What share of exiles was recorded at each stage as the highest?

    Parameters
    ----------
    exiles
        As `people` gives.
    by
        None, "origin" or "category".

    Returns
    -------
    DataFrame
        Three rows a level, levels in the order of the codebook: `level` (code, or "all"), `label`,
        `stage`, `k`, `n` (int64), `share`, `low`, `high` (fractions, 95 %), `clusters`,
        `design_effect`, `df`, `why` (there is no interval). Levels with fewer than 5 exiles, or 3
        clusters, are left out.

    Notes
    -----
    The intervals allow for exiles reported together: see `capelib.estimators.clusters.clustered`.

    Examples
    --------
    >>> import capelib as cape
    >>> shares = composition(people(cape.load().where(origin="TJK").joined()))
    >>> shares[["stage", "k", "n"]].values.tolist()
    [[1, 48, 148], [2, 31, 148], [3, 69, 148]]
    """
    parts = {"all": np.ones(len(exiles), bool)} if by is None else levels(exiles, by)
    rows = []
    for level, members in parts.items():
        highest, cluster = exiles.loc[members, "stage"], exiles.loc[members, "cluster"]
        if enough(cluster):
            for stage in (1, 2, 3):
                share = clustered(highest == stage, cluster)
                rows.append((level, label(by, level), stage, *share))
    return pd.DataFrame(rows, columns=["level", "label", "stage", *ClusteredShare._fields])


@dataclass(frozen=True)
class Stages:
    """The three stages of a set of exiles.

    Attributes
    ----------
    exiles
        As `people` gives, without groups.
    groups
        How many groups were left out.
    undated
        Incidents without a date.
    fit
        As `odds` gives, or None with too few cases.
    times
        As `waiting` gives.
    curve
        As `escalation` gives, or None with too few cases.
    why
        What could not be estimated, in words.
    cut_at
        The last year of follow-up where the data ends before the period; else None.
    """

    exiles: pd.DataFrame
    groups: int
    undated: int
    fit: Odds | None
    times: pd.DataFrame
    curve: pd.DataFrame | None
    why: tuple[str, ...]
    cut_at: int | None = None

    @cached_property
    def by_all(self) -> pd.DataFrame:
        """The shares of all exiles, as `composition` gives."""
        return composition(self.exiles)

    @cached_property
    def by_origin(self) -> pd.DataFrame:
        """The shares by pursuing state, as `composition` gives."""
        return composition(self.exiles, "origin")

    @cached_property
    def by_category(self) -> pd.DataFrame:
        """The shares by category, as `composition` gives."""
        return composition(self.exiles, "category")

    def share(self, stage: int = 3) -> ClusteredShare | None:
        """The share of exiles whose highest recorded stage this is; None with too few exiles."""
        if not enough(self.exiles["cluster"]):
            return None
        return clustered(self.exiles["stage"] == stage, self.exiles["cluster"])

    def reached(self, years: float = 5) -> tuple[float, float, float] | None:
        """The share recorded at stage 3 so many years after the first incident; None without one.

        Returns
        -------
        tuple
            The share with midpoint times, and its outer limits (fractions).
        """
        row = self.curve[self.curve["years"] == years] if self.curve is not None else []
        return tuple(map(float, row.iloc[0][["midpoint", "low", "high"]])) if len(row) else None

    def orders(self) -> pd.DataFrame:
        """How many exiles enter the curve, and why the others do not?

        Returns
        -------
        DataFrame
            `what` (index), `exiles`, `in_the_curve` (bool).
        """
        counts = self.times["order"].value_counts()
        rows = [(words, int(counts.get(key, 0)), key in FOLLOWED) for key, words in ORDERS.items()]
        return pd.DataFrame(rows, columns=["what", "exiles", "in_the_curve"]).set_index("what")

    def sentence(self, who: str) -> str:
        """The answer in one sentence, with intervals.

        Parameters
        ----------
        who
            For example "exiles pursued by Tajikistan".
        """
        ended, held = self.share(3), self.share(2)
        if ended is None or held is None:
            return (
                f"Too few {who} are in this data to say anything of stages "
                f"(n = {len(self.exiles)})."
            )
        parts = [
            f"Of {ended.n} {who} {percent(*ended[2:5])} were recorded at stage 3, "
            f"{percent(*held[2:5])} at stage 2 and no further"
        ]
        if self.fit is not None:
            parts += _differences(self.fit)
        soon = self.reached()
        if soon is not None:
            parts.append(
                f"of {len(followed(self.times))} first recorded at stage 1 or 2, {percent(*soon)} "
                "were recorded at stage 3 within five years"
            )
            if self.cut_at is not None:
                parts[-1] += f" (followed to the end of {self.cut_at})"
        return "; ".join(parts) + "."

    def notes(self) -> list[str]:
        """What entered the model, what was left out and whether its assumption holds.

        One sentence each; without a model, why there is none.
        """
        reasons = [f"{reason[:1].upper()}{reason[1:]}." for reason in self.why]
        if self.fit is None:
            return reasons
        notes = [
            f"The ordered logit rests on {self.fit.n} exiles in {self.fit.clusters} clusters "
            "(one source or episode in common)."
        ]
        if self.fit.left_out:
            notes.append(f"Left out: {', '.join(self.fit.left_out)}.")
        p = self.fit.parallel_p
        verdict = "is doubtful" if p < 0.05 else "is not refuted"
        tested = "cannot be tested" if np.isnan(p) else f"{verdict} (p = {p:.2g})"
        return [*notes, f"That the same odds ratios hold for both steps {tested}.", *reasons]

    def milestones(self, years: tuple[float, ...] = (1, 2, 5, 10)) -> pd.DataFrame:
        """The curve at some years, beside the estimate for interval-censored times.

        Returns
        -------
        DataFrame
            `years` (index), the columns of `escalation`, and `intervals`, the same share as
            `interval_censored` gives it; empty without a curve.
        """
        if self.curve is None:
            return pd.DataFrame(columns=["at_risk", *SCENARIOS, "low", "high", "intervals"])
        intervals = interval_censored(self.times, years).set_index("years")["share"]
        rows = self.curve.set_index("years")
        return rows.loc[rows.index.isin(years)].join(intervals.rename("intervals"))

    def unclear(self) -> str:
        """How many exiles have an order that cannot be told, and what does that to the curve?"""
        in_curve = followed(self.times)
        blurred = in_curve["order"].isin(BLURRED)
        sentence = (
            f"Of {len(in_curve)} exiles in the curve {blurred.sum()} have stage 3 on record in an "
            "order that cannot be told"
        )
        soon, without = self.reached(), self.without_blurred().reached()
        if soon is None or without is None:
            return f"{sentence}."
        return (
            f"{sentence}. With them {percent(*soon)} were recorded at stage 3 within five years, "
            f"without them {percent(*without)}."
        )

    def without_blurred(self) -> "Stages":
        """The same, with a curve of those exiles only whose order can be told."""
        clear = self.times[~self.times["order"].isin(BLURRED)]
        curve = None
        with suppress(TooFewCases):
            curve = escalation(clear, self.exiles.set_index("exile_id")["cluster"])
        return replace(self, curve=curve)

    def estimates(self) -> pd.DataFrame:
        """The main estimates.

        Returns
        -------
        DataFrame
            `estimate`, `value`, `low`, `high`, `n`, `unit` ("share" or "ratio").
        """
        rows = []
        ended, soon = self.share(3), self.reached()
        if ended is not None:
            rows.append(("share of exiles recorded at stage 3", *ended[2:5], ended.n, "share"))
        if self.fit is not None:
            rows += _odds_estimates(self.fit)
        if soon is not None:
            n = len(followed(self.times))
            rows.append(("share recorded at stage 3 within five years", *soon, n, "share"))
        return pd.DataFrame(rows, columns=["estimate", "value", "low", "high", "n", "unit"])


def _differences(fit: Odds) -> list[str]:
    """What differs, in words.

    For both steps together, or for each where one odds ratio for both may not fit.
    """
    steps = {"p": "how far the pursuit went"}
    if fit.parallel_p < 0.05:
        steps = {"held_p": "being held or worse", "ended_p": "reaching stage 3"}
    sentences = []
    for column, step in steps.items():
        p_of = fit.tests.set_index("factor")[column].dropna()
        named = {factor: f"{factor} (p = {p:.2g})" for factor, p in p_of.items()}
        clear = " and by ".join(named[factor] for factor, p in p_of.items() if p < 0.05)
        other = " and by ".join(named[factor] for factor, p in p_of.items() if p >= 0.05)
        unclear = f"by {other} no difference can be told from chance"
        if clear and other:
            sentences.append(f"{step} differed by {clear}, {unclear}")
        elif clear:
            sentences.append(f"{step} differed by {clear}")
        elif other:
            sentences.append(f"{step}: {unclear}")
    return sentences


def _odds_estimates(fit: Odds) -> list[tuple[object, ...]]:
    """The odds ratios of the largest level that is compared, of the category where it is a term."""
    compared = fit.terms[~fit.terms["reference"]]
    factors = compared["factor"].tolist()
    factor = "category" if "category" in factors else factors[0]
    largest = compared.loc[compared.loc[compared["factor"] == factor, "n"].idxmax()]
    against = f"{largest['label']} against {fit.references[factor]}"
    both, ended = largest[["ratio", "low", "high"]], largest[["ended", "ended_low", "ended_high"]]
    return [
        (f"odds of a higher stage, {against}", *both, fit.n, "ratio"),
        (f"odds of stage 3, {against}", *ended, fit.n, "ratio"),
    ]


@takes_dataset
def stages(
    joined: pd.DataFrame, first_year: int, last_year: int, covered_until: int | None = None
) -> Stages:
    """Who gets to stage 3, and how soon?

    Parameters
    ----------
    joined
        Incidents as `Dataset.joined` gives. Groups are no persons and are left out.
    first_year, last_year
        Both included; incidents without a date are kept for the composition and the odds.
    covered_until
        The last year that the data looks at, see `Dataset.covered_until`: exiles are followed to
        its end, or to the end of `last_year` where that comes first.

    Returns
    -------
    Stages
        Nothing is raised for too few cases: `why` says what is missing.

    Examples
    --------
    >>> import capelib as cape
    >>> result = stages(cape.load().where(origin=cape.CENTRAL_ASIA).joined(), 1990, 2024)
    >>> result.share(3)[:2], result.groups
    ((195, 496), 47)
    """
    rows = within(joined, first_year, last_year)
    everyone, rows = people(rows), rows[~rows["is_group"].astype(bool)]
    exiles = everyone[~everyone["is_group"]].reset_index(drop=True)
    until = last_year if covered_until is None else min(last_year, covered_until)
    times = waiting(rows, until)
    fit, curve, why = None, None, []
    try:
        fit = odds(exiles)
    except TooFewCases as reason:
        why.append(str(reason))
    try:
        curve = escalation(times, exiles.set_index("exile_id")["cluster"])
    except TooFewCases as reason:
        why.append(str(reason))
    return Stages(
        exiles=exiles,
        groups=int(everyone["is_group"].sum()),
        undated=int(rows["date_start"].isna().sum()),
        fit=fit,
        times=times,
        curve=curve,
        why=tuple(why),
        cut_at=until if until < last_year else None,
    )


@takes_dataset
def variants(
    joined: pd.DataFrame, first_year: int, last_year: int, covered_until: int | None = None
) -> pd.DataFrame:
    """What would change the answer? The same estimates under other choices, one row a choice.

    Parameters
    ----------
    joined
        Incidents as `Dataset.joined` gives.
    first_year, last_year, covered_until
        As for `stages`.

    Returns
    -------
    DataFrame
        `choice`, `n`, `stage_3`, `low`, `high` (share at stage 3, 95 %), `p_origin`, `p_category`
        (no difference between the levels), `p_parallel`, `within_5`, `within_low`, `within_high`
        (share recorded at stage 3 within five years of the first incident, with outer limits);
        missing where there are too few cases.
    """
    rows = within(joined, first_year, last_year)
    until = last_year if covered_until is None else min(last_year, covered_until)
    results = {
        choice: stages(part, first_year, last_year, covered_until)
        for choice, part in _choices(rows, until).items()
    }
    chosen = results["as chosen"]
    with_decade = None
    with suppress(TooFewCases):
        with_decade = odds(chosen.exiles, (*FACTORS, "decade"))
    results["decade of the first incident held equal"] = replace(chosen, fit=with_decade)
    results["without exiles whose order cannot be told"] = chosen.without_blurred()
    return pd.DataFrame([{"choice": name, **_variant(part)} for name, part in results.items()])


def _choices(rows: pd.DataFrame, last_year: int) -> dict[str, pd.DataFrame]:
    """The incidents under each choice of them, or of the stage of a measure."""
    persons = people(rows[~rows["is_group"].astype(bool)])
    one_each = persons.drop_duplicates("cluster")["exile_id"]
    start = rows.groupby("exile_id")["date_start"].transform("min").dt.year
    latest = last_year - 5
    choices = {
        "as chosen": rows,
        "groups counted as one exile each": rows.assign(is_group=False),
        **selections(rows, "doubtful", "alleged", "cape"),
        "one exile from each cluster": rows[rows["exile_id"].isin(one_each)],
        **selections(rows, "undated"),
        f"first recorded by {latest} (five years to follow)": rows[start <= latest],
    }
    for stage, measures in _other_stages().items():
        moved = rows["stage"].mask(rows["measure"].isin(measures), stage)
        choices[f"{', '.join(measures)} read as stage {stage}"] = rows.assign(stage=moved)
    return choices


def _other_stages() -> dict[int, list[str]]:
    """The measures that could as well be read as another stage (`other_stage` in the codebook)."""
    others: dict[int, list[str]] = {}
    for measure, entry in codebook()["codes"]["measure"].items():
        if "other_stage" in entry:
            others.setdefault(entry["other_stage"], []).append(measure)
    return others


def _variant(result: Stages) -> dict[str, float]:
    """The estimates of one row of `variants`; missing where there are too few cases."""
    missing, fit = (np.nan, np.nan, np.nan), result.fit
    share, reached = result.share(), result.reached()
    tests = (fit.test("origin"), fit.test("category"), fit.parallel_p) if fit else missing
    return {
        "n": len(result.exiles),
        **dict(zip(("stage_3", "low", "high"), share[2:5] if share else missing, strict=True)),
        **dict(zip(("p_origin", "p_category", "p_parallel"), tests, strict=True)),
        **dict(zip(("within_5", "within_low", "within_high"), reached or missing, strict=True)),
    }
