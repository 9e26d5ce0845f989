"""How far does the pursuit of each exile go? The highest stage on record, its odds, and the time until stage 3.

CAPE's authors name three stages: "on notice, detained, then rendered or assassinated" (Furstenberg, Lemon and Heathershaw 2021). Which
measure belongs to which stage is our reading (`cape.codebook`). All of this describes what was recorded: it is not a risk.
"""

from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from capelib.errors import TooFewCases
from capelib.estimators.clusters import ClusteredShare, clustered, linked
from capelib.estimators.ordered_logit import ordered_logit, ratios, separated, wald
from capelib.estimators.survival import kaplan_meier, turnbull
from capelib.vocabulary.codebook import codes
from capelib.vocabulary.tables import states

SOURCES = 3  # clusters that a level needs
FEWEST = 5  # exiles that a level, or a stage, needs to enter the model; levels with fewer are not shown on their own either
AT_RISK = 10  # exiles that must still be followed for the curve to go on
YEAR = 365.25  # days
SCENARIOS = ("shortest", "midpoint", "longest")
FACTORS = ("origin", "category")
ORDERS = {
    "undated": "no incident with a date",
    "only_third": "nothing but stage 3 dated",
    "third_first": "surely at stage 3 first",
    "third_undated": "stage 3 on record, but without a date",
    "unclear": "stage 1 or 2 and stage 3, order cannot be told",
    "lower_first": "surely at stage 1 or 2 first, then stage 3",
    "never": "stage 1 or 2, stage 3 never recorded",
}
FOLLOWED = ("third_undated", "unclear", "lower_first", "never")


# ---------------------------------------------------------------- one row an exile


def within(joined: pd.DataFrame, first_year: int, last_year: int) -> pd.DataFrame:
    """The incidents that lie in a period, both years included, and those without any date (nothing says that they lie outside)."""
    inside = (joined["date_start"].dt.year >= first_year) & (
        joined["date_end"].dt.year <= last_year
    )
    return joined[inside | joined["date_start"].isna()].reset_index(drop=True)


def people(joined: pd.DataFrame) -> pd.DataFrame:
    """What is the highest stage on record of each exile?

    joined: incidents as `Dataset.joined` gives. Groups are exiles too here (`is_group`); leave them out where persons are meant.
    Returns one row an exile, in the order of the data: `exile_id`, `origin` (of the first row), `category`, `is_group` (bool), `stage`
    (int64, the highest), `incidents` (int64), `decade` (str: of the first dated incident, "1990s" or "unknown"), `cluster` (int64: exiles
    that share a source or an episode, directly or through others, have the same number; they are not independent).

    >>> import capelib as cape
    >>> found = people(cape.load().where(origin="TJK").joined())
    >>> len(found), int((found["stage"] == 3).sum()), int(found["cluster"].nunique())
    (122, 58, 80)
    """
    exile, exiles = pd.factorize(joined["exile_id"])
    first = joined[["origin", "category", "is_group"]][
        ~joined["exile_id"].duplicated()
    ].reset_index(drop=True)
    stage, year = np.zeros(len(exiles), "int64"), np.full(len(exiles), np.inf)
    np.maximum.at(stage, exile, joined["stage"].to_numpy("int64"))
    np.minimum.at(year, exile, joined["date_start"].dt.year.fillna(np.inf).to_numpy())
    found = {
        "exile_id": exiles,
        "origin": first["origin"].astype("str"),
        "category": first["category"].astype("str"),
        "is_group": first["is_group"].astype(bool),
        "stage": stage,
        "incidents": np.bincount(exile, minlength=len(exiles)),
        "decade": pd.Series(
            [f"{at // 10 * 10:.0f}s" if np.isfinite(at) else "unknown" for at in year], dtype="str"
        ),
        "cluster": linked(joined).to_numpy("int64"),
    }
    return pd.DataFrame(found)


