"""A made-up record whose truth is known: on it one sees what an estimator finds, and what not."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache

import numpy as np
import pandas as pd
from scipy import special

from capelib.dataset import CENTRAL_ASIA, Dataset, Info
from capelib.errors import ParameterError
from capelib.loading import tidy
from capelib.meaning.arguments import states_meant
from capelib.reference import regimes
from capelib.vocabulary.codebook import codes, require

HOSTS_OF_A_KIND = 12  # authoritarian hosts, and free ones
CATEGORIES = ["opposition", "religious"]
MEASURES = ["threat", "detention", "rendition"]  # by stage


@dataclass(frozen=True)
class Truth:
    """What is true in a made-up record. The defaults are a world in which nothing happens.

    Attributes
    ----------
    origins : tuple of str
        The pursuing states. What changes with time (`growth`, `step`) changes in the first one.
    first_year, last_year : int
        Both included.
    cases : float
        Expected episodes a year of each state, in the first year.
    growth : float
        Factor a year of the first state's episodes.
    plateau : int or None
        The year in which growth ends; None for never.
    break_year, step : int or None, float
        From that year on the first state's episodes are multiplied by `step`.
    reporting : float
        Factor a year by which the chance to be reported changes, for all states alike. What is
        recorded grows by growth * reporting.
    reporting_of_first : float
        The same for the first state alone.
    scatter, correlation : float
        Variance of a year's count is mean + scatter * mean^2; correlation of the logarithm of the
        level with that of the year before.
    persons : float
        Mean number of persons in an episode, 1 or more (1 + a geometric number).
    together : float
        Chance that all persons of an episode fare alike (are held, or not), 0 to 1.
    unfree : float
        Chance that an episode happens in an authoritarian host (Freedom in the World, NF).
    spread, drift : float
        Standard deviation of its logit between pursuing states, and between years.
    unfree_from, unfree_odds : int or None, float
        From that year on the odds of an authoritarian host are multiplied by `unfree_odds`.
    shift : float
        From that year on the states with the most authoritarian hosts have `shift` times as many
        episodes: who acts changes, not where the same states act.
    giant : float
        How many times as likely as each other authoritarian host the first of them is.
    religious : float
        Share of religious exiles; the others are of the opposition.
    held, held_odds : float
        Chance that the first measure is a detention (else a threat), for the opposition; factor of
        its odds for religious exiles.
    removal : float
        Chance a year of a rendition after the first incident; 0 for none.
    attention : float
        Mean years for which what happens to a person is still reported; infinite where it does not
        end.
    coder : float
        Chance that a coder takes the one category for the other.
    coarse, undated : float
        Shares of incidents of which only the year, or no date, is reported.
    """

    origins: tuple[str, ...] = CENTRAL_ASIA
    first_year: int = 2001
    last_year: int = 2024
    cases: float = 7.0
    growth: float = 1.0
    plateau: int | None = None
    break_year: int | None = None
    step: float = 1.0
    reporting: float = 1.0
    reporting_of_first: float = 1.0
    scatter: float = 0.0
    correlation: float = 0.0
    persons: float = 1.0
    together: float = 0.0
    unfree: float = 0.5
    spread: float = 0.0
    drift: float = 0.0
    unfree_from: int | None = None
    unfree_odds: float = 1.0
    shift: float = 1.0
    giant: float = 1.0
    religious: float = 0.4
    held: float = 0.3
    held_odds: float = 1.0
    removal: float = 0.0
    attention: float = np.inf
    coder: float = 0.0
    coarse: float = 0.0
    undated: float = 0.0

    def __post_init__(self) -> None:
        states_meant("state for origins", self.origins)
        chances = ("together", "unfree", "religious", "held", "coder", "coarse", "undated")
        for name in chances:
            _require(name, getattr(self, name), 0 <= getattr(self, name) <= 1, "between 0 and 1")
        positive = ("cases", "growth", "step", "reporting", "reporting_of_first", "unfree_odds")
        for name in (*positive, "shift", "giant", "held_odds", "attention"):
            _require(name, getattr(self, name), getattr(self, name) > 0, "above 0")
        for name in ("scatter", "spread", "drift", "removal"):
            _require(name, getattr(self, name), getattr(self, name) >= 0, "0 or more")
        _require("persons", self.persons, self.persons >= 1, "1 or more")
        _require("correlation", self.correlation, 0 <= self.correlation < 1, "0 to below 1")
        _require("first_year", self.first_year, self.first_year < self.last_year, "the earlier one")
        rated = range(1990, 2025)
        in_range = self.first_year in rated and self.last_year in rated
        _require(
            "last_year",
            self.last_year,
            in_range,
            "1990 to 2024, as first_year: hosts are rated then",
        )

    @property
    def years(self) -> np.ndarray:
        """All years."""
        return np.arange(self.first_year, self.last_year + 1)

    def expected(self) -> pd.DataFrame:
        """Expected recorded episodes, by year (index) and pursuing state (columns)."""
        return pd.DataFrame(self._expected(), self.years, list(self.origins))

    def _expected(self) -> np.ndarray:
        year = self.years
        t = year - self.first_year
        growing = t if self.plateau is None else np.minimum(t, self.plateau - self.first_year)
        stepped = np.zeros(len(year), bool) if self.break_year is None else year >= self.break_year
        course = self.growth**growing * np.where(stepped, self.step, 1.0)
        table = np.outer(self.cases * self.reporting**t, np.ones(len(self.origins)))
        table[:, 0] *= course * self.reporting_of_first**t
        shifted = np.outer(self._late(), self._logits() > 0)
        return np.where(shifted, self.shift, 1.0) * table

    def unfree_share(self, first_year: int, last_year: int) -> float:
        """Expected share of a period's episodes in authoritarian hosts, without drift of years."""
        inside = (self.years >= first_year) & (self.years <= last_year)
        expected = self._expected()[inside]
        shift = np.log(self.unfree_odds) * self._late()[inside, None]
        chance = special.expit(special.logit(self.unfree) + self._logits() + shift)
        return float((expected * chance).sum() / expected.sum())

    def _late(self) -> np.ndarray:
        """Which years are those from `unfree_from` on?"""
        years = self.years
        return np.zeros(len(years), bool) if self.unfree_from is None else years >= self.unfree_from

    def _logits(self) -> np.ndarray:
        """By how much each state's logit of authoritarian hosts differs: evenly spread, mean 0."""
        even = np.arange(len(self.origins)) - (len(self.origins) - 1) / 2
        return self.spread * even / max(even.std(), 1e-9)


