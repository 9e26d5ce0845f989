"""A page for each state: whom it pursues and where, and who pursues exiles on its soil."""

import re
from collections import Counter
from contextlib import suppress
from functools import cache
from itertools import groupby
from typing import Any, NamedTuple

import pandas as pd

from capelib.dataset import Dataset
from capelib.errors import TooFewCases
from capelib.estimators.clusters import cluster_of, clustered
from capelib.loading import PUBLIC_RECORD, load
from capelib.meaning.pursuers import pursuers
from capelib.reference import displaced, regimes
from capelib.site.collection import Collection
from capelib.site.markup import FRAME, WIDE, Page, contents, front_matter, html, render
from capelib.vocabulary.codebook import codebook, codes
from capelib.vocabulary.shipped import table
from capelib.vocabulary.tables import states

_COLUMNS = ["origin", "host", "exile_id", "year", "stage", "measure", "category"]
_COLUMNS += ["source_kind", "doubtful", "cluster"]
ENDED = 3  # the stage whose share is given
BLANK = "not stated"
_LISTS = {"source": "kind"}  # filters of the explorer whose list of the codebook has another name
# Warnings of the codebook about the states that were not searched in full.
COMPARISON = ["comparison_removals", "comparison_hosts"]


class Line(NamedTuple):
    """A value with its count.

    Attributes
    ----------
    words : str
        What is counted.
    n : int
        Incidents.
    exiles : int
        Different exiles among them.
    address : str
        Of these incidents in the explorer, behind its `#`.
    """

    words: str
    n: int
    exiles: int
    address: str


class Part(NamedTuple):
    """What is on record of a state in one role.

    Attributes
    ----------
    role, other : str
        "origin" and "host", or the other way round.
    n, exiles, undated, doubtful : int
        Incidents, exiles, incidents without a year, and doubtful ones.
    ended : str
        The share at stage 3 with its interval, or the count where a share is not safe, in words.
    searched : tuple of int
        Years that were searched in full for this state as a pursuer; empty for a host.
    years : list of dict
        `year`, `stages` (incidents at each) and `n`, from the first to the last year without a gap.
    tables : dict of list of Line
        By heading.
    """

    role: str
    other: str
    n: int
    exiles: int
    undated: int
    doubtful: int
    ended: str
    searched: tuple[int, ...]
    years: list[dict[str, Any]]
    tables: dict[str, list[Line]]


def pages(collection: Collection) -> list[Page]:
    """A page for each state that pursues or is a host, and a list of them."""
    ds = load(PUBLIC_RECORD, edition=collection.edition)
    joined = ds.joined()
    joined = joined.assign(cluster=cluster_of(joined))[_COLUMNS]
    names = states()
    shown = sorted({*joined["origin"], *joined["host"].dropna()}, key=lambda code: names[code])
    rows = [_row(code, names[code], joined) for code in shown]
    body = render("states", rows=rows, edition=collection.edition)
    text = front_matter(**WIDE) + "# States\n" + html(body)
    index = Page("states/index.md", text + contents(FRAME))
    return [index, *(_page(code, ds, joined, collection) for code in shown)]


def part_of(role: str, code: str, ds: Dataset, joined: pd.DataFrame) -> Part | None:
    """What is on record of a state as `origin`, or as `host`? None where nothing is.

    Parameters
    ----------
    role
        "origin" or "host".
    code
        The state, ISO 3166-1 alpha-3.
    ds, joined
        The public record, and its incidents joined, with their `cluster`.
    """
    rows = joined[joined[role] == code]
    if rows.empty:
        return None
    other = "host" if role == "origin" else "origin"
    searched: tuple[int, ...] = ()
    if role == "origin":
        searched = (ds.covered_from(code), ds.covered_until(code))
    state = f"{role}={code}"
    tables = {
        "Hosts" if role == "origin" else "Pursuing states": _lines(rows, other, other, state),
        "Measures": _lines(rows, "measure", "measure", state),
        "Categories of exile": _lines(rows, "category", "category", state),
        "Kinds of source": _lines(rows, "source_kind", "source", state),
    }
    return Part(
        role,
        other,
        len(rows),
        rows["exile_id"].nunique(),
        int(rows["year"].isna().sum()),
        int(rows["doubtful"].sum()),
        _ended(rows, role == "origin" and code in pursuers("all").codes),
        searched,
        _years(rows),
        tables,
    )


def _ended(rows: pd.DataFrame, is_searched: bool) -> str:
    """The share of incidents at stage 3, in words; a count where no share is safe."""
    at_end = rows["stage"].astype(int) == ENDED
    if not is_searched:
        return f"{int(at_end.sum())} of {len(rows)}; no share, since it rests on unequal searches"
    with suppress(TooFewCases):
        share = clustered(at_end, rows["cluster"])
        if pd.notna(share.low):
            return share.summary()
    return f"{int(at_end.sum())} of {len(rows)}, too few independent reports for an interval"


