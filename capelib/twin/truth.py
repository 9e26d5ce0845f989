"""What is true in a made-up record."""

from dataclasses import dataclass, fields
from functools import cache
from numbers import Integral, Real

import numpy as np
import pandas as pd
from scipy import special

from capelib.dataset import CENTRAL_ASIA
from capelib.errors import ParameterError
from capelib.meaning.arguments import states_meant
from capelib.reference import regimes

HOSTS_OF_A_KIND = 12  # authoritarian hosts, and free ones
RATED = (1990, 2024)  # the years in which hosts are rated
MOST_PERSONS = 500_000  # expected; more take minutes and gigabytes
_POSITIVE = (
    "cases", "growth", "step", "reporting", "reporting_of_first", "unfree_odds", "shift", "giant",
    "held_odds", "attention",
)  # fmt: skip
_YEARS = ("first_year", "last_year", "plateau", "break_year", "unfree_from")


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
        _check_numbers(self)
        for name in ("together", "unfree", "religious", "held", "coder", "coarse", "undated"):
            require(name, getattr(self, name), 0 <= getattr(self, name) <= 1, "between 0 and 1")
        for name in _POSITIVE:
            require(name, getattr(self, name), getattr(self, name) > 0, "above 0")
        for name in ("scatter", "spread", "drift", "removal"):
            require(name, getattr(self, name), getattr(self, name) >= 0, "0 or more")
        require("persons", self.persons, self.persons >= 1, "1 or more")
        require("correlation", self.correlation, 0 <= self.correlation < 1, "0 to below 1")
        both = self.coarse + self.undated
        require("coarse + undated", both, both <= 1, "1 at most")
        _check_years(self)
        object.__setattr__(self, "origins", _origins(self.origins))
        with np.errstate(over="ignore"):
            persons = float(self._expected().sum() * self.persons)
        require(
            "what is expected",
            f"{persons:,.0f} persons",
            persons <= MOST_PERSONS,
            f"{MOST_PERSONS:,} persons at most (make cases, persons or growth smaller)",
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


def require(name: str, value: object, holds: bool, expected: str) -> None:
    """An error that names the value, where it is none that is expected."""
    if not holds:
        raise ParameterError(f"{name} must be {expected}, not {value!r}")


def whole(name: str, value: object) -> None:
    """An error where the value is no whole number; True and False are none."""
    is_whole = isinstance(value, Integral) and not isinstance(value, bool)
    require(name, value, is_whole, "a whole number")


def _check_numbers(truth: Truth) -> None:
    """Every number is one, and none but `attention` is infinite."""
    for field in fields(truth):
        name, value = field.name, getattr(truth, field.name)
        if name in _YEARS:
            if value is not None or name in ("first_year", "last_year"):
                whole(name, value)
        elif name != "origins":
            is_number = isinstance(value, Real) and not isinstance(value, bool)
            require(name, value, is_number, "a number")
            is_known = np.isfinite(value) or (name == "attention" and value == np.inf)
            require(name, value, bool(is_known), "a finite number")


def _check_years(truth: Truth) -> None:
    first, last = RATED
    for name in ("first_year", "last_year"):
        year = getattr(truth, name)
        require(name, year, first <= year <= last, f"{first} to {last}: hosts are rated then")
    require("first_year", truth.first_year, truth.first_year < truth.last_year, "the earlier one")
    for name in ("plateau", "break_year", "unfree_from"):
        year = getattr(truth, name)
        inside = year is None or truth.first_year <= year <= truth.last_year
        require(name, year, inside, f"{truth.first_year} to {truth.last_year}, or None")


def _origins(states: tuple[str, ...]) -> tuple[str, ...]:
    """Their codes; each once, and none of them a host."""
    codes = tuple(states_meant("state for origins", states))
    require("origins", states, len(codes) > 0, "one state or more")
    require("origins", states, len(set(codes)) == len(codes), "each state once")
    among = [code for kind in hosts() for code in kind if code in codes]
    require("origins", among, not among, "no hosts of made-up records (see `hosts`)")
    return codes


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
