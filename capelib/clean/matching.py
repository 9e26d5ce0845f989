"""Which headers of a table stand for which column of a layout, and which layout a table has."""

import re
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import pandas as pd

from capelib.clean.competing import (
    IS_DATES,
    LIES_FAR_BEHIND,
    chosen,
    holds_answers,
    holds_dates,
    may_name_persons,
    readable,
)
from capelib.clean.layouts import FREE_TEXT, Layout, known_headers, layout, layouts
from capelib.errors import DataError
from capelib.meaning.codes import coded
from capelib.meaning.persons import is_name_column
from capelib.meaning.understood import understood
from capelib.vocabulary.text import bare, near

LIKELY = 90  # of 100: how alike a misspelt header must be to one that is known


@dataclass(frozen=True)
class Match:
    """How the headers of a table were understood by a layout.

    Attributes
    ----------
    layout
        The layout.
    columns
        Our column by header.
    events
        The same for each of the layout's events.
    certainty
        By header, below 1 where it was guessed.
    missing
        Needed columns that no header stands for.
    others
        Headers that could stand for one of our columns too, with that column and the header that
        is used instead.
    further
        Headers of a second value, such as "second host", with our column.
    highest
        The header of the highest stage, "" where there is none.
    persons
        Headers such as "who" over cells that are no kinds of persons: they may be names.
    """

    layout: Layout
    columns: dict[str, str]
    events: tuple[dict[str, str], ...]
    certainty: dict[str, float]
    missing: tuple[str, ...]
    others: dict[str, tuple[str, str]] = field(default_factory=dict)
    further: dict[str, str] = field(default_factory=dict)
    highest: str = ""
    persons: tuple[str, ...] = ()

    @property
    def every_column(self) -> list[tuple[str, str]]:
        """Each header that was understood, with our column, those of the events last."""
        return [item for group in (self.columns, *self.events) for item in group.items()]


def match(headers: list[str], layout: Layout, frame: pd.DataFrame | None = None) -> Match:
    """Which of a table's headers stand for which column of a layout?

    Exact first (case, accents and punctuation aside). Of two headers for the same column the cells
    and the words decide (`capelib.clean.competing`); without a frame it is the first. What is left
    is compared for typing errors; such a match has a certainty below 1.
    """
    layout = _with_dated_measures(headers, layout, frame)
    known = _known_headers(layout)
    candidates = _candidates(headers, known, frame if layout.shipped else None)
    columns: dict[str, _Place] = {}
    certainty: dict[str, float] = {}
    others: dict[str, tuple[str, str]] = {}
    further: dict[str, str] = {}
    persons: list[str] = []
    for place, names in candidates.items():
        column = place[1]
        if column == "category" and layout.shipped and frame is not None:
            persons = [name for name in names if may_name_persons(name, frame, layout.general)]
            names = [name for name in names if name not in persons]
            if not names:
                continue
        best, sure = chosen(names, column, frame, layout.general)
        if (_place(best, known) or _place(best.rpartition(" / ")[2], known)) != place:
            sure = min(sure, IS_DATES)
        columns[best], certainty[best] = place, sure
        for name in names:
            if name == best:
                continue
            if column == "host" and not layout.shipped:
                further[name], certainty[best] = column, 1.0
            else:
                others[name] = (column, best)
    of_seconds = {
        bare(header): column for column, names in layout.further.items() for header in names
    }
    for header in headers:
        column = of_seconds.get(bare(header.rpartition(" / ")[2]))
        if column and header not in columns and header not in others:
            further[header] = column
    for header, (column, sure) in _misspelt(headers, known, columns).items():
        if header not in others and header not in further and header not in persons:
            columns[header], certainty[header] = column, sure
    columns = {header: columns[header] for header in headers if header in columns}
    groups: list[dict[str, str]] = [{} for _ in (None, *layout.events)]
    for header, (group, column) in columns.items():
        groups[group][header] = column
    of_row, *events = groups
    needed = dict.fromkeys((*layout.needs, "origin", *(() if layout.events else ("measure",))))
    given = {*of_row.values(), *layout.fixed}
    if given & {"year", "start"}:
        given.add("date")
    missing = [column for column in needed if column not in given]
    if layout.events and not any(map(_is_said, layout.events, events)):
        missing.append("measure")
    highest = _highest([name for name in headers if name not in columns], [layout])
    return Match(
        layout,
        of_row,
        tuple(events),
        certainty,
        tuple(missing),
        others,
        further,
        highest,
        persons=tuple(persons),
    )


