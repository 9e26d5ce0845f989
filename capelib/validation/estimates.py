"""What each estimator makes of one made-up record: value, low, high, and the truth."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd

from capelib.estimators import periods
from capelib.estimators.agreement import agreement
from capelib.estimators.change_points import change_point, line
from capelib.estimators.clustered_logit import odds_ratios
from capelib.estimators.clusters import clustered, clustered_difference, clustered_mean
from capelib.estimators.decomposition import kitagawa
from capelib.estimators.event_order import clustered_bounds, comes_first
from capelib.estimators.many_counts import fit_many
from capelib.estimators.misclassified import confusion
from capelib.estimators.misclassified_shares import corrected_shares
from capelib.estimators.new_year import yearly_level
from capelib.estimators.panel_counts import expected_counts
from capelib.estimators.pooled_shares import pooled_shares
from capelib.estimators.shares import wilson
from capelib.estimators.simex import mc_simex
from capelib.estimators.specifications import gaps, joint_test, moved_within, odds_of_marks
from capelib.estimators.trend_shapes import course
from capelib.estimators.yearly_counts import trend
from capelib.estimators.yearly_odds import odds_trend
from capelib.questions.escalation import escalation, waiting
from capelib.questions.exiles import people
from capelib.questions.odds import odds
from capelib.twin import Truth, drawn, hosts

CODED_TWICE = 150  # exiles whom a second coder codes too
WRONG = 0.12  # chance that a coder errs


class Result(NamedTuple):
    """One estimate on one record; a test has its p as value and no interval."""

    value: float
    low: float
    high: float
    truth: float


Estimate = Callable[[Truth, int], Result]


def _counts(rows: pd.DataFrame, truth: Truth) -> tuple[pd.DataFrame, np.ndarray]:
    """Episodes a year of the first state, as `year`, `n`; and of all others."""
    once = rows.drop_duplicates("source_id")
    year = (once["year"] - truth.first_year).to_numpy(int)
    is_first = (once["origin"] == truth.origins[0]).to_numpy()
    count = len(truth.years)
    first, rest = (np.bincount(year[side], minlength=count) for side in (is_first, ~is_first))
    return pd.DataFrame({"year": truth.years, "n": first}), rest


def one_line(truth: Truth, seed: int) -> Result:
    """A trend through all years, as the recorded one."""
    fit = trend(_counts(drawn(truth, seed), truth)[0]).with_correlation
    return Result(*map(float, fit.loc["per year"]), truth.growth)


def one_line_of_years_apart(truth: Truth, seed: int) -> Result:
    """The same trend with each year as a witness of its own."""
    term = trend(_counts(drawn(truth, seed), truth)[0]).term("per year")
    return Result(term["ratio"], term["low"], term["high"], truth.growth)


def since_the_turn(truth: Truth, seed: int) -> Result:
    """The trend since the year in which growth seems to end, whichever that is."""
    fit = course(_counts(drawn(truth, seed), truth)[0])
    later = truth.years >= fit.turn
    return Result(*map(float, fit.terms.loc["since the turn"]), _trend_of_truth(truth, later))


def to_the_turn(truth: Truth, seed: int) -> Result:
    """The trend up to it."""
    fit = course(_counts(drawn(truth, seed), truth)[0])
    earlier = truth.years <= fit.turn
    return Result(*map(float, fit.terms.loc["to the turn"]), _trend_of_truth(truth, earlier))


def _trend_of_truth(truth: Truth, years: np.ndarray) -> float:
    """The factor a year that fits the expected counts of these years."""
    expected = truth.expected().iloc[:, 0].to_numpy()[years]
    slope = fit_many(expected[None], line(len(expected)))[0][0, 1]
    return float(np.exp(slope))


def against_others(truth: Truth, seed: int) -> Result:
    """The trend of the odds of the first state against the others."""
    counts, rest = _counts(drawn(truth, seed), truth)
    fit = odds_trend(counts.rename(columns={"n": "part"}).assign(rest=rest))
    return Result(fit.ratio, fit.low, fit.high, truth.growth)


def any_break(truth: Truth, seed: int) -> Result:
    """p of a break in any year."""
    p = change_point(_counts(drawn(truth, seed), truth)[0], draws=199).p
    return Result(p, np.nan, np.nan, np.nan)


def any_step(truth: Truth, seed: int) -> Result:
    """p of a step in any year, from one level to another, where nothing grows."""
    p = change_point(_counts(drawn(truth, seed), truth)[0], slopes=False, draws=199).p
    return Result(p, np.nan, np.nan, np.nan)


def _marked(truth: Truth, seed: int) -> pd.DataFrame:
    rows = drawn(truth, seed)
    unfree = rows["host"].isin(hosts()[0]).to_numpy()
    return rows.assign(unfree=unfree, cluster=rows["source_id"])


def _is_late(rows: pd.DataFrame, truth: Truth) -> pd.Series:
    return rows["year"] >= (truth.unfree_from or truth.last_year)


def _change(truth: Truth) -> float:
    first = truth.unfree_from or truth.last_year
    before = truth.unfree_share(truth.first_year, first - 1)
    return truth.unfree_share(first, truth.last_year) - before


def change_of_share(truth: Truth, seed: int) -> Result:
    """The change of the share of authoritarian hosts from one period to the next."""
    rows = _marked(truth, seed)
    gap = clustered_difference(rows["unfree"], _is_late(rows, truth), rows["cluster"])
    return Result(gap.value, gap.low, gap.high, _change(truth))


def change_read_as_within(truth: Truth, seed: int) -> Result:
    """The same change, read as one of the same states; none of them changed."""
    return change_of_share(truth, seed)._replace(truth=0.0)


def change_within(truth: Truth, seed: int) -> Result:
    """Its part within the pursuing states, where none of them changed."""
    rows = _marked(truth, seed)
    late = _is_late(rows, truth)
    part = kitagawa(rows["unfree"], late, rows["origin"], rows["cluster"]).within
    return Result(*part, 0.0)


def share_of_period(truth: Truth, seed: int) -> Result:
    """The share of all years together."""
    rows = _marked(truth, seed)
    share = clustered(rows["unfree"], rows["cluster"])
    return Result(share.share, share.low, share.high, truth.unfree)


def mean_of_years(truth: Truth, seed: int) -> Result:
    """The mean of the yearly shares."""
    rows = _marked(truth, seed)
    return Result(*clustered_mean(rows["unfree"], rows["year"], rows["cluster"]), truth.unfree)


def new_year(truth: Truth, seed: int) -> Result:
    """Where the share of the last year should lie, judged by the years before it."""
    rows = _marked(truth, seed)
    shares = periods.by_year(rows, truth.first_year, truth.last_year, "unfree")
    level = yearly_level(shares.iloc[:-1]).new_year
    return Result(*level, float(shares["share"].iloc[-1]))


def special_year(truth: Truth, seed: int) -> Result:
    """p of the joint test that the last year differs, each year moved to its place."""
    rows = _marked(truth, seed)
    year = (rows["year"] - truth.first_year).to_numpy(int)
    hits, cases = np.zeros((2, 2, 1, len(truth.years)))
    for place, kept in enumerate((np.ones(len(rows), bool), rows["stage"].to_numpy() == 2)):
        np.add.at(cases[place, 0], year[kept], 1)
        np.add.at(hits[place, 0], year[kept], rows["unfree"].to_numpy()[kept])
    last_first = np.eye(len(truth.years), dtype=bool)[::-1]
    p = joint_test(gaps(hits, cases, last_first)[..., 0]).p_median
    return Result(p, np.nan, np.nan, np.nan)


def trait_of_hosts(truth: Truth, seed: int) -> Result:
    """p of the joint test that more are held in authoritarian hosts, with hosts' regimes moved."""
    rows = _marked(truth, seed)
    codes = rows["host"].cat.codes.to_numpy()
    unfree = np.isin(rows["host"].cat.categories, hosts()[0])
    lender = moved_within(np.zeros(len(unfree), int), 200, seed)
    is_held = np.where(rows["stage"] >= 2, 1.0, 0.0)
    once = np.where(rows["source_id"].duplicated(), np.nan, is_held)
    levels = pd.get_dummies(rows["origin"], dtype="float64").to_numpy()
    marks = unfree[lender][:, codes].astype(float)
    specifications = [np.ones((len(rows), 1)), levels]
    estimates = [odds_of_marks(marks, event, specifications) for event in (is_held, once)]
    return Result(joint_test(np.hstack(estimates)).p_median, np.nan, np.nan, np.nan)