def composition(exiles: pd.DataFrame, by: str | None = None) -> pd.DataFrame:
    """What share of exiles was recorded at each stage as the highest?

    exiles: as `people` gives. by: None, "origin" or "category".
    Returns `level` (code, or "all"), `label`, `stage`, `k`, `n` (int64), `share`, `low`, `high` (fractions, 95 %), `clusters`,
    `design_effect`: three rows a level, levels in the order of the codebook. Levels with fewer than 5 exiles, or 3 clusters, are left out.
    The intervals are Wilson's with the effective number of exiles: see `capelib.estimators.clusters.clustered`.

    >>> import capelib as cape
    >>> found = composition(people(cape.load().where(origin="TJK").joined()))
    >>> found[["stage", "k", "n"]].values.tolist()
    [[1, 40, 122], [2, 24, 122], [3, 58, 122]]
    """
    rows = []
    for level, members in (
        [("all", np.ones(len(exiles), bool))] if by is None else _levels(exiles, by)
    ):
        part = exiles.loc[members, ["stage", "cluster"]]
        for stage in (1, 2, 3) if _large(part["cluster"]) else ():
            rows.append(
                (
                    level,
                    _label(by, level),
                    stage,
                    *clustered(part["stage"] == stage, part["cluster"]),
                )
            )
    return pd.DataFrame(rows, columns=["level", "label", "stage", *ClusteredShare._fields])


def _large(cluster: pd.Series | np.ndarray) -> bool:
    return len(cluster) >= FEWEST and len(pd.unique(cluster)) >= SOURCES


def _levels(exiles: pd.DataFrame, by: str) -> list[tuple[str, np.ndarray]]:
    """The levels that occur, in the order of the codebook, each with a mark on the exiles in it."""
    found = exiles[by].to_numpy(object)
    order = list(codes("category")) if by == "category" else sorted(set(found))
    return [(level, members) for level in order if (members := found == level).any()]


def _label(by: str | None, level: str) -> str:
    return {"origin": states(), "category": codes("category")}.get(by or "", {}).get(level, level)


# ---------------------------------------------------------------- the odds of a higher stage


@dataclass(frozen=True)
class Odds:
    """An ordered logit of the highest stage.

    n, clusters: what entered. left_out: levels that could not be compared, in words.
    terms: factor, level, label, n, reference (bool), ratio, low, high (odds ratios, 95 %), p; and the same from two binary logits: `held`
        (stage 2 or 3 against 1) and `ended` (stage 3 against 1 or 2), each with _low and _high, missing where it cannot be estimated.
    tests: factor, terms, f, p (no difference between the levels of the factor), and held_p, ended_p of the two binary logits.
    parallel_p: that the two binary logits have the same odds ratios, as the ordered one assumes; missing where it cannot be tested.
    """

    n: int
    clusters: int
    terms: pd.DataFrame
    tests: pd.DataFrame
    parallel_p: float
    left_out: tuple[str, ...]

    def test(self, factor: str) -> float:
        """The p value of no difference between the levels of a factor; missing where the factor is not in the model."""
        found = self.tests.loc[self.tests["factor"] == factor, "p"]
        return float(found.iloc[0]) if len(found) else np.nan

    @property
    def references(self) -> dict[str, str]:
        """The reference level of each factor, as a label."""
        return self.terms[self.terms["reference"]].set_index("factor")["label"].to_dict()