def _is_said(spec: dict[str, Any], event: dict[str, str]) -> bool:
    """Do the columns of an event say which measure it is?"""
    return "measure" in event.values() or bool(event and spec.get("yes"))


def _with_dated_measures(headers: list[str], layout: Layout, frame: pd.DataFrame | None) -> Layout:
    """The layout with an event for each header that names a measure.

    Below "Year of rendition" stand dates; below "Deported" dates, or yes and no. A table with a
    column for the measures themselves is not of this kind.
    """
    if not layout.events or not layout.shipped or _names_measures(headers):
        return layout
    known, dated = _known_headers(layout), {}
    for header in headers:
        words = bare(header)
        if words in known or len(words.split()) > _MOST_WORDS:
            continue
        parts = _DATED.fullmatch(words)
        if parts:
            dated[header] = parts["before"] or parts["after"]
        elif frame is not None and not is_name_column(header):
            dated[header] = words
    if not dated:
        return layout
    read = coded(pd.Series(dated, dtype="str"), "measure")
    measures = read["value"].mask(read["problem"].notna()).dropna()
    events = [dict(event) for event in layout.events]
    there = {bare(header) for header in headers}
    of_measure = {}  # the event of which the columns say yes, or when
    for event in events:
        if not there.isdisjoint(map(bare, event.get("measure", []))) and "yes" in event:
            of_measure[event["yes"]] = event
    dates = {
        str(header): bool(_DATED.fullmatch(bare(str(header))))
        or (frame is not None and holds_dates(frame[str(header)]))
        for header in measures.index
    }
    for name in sorted(dates, key=dates.__getitem__):  # first those that say yes
        measure = str(measures[name])
        if not dates[name]:
            answers = frame is not None and holds_answers(frame[name])
            words = frame is not None and readable(frame[name], "measure") >= LIES_FAR_BEHIND
            if measure != "other" and (answers or words):
                events.append({"yes": measure, "measure": [name]})
                of_measure.setdefault(measure, events[-1])
        elif measure in of_measure:
            event = of_measure[measure]
            event["date"] = [*event.get("date", []), name]
        else:
            events.append({"yes": measure, "date": [name]})
    return replace(layout, events=tuple(events)) if dates else layout


def _names_measures(headers: list[str]) -> bool:
    """Has a table a column that holds the measure of each row?"""
    known = layouts()["events"].columns["measure"]
    plain = {bare(header) for header in known} - {"incident", "event", "action", "method"}
    return not plain.isdisjoint(map(bare, headers))


def _passes_over_measures(matched: Match, headers: list[str]) -> bool:
    """Does a layout take only dates of measures from a table that has a column for the measures?"""
    named = any("measure" in event.values() for event in matched.events)
    return bool(matched.layout.events) and not named and _names_measures(headers)


_MOST_WORDS = 5  # of a header such as "date of the first arrest"
_DATED = re.compile(r"(?:date|year|when) (?:of )?(?P<after>.+)|(?P<before>.+) (?:date|year)")
_Place = tuple[
    int, str
]  # 0 for a column of the row itself, n for one of the n-th event; our column


def _known_headers(layout: Layout) -> dict[str, _Place]:
    """What each plain header stands for; the first of two columns that want it has it."""
    known: dict[str, _Place] = {}
    for group, names in enumerate((layout.columns, *layout.events)):
        for column, headers in names.items():
            if column != "yes" and not (layout.shipped and column == FREE_TEXT):
                for header in headers:
                    known.setdefault(bare(header), (group, column))
    return known


def _place(header: str, known: dict[str, _Place]) -> _Place | None:
    """What a header stands for; "host 1" is the host where a second one has a column of its own."""
    words = bare(header)
    return known.get(words) or known.get(words.removesuffix(" 1"))


def _candidates(
    headers: list[str], known: dict[str, _Place], frame: pd.DataFrame | None
) -> dict[_Place, list[str]]:
    """For each column the headers that are known for it, from left to right.

    Of a header under a merged one, "Who / Country of origin", the last part alone may be known. A
    column for the measures of a stage that holds dates is one for its dates.
    """
    candidates: dict[_Place, list[str]] = {}
    seen: set[str] = set()
    known_whole: set[_Place] = set()
    for whole in (True, False):
        for header in headers:
            place = _place(header if whole else header.rpartition(" / ")[2], known)
            if not place or header in seen or place in known_whole:
                continue
            seen.add(header)
            of_stage = place[0] > 0 and place[1] == "measure"
            if of_stage and frame is not None and holds_dates(frame[header]):
                place = (place[0], "date")
            candidates.setdefault(place, []).append(header)
        known_whole = set(candidates)
    return candidates


