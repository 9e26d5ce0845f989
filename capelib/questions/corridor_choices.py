"""What would change the answer on corridors? The same estimates under other choices."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from capelib.estimators.clusters import cluster_of
from capelib.progress import progress
from capelib.questions.corridor_models import ratios_of
from capelib.questions.corridor_panel import coded, empty_cells, filled, places
from capelib.questions.displaced_ratios import people_of
from capelib.questions.membership_shares import (
    ANY,
    ORGANISATIONS,
    counted,
    fellow,
    possible_hosts,
    share_of,
    without_member,
)
from capelib.questions.selections import selections
from capelib.reference import regimes
from capelib.vocabulary.codebook import codes
from capelib.vocabulary.tables import states

FIRST_COUNTS = 1994  # the first UNHCR counts of Central Asian states
AFTER_TAJIK_WAR = 2006  # the refugees of the war have returned
# What a choice reads of an incident: most of the time would go into copies of the other columns.
_READ = [
    "origin", "host", "year", "stage", "exile_id", "episode_id", "source_id", "doubtful",
    "attribution", "source_kind",
]  # fmt: skip
ESSAY_ENDS = 2016  # the last year of the essay that notebook 07 follows


class Choice(NamedTuple):
    """What goes into one row of `variants`.

    Attributes
    ----------
    rows
        The incidents, of all years.
    hosts
        The possible host states.
    first, last
        Years, both included.
    unit
        As for `counted`.
    model, people
        As for `membership_ratios`.
    authoritarian_only
        Only cells with an authoritarian host.
    no_member
        A state and an organisation of which it counts as no member.
    """

    rows: pd.DataFrame
    hosts: Iterable[str]
    first: int
    last: int
    unit: str
    model: str = "poisson"
    people: str = "term"
    authoritarian_only: bool = False
    no_member: tuple[str, str] | None = None


def variants(
    joined: pd.DataFrame,
    hosts: Iterable[str],
    first_year: int,
    last_year: int,
    stages: Sequence[int],
    unit: str,
    measure: str,
    cutoff: str | int,
    covered_from: int = FIRST_COUNTS,
) -> pd.DataFrame:
    """What would change the answer? The same estimates under other choices, one row a choice.

    Parameters
    ----------
    joined
        Incidents of all stages of the states asked about, as `Dataset.joined` gives.
    hosts, first_year, last_year, stages, unit, measure, cutoff
        As for `cooperation`.
    covered_from
        The first year that the data looks at, see `Dataset.covered_from`: no choice starts earlier.

    Returns
    -------
    DataFrame
        `choice`, `n`, `share`, `share_low`, `share_high` (in states that are fellow members in any
        of the three; fraction), `ratio`, `low`, `high` (fellow members against others, ratio of
        expected counts), and `CIS`, `CSTO`, `SCO` (ratios of the model with the three); missing
        where there are too few cases, `low` and `high` also where one host holds most of them.
    """
    joined = joined[_READ]
    chosen = joined[joined["stage"].isin(stages)]
    usual = Choice(chosen, sorted(hosts), first_year, last_year, unit)
    choices = {
        "as chosen": usual,
        **_other_counts(usual, joined),
        **_other_cases(usual, covered_from),
        **_other_hosts_and_people(usual),
    }
    every_host = {host for choice in choices.values() for host in choice.hosts}
    first = min(choice.first for choice in choices.values())
    last = max(choice.last for choice in choices.values())
    origins = sorted(joined["origin"].unique())
    cells = empty_cells(origins, every_host, (first, last), measure, cutoff)
    needed = ["origin", "host", "year", *ORGANISATIONS, ANY, "authoritarian", "displaced"]
    cells = coded(cells[needed])
    rows = [
        {"choice": name, **_variant(choice, cells)}
        for name, choice in progress(choices.items(), "choices")
    ]
    return pd.DataFrame(rows)


def _other_counts(usual: Choice, joined: pd.DataFrame) -> dict[str, Choice]:
    """Other units, another model, other stages, fewer incidents."""
    choices = {}
    for unit in codes("unit"):
        if unit != usual.unit:
            choices[f"counted by {unit}"] = usual._replace(unit=unit)
    choices["negative binomial model"] = usual._replace(model="negative_binomial")
    choices["stage 3 only"] = usual._replace(rows=joined[joined["stage"] == 3])
    choices["stage 1 only (needs no host)"] = usual._replace(rows=joined[joined["stage"] == 1])
    for words, rows in selections(usual.rows, "doubtful", "alleged", "cape").items():
        choices[words] = usual._replace(rows=rows)
    return choices


def _other_cases(usual: Choice, covered_from: int) -> dict[str, Choice]:
    """Without the host with most incidents, and other periods that the data looks at."""
    choices = {}
    largest = _inside(usual)["host"].mode()
    if len(largest):
        host = str(largest.iloc[0])
        rows = usual.rows[usual.rows["host"] != host]
        others = [other for other in usual.hosts if other != host]
        without = usual._replace(rows=rows, hosts=others)
        choices[f"without host {states()[host]}"] = without
        on_record = possible_hosts(_inside(without), usual.first, usual.last)
        name = f"without host {states()[host]}; hosts: those of these incidents, and members"
        shorter = [other for other in on_record if other != host]
        choices[name] = without._replace(hosts=shorter)
    origins = set(usual.rows["origin"])
    counts_ship = all(len(people_of(origin)) for origin in origins)
    if covered_from <= FIRST_COUNTS < usual.first and counts_ship:
        name = f"from {FIRST_COUNTS}, the first UNHCR counts"
        choices[name] = usual._replace(first=FIRST_COUNTS)
    if usual.first < AFTER_TAJIK_WAR <= usual.last and "TJK" in origins:
        name = f"from {AFTER_TAJIK_WAR} (no refugees of the Tajik war)"
        choices[name] = usual._replace(first=AFTER_TAJIK_WAR)
    choices["Ukraine no member of CIS"] = usual._replace(no_member=("CIS", "UKR"))
    if usual.first < ESSAY_ENDS < usual.last:
        choices[f"until {ESSAY_ENDS}, the essay's last year"] = usual._replace(last=ESSAY_ENDS)
    return choices


def _other_hosts_and_people(usual: Choice) -> dict[str, Choice]:
    """Other possible hosts, and other ways to allow for displaced people."""
    on_record = possible_hosts(_inside(usual), usual.first, usual.last)
    rated = {*usual.hosts, *regimes.by_year()["iso3"]}
    return {
        "hosts: those of these incidents, and members": usual._replace(hosts=on_record),
        "hosts: every state with a rating": usual._replace(hosts=rated),
        "hosts: authoritarian ones only": usual._replace(authoritarian_only=True),
        "incidents proportional to displaced people": usual._replace(people="offset"),
        "displaced people left out": usual._replace(people="none"),
    }


def _inside(choice: Choice) -> pd.DataFrame:
    """The incidents of a choice in its period."""
    inside = choice.rows["year"].between(choice.first, choice.last)
    return choice.rows[inside.fillna(False).astype(bool)]


def _are_in(states: pd.Index, wanted: Iterable[str]) -> np.ndarray:
    """True for the states that are wanted; `Index.isin` takes 20 times as long on text."""
    wanted = set(wanted)
    return np.array([state in wanted for state in states.tolist()], dtype=bool)


def _variant(choice: Choice, cells: pd.DataFrame) -> dict[str, float]:
    """The estimates of one row of `variants`. cells: from `empty_cells`, of all choices."""
    rows = _inside(choice)
    # looked up in the levels of the index: there are few, and many cells
    (origins, hosts, _), (origin, host, _) = cells.index.levels, cells.index.codes
    asked = _are_in(origins, rows["origin"].unique())[origin]
    asked &= _are_in(hosts, choice.hosts)[host]
    asked &= cells["year"].between(choice.first, choice.last).to_numpy()
    if choice.authoritarian_only:
        asked &= cells["authoritarian"].fillna(False).to_numpy(bool)
    incidents = fellow(counted(rows, choice.unit))
    place = places(cells, incidents)
    incidents = incidents[asked[place] & (place >= 0)]
    cells = filled(cells, place)[asked]
    if choice.no_member:
        cells = without_member(cells, *choice.no_member)
        incidents = without_member(incidents, *choice.no_member)
    share = share_of(incidents[ANY], cluster_of(incidents))
    bounds = share[1:5] if share else (0, np.nan, np.nan, np.nan)
    how = {"model": choice.model, "people": choice.people}
    separate = ratios_of(cells, ORGANISATIONS, **how)
    return {
        **dict(zip(("n", "share", "share_low", "share_high"), bounds, strict=True)),
        **ratios_of(cells, (ANY,), **how)[ANY],
        **{name: ratio["ratio"] for name, ratio in separate.items()},
    }