def odds(exiles: pd.DataFrame, factors: tuple[str, ...] = FACTORS) -> Odds:
    """Who is recorded at a higher stage? Odds ratios of an ordered (proportional odds) logit of the highest stage.

    exiles: as `people` gives. factors: columns of it. The reference is the level with most exiles. A ratio of 2 says: the odds of a higher
    stage rather than a lower one are twice those of the reference, with the other factor held equal, at both cuts.
    Standard errors allow for exiles of one source or episode being alike: each cluster is left out in turn (one Newton step), the
    squared shifts are summed, and Student's t with clusters - 1 degrees of freedom is used. In simulations with the clusters of the public
    record and strong dependence the 95 % intervals hold in 94 to 97 % of cases, the usual cluster-robust ones in 92 to 94 %, and those that
    take exiles as independent in 79 to 88 %; with 15 clusters they are wider than needed (98 %).
    Levels with fewer than 5 exiles or 3 clusters, and levels wholly at the lowest or highest stage (their odds ratio is infinite), are left
    out and named. Raises TooFewCases, in one sentence, where too little is left: 30 exiles, two stages with 5 of them each, two levels of
    one factor; or where no finite odds ratio fits (separation, found by a linear program).
    Source: McCullagh 1980, Journal of the Royal Statistical Society B 42, 109-142; Bell and McCaffrey 2002, Survey Methodology 28, 169-181
    (leaving clusters out, there for linear models); Albert and Anderson 1984, Biometrika 71, 1-10 (separation); Brant 1990, Biometrics 46,
    1171-1178 (parallel lines; here with clusters: where the lines are parallel it rejects in 6 to 8 % of simulations, not 5).

    >>> import capelib as cape
    >>> everyone = people(cape.load().where(origin=cape.CENTRAL_ASIA).joined())
    >>> fit = odds(everyone[~everyone["is_group"]])
    >>> fit.n, fit.clusters, fit.references
    (384, 245, {'origin': 'Uzbekistan', 'category': 'Opposition'})
    """
    rows, left_out = _enough(exiles, factors)
    terms, x = _design(rows, factors)
    stage, cluster = rows["stage"].to_numpy(), pd.factorize(rows["cluster"])[0]
    _possible(stage, x, factors)
    slopes, shifts = ordered_logit(np.unique(stage, return_inverse=True)[1], x, cluster)
    free = cluster.max()  # clusters - 1
    place = ~terms["reference"].to_numpy()
    numbers = np.full((len(terms), 10), np.nan)
    numbers[~place, 0] = 1
    numbers[place, :4] = ratios(slopes, shifts, free)
    logits = {"": (slopes, shifts)}
    for name, cut, at in (
        ("held", 2, 4),
        ("ended", 3, 7),
    ):  # the assumption: the same odds ratios at both cuts
        above = (stage >= cut).astype(int)
        if len(np.unique(stage)) == 3 and not separated(above, x):
            logits[name] = ordered_logit(above, x, cluster)
            numbers[place, at : at + 3] = ratios(*logits[name], free)[:, :3]
    names = [
        "ratio",
        "low",
        "high",
        "p",
        "held",
        "held_low",
        "held_high",
        "ended",
        "ended_low",
        "ended_high",
    ]
    terms = terms.join(pd.DataFrame(numbers, columns=names))
    tests = []
    for factor in dict.fromkeys(terms["factor"]):
        mine = (terms["factor"] == factor).to_numpy()[place]
        found = {
            name: wald(its[mine], moved[:, mine], free) for name, (its, moved) in logits.items()
        }
        tests.append(
            (
                factor,
                int(mine.sum()),
                *found[""],
                *(found.get(name, (np.nan, np.nan))[1] for name in ("held", "ended")),
            )
        )
    parallel = np.nan
    if len(logits) == 3:
        (held, held_moved), (ended, ended_moved) = logits["held"], logits["ended"]
        parallel = wald(ended - held, ended_moved - held_moved, free)[1]
    table = pd.DataFrame(tests, columns=["factor", "terms", "f", "p", "held_p", "ended_p"])
    return Odds(len(rows), int(free) + 1, terms, table, parallel, left_out)