def _misspelt(
    headers: list[str], known: dict[str, _Place], columns: dict[str, _Place]
) -> dict[str, tuple[_Place, float]]:
    """The other headers that are nearly a known one, with a certainty below 1."""

    matches: dict[str, tuple[_Place, float]] = {}
    taken = set(columns.values())
    guessed = tuple(name for name, (_, column) in known.items() if column != FREE_TEXT)
    for header in headers:
        if header in columns or len(bare(header)) < 4 or is_name_column(header):
            continue
        likely = _nearest(bare(header), guessed)
        if likely and known[likely[0][0]] not in taken:
            name, percent = likely[0]
            taken.add(known[name])
            matches[header] = known[name], round(percent / 100 - 0.1, 2)
    return matches


@lru_cache(maxsize=50_000)
def _nearest(header: str, known: tuple[str, ...]) -> list[tuple[str, float]]:
    """The known headers that are near: the same ones are asked for several times of a table."""
    return near(header, known, "ratio", LIKELY)


def find(
    headers: list[str],
    place: str,
    chosen: str = "",
    frame: pd.DataFrame | None = None,
    assumed: str = "",
) -> Match:
    """Which layout does a table have? `assumed`: what reading took for granted.

    The chosen one, else that of the shipped ones which understands most of its headers; of two
    that understand as many, the one that needs more columns. frame: the cells, which decide where
    two headers stand for one column.

    Raises DataError that names what is missing, and those headers whose words are known: those of a
    pivoted table may be names of persons.
    """
    options = [layout(chosen)] if chosen else list(layouts().values())
    matches = sorted(
        (match(headers, option, frame) for option in options),
        key=lambda each: (
            len(each.missing),
            _passes_over_measures(each, headers),
            -len(each.every_column),
            -len(each.layout.needs),
        ),
    )
    best = matches[0]
    if not best.missing:
        if absent := _absent(best):
            listed = ", ".join(absent)
            raise DataError(
                f"{place} has no column that the layout {best.layout.name} names: {listed}; "
                "mend the header there, or take it out of the layout"
            )
        return best
    lacks = f"{place} lacks the column(s) {', '.join(best.missing)}"
    if max(len(each.every_column) for each in matches) < 2:
        # Then it may be no header but a row of the table, with names in it: it is not shown.
        read = f" It was read with {assumed}: is that right?" if assumed else ""
        raise DataError(
            f"{lacks}: does a row name its columns?{read} "
            "If so, name them as in `cape codebook incidents`, or say in a layout which of yours "
            "stands for which (needed where they are neither English nor Russian; "
            "see docs/your-own-table.md) and give it with --layout"
        )
    known = [name for name in headers if understood(name) or bare(name) in known_headers()]
    listed = [" ".join(header[:40].split()) for header in known[:12]]
    if more := len(headers) - len(listed):
        listed.append(f"{more} more that {'is' if more == 1 else 'are'} not shown")
    nearest = "" if chosen else f"the nearest layout is {best.layout.name}, {best.layout.title}; "
    if "measure" in best.missing and (how_far := _highest(headers, options)):
        nearest += f"{how_far} says how far it went, not what was done; "
    raise DataError(
        f"{lacks} (it has: {', '.join(listed)}): {nearest}"
        "rename them as in `cape codebook incidents`, "
        "or describe the table in a layout of your own and give it with --layout"
    )


def _highest(headers: list[str], options: list[Layout]) -> str:
    """The header for the highest stage of each row, "" where there is none."""
    known = {bare(header) for option in options for header in option.highest}
    return next((header for header in headers if bare(header) in known), "")


def layout_of(headers: list[str], chosen: str = "") -> str:
    """The name of the layout that understands the headers of a table, "" for none."""
    try:
        return find(headers, "", chosen).layout.name
    except DataError:
        return ""


def _absent(matched: Match) -> list[str]:
    """What a layout of the user's names and the table lacks, each as the layout writes it.

    Of several headers for one column one is enough.
    """
    if matched.layout.shipped:
        return []
    absent = []
    named = (matched.layout.columns, *matched.layout.events)
    for names, there in zip(named, (matched.columns, *matched.events), strict=True):
        for column, headers in names.items():
            written = [header for header in headers if header != column]
            if column != "yes" and written and column not in there.values():
                absent.append(f"{column} = {written[0]}")
    return absent