def held(truth: Truth, seed: int) -> Result:
    """The share of exiles who were held."""
    rows = drawn(truth, seed)
    share = clustered(rows["stage"] >= 2, rows["source_id"])
    return Result(share.share, share.low, share.high, _expected_held(truth))


def held_alone(truth: Truth, seed: int) -> Result:
    """The same share with every exile as a case of its own."""
    is_held = drawn(truth, seed)["stage"] >= 2
    share = wilson(int(is_held.sum()), len(is_held))
    return Result(share.share, share.low, share.high, _expected_held(truth))


def _expected_held(truth: Truth) -> float:
    odds_of_religious = truth.held / (1 - truth.held) * truth.held_odds
    religious = odds_of_religious / (1 + odds_of_religious)
    return truth.religious * religious + (1 - truth.religious) * truth.held


def category_odds(truth: Truth, seed: int) -> Result:
    """The odds ratio of being held, religious exiles against the opposition (ordered logit)."""
    rows = drawn(truth, seed)
    terms = odds(people(rows.assign(episode_id=None)), ("category",)).terms.set_index("level")
    return _religious(terms.loc["religious"], terms.loc["religious", "reference"], truth)


def _religious(row: pd.Series, is_reference: bool, truth: Truth) -> Result:
    if is_reference:  # cannot be: the opposition is the larger group
        return Result(np.nan, np.nan, np.nan, truth.held_odds)
    return Result(row["ratio"], row["low"], row["high"], truth.held_odds)


