"""What the explorer's page draws from: the incidents column by column, the map, shares by year."""

import json
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from capelib.dataset import Dataset
from capelib.errors import TooFewCases
from capelib.estimators import periods
from capelib.estimators.clusters import cluster_of
from capelib.estimators.shares import authoritarian_hosts
from capelib.export import open_addresses
from capelib.figures.map_parts import equal_earth
from capelib.reference import memberships, regimes
from capelib.reference.places import capitals, shapes
from capelib.vocabulary.codebook import codebook, codes
from capelib.vocabulary.tables import states

CENTRE = 40.0  # meridian in the middle of the map, degrees: between Europe and Central Asia
PER_DEGREE = 10  # units of the map's paths in a degree: whole numbers are short
RETURNS = {"deportation", "extradition", "rendition"}
ACTS = (2, 3)  # stages that the question of notebook 04 counts
EARLY, LATE = (2014, 2020), (2021, 2021)  # the periods that its publication compares
NO_HOST_LEFT_OUT = ""


class Facet(NamedTuple):
    """A filter of the explorer.

    Attributes
    ----------
    name : str
        In the address.
    title : str
        On the page.
    column : str
        Of `Dataset.joined`.
    codes : str
        The list of the codebook that gives the words; "state" for states.
    blank : str
        The words for a missing value; "" where none is missing.
    hint : str
        What a reader should know of it.
    """

    name: str
    title: str
    column: str
    codes: str
    blank: str = ""
    hint: str = ""


_OF_CATEGORIES = (
    "Why an exile is pursued, as coded; one exile has one category. A second coder often chose "
    "another than Religious: banned Islamic parties may stand under Opposition."
)
FACETS = (
    Facet("origin", "Pursuing state", "origin", "state"),
    Facet("host", "Host state", "host", "state", "not stated"),
    Facet("stage", "Stage", "stage", "stage"),
    Facet("measure", "Measure", "measure", "measure"),
    Facet("category", "Category of exile", "category", "category", hint=_OF_CATEGORIES),
    Facet("source", "Kind of source", "source_kind", "kind"),
    Facet("edition", "Edition that brought it", "added", "edition"),
    Facet("doubtful", "Doubtful", "doubtful", "", "no"),
    Facet("alleged", "Attribution", "attribution", "attribution", "not coded as alleged"),
)
_YES = {"yes": "yes, one may doubt that it is transnational repression"}


