"""Figures of notebook 09. A map shows capitals: no place in the data is more precise."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from capelib.dataset import Info
from capelib.estimators.counts import years
from capelib.figures.forest import Mark, Row, behind, forest_chart, with_n
from capelib.figures.map_parts import (
    LEAST,
    draw_circles,
    draw_land,
    draw_lines,
    equal_earth,
    frame,
    middle_of,
    set_limits,
)
from capelib.figures.map_words import STRIP, write_labels, write_legend
from capelib.figures.style import BLUE, GREY, INK, Chart, canvas, style, too_few
from capelib.questions.journeys import OTHER, Journeys, by_host, moves
from capelib.reference.places import capital, capitals
from capelib.vocabulary.tables import states

COLUMNS = ["what", "from", "to", "exiles", "stage_1", "stage_2", "stage_3", "shown"]
STAGES = ["stage_1", "stage_2", "stage_3"]


def journey_map(result: Journeys, info: Info, origins: Sequence[str]) -> Chart:
    """In which hosts are exiles recorded, and where caught? A map with circles at their capitals.

    Parameters
    ----------
    result
        From `cape.journeys.journeys`.
    info
        The dataset, for the source line.
    origins
        The pursuing states.

    Returns
    -------
    Chart
        The frame behind: what (host, from origin, move), from, to, exiles, stage_1 to stage_3
        (exiles by highest stage; missing for fewer than three), shown (on the map, outside the
        frame, no capital on record).

    Notes
    -----
    A circle's area is the number of exiles on record in the state, the darker areas within it
    those held, and those returned or attacked; states with one or two exiles get a dot. Lines join
    a pursuing state with a host of three or more of its exiles (no path: how they went is not on
    record); black arrows are moves between hosts by three or more. The frame may leave out far
    hosts, together at most one exile in fifty, and then names them.
    """
    data = _frame_behind(result)
    hosts = data[data["what"] == "host"]
    with_capital = set(capitals().index)
    known = [state for state in dict.fromkeys([*origins, *hosts["to"]]) if state in with_capital]
    centre = middle_of([capital(state)[0] for state in known])
    places = {state: equal_earth(*np.array([capital(state)]).T, centre)[0] for state in known}
    inside, box = frame(places, hosts, origins)
    data["shown"] = _shown(data, places, inside)
    drawn = data[data["shown"] == "on the map"]
    circles = drawn[drawn["what"] == "host"]
    top = max([20.0, *hosts["exiles"].astype(float)])
    title = "In which hosts are exiles recorded, and where are they caught?"
    noun = "exile" if result.located == 1 else "exiles"
    span = years((result.first_year, result.last_year))
    total = f"{result.located} {noun} with a host on record, {span}"
    caution = "Circles stand at capitals: no place is more precise than a state"
    subtitle = f"{info.heading}: {total}. {caution}. A collection, not a rate."
    shape = float(np.clip((box[3] - box[2]) / (box[1] - box[0]), 0.45, 0.7))
    height = 7.72 * shape + 1.0 + STRIP + 0.3
    with style():
        size = {"left": 0.015, "right": 0.985, "bottom": (STRIP + 0.3) / height}
        figure, axis = canvas(title, subtitle, info, height=height, **size)
        set_limits(figure, axis, box)
        draw_land(axis, centre, set(hosts["to"]), origins)
        draw_lines(axis, drawn[drawn["what"] != "host"], places)
        draw_circles(axis, circles, places, top)
        named = [state for state in origins if state in inside]
        write_labels(axis, circles, places, named, top)
        if hosts.empty:
            too_few(axis, "no host on record", height=0.93, fontsize=11)
        write_legend(figure, height, data, top, origins)
        return Chart(figure, data[COLUMNS], title, info)


def _frame_behind(result: Journeys) -> pd.DataFrame:
    """Hosts, lines from origins, and moves between hosts, with their numbers of exiles."""
    hosts = by_host(result.incidents, least=1).rename(columns={"host": "to"}).assign(what="host")
    hosts[STAGES] = hosts[STAGES].astype("Int64").mask(hosts["exiles"] < LEAST)
    corridors = result.incidents.groupby(["origin", "host"])["exile_id"].nunique().reset_index()
    corridors = corridors.set_axis(["from", "to", "exiles"], axis=1).assign(what="from origin")
    moved = moves(result.stays, LEAST).assign(what="move")
    lines = [corridors[corridors["exiles"] >= LEAST], moved[moved["from"] != OTHER]]
    order = {"by": ["what", "exiles", "from", "to"], "ascending": [True, False, True, True]}
    data = pd.concat([hosts, pd.concat(lines, ignore_index=True).sort_values(**order)])
    data = data.reset_index(drop=True).reindex(columns=COLUMNS)
    return data.astype({"from": "str", "to": "str", "exiles": "Int64"})


def _shown(data: pd.DataFrame, places: dict[str, np.ndarray], inside: set[str]) -> np.ndarray:
    """Whether each row is on the map, or why not; a host has no `from`."""
    ends = data[["from", "to"]]
    on_record = (ends.isin(list(places)) | ends.isna()).all(axis=1)
    in_frame = (ends.isin(list(inside)) | ends.isna()).all(axis=1)
    reasons = ["no capital on record", "outside the frame"]
    return np.select([~on_record, ~in_frame], reasons, "on the map")


def caught_by_host(result: Journeys, info: Info) -> Chart:
    """Of the exiles on record in a host, what share was held, returned or attacked there?

    Parameters
    ----------
    result
        From `cape.journeys.journeys`.
    info
        The dataset, for the source line.

    Returns
    -------
    Chart
        One row a host, with its 95 % interval; a hollow diamond is the share drawn towards those
        of the other hosts. The frame behind: label, value, low, high, n (exiles on record in the
        host), strong, pooled.
    """
    table = result.hosts
    labels = [
        f"{row.hosts} other states" if row.host == OTHER else states()[row.host]
        for row in table.itertuples()
    ]
    data = behind(labels, table, "share", n="exiles")
    data["strong"] = table["host"] != OTHER
    data["pooled"] = table["pooled"]
    rows = []
    for row in data.itertuples():
        recorded = Mark(row.value, row.low, row.high, BLUE if row.strong else GREY)
        pooled = Mark(row.pooled, colour=INK, marker="D", size=6, shift=0.26)
        rows.append(Row(row.label, (recorded, pooled), with_n(row)))
    title = "Of the exiles recorded in a host, what share was caught there?"
    span = years((result.first_year, result.last_year))
    total = f"{result.located} exiles with a host on record, {span}"
    what = "Caught: held, returned or attacked. A share of the recorded, not a risk"
    lines = "Lines: 95 %, allowing for exiles reported together; none where one report has most"
    few = "Diamonds: drawn towards all hosts where cases are few"
    subtitle = f"{info.heading}: {total}. {what}. {lines}. {few}."
    return forest_chart(rows, data, info, title, subtitle, label="share of the recorded exiles")