def clustered_odds(truth: Truth, seed: int) -> Result:
    """The same by the logit with clusters."""
    rows = drawn(truth, seed)
    terms = pd.DataFrame({"religious": rows["category"] == "religious"})
    row = odds_ratios(rows["stage"] >= 2, terms, rows["source_id"]).row("religious")
    return Result(row["ratio"], row["low"], row["high"], truth.held_odds)


def simex_odds(truth: Truth, seed: int) -> Result:
    """The same without the coder's errors, whose chances a sample coded twice shows."""
    rows = drawn(truth, seed)
    is_held = (rows["stage"] >= 2).to_numpy()
    twice = rows.head(CODED_TWICE)
    levels = ["opposition", "religious"]
    table = confusion(twice["true_category"], twice["category"], levels).counts
    chances = (table + 0.5).div((table + 0.5).sum(axis=1), axis=0)

    def log_odds(codes: pd.Series) -> tuple[float, float]:
        place = (codes == "religious").to_numpy()
        cells = np.array(
            [[(place & is_held).sum(), (place & ~is_held).sum()],
             [(~place & is_held).sum(), (~place & ~is_held).sum()]]
        ) + 0.5  # fmt: skip
        value = np.log(cells[0, 0] * cells[1, 1] / (cells[0, 1] * cells[1, 0]))
        return float(value), float((1 / cells).sum())

    fit = mc_simex(log_odds, rows["category"].astype("object"), chances, draws=20, seed=seed)
    half = 1.959964 * fit.error
    ends = np.exp([fit.corrected, fit.corrected - half, fit.corrected + half])
    return Result(*map(float, ends), truth.held_odds)


def corrected_share(truth: Truth, seed: int) -> Result:
    """The share of religious exiles without the coder's errors."""
    rows = drawn(truth, seed)
    codes = rows["category"].astype("object")
    right = rows["true_category"].astype("object").head(CODED_TWICE)
    both = confusion(codes.head(CODED_TWICE), right, ["opposition", "religious"])
    row = corrected_shares(codes, both, draws=400).loc["religious"]
    return Result(row["share"], row["low"], row["high"], truth.religious)