def _require(name: str, value: object, holds: bool, expected: str) -> None:
    if not holds:
        raise ParameterError(f"{name} must be {expected}, not {value!r}")


@cache
def hosts() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Which states are the hosts: Not Free in all years 1990-2024, and Free in all of them?

    Examples
    --------
    >>> unfree, free = hosts()
    >>> len(unfree), len(free), set(unfree) & set(free)
    (12, 12, set())
    """
    rated = regimes.by_year().query("measure == 'fiw'")
    kinds = rated.groupby("iso3")["value"].agg(["nunique", "first", "size"])
    steady = kinds[(kinds["nunique"] == 1) & (kinds["size"] == kinds["size"].max())]
    steady = steady.drop(index=[code for code in CENTRAL_ASIA if code in steady.index])
    unfree, free = (steady.index[steady["first"] == value] for value in ("NF", "F"))
    return tuple(unfree[:HOSTS_OF_A_KIND]), tuple(free[:HOSTS_OF_A_KIND])


def simulate(truth: Truth | None = None, seed: int = 0) -> Dataset:
    """A made-up record in which it is known what is true.

    Parameters
    ----------
    truth
        What is true; None for a world in which nothing happens.
    seed
        The same truth and seed give the same record.

    Returns
    -------
    Dataset
        As `cape.load` gives. `info.synthetic` is True, and each figure of it bears the stamp
        SYNTHETIC.

    Raises
    ------
    ParameterError
        For a truth that cannot be.

    Notes
    -----
    Episodes of each state and year are Poisson with the mean of `Truth.expected` times a level that
    wanders as a normal AR(1) in the logarithm. An episode has one day, one host, one source and one
    or more persons; persons of one episode share them. Within each kind hosts are equally likely,
    but for the giant. After the first incident a person is taken home at a constant rate; that is
    recorded until attention ends, which is exponential. A coder then makes errors, and dates are
    coarsened. Nothing in it is about anybody.

    Examples
    --------
    >>> ds = simulate(Truth(growth=1.1, persons=2.0), seed=1)
    >>> ds.info.label, int(ds.incidents["year"].min())
    ('SYNTHETIC', 2001)
    """
    truth = Truth() if truth is None else truth
    return _dataset(drawn(truth, seed), truth, seed)


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


def _dataset(rows: pd.DataFrame, truth: Truth, seed: int) -> Dataset:
    """The tables in our own form."""
    date = rows["date_start"].dt.strftime("%Y-%m-%d")
    date = date.mask(rows["date_start"] != rows["date_end"], rows["date_start"].dt.strftime("%Y"))
    date = date.mask(rows["date_start"].isna())
    exile = rows["origin"].astype("str") + "-" + _number(rows["exile_id"])
    incidents = pd.DataFrame(
        {
            "incident_id": "I" + _number(pd.Series(np.arange(len(rows)))),
            "exile_id": exile,
            "origin": rows["origin"],
            "host": rows["host"],
            "date": date,
            "measure": rows["measure"],
            "episode_id": ("E" + _number(rows["episode_id"].fillna(0))).mask(
                rows["episode_id"].isna()
            ),
            "source_id": "S" + _number(rows["source_id"]),
        }
    )
    exiles = pd.DataFrame(
        {"exile_id": exile, "origin": rows["origin"], "category": rows["category"]}
    )
    sources = pd.DataFrame({"source_id": incidents["source_id"].drop_duplicates()})
    frames = {
        "exiles": exiles[~exile.duplicated()],
        "sources": sources.assign(kind="human_rights_group"),
        "incidents": incidents,
    }
    values = {field.name: getattr(truth, field.name) for field in fields(truth)}
    info = Info(
        name="a made-up record",
        label="SYNTHETIC",
        title="A record drawn by chance from a known truth",
        edition="",
        licence="none needed: it is about nobody",
        sha256=hashlib.sha256(repr((values, seed)).encode()).hexdigest(),
        rows={table: len(frame) for table, frame in frames.items()},
        synthetic=True,
    )
    plain = {name: frame.astype("str").where(frame.notna()) for name, frame in frames.items()}
    return Dataset(
        **tidy({name: frame.reset_index(drop=True) for name, frame in plain.items()}), info=info
    )


def _number(numbers: pd.Series) -> pd.Series:
    """From 1 on, with four digits or more."""
    return (numbers.astype("int64") + 1).astype("str").str.zfill(4)


def lists(
    truth: Truth | None = None,
    chances: Mapping[str, float] | None = None,
    dependence: float = 0.0,
    seed: int = 0,
) -> pd.DataFrame:
    """Which kinds of source tell of each person of a made-up record, also of those in none?

    Parameters
    ----------
    truth
        Of the record, see `simulate`.
    chances
        For each source kind, the chance that it tells of an average person.
    dependence
        Standard deviation, between persons, of the logit of these chances: a well-known person is
        told of by all kinds. 0 for lists that know nothing of each other.
    seed
        The same values give the same lists.

    Returns
    -------
    DataFrame
        `exile_id`, and for each source kind True where it tells of the person. A person in no list
        is unseen: in a true record such rows are lacking.

    Raises
    ------
    ParameterError
        For an unknown source kind, or a chance that is none.

    Examples
    --------
    >>> seen = lists(chances={"news_media": 0.5, "court": 0.2}, seed=1)
    >>> list(seen), bool((~seen[["news_media", "court"]].any(axis=1)).any())
    (['exile_id', 'news_media', 'court'], True)
    """
    chances = (
        {"human_rights_group": 0.5, "news_media": 0.4, "court": 0.2} if chances is None else chances
    )
    require("source kind", list(chances), codes("kind"))
    for kind, chance in chances.items():
        _require(f"the chance of {kind}", chance, 0 < chance < 1, "between 0 and 1")
    _require("dependence", dependence, dependence >= 0, "0 or more")
    people = simulate(truth, seed).exiles
    rng = np.random.default_rng([seed, len(people)])
    known = dependence * rng.standard_normal(len(people))
    table = {"exile_id": people["exile_id"]}
    for kind, chance in chances.items():
        logit = np.log(chance / (1 - chance)) + known
        table[kind] = rng.random(len(people)) < 1 / (1 + np.exp(-logit))
    return pd.DataFrame(table)