def _years(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Incidents by year and stage, with the years between that have none."""
    pairs = zip(rows["year"], rows["stage"].astype(str), strict=True)
    counts = Counter((year, stage) for year, stage in pairs if pd.notna(year))
    if not counts:
        return []
    lines = []
    for year in range(min(counts)[0], max(counts)[0] + 1):
        stages = [counts[year, stage] for stage in codes("stage")]
        lines.append({"year": year, "stages": stages, "n": sum(stages)})
    return lines


def _lines(rows: pd.DataFrame, column: str, facet: str, state: str) -> list[Line]:
    """The values of a column with their counts, the most frequent first."""
    words = states() if facet in ("host", "origin") else codes(_LISTS.get(facet, facet))
    exiles: dict[str, list[str]] = {}
    for value, exile in zip(rows[column], rows["exile_id"], strict=True):
        exiles.setdefault("" if pd.isna(value) else value, []).append(exile)
    lines = [
        Line(
            words.get(value, BLANK), len(each), len(set(each)), f"{state}&{facet}={value or 'none'}"
        )
        for value, each in exiles.items()
    ]
    return sorted(lines, key=lambda line: (-line.n, line.words))


def _row(code: str, name: str, joined: pd.DataFrame) -> dict[str, Any]:
    """A state in the list of states."""
    return {
        "code": code,
        "name": name,
        "pursues": int((joined["origin"] == code).sum()),
        "host": int((joined["host"] == code).sum()),
    }


def _page(code: str, ds: Dataset, joined: pd.DataFrame, collection: Collection) -> Page:
    """The page of a state."""
    name = states()[code]
    parts = [part for role in ("origin", "host") if (part := part_of(role, code, ds, joined))]
    body = render(
        "state",
        code=code,
        name=name,
        parts=parts,
        info=ds.info,
        stages=codes("stage"),
        ratings=_ratings(code),
        memberships=_memberships(code),
        displaced=_displaced(code),
        not_safe=_not_safe(code, parts),
        numbers=_numbers(name, collection),
    )
    return Page(f"states/{code}.html", body, title=name)


def _not_safe(code: str, parts: list[Part]) -> list[str]:
    """What must not rest on the counts of this state as a pursuer, in the codebook's words."""
    if parts[0].role != "origin":
        return []
    entries = codebook()["not_safe"]
    names = [name for name, entry in entries.items() if code in entry.get("origins", [])]
    if code not in pursuers("all").codes:
        names += COMPARISON
    return [entries[name]["sentence"] for name in names]


def _ratings(code: str) -> list[dict[str, Any]]:
    """How the state was rated: by measure, the spells of equal values."""
    labels = codes("regime_value")
    rows = []
    for measure, words in codes("regime_measure").items():
        rated = _rated().get((code, measure), [])
        spells = [
            (value, [year for year, _ in years])
            for value, years in groupby(rated, key=lambda pair: pair[1])
        ]
        if spells:
            texts = [f"{labels[value]} ({_span(years[0], years[-1])})" for value, years in spells]
            rows.append({"measure": words, "spells": texts})
    return rows


@cache
def _rated() -> dict[tuple[str, str], list[tuple[int, str]]]:
    """By state and measure, the years with their values, in order."""
    rated: dict[tuple[str, str], list[tuple[int, str]]] = {}
    for row in regimes.by_year().sort_values("year").itertuples():
        rated.setdefault((row.iso3, row.measure), []).append((row.year, row.value))
    return rated


def _memberships(code: str) -> list[str]:
    """Organisations of which the state is or was a member, with the years."""
    labels = codes("organisation")
    return [
        f"{labels[row.organisation]}, "
        + (
            f"since {row.first_year}"
            if pd.isna(row.last_year)
            else _span(row.first_year, row.last_year)
        )
        for row in _spells().get(code, [])
    ]


@cache
def _spells() -> dict[str, list[Any]]:
    """By state, the spells of its memberships."""
    spells: dict[str, list[Any]] = {}
    for row in table("memberships").itertuples():
        spells.setdefault(row.iso3, []).append(row)
    return spells


def _displaced(code: str) -> dict[str, Any]:
    """Refugees and asylum-seekers from the state; empty where no series ships."""
    if code not in set(table("displaced")["origin"]):
        return {}
    series = displaced.series(code)
    return {"first": series.iloc[0].to_dict(), "last": series.iloc[-1].to_dict()}


def _numbers(name: str, collection: Collection) -> list[dict[str, Any]]:
    """Published numbers whose statement names the state, with the verdict on each."""
    named = re.compile(rf"\b{re.escape(name)}\b")
    verdicts: dict[str, list[str]] = {}
    for verdict in collection.verdicts:
        verdicts.setdefault(verdict.finding_id, []).append(verdict.verdict)
    return [
        {
            "key": key,
            "statement": published.statement,
            "verdicts": list(dict.fromkeys(verdicts[key])),
        }
        for key, published in collection.published.items()
        if key in verdicts and named.search(published.statement)
    ]


def _span(first: Any, last: Any) -> str:
    return str(int(first)) if first == last else f"{int(first)}-{int(last)}"
