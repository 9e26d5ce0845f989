"""Maps and charts of journeys. A map shows capitals only: nothing more precise than a state is in the data."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.patheffects import withStroke
from matplotlib.textpath import TextPath

from capelib.dataset import Info
from capelib.figures.charts import intervals
from capelib.figures.style import (
    ACCENT,
    GREY,
    INK,
    ORIGIN_COLOURS,
    STAGE_COLOURS,
    Chart,
    canvas,
    note,
    style,
)
from capelib.questions.hosts import years
from capelib.questions.journeys import OTHER, Journeys, by_host, moves
from capelib.reference.places import capital, capitals, shapes
from capelib.vocabulary.codebook import codes
from capelib.vocabulary.tables import states

LAND, HOSTS = "#EFEEEA", "#D9D7CF"  # the background, and the states with exiles on record
LEAST = 3  # lines and circles for fewer exiles are pooled or not split
SPARE = (
    0.02  # the frame may leave out far hosts that together hold at most this share of the exiles
)
MARGIN, SMALLEST = (
    4.0,
    30.0,
)  # degrees of the equator: around the outermost capital, and the least width of the frame
LARGEST = 24.0  # radius of the largest circle in points
STRIP = 1.0  # inches for the legend below the map
COLUMNS = ["what", "from", "to", "exiles", "stage_1", "stage_2", "stage_3", "shown"]


def equal_earth(longitude: np.ndarray, latitude: np.ndarray, centre: float = 0.0) -> np.ndarray:
    """Longitudes and latitudes in degrees as points (x, y) of the Equal Earth map, in degrees of the equator.

    Areas keep their proportions. centre: the meridian in the middle, degrees.
    Source: Šavrič, Patterson and Jenny 2019, International Journal of Geographical Information Science 33(3), 454-465.

    >>> np.radians(equal_earth(np.array([180.0, 0.0]), np.array([0.0, 90.0]))).round(4).tolist()
    [[2.7066, 0.0], [0.0, 1.3174]]
    """
    a1, a2, a3, a4 = 1.340264, -0.081106, 0.000893, 0.003796
    t = np.arcsin(np.sqrt(3) / 2 * np.sin(np.radians(latitude)))
    x = (
        (longitude - centre)
        * np.cos(t)
        / (np.sqrt(3) / 2 * (a1 + 3 * a2 * t**2 + t**6 * (7 * a3 + 9 * a4 * t**2)))
    )
    return np.column_stack([x, np.degrees(t * (a1 + a2 * t**2 + t**6 * (a3 + a4 * t**2)))])


def journey_map(result: Journeys, info: Info, origins: Sequence[str]) -> Chart:
    """Where do exiles go, and where are they caught? A map with a circle at the capital of each host.

    result: from `cape.journeys.journeys`. origins: the pursuing states. A circle's area is the number of exiles on record in the
    state, the darker areas within it those held, and those returned or attacked; states with one or two exiles get a dot.
    Lines join a pursuing state with a host of three or more of its exiles (no path: how they went is not on record); black
    arrows are moves between hosts by three or more. The frame may leave out far hosts, together at most one exile in fifty, and
    then names them.
    The frame behind: what (host, from origin, move), from, to, exiles, stage_1 to stage_3 (exiles by highest stage; missing for
    fewer than three), shown (on the map, outside the frame, no capital on record).
    """
    data = _frame_behind(result)
    hosts = data[data["what"] == "host"]
    title = "Where do exiles go, and where are they caught?"
    counted = (
        f"{result.located} {'exile' if result.located == 1 else 'exiles'} with a host on record"
    )
    pairs = f"{counted}, {years((result.first_year, result.last_year))}"
    subtitle = f"{info.heading}: {pairs}. Circles stand at capitals: no place is more precise than a state. A collection, not a rate."
    known = [
        state for state in dict.fromkeys([*origins, *hosts["to"]]) if state in capitals().index
    ]
    with style():
        centre = _middle([capital(state)[0] for state in known])
        places = {state: equal_earth(*np.array([capital(state)]).T, centre)[0] for state in known}
        inside, box = _frame(places, hosts, origins)
        width, height = box[1] - box[0], box[3] - box[2]
        tall = 7.72 * float(np.clip(height / width, 0.45, 0.7)) + 1.0 + STRIP + 0.3
        figure, axis = canvas(
            title, subtitle, info, height=tall, left=0.015, right=0.985, bottom=(STRIP + 0.3) / tall
        )
        _limits(figure, axis, box)
        _land(axis, centre, set(hosts["to"]), origins)
        ends = data[["from", "to"]]
        data["shown"] = np.select(
            [
                ~(ends.isin(list(places)) | ends.isna()).all(axis=1),
                ~(ends.isin(list(inside)) | ends.isna()).all(axis=1),
            ],
            ["no capital on record", "outside the frame"],
            "on the map",
        )
        drawn = data[data["shown"] == "on the map"]
        top = max(float(hosts["exiles"].max()) if len(hosts) else 0.0, 20.0)
        _lines(axis, drawn, places)
        _circles(axis, drawn, places, top)
        _labels(figure, axis, drawn, places, [state for state in origins if state in inside], top)
        if hosts.empty:
            note(
                axis,
                0.5,
                0.93,
                "no host on record",
                xycoords="axes fraction",
                ha="center",
                color=ACCENT,
                fontsize=11,
            )
        _legend(figure, tall, data, top, origins)
        return Chart(figure, data[COLUMNS], title, info)


def _frame_behind(result: Journeys) -> pd.DataFrame:
    hosts = by_host(result.incidents, least=1).rename(columns={"host": "to"}).assign(what="host")
    hosts[["stage_1", "stage_2", "stage_3"]] = (
        hosts[["stage_1", "stage_2", "stage_3"]].astype("Int64").mask(hosts["exiles"] < LEAST)
    )
    counted = (
        result.incidents.groupby(["origin", "host"])["exile_id"]
        .nunique()
        .rename("exiles")
        .reset_index()
    )
    counted = counted.set_axis(["from", "to", "exiles"], axis=1).assign(what="from origin")
    moved = moves(result.stays, LEAST).assign(what="move")
    lines = pd.concat(
        [counted[counted["exiles"] >= LEAST], moved[moved["from"] != OTHER]], ignore_index=True
    )
    lines = lines.sort_values(["what", "exiles", "from", "to"], ascending=[True, False, True, True])
    return (
        pd.concat([hosts, lines], ignore_index=True)
        .reindex(columns=COLUMNS)
        .astype({"from": "str", "to": "str", "exiles": "Int64"})
    )


def _middle(longitudes: Sequence[float]) -> float:
    """The middle of some longitudes, round the globe: whole degrees."""
    angles = np.radians(longitudes if len(longitudes) else [0.0])
    return float(np.round(np.degrees(np.arctan2(np.sin(angles).sum(), np.cos(angles).sum()))))


def _frame(
    places: dict[str, np.ndarray], hosts: pd.DataFrame, origins: Sequence[str]
) -> tuple[set[str], np.ndarray]:
    """The states inside the frame, and its left, right, bottom and top: all origins, and the hosts but for the farthest few."""
    fixed = [state for state in origins if state in places]
    known = hosts[hosts["to"].isin(list(places))]
    exiles = known["exiles"].to_numpy(dtype=float)
    points = np.array([places[state] for state in known["to"]]).reshape(-1, 2)
    far = (
        np.hypot(*(points - np.average(points, axis=0, weights=exiles)).T) if len(known) else exiles
    )
    order = np.argsort(far, kind="stable")
    near = known["to"].to_numpy()[order]
    spare = int(
        (exiles[order][::-1].cumsum() <= SPARE * exiles.sum()).sum()
    )  # so many of the farthest may be left out

    def box(left_out: int) -> np.ndarray:
        corners = np.array(
            [places[state] for state in [*fixed, *near[: len(near) - left_out]]] or [[0.0, 0.0]]
        )
        low, high = corners.min(axis=0) - MARGIN, corners.max(axis=0) + MARGIN
        short = np.maximum(np.array([SMALLEST, 0.5 * SMALLEST]) - (high - low), 0) / 2
        return np.array([*(low - short), *(high + short)])[[0, 2, 1, 3]]

    def cost(left_out: int) -> float:
        left, right, bottom, top = box(left_out)
        return (
            (right - left) * (top - bottom) * 1.2**left_out
        )  # a state is only left out where the frame shrinks by a sixth

    best = min(range(spare + 1), key=cost)
    return {*fixed, *near[: len(near) - best]}, box(best)


def _limits(figure: Figure, axis: Axes, box: np.ndarray) -> None:
    """Sets the limits so that the box lies inside and a degree is as long in x as in y."""
    spot, (wide, tall) = axis.get_position(), figure.get_size_inches()
    ratio = (spot.height * tall) / (spot.width * wide)
    middle, size = (box[:2].mean(), box[2:].mean()), max(box[1] - box[0], (box[3] - box[2]) / ratio)
    axis.set(
        xlim=(middle[0] - size / 2, middle[0] + size / 2),
        ylim=(middle[1] - size * ratio / 2, middle[1] + size * ratio / 2),
    )
    axis.set(xticks=[], yticks=[], facecolor="white")
    for side in axis.spines.values():
        side.set(visible=True, color="#C9C9C9", linewidth=0.8)


def _land(axis: Axes, centre: float, hosts: set[str], origins: Sequence[str]) -> None:
    (left, right), (bottom, top) = axis.get_xlim(), axis.get_ylim()
    for shape in shapes():
        rings = []
        for ring in shape.rings:
            turn = 360 * np.round((ring[:, 0].mean() - centre) / 360)
            points = equal_earth(ring[:, 0] - turn, ring[:, 1], centre)
            low, high = points.min(axis=0), points.max(axis=0)
            if low[0] < right and high[0] > left and low[1] < top and high[1] > bottom:
                rings.append(Path(points, closed=True))
        if rings:
            colour = HOSTS if shape.iso3 in hosts else LAND
            patch = PathPatch(
                Path.make_compound_path(*rings),
                facecolor=colour,
                edgecolor="white",
                linewidth=0.6,
                zorder=1,
            )
            axis.add_patch(patch)
            if shape.iso3 in origins:
                tint = ORIGIN_COLOURS.get(shape.iso3, ORIGIN_COLOURS["all"])
                axis.add_patch(
                    PathPatch(
                        patch.get_path(),
                        facecolor=tint,
                        alpha=0.4,
                        edgecolor="white",
                        linewidth=0.6,
                        zorder=1.1,
                    )
                )


def _lines(axis: Axes, drawn: pd.DataFrame, places: dict[str, np.ndarray]) -> None:
    most = max(
        float(drawn.loc[drawn["what"] != "host", "exiles"].max())
        if (drawn["what"] != "host").any()
        else 0.0,
        10.0,
    )
    for what, left, to, exiles in drawn.loc[
        drawn["what"] != "host", ["what", "from", "to", "exiles"]
    ].itertuples(index=False):
        start, end = places[left], places[to]
        bend = (start + end) / 2 + 0.16 * np.array([start[1] - end[1], end[0] - start[0]])
        colour = INK if what == "move" else ORIGIN_COLOURS.get(left, ORIGIN_COLOURS["all"])
        path = Path(np.array([start, bend, end]), [Path.MOVETO, Path.CURVE3, Path.CURVE3])
        how = {
            "linewidth": 0.7 + 4.3 * float(exiles) / most,
            "edgecolor": colour,
            "alpha": 0.75,
            "capstyle": "round",
            "zorder": 2,
        }
        axis.add_patch(PathPatch(path, facecolor="none", **how))
        if what == "move":
            axis.annotate(
                "",
                end,
                bend,
                arrowprops={"arrowstyle": "-|>", "color": INK, "linewidth": 0, "shrinkB": 3},
                zorder=4,
            )


def _radius(exiles: float, top: float) -> float:
    return LARGEST * float(np.sqrt(exiles / top))


def _circles(axis: Axes, drawn: pd.DataFrame, places: dict[str, np.ndarray], top: float) -> None:
    for row in (
        drawn[drawn["what"] == "host"]
        .sort_values("exiles", ascending=False, kind="stable")
        .itertuples()
    ):
        parts = (
            [row.exiles, row.stage_2 + row.stage_3, row.stage_3] if row.exiles >= LEAST else None
        )
        _circle(axis, places[row.to], parts, top)


def _circle(axis: Axes, where: np.ndarray, parts: list[int] | None, top: float) -> None:
    """A circle with the exiles of at least each stage as areas in each other; without parts a dot: one or two exiles."""
    if parts is None:
        axis.scatter(*where, s=11, color="white", edgecolor=INK, linewidth=0.9, zorder=3.2)
        return
    for stage, exiles in zip((1, 2, 3), parts, strict=True):
        if exiles:
            edge = {"edgecolor": INK, "linewidth": 0.7} if stage == 1 else {"linewidth": 0}
            axis.scatter(
                *where,
                s=(2 * _radius(float(exiles), top)) ** 2,
                color=STAGE_COLOURS[stage],
                zorder=3,
                **edge,
            )


def _labels(
    figure: Figure,
    axis: Axes,
    drawn: pd.DataFrame,
    places: dict[str, np.ndarray],
    origins: Sequence[str],
    top: float,
    most: int = 12,
) -> None:
    """Names of the pursuing states and of the largest hosts, each where it covers nothing; one that finds no room is left out."""
    spot, (wide, _) = axis.get_position(), figure.get_size_inches()
    (left, right), (bottom, upper) = axis.get_xlim(), axis.get_ylim()
    scale = 72 * spot.width * wide / (right - left)  # points for a degree
    size = {
        row.to: (int(row.exiles), max(_radius(float(row.exiles), top), 2.5))
        for row in drawn[drawn["what"] == "host"].itertuples()
    }
    at = {state: scale * (places[state] - (left, bottom)) for state in {*size, *origins}}
    edge = scale * np.array([right - left, upper - bottom])
    taken = [np.array([*(at[state] - r), *(at[state] + r)]) for state, (_, r) in size.items()]
    largest = [
        state
        for state, (exiles, _) in sorted(size.items(), key=lambda item: (-item[1][0], item[0]))
        if exiles >= LEAST
    ]
    for state in dict.fromkeys([*largest[:3], *origins, *largest[:most]]):
        exiles, r = size.get(state, (0, 3.0))
        text = f"{states()[state]} {exiles}" if exiles >= LEAST else states()[state]
        bold = "bold" if state in origins else "normal"
        outline = TextPath(
            (0, 0), text, size=8.5, prop={"family": "DejaVu Sans", "weight": bold}
        ).get_extents()
        half = np.array([outline.width, 8.5]) / 2
        for angle in (0, 180, 90, 270, 45, 135, 225, 315):
            turn = np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
            middle = at[state] + turn * (r + 3) + np.sign(turn.round(6)) * half
            area = np.array([*(middle - half), *(middle + half)])
            clear = all(
                area[0] > other[2] or area[2] < other[0] or area[1] > other[3] or area[3] < other[1]
                for other in taken
            )
            if clear and (area[:2] > 3).all() and (area[2:] < edge - 3).all():
                taken.append(area)
                place = middle / scale + (left, bottom)
                note(
                    axis,
                    *place,
                    text,
                    ha="center",
                    va="center_baseline",
                    weight=bold,
                    zorder=6,
                    path_effects=[withStroke(linewidth=2, foreground="#FFFFFFCC")],
                )
                break


def _legend(
    figure: Figure, tall: float, data: pd.DataFrame, top: float, origins: Sequence[str]
) -> None:
    """The strip below the map, in points: what circles and lines mean, how large they are, and what is not on the map."""
    width = 0.97 * 8.0
    axis = figure.add_axes((0.015, 0.3 / tall, 0.97, STRIP / tall))
    axis.set(xlim=(0, 72 * width), ylim=(0, 72 * STRIP))
    axis.axis("off")
    hosts = data[data["what"] == "host"]
    sizes = [n for n in (3, 10, 30, 100, 300, 1000) if n <= top]
    x, y = 4.0, 42.0
    for n in sizes[-3:]:
        r = _radius(n, top)
        x += r
        axis.scatter(x, y, s=(2 * r) ** 2, facecolor="none", edgecolor=INK, linewidth=0.7)
        note(axis, x, y - r - 2, str(n), ha="center", va="top", fontsize=7.5)
        x += r + 8
    axis.scatter(x + 4, y, s=11, color="white", edgecolor=INK, linewidth=0.9)
    note(axis, x + 4, y - 6, "1 or 2", ha="center", va="top", fontsize=7.5)
    note(axis, x + 20, y, "exiles\non record", va="center", fontsize=8)
    x += 72
    for stage, name in codes("stage").items():
        k = int(stage)
        axis.scatter(
            x, y + 14 - 14 * (k - 1), s=60, color=STAGE_COLOURS[k], edgecolor=INK, linewidth=0.5
        )
        words = {1: "on notice (pale rim)", 2: "held", 3: "returned or attacked (dark core)"}.get(
            k, name
        )
        note(axis, x + 9, y + 14 - 14 * (k - 1), words, va="center", fontsize=8)
    x += 170
    lines = data["what"] != "host"
    if lines.any():
        tints = [ORIGIN_COLOURS[state] for state in origins if state in ORIGIN_COLOURS] or [
            ORIGIN_COLOURS["all"]
        ]
        for place, tint in enumerate(tints):
            axis.plot(
                [x, x + 20],
                [y + 14 - 3 * place] * 2,
                color=tint,
                linewidth=1.6,
                solid_capstyle="butt",
            )
        note(
            axis,
            x + 26,
            y + 8,
            "pursuing state (bold) and host of three\nor more of its exiles; no path",
            va="center",
            fontsize=8,
        )
    moved = data["what"] == "move"
    words = (
        "move between hosts by three or more exiles"
        if moved.any()
        else "no move between two hosts\nby three or more exiles"
    )
    if moved.any():
        axis.annotate(
            "", (x + 20, y - 14), (x, y - 14), arrowprops={"arrowstyle": "-|>", "color": INK}
        )
    note(axis, x + 26, y - 14, words, va="center", fontsize=8)
    notes = []
    for shown in ("outside the frame", "no capital on record"):
        named = hosts[hosts["shown"] == shown]
        if len(named):
            told = [
                f"{states()[row.to]} {row.exiles if row.exiles >= LEAST else '1 or 2'}"
                for row in named.itertuples()
            ]
            more = f" and {len(told) - 6} more states" if len(told) > 6 else ""
            notes.append(f"{shown.capitalize()}: {', '.join(told[:6])}{more}.")
    note(axis, 4, 2, " ".join(notes), va="bottom", fontsize=8, color=GREY)


def caught_by_host(result: Journeys, info: Info) -> Chart:
    """Of the exiles on record in a host, what share was held, returned or attacked there? One row a host, with its 95 % interval.

    The frame behind: label, value, low, high, n (exiles on record in the host).
    """
    rows = result.hosts
    labels = [
        f"{n} other states" if host == OTHER else states()[host]
        for host, n in zip(rows["host"], rows["hosts"], strict=True)
    ]
    data = pd.DataFrame(
        {
            "label": labels,
            "value": rows["share"],
            "low": rows["low"],
            "high": rows["high"],
            "n": rows["exiles"],
        }
    )
    data["strong"] = rows["host"] != OTHER
    title = "Of the exiles recorded in a host, what share was caught there?"
    span = years((result.first_year, result.last_year))
    what = f"{result.located} exiles with a host on record, {span}. Caught: held, returned or attacked. A share of the recorded, not a risk"
    return intervals(data, info, title, f"{info.heading}: {what}. Lines: 95 % (Wilson).")
