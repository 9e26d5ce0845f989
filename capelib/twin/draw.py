"""A made-up record as one plain frame, drawn from what is true."""

import numpy as np
import pandas as pd
from scipy import special

from capelib.twin.truth import Truth, hosts, require, whole

CATEGORIES = ["opposition", "religious"]
MEASURES = ["threat", "detention", "rendition"]  # by stage


def drawn(truth: Truth, seed: int) -> pd.DataFrame:
    """The same record as one plain frame, a fifth of the work: for thousands of records.

    Parameters
    ----------
    truth, seed
        As for `simulate`.

    Returns
    -------
    DataFrame
        One row an incident: `exile_id`, `source_id` and `episode_id` (numbers; that of an episode
        of one person is missing), `origin`, `host`, `category` (as coded), `true_category` and
        `measure` (categorical),
        `stage` (int64), `date_start`, `date_end`, `year` (float), `is_group` (False). First the
        first incident of everyone, then the renditions.

    Examples
    --------
    >>> rows = drawn(Truth(removal=0.1), seed=1)
    >>> sorted(rows["measure"].unique())
    ['detention', 'rendition', 'threat']
    """
    require("truth", truth, isinstance(truth, Truth), "a cape.Truth")
    whole("seed", seed)
    require("seed", seed, seed >= 0, "0 or more")
    rng = np.random.default_rng(seed)
    people = _people(truth, rng)
    first = people | {"stage": np.where(people.pop("is_held"), 2, 1)}
    removed = _removed(people, truth, rng)
    rows = {name: np.concatenate([first[name], removed[name]]) for name in first}
    start, end = _days(rows["day"], truth, rng)
    unfree, free = hosts()
    return pd.DataFrame(
        {
            "exile_id": rows["exile_id"],
            "origin": pd.Categorical.from_codes(rows["origin"], list(truth.origins)),
            "host": pd.Categorical.from_codes(rows["host"], [*unfree, *free]),
            "category": pd.Categorical.from_codes(rows["category"], CATEGORIES),
            "true_category": pd.Categorical.from_codes(rows["true_category"], CATEGORIES),
            "measure": pd.Categorical.from_codes(rows["stage"] - 1, MEASURES),
            "stage": rows["stage"],
            "source_id": rows["source_id"],
            "episode_id": rows["episode_id"],
            "date_start": start,
            "date_end": end,
            "year": np.where(
                np.isnat(start), np.nan, start.astype("datetime64[Y]").astype(int) + 1970
            ),
            "is_group": False,
        }
    )


def _episodes(truth: Truth, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """One an episode: `origin` and `host` (numbers), `day` (in years)."""
    expected = truth._expected()
    variance = np.log1p(truth.scatter)
    level = rng.standard_normal(expected.shape)
    for year in range(1, len(level)):
        fresh = np.sqrt(1 - truth.correlation**2) * level[year]
        level[year] = truth.correlation * level[year - 1] + fresh
    n = rng.poisson(expected * np.exp(np.sqrt(variance) * level - variance / 2))
    year, place = (index.ravel().repeat(n.ravel()) for index in np.indices(n.shape))
    of_year = truth.drift * rng.standard_normal(len(expected))
    of_year += np.log(truth.unfree_odds) * truth._late()
    chance = special.expit(special.logit(truth.unfree) + of_year[year] + truth._logits()[place])
    is_unfree = rng.random(len(year)) < chance
    unfree, free = hosts()
    weight = np.ones(len(unfree))
    weight[0] = truth.giant
    among_unfree = rng.choice(len(unfree), len(year), p=weight / weight.sum())
    among_free = len(unfree) + rng.choice(len(free), len(year))
    host = np.where(is_unfree, among_unfree, among_free)
    return {"origin": place, "host": host, "day": truth.years[year] + rng.random(len(year))}


def _people(truth: Truth, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """One a person: the arrays of the episodes, keys, categories, `is_held`."""
    episodes = _episodes(truth, rng)
    count = len(episodes["day"])
    size = rng.geometric(1 / truth.persons, count)
    episode = np.arange(count).repeat(size)
    is_religious = rng.random(len(episode)) < truth.religious
    held = special.logit(truth.held) + np.log(truth.held_odds) * is_religious
    alike = rng.random(count)[episode]  # one draw for all persons of an episode
    joint = (rng.random(count) < truth.together)[episode]
    is_held = np.where(joint, alike, rng.random(len(episode))) < special.expit(held)
    is_wrong = rng.random(len(episode)) < truth.coder
    return {name: values[episode] for name, values in episodes.items()} | {
        "exile_id": np.arange(len(episode)),
        "source_id": episode,
        "episode_id": np.where(size[episode] > 1, episode, np.nan),
        "category": (is_religious ^ is_wrong).astype(int),
        "true_category": is_religious.astype(int),
        "is_held": is_held,
    }


def _removed(
    people: dict[str, np.ndarray], truth: Truth, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """The renditions that were recorded, each from a source of its own."""
    count = len(people["day"])
    wait = rng.exponential(1 / truth.removal, count) if truth.removal else np.full(count, np.inf)
    watched = np.full(count, np.inf)
    if np.isfinite(truth.attention):
        watched = rng.exponential(truth.attention, count)
    day = people["day"] + wait
    seen = (wait < watched) & (day < truth.last_year + 1)
    removed = people | {
        "day": day,
        "source_id": count + np.arange(count),
        "episode_id": np.full(count, np.nan),
        "stage": np.full(count, 3),
    }
    return {name: values[seen] for name, values in removed.items()}


def _days(day: np.ndarray, truth: Truth, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The first and the last day that the report allows; missing where it gives no date."""
    year = np.floor(day)
    new_year = (year - 1970).astype("datetime64[Y]")
    start = new_year.astype("datetime64[D]") + np.floor((day - year) * 365).astype(int)
    end = start.copy()
    chance = rng.random(len(day))
    is_coarse = chance < truth.coarse
    start[is_coarse] = new_year.astype("datetime64[D]")[is_coarse]
    end[is_coarse] = ((new_year + 1).astype("datetime64[D]") - 1)[is_coarse]
    is_undated = chance >= 1 - truth.undated
    start[is_undated] = end[is_undated] = np.datetime64("NaT")
    return start.astype("datetime64[s]"), end.astype("datetime64[s]")