def naive_share(truth: Truth, seed: int) -> Result:
    """The same share as coded."""
    rows = drawn(truth, seed)
    share = clustered(rows["category"] == "religious", rows["source_id"])
    return Result(share.share, share.low, share.high, truth.religious)


def _two_coders(truth: Truth, seed: int) -> tuple[pd.DataFrame, pd.Series, pd.Series]:
    """Rows that two coders code alone, each wrong with the same chance."""
    rows = drawn(truth, seed)
    rng = np.random.default_rng([seed, 2])
    right = (rows["true_category"] == "religious").to_numpy()
    first, second = (pd.Series(right ^ (rng.random(len(rows)) < WRONG)) for _ in range(2))
    return rows, first, second


def _expected_agreement(truth: Truth) -> float:
    """Agreement beyond chance in many cases; kappa and alpha are equal there."""
    same = (1 - WRONG) ** 2 + WRONG**2
    share = truth.religious * (1 - WRONG) + (1 - truth.religious) * WRONG
    by_chance = share**2 + (1 - share) ** 2
    return (same - by_chance) / (1 - by_chance)


def kappa(truth: Truth, seed: int) -> Result:
    """Cohen's kappa of two coders."""
    rows, first, second = _two_coders(truth, seed)
    result = agreement(first, second, rows["source_id"])
    expected = _expected_agreement(truth)
    return Result(result.kappa, result.kappa_low, result.kappa_high, expected)


def alpha(truth: Truth, seed: int) -> Result:
    """Krippendorff's alpha of the same coders."""
    rows, first, second = _two_coders(truth, seed)
    result = agreement(first, second, rows["source_id"])
    expected = _expected_agreement(truth)
    return Result(result.alpha, result.alpha_low, result.alpha_high, expected)


def removed_in_five_years(truth: Truth, seed: int) -> Result:
    """The share taken home within five years of the first incident."""
    curve = escalation(waiting(drawn(truth, seed), truth.last_year)).set_index("years").loc[5.0]
    expected = 1 - np.exp(-5 * truth.removal)
    return Result(curve["midpoint"], curve["low"], curve["high"], float(expected))


def panel_ratio(truth: Truth, seed: int) -> Result:
    """By what factor more is expected in a host of the one kind (Poisson, clustered by host)."""
    rows = drawn(truth, seed)
    cells = rows.groupby(["origin", "host"], observed=False).size().rename("n").reset_index()
    cells = cells.astype({"origin": "str", "host": "str"})
    cells["unfree"] = cells["host"].isin(hosts()[0])
    row = expected_counts(cells, ["unfree"], "origin", "host").row("unfree")
    usual = truth.unfree / (1 - truth.unfree)
    among = len(hosts()[0])
    usual *= among / (among - 1 + truth.giant)  # of a host that is no giant
    return Result(row["ratio"], row["low"], row["high"], usual)


def order_bounds(truth: Truth, seed: int) -> Result:
    """Bounds for how often one of two incidents came first, where dates are coarse.

    Which of a person's two incidents is the one asked about is drawn: it is the first in 0.4.
    """
    rows = drawn(truth, seed)
    both = rows[rows["exile_id"].duplicated(keep=False)]
    rng = np.random.default_rng([seed, 3])
    takes_first = rng.random(int(rows["exile_id"].max()) + 1) < 0.4
    is_later = both["stage"] == 3
    step = is_later != takes_first[both["exile_id"]]
    order = comes_first(both, step)["order"]
    bounds = clustered_bounds(order, pd.Series(range(len(order)), index=order.index))
    return Result((bounds.lower + bounds.upper) / 2, bounds.low, bounds.high, 0.4)


def pooled_group(truth: Truth, seed: int) -> Result:
    """The share held in one host, drawn towards that of all; hosts differ by chance."""
    rows = drawn(truth, seed)
    n = rows["host"].value_counts().to_numpy()
    rng = np.random.default_rng([seed, 4])
    share = rng.beta(3, 5, len(n))
    hits = rng.binomial(n, share)
    row = pooled_shares(pd.Series(hits), pd.Series(n))
    place = rng.integers(len(n))
    return Result(*map(float, row.loc[place, ["share", "low", "high"]]), float(share[place]))