def _enough(exiles: pd.DataFrame, factors: tuple[str, ...]) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The exiles in levels that can be compared, and the levels left out, in words.

    A level that is wholly at the lowest or highest stage has an infinite odds ratio; in that limit it says nothing of the other levels.
    """
    rows, left_out = exiles, []
    while len(rows):
        stage, cluster = rows["stage"].to_numpy(), rows["cluster"].to_numpy()
        ends = (stage.min(), stage.max())
        out = []
        for factor, level, members in (
            (name, *each) for name in factors for each in _levels(rows, name)
        ):
            its = stage[members]
            if not _large(cluster[members]):
                out.append((members, f"{_label(factor, level)} (too few)"))
            elif its.min() == its.max() and ends[0] < ends[1] and its[0] in ends:
                out.append((members, f"{_label(factor, level)} (all {len(its)} at stage {its[0]})"))
        if not out:
            break
        left_out += [words for _, words in out]
        rows = rows[~np.any([members for members, _ in out], axis=0)]
    if len(rows) < 30:
        raise TooFewCases(
            f"an ordered logit needs 30 exiles or more in levels with {FEWEST} exiles and {SOURCES} sources; here are {len(rows)}"
        )
    counts = rows["stage"].value_counts()
    if len(counts) < 2 or counts.min() < FEWEST:
        said = ", ".join(f"{counts.get(stage, 0)} at stage {stage}" for stage in (1, 2, 3))
        raise TooFewCases(
            f"an ordered logit needs {FEWEST} exiles at each stage that occurs, and two stages; here are {said}"
        )
    if all(rows[factor].nunique() < 2 for factor in factors):
        raise TooFewCases(
            f"there is nothing to compare: all {len(rows)} exiles have the same {' and '.join(factors)}"
        )
    return rows, tuple(left_out)


def _design(rows: pd.DataFrame, factors: tuple[str, ...]) -> tuple[pd.DataFrame, np.ndarray]:
    """The levels of each factor, the largest marked as reference, and one 0/1 column for each other level."""
    terms, columns = [], []
    for factor in factors:
        levels = dict(_levels(rows, factor))
        if len(levels) < 2:
            continue
        largest = max(levels, key=lambda level: levels[level].sum())
        for level in sorted(levels, key=lambda level: level != largest):
            terms.append(
                (factor, level, _label(factor, level), levels[level].sum(), level == largest)
            )
            if level != largest:
                columns.append(levels[level].astype(float))
    return pd.DataFrame(
        terms, columns=["factor", "level", "label", "n", "reference"]
    ), np.column_stack(columns)


def _possible(stage: np.ndarray, x: np.ndarray, factors: tuple[str, ...]) -> None:
    if np.linalg.matrix_rank(np.column_stack([np.ones(len(x)), x])) < x.shape[1] + 1:
        raise TooFewCases(f"{' and '.join(factors)} cannot be told apart in these {len(x)} exiles")
    if separated(np.unique(stage, return_inverse=True)[1], x):
        raise TooFewCases(
            "no finite odds ratios: some combination of levels is found at one end of the stages only"
        )


# ---------------------------------------------------------------- the time until stage 3


def waiting(joined: pd.DataFrame, last_year: int) -> pd.DataFrame:
    """How long after the first recorded incident was stage 3 recorded?

    joined: incidents of persons. last_year: exiles never recorded at stage 3 are followed to its end.
    Returns one row an exile: `exile_id`, `order` (a key of `ORDERS`), `event` (bool: stage 3 on record), `shortest`, `midpoint`, `longest`
    (days, float; missing where the exile is not followed). Followed are exiles whose first dated incident is, or may be, at stage 1 or 2.
    A date is often only a year, so that each time is an interval: it starts between the first and the last day of the first incident,
    and ends between those of the first incident at stage 3. Where the order cannot be told the time may be 0; where stage 3 has no
    date it may be anything to the end of the period.

    >>> import capelib as cape
    >>> found = waiting(cape.load().where(origin="UZB").joined(), 2024)
    >>> found["order"].value_counts().to_dict()["lower_first"]
    29
    """
    rows = joined[["exile_id", "date_start", "date_end"]]
    order, third = rows["exile_id"].drop_duplicates(), joined["stage"] == 3
    lower, upper = (
        rows[mine].groupby("exile_id").min().reindex(order) for mine in (~third, third)
    )  # blank dates are passed over
    lower_first, lower_last = lower["date_start"].to_numpy(), lower["date_end"].to_numpy()
    upper_first, upper_last = upper["date_start"].to_numpy(), upper["date_end"].to_numpy()
    has_lower, has_upper = ~np.isnat(lower_first), ~np.isnat(upper_first)
    on_record = order.isin(rows.loc[third, "exile_id"]).to_numpy()
    kind = np.select(
        [
            ~has_lower & ~has_upper,
            ~has_lower,
            has_upper & (upper_last < lower_first),
            ~has_upper & on_record,
            has_upper & (upper_first <= lower_last),
            has_upper,
        ],
        ["undated", "only_third", "third_first", "third_undated", "unclear", "lower_first"],
        "never",
    )
    end, day = np.datetime64(f"{last_year}-12-31"), np.timedelta64(1, "D")
    shortest = np.maximum((np.where(has_upper, upper_first, end) - lower_last) / day, 0)
    longest = np.maximum((np.where(has_upper, upper_last, end) - lower_first) / day, 0)
    shortest[kind == "third_undated"] = 0
    times = np.column_stack([shortest, (shortest + longest) / 2, longest])
    times[~np.isin(kind, FOLLOWED)] = np.nan
    found = pd.DataFrame({"exile_id": order.to_numpy(), "order": kind, "event": on_record})
    return found.assign(**dict(zip(SCENARIOS, times.T, strict=True)))


def escalation(times: pd.DataFrame, cluster: pd.Series | None = None) -> pd.DataFrame:
    """Within how many years of the first recorded incident was stage 3 recorded, and how much does vague dating matter?

    times: as `waiting` gives. cluster: a number for each `exile_id` (None: exiles are taken as independent).
    Returns, for each quarter of a year while 10 exiles or more are followed: `years`, `at_risk` (followed so far, longest times),
    `shortest`, `midpoint`, `longest` (share recorded at stage 3 by then, if each time is as short, as middling, as long as its dates
    allow: one minus Kaplan and Meier), `low`, `high` (the outermost pointwise 95 % limits of the three: sampling and dating together).
    With follow-up that ends, the shortest and the longest times need not give the outermost of all curves that the dates allow;
    in simulations with dates coarsened to years they held the true curve.
    Raises TooFewCases with fewer than 10 exiles followed, or fewer than 5 recorded at stage 3 later.

    >>> import capelib as cape
    >>> found = escalation(waiting(cape.load().where(origin="UZB").joined(), 2024)).set_index("years")
    >>> bool((found["shortest"] >= found["longest"]).all())
    True
    """
    followed = times[times["order"].isin(FOLLOWED)]
    events = int(followed["event"].sum())
    if len(followed) < AT_RISK or events < FEWEST:
        needed = (
            f"{AT_RISK} exiles first recorded at stage 1 or 2, {FEWEST} of them later at stage 3"
        )
        raise TooFewCases(f"a curve needs {needed}; here are {len(followed)} and {events}")
    groups = None if cluster is None else followed["exile_id"].map(cluster).to_numpy()
    end = min(np.sort(followed[name].to_numpy())[-AT_RISK] for name in SCENARIOS)
    grid = np.arange(0, end / YEAR + 1e-9, 0.25)
    found = pd.DataFrame(
        {
            "years": grid,
            "at_risk": (followed["longest"].to_numpy()[:, None] >= YEAR * grid).sum(axis=0),
        }
    )
    limits = []
    for name in SCENARIOS:
        curve = kaplan_meier(followed[name].to_numpy(), followed["event"].to_numpy(), groups)
        place = np.searchsorted(curve["time"], YEAR * grid, side="right")
        steps = np.vstack([[1.0, 1.0, 1.0], curve[["survival", "low", "high"]].to_numpy()])[place]
        found[name] = 1 - steps[:, 0]
        limits.append(1 - steps[:, 1:])
    found["low"] = np.fmin.reduce([each[:, 1] for each in limits])
    found["high"] = np.fmax.reduce([each[:, 0] for each in limits])
    return found


def interval_censored(
    times: pd.DataFrame, years: tuple[float, ...] = (1, 2, 5, 10)
) -> pd.DataFrame:
    """The same shares by an estimate that knows of intervals only: a check of `escalation`.

    Returns `years`, `share`. Times are intervals of whole days; exiles never recorded at stage 3 are known to go on beyond the shortest
    follow-up. Probability that may lie before or after a year counts as after. Source: see `turnbull`.
    """
    followed = times[times["order"].isin(FOLLOWED)]
    low = (
        followed["shortest"].to_numpy() + ~followed["event"].to_numpy()
    )  # without the event on that day: a day later at the earliest
    mass = turnbull(low, np.where(followed["event"], followed["longest"], np.inf))
    return pd.DataFrame(
        {
            "years": years,
            "share": [float(mass.loc[mass["high"] <= YEAR * at, "p"].sum()) for at in years],
        }
    )


# ---------------------------------------------------------------- all of it


@dataclass(frozen=True)
class Stages:
    """The three stages of a set of exiles.

    exiles: as `people` gives, without groups. groups: how many were left out. undated: incidents without a date.
    fit: as `odds`, or None. times: as `waiting`. curve: as `escalation`, or None. why: what could not be estimated, in words.
    by_all, by_origin, by_category: as `composition` gives.
    """

    exiles: pd.DataFrame
    groups: int
    undated: int
    fit: Odds | None
    times: pd.DataFrame
    curve: pd.DataFrame | None
    why: tuple[str, ...]

    @cached_property
    def by_all(self) -> pd.DataFrame:
        return composition(self.exiles)

    @cached_property
    def by_origin(self) -> pd.DataFrame:
        return composition(self.exiles, "origin")

    @cached_property
    def by_category(self) -> pd.DataFrame:
        return composition(self.exiles, "category")

    def share(self, stage: int = 3) -> ClusteredShare | None:
        """The share of exiles whose highest recorded stage this is, or None with too few exiles."""
        return (
            clustered(self.exiles["stage"] == stage, self.exiles["cluster"])
            if _large(self.exiles["cluster"])
            else None
        )

    def reached(self, years: float = 5) -> tuple[float, float, float] | None:
        """The share recorded at stage 3 so many years after the first incident (midpoint times), with its outer limits; None without."""
        row = self.curve[self.curve["years"] == years] if self.curve is not None else []
        return tuple(map(float, row.iloc[0][["midpoint", "low", "high"]])) if len(row) else None

    def orders(self) -> pd.DataFrame:
        """How many exiles enter the curve, and why the others do not: what (index), exiles, in_the_curve (bool)."""
        counted = self.times["order"].value_counts()
        rows = [(words, int(counted.get(key, 0)), key in FOLLOWED) for key, words in ORDERS.items()]
        return pd.DataFrame(rows, columns=["what", "exiles", "in_the_curve"]).set_index("what")

    def sentence(self, who: str) -> str:
        """The answer in one sentence, with intervals. who: for example "exiles pursued by Tajikistan"."""
        ended, held = self.share(3), self.share(2)
        if ended is None or held is None:
            return f"Too few {who} are in this data to say anything of stages (n = {len(self.exiles)})."
        parts = [
            f"Of {ended.n} {who} {_said(*ended[2:5])} were recorded at stage 3, {_said(*held[2:5])} at stage 2 and no further"
        ]
        if self.fit is not None:
            parts += self._differences(self.fit)
        soon = self.reached()
        if soon is not None:
            n = int(self.times["order"].isin(FOLLOWED).sum())
            parts.append(
                f"of {n} first recorded at stage 1 or 2, {_said(*soon)} were recorded at stage 3 within five years"
            )
        return "; ".join(parts) + "."

    def notes(self) -> list[str]:
        """What entered the model, what was left out and whether its assumption holds, or why there is no model; one sentence each."""
        if self.fit is None:
            return [f"{reason[:1].upper()}{reason[1:]}." for reason in self.why]
        p = self.fit.parallel_p
        held = (
            "cannot be tested"
            if np.isnan(p)
            else f"{'is doubtful' if p < 0.05 else 'is not refuted'} (p = {p:.2g})"
        )
        said = [
            f"The ordered logit rests on {self.fit.n} exiles in {self.fit.clusters} clusters (one source or episode in common)."
        ]
        said += [f"Left out: {', '.join(self.fit.left_out)}."] if self.fit.left_out else []
        said.append(f"That the same odds ratios hold for both steps {held}.")
        return said + [f"{reason[:1].upper()}{reason[1:]}." for reason in self.why]

    def milestones(self, years: tuple[float, ...] = (1, 2, 5, 10)) -> pd.DataFrame:
        """The curve at some years, and `intervals`, the same share by the estimate for interval-censored times; empty without a curve."""
        if self.curve is None:
            return pd.DataFrame(columns=["at_risk", *SCENARIOS, "low", "high", "intervals"])
        check = interval_censored(self.times, years).set_index("years")["share"]
        rows = self.curve.set_index("years")
        return rows.loc[rows.index.isin(years)].join(check.rename("intervals"))

    def unclear(self) -> str:
        """How many exiles have an order that cannot be told, and what that does to the curve; a sentence."""
        followed = self.times[self.times["order"].isin(FOLLOWED)]
        blurred = followed["order"].isin(["unclear", "third_undated"])
        said = f"Of {len(followed)} exiles in the curve {blurred.sum()} have stage 3 on record in an order that cannot be told"
        without = None
        with suppress(TooFewCases):
            without = replace(
                self,
                curve=escalation(followed[~blurred], self.exiles.set_index("exile_id")["cluster"]),
            ).reached()
        soon = self.reached()
        if soon is None or without is None:
            return f"{said}."
        return f"{said}. With them {_said(*soon)} were recorded at stage 3 within five years, without them {_said(*without)}."

    def _differences(self, fit: Odds) -> list[str]:
        """What differs, in words: for both steps together, or for each where one odds ratio for both may not fit."""
        steps = {"p": "how far the pursuit went"}
        if fit.parallel_p < 0.05:
            steps = {"held_p": "being held or worse", "ended_p": "reaching stage 3"}
        said = []
        for column, words in steps.items():
            tested = fit.tests.dropna(subset=[column])
            named = [
                (f"{factor} (p = {p:.2g})", p)
                for factor, p in zip(tested["factor"], tested[column], strict=True)
            ]
            if not named:
                continue
            clear, other = (
                " and by ".join(name for name, p in named if (p < 0.05) == wanted)
                for wanted in (True, False)
            )
            differs, unclear = (
                f"differed by {clear}",
                f"by {other} no difference can be told from chance",
            )
            said.append(
                f"{words} {differs}, {unclear}"
                if clear and other
                else f"{words} {differs}"
                if clear
                else f"{words}: {unclear}"
            )
        return said

    def estimates(self) -> pd.DataFrame:
        """The main estimates: estimate, value, low, high, n, unit."""
        rows = []
        if (ended := self.share(3)) is not None:
            rows.append(("share of exiles recorded at stage 3", *ended[2:5], ended.n, "share"))
        if self.fit is not None:
            other = self.fit.terms[~self.fit.terms["reference"]]
            factor = (
                "category" if (other["factor"] == "category").any() else other["factor"].iloc[0]
            )
            most = other.loc[other.loc[other["factor"] == factor, "n"].idxmax()]
            against = f"{most['label']} against {self.fit.references[factor]}"
            rows.append(
                (
                    f"odds of a higher stage, {against}",
                    *most[["ratio", "low", "high"]],
                    self.fit.n,
                    "ratio",
                )
            )
            rows.append(
                (
                    f"odds of stage 3, {against}",
                    *most[["ended", "ended_low", "ended_high"]],
                    self.fit.n,
                    "ratio",
                )
            )
        if (soon := self.reached()) is not None:
            rows.append(
                (
                    "share recorded at stage 3 within five years",
                    *soon,
                    int(self.times["order"].isin(FOLLOWED).sum()),
                    "share",
                )
            )
        return pd.DataFrame(rows, columns=["estimate", "value", "low", "high", "n", "unit"])


def _said(value: float, low: float, high: float) -> str:
    return f"{100 * value:.0f} % [{100 * low:.0f}, {100 * high:.0f}]"


def stages(joined: pd.DataFrame, first_year: int, last_year: int) -> Stages:
    """Who gets to stage 3, and how soon?

    joined: incidents as `Dataset.joined` gives. first_year, last_year: both included; incidents without a date are kept for the
    composition and the odds. Groups are no persons and are left out. Nothing is raised for too few cases: `why` says what is missing.

    >>> import capelib as cape
    >>> found = stages(cape.load().where(origin=cape.CENTRAL_ASIA).joined(), 1990, 2024)
    >>> found.share(3)[:2], found.groups
    ((150, 384), 6)
    """
    rows = within(joined, first_year, last_year)
    everyone, rows = people(rows), rows[~rows["is_group"].astype(bool)]
    exiles = everyone[~everyone["is_group"]].reset_index(drop=True)
    times, why, fit, curve = waiting(rows, last_year), [], None, None
    try:
        fit = odds(exiles)
    except TooFewCases as reason:
        why.append(str(reason))
    try:
        curve = escalation(times, exiles.set_index("exile_id")["cluster"])
    except TooFewCases as reason:
        why.append(str(reason))
    undated = int(rows["date_start"].isna().sum())
    return Stages(exiles, int(everyone["is_group"].sum()), undated, fit, times, curve, tuple(why))


def variants(joined: pd.DataFrame, first_year: int, last_year: int) -> pd.DataFrame:
    """What would change the answer? The same estimates under other choices, one row a choice.

    joined: incidents as `Dataset.joined` gives. Returns `choice`, `n`, `stage_3`, `low`, `high` (share at stage 3, 95 %), `p_origin`,
    `p_category` (no difference between the levels), `p_parallel`, `within_5`, `within_low`, `within_high` (share recorded at stage 3
    within five years of the first incident, with outer limits); missing where there are too few cases.
    """
    rows, late = within(joined, first_year, last_year), last_year - 5
    start = rows.groupby("exile_id")["date_start"].transform("min").dt.year
    one_each = people(rows[~rows["is_group"].astype(bool)]).drop_duplicates("cluster")["exile_id"]
    handed_over, assault = (
        rows["measure"].isin(["extradition", "deportation"]),
        rows["measure"] == "assault",
    )
    choices = {
        "as chosen": rows,
        "groups counted as one exile each": rows.assign(is_group=False),
        "without doubtful cases": rows[~rows["doubtful"]],
        "without alleged cases": rows[rows["attribution"].isna()],
        "without CAPE's own pages": rows[rows["source_kind"] != "cape"],
        "one exile from each cluster": rows[rows["exile_id"].isin(one_each)],
        "dated incidents only": rows[rows["date_start"].notna()],
        f"first recorded by {late} (five years to follow)": rows[start <= late],
        "extradition, deportation read as stage 2": rows.assign(
            stage=rows["stage"].mask(handed_over, 2)
        ),
        "assault read as stage 1": rows.assign(stage=rows["stage"].mask(assault, 1)),
    }
    found = {name: stages(part, first_year, last_year) for name, part in choices.items()}
    chosen = found["as chosen"]
    fit = curve = None
    with suppress(TooFewCases):
        fit = odds(chosen.exiles, (*FACTORS, "decade"))
    with suppress(TooFewCases):
        clear = chosen.times[~chosen.times["order"].isin(["unclear", "third_undated"])]
        curve = escalation(clear, chosen.exiles.set_index("exile_id")["cluster"])
    found["decade of the first incident held equal"] = replace(chosen, fit=fit)
    found["without exiles whose order cannot be told"] = replace(chosen, curve=curve)
    table = []
    for name, result in found.items():
        share, reached = result.share(), result.reached()
        tests = (
            [np.nan] * 3
            if result.fit is None
            else [*map(result.fit.test, FACTORS), result.fit.parallel_p]
        )
        table.append(
            (
                name,
                len(result.exiles),
                *(share[2:5] if share else [np.nan] * 3),
                *tests,
                *(reached or [np.nan] * 3),
            )
        )
    names = [
        "choice",
        "n",
        "stage_3",
        "low",
        "high",
        "p_origin",
        "p_category",
        "p_parallel",
        "within_5",
        "within_low",
        "within_high",
    ]
    return pd.DataFrame(table, columns=names)