def script(name: str, value: Any) -> bytes:
    """A value as a classic script: a page opened from a folder may load no other file.

    Examples
    --------
    >>> script("CAPE_DATA", {"a": "</script>"}).decode()
    'const CAPE_DATA = {"a":"<\\\\/script>"};\\n'
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")
    return f"const {name} = {text};\n".encode()


def record(ds: Dataset) -> dict[str, Any]:
    """The incidents of a Dataset as columns, each value that repeats as its place in a list.

    Parameters
    ----------
    ds
        The public record. What was withdrawn is not in it.

    Returns
    -------
    dict
        `facets` (name, title, values, labels), `rows` (by facet and column), `exiles`, `sources`,
        `years` searched in full, `groups` of values by facet, and what the citation names.
    """
    joined = ds.joined()
    facets, rows = [], {}
    for facet in FACETS:
        if facet.column not in joined:  # an earlier edition does not have it
            continue
        text = _text(joined[facet.column])
        known = _words(facet)
        values = [value for value in known if (text == value).any()]
        facets.append(
            {
                "name": facet.name,
                "title": facet.title,
                "values": values,
                "labels": [known[value] for value in values],
                "hint": facet.hint,
            }
        )
        rows[facet.name] = pd.Categorical(text, categories=values).codes.tolist()
    exiles = pd.Categorical(joined["exile_id"])
    sources = ds.sources.set_index("source_id")
    cited = pd.Categorical(joined["source_id"], categories=list(sources.index))
    rows |= {
        "exile": exiles.codes.tolist(),
        "source_id": cited.codes.tolist(),
        "id": joined["incident_id"].tolist(),
        "date": _text(joined["date"]).tolist(),
        "year": joined["year"].fillna(0).astype(int).tolist(),
        "outcome": _text(joined["outcome"]).tolist(),
    }
    return {
        "name": ds.info.name,
        "title": ds.info.title,
        "edition": ds.info.edition,
        "sha256": ds.info.sha256,
        "licence": ds.info.licence,
        "facets": facets,
        "rows": rows,
        "exiles": list(exiles.categories),
        "sources": {
            "id": list(sources.index),
            "publisher": sources["publisher"].tolist(),
            "address": open_addresses(ds.sources).tolist(),
        },
        "groups": {
            "host": _groups(
                set(joined["host"].dropna()), ds.covered_until(joined["origin"].unique())
            ),
            "measure": [["Sent or taken back", sorted(RETURNS & set(joined["measure"]))]],
        },
    }


def world(shown: Sequence[str]) -> dict[str, Any]:
    """The land as paths of SVG on the Equal Earth map, and the capitals of some states.

    Parameters
    ----------
    shown
        States whose capitals are needed, ISO 3166-1 alpha-3.

    Returns
    -------
    dict
        `land`: pairs of name and path, in steps from point to point; `capitals`: by state, x and y.
        A state without a capital on record is left out.
    """
    land = []
    for shape in shapes():
        if shape.name != "Antarctica":
            land.append([shape.name, "".join(_path(ring) for ring in shape.rings)])
    places = capitals().loc[[state for state in shown if state in capitals().index]]
    east = (places["longitude"] - CENTRE + 180) % 360 - 180 + CENTRE
    points = _on_map(east.to_numpy(), places["latitude"].to_numpy())
    return {
        "land": land,
        "capitals": dict(zip(places.index, points.tolist(), strict=True)),
    }


def _on_map(longitude: np.ndarray, latitude: np.ndarray) -> np.ndarray:
    """Points of the map in whole units; y grows downwards, as in SVG."""
    points = equal_earth(longitude, latitude, CENTRE) * [1, -1]
    return (points * PER_DEGREE).round().astype(int)


def _path(ring: np.ndarray) -> str:
    """A border as a path of SVG: its first point, then steps."""
    east = ring[:, 0] + 360 * np.round((CENTRE - ring[:, 0].mean()) / 360)
    points = _on_map(east, ring[:, 1])
    steps = np.diff(points, axis=0)
    steps = steps[(steps != 0).any(axis=1)]
    if len(steps) < 3:  # smaller than the map can show
        return ""
    x, y = points[0]
    return f"M{x} {y}l" + " ".join(f"{dx} {dy}" for dx, dy in steps) + "z"


def host_share_tables(ds: Dataset, without: Sequence[str]) -> list[dict[str, Any]]:
    """What share of incidents happened on authoritarian soil, under each definition?

    Parameters
    ----------
    ds
        The public record.
    without
        Host states of which each is left out in turn; nothing is left out first.

    Returns
    -------
    list of dict
        `measure`, `cutoff`, `definition` (in words), `without`, `years` (year, k, n, share, low,
        high), `early`, `late` and `change` (share, low, high, n) of the periods of notebook 04.
        Shares are fractions with 95 % intervals that take incidents of one report or episode
        together; an interval is missing (None) where there are too few such clusters.
    """
    last = ds.covered_until(ds.incidents["origin"].unique())
    tables = []
    for state in (NO_HOST_LEFT_OUT, *without):
        joined = ds.where(stage=ACTS, host_not=state).joined()
        joined = joined.assign(cluster=cluster_of(joined))[["origin", "host", "year", "cluster"]]
        for measure, cutoff in regimes.definitions():
            marked = authoritarian_hosts(joined, measure, cutoff)
            yearly = periods.by_year(marked, EARLY[0], last)
            table = {
                "measure": measure,
                "cutoff": cutoff,
                "definition": regimes.sentence(measure, cutoff),
                "without": state,
                "years": [_numbers(row) for row in yearly.itertuples(index=False)],
                "early": None,
                "late": None,
                "change": None,
            }
            with suppress(TooFewCases):
                change = periods.change(marked, EARLY, LATE)
                table["late"] = _estimate(change.group[2:5], change.group.n)
                table["early"] = _estimate(change.others[2:5], change.others.n)
                table["change"] = _estimate(change[:3], change.n)
            tables.append(table)
    return tables


def _numbers(row: Any) -> list[float | int | None]:
    return [int(row.year), int(row.k), int(row.n), *map(_fraction, (row.share, row.low, row.high))]


def _estimate(values: Sequence[float], n: int) -> list[float | int | None]:
    return [*map(_fraction, values), int(n)]


def _fraction(value: float) -> float | None:
    return None if pd.isna(value) else round(float(value), 4)


def _text(column: pd.Series) -> pd.Series:
    """Cells as text: "" where missing, yes and "" for truths."""
    if pd.api.types.is_bool_dtype(column):
        return column.map({True: "yes", False: ""})
    return column.astype(object).where(column.notna(), "").astype(str)


def _words(facet: Facet) -> dict[str, str]:
    """The values that a filter may take, in the order in which they are offered, with words."""
    if facet.codes == "state":
        words = states()
    elif facet.codes:
        words = codes(facet.codes)
    else:
        words = _YES
    return words | ({"": facet.blank} if facet.blank else {})


def _groups(hosts: set[str], year: int) -> list[list[Any]]:
    """Groups of states to tick at once: words, and those of them that are hosts in the data."""
    groups = [
        (f"{entry['label']}, members in {year}", memberships.members(code, year))
        for code, entry in codebook()["codes"]["organisation"].items()
    ]
    groups += [(group["words"], group["states"]) for group in codebook()["groups"].values()]
    kept = [[words, sorted(hosts & set(members))] for words, members in groups]
    return [group for group in kept if group[1]]
