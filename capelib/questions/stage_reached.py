"""How far did the pursuit of each exile go on record: the three stages of a set of exiles."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from capelib.dataset import takes_dataset
from capelib.display import Result
from capelib.errors import TooFewCases
from capelib.estimators.clusters import ClusteredShare, clustered
from capelib.estimators.misclassified import Confusion
from capelib.questions.escalation import BLURRED, FOLLOWED, ORDERS, followed, waiting
from capelib.questions.exiles import enough, label, levels, people, within
from capelib.questions.odds import Odds, odds
from capelib.questions.stage_bounds import Reach, curves, reach, readings
from capelib.questions.stage_tests import NOT_TOLD_APART, StepTests, coders, step_tests
from capelib.questions.wording import percent, pursued_by


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


@dataclass(frozen=True, repr=False)
class Stages(Result):
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
    curves
        As `cape.stages.curves` gives: one for each reading of who was watched how long.
    tests
        As `cape.stages.step_tests` gives.
    coding
        As `cape.stages.second_coding` gives, or None.
    why
        What could not be estimated, in words.
    cut_at
        The last year that is watched where the data ends before the period; else None.
    """

    exiles: pd.DataFrame
    groups: int
    undated: int
    fit: Odds | None
    times: pd.DataFrame
    curves: dict[tuple[str, ...], pd.DataFrame]
    tests: StepTests
    coding: Confusion | None
    why: tuple[str, ...]
    cut_at: int | None = None

    CAVEAT = "Rests on what was reported: shares of a collection, no rates."

    def summary(self) -> str:
        """The answer in words."""
        return self.sentence(f"exiles pursued by {pursued_by(self.exiles['origin'])}")

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

    @property
    def curve(self) -> pd.DataFrame | None:
        """The curve of those watched to the end of the period, as `escalation` gives it, or None.

        It is one reading of several, see `readings`.
        """
        return self.curves.get(())

    def reach(self, years: float = 5) -> Reach | None:
        """Between which shares was stage 3 recorded so many years after the first incident?"""
        return reach(self.times, self.curves, years)

    def readings(self, years: float = 5) -> pd.DataFrame:
        """The share under each reading of who was watched how long, see `cape.stages.readings`."""
        return readings(self.times, self.curves, years)

    def coders(self) -> pd.DataFrame:
        """The tests of steps under each idea of which coder is right, see `cape.stages.coders`."""
        return coders(self.exiles, self.fit, self.coding, self.tests)

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
        parts += self.tests.sentences()
        return "; ".join(parts) + "." + self._soon()

    def _soon(self) -> str:
        """How soon stage 3 was recorded, as bounds in words."""
        soon = self.reach()
        if soon is None:
            return ""
        until = f" of {self.cut_at}" if self.cut_at is not None else ""
        return (
            f" Within five years of the first record {_span(soon.least, soon.most)} were recorded "
            f"at stage 3, by how long they are taken as watched (to the end{until}, or to the last "
            "record) and by who counts (those first seen at stage 3, those whose order cannot be "
            f"told); {_span(soon.lower, soon.upper)} of {soon.n} with no assumption on those of "
            "whom nothing more is recorded."
        )

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
        if self.tests.draws:
            notes.append(
                f"How the coders differ rests on {self.tests.coded_twice} exiles whom both coded."
            )
        p = self.fit.parallel_p
        verdict = "is doubtful" if p < 0.05 else "is not refuted"
        tested = "cannot be tested" if np.isnan(p) else f"{verdict} (p = {p:.2g})"
        return [*notes, f"That the same odds ratios hold for both steps {tested}.", *reasons]

    def unclear(self) -> str:
        """How many exiles in the curve have an order that cannot be told?"""
        in_curve = followed(self.times)
        blurred = in_curve["order"].isin(BLURRED)
        return (
            f"Of {len(in_curve)} exiles in the curve {blurred.sum()} have stage 3 on record in an "
            "order that cannot be told."
        )

    def estimates(self) -> pd.DataFrame:
        """The main estimates.

        Returns
        -------
        DataFrame
            `estimate`, `value`, `low`, `high`, `n`, `unit` ("share" or "ratio").
        """
        rows = []
        ended, soon = self.share(3), self.readings()["midpoint"].dropna()
        if ended is not None:
            rows.append(("share of exiles recorded at stage 3", *ended[2:5], ended.n, "share"))
        if self.fit is not None:
            rows += _odds_estimates(self.fit)
        for words, reading in _ends(soon):
            row = self.readings().loc[reading]
            name = f"share recorded at stage 3 within five years, {words} ({reading})"
            rows.append((name, *row[["midpoint", "low", "high"]], int(row["n"]), "share"))
        return pd.DataFrame(rows, columns=["estimate", "value", "low", "high", "n", "unit"])


def _ends(shares: pd.Series) -> list[tuple[str, str]]:
    """The readings with the smallest and the largest share."""
    if shares.empty:
        return []
    return [("least", str(shares.idxmin())), ("most", str(shares.idxmax()))]


def _span(least: float, most: float) -> str:
    """Two bounds in percent."""
    return f"{100 * least:.0f} to {100 * most:.0f} %"


def _odds_estimates(fit: Odds) -> list[tuple[object, ...]]:
    """The odds ratios of the largest level that is compared, of the category where it is a term.

    Religious against unknown is never that one: a second coder does not tell the two apart.
    """
    compared = fit.terms[~fit.terms["reference"]]
    factors = compared["factor"].tolist()
    factor = "category" if "category" in factors else factors[0]
    of_factor = compared[compared["factor"] == factor]
    labels = [label("category", level) for level in NOT_TOLD_APART]
    if factor == "category" and fit.references[factor] in labels:
        of_factor = of_factor[~of_factor["label"].isin(labels)]
    if of_factor.empty:
        return []
    largest = of_factor.loc[of_factor["n"].idxmax()]
    against = f"{largest['label']} against {fit.references[factor]}"
    both, ended = largest[["ratio", "low", "high"]], largest[["ended", "ended_low", "ended_high"]]
    return [
        (f"odds of a higher stage, {against}", *both, fit.n, "ratio"),
        (f"odds of stage 3, {against}", *ended, fit.n, "ratio"),
    ]


@takes_dataset
def stages(
    joined: pd.DataFrame,
    first_year: int,
    last_year: int,
    covered_until: int | None = None,
    coding: Confusion | None = None,
) -> Stages:
    """Who is recorded at stage 3, and how soon?

    Parameters
    ----------
    joined
        Incidents as `Dataset.joined` gives. Groups are no persons and are left out.
    first_year, last_year
        Both included; incidents without a date are kept for the composition and the odds.
    covered_until
        The last year that the data looks at, see `Dataset.covered_until`: exiles are watched to
        its end, or to the end of `last_year` where that comes first.
    coding
        As `cape.stages.second_coding` gives: its disagreements are carried through the tests. None
        takes the categories as they are coded.

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
    fit, why = None, []
    try:
        fit = odds(exiles)
    except TooFewCases as reason:
        why.append(str(reason))
    every = curves(times, exiles.set_index("exile_id")["cluster"])
    if () not in every:
        why.append(
            "a curve needs 10 exiles first recorded at stage 1 or 2, 5 of them later at stage 3"
        )
    return Stages(
        exiles=exiles,
        groups=int(everyone["is_group"].sum()),
        undated=int(rows["date_start"].isna().sum()),
        fit=fit,
        times=times,
        curves=every,
        tests=step_tests(exiles, fit, coding),
        coding=coding,
        why=tuple(why),
        cut_at=until if until < last_year else None,
    )
