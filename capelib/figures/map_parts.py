"""The parts of the map of journeys: projection, frame, land, lines, circles."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from capelib.figures.style import INK, STAGE_COLOURS, origin_colour
from capelib.reference.places import shapes

LAND = "#EFEEEA"
HOSTS = "#D9D7CF"  # the states with exiles on record
LEAST = 3  # lines and circles for fewer exiles are pooled or not split
SPARE = 0.02  # the frame may leave out far hosts that together hold this share of the exiles
MARGIN = 4.0  # degrees of the equator around the outermost capital
SMALLEST = 30.0  # least width of the frame, degrees of the equator
LARGEST = 24.0  # radius of the largest circle in points
DOT = {"s": 11, "color": "white", "edgecolor": INK, "linewidth": 0.9}  # one or two exiles

Places = Mapping[str, np.ndarray]  # the capital of each state as a point of the map


def equal_earth(longitude: np.ndarray, latitude: np.ndarray, centre: float = 0.0) -> np.ndarray:
    """Where do longitudes and latitudes lie on the Equal Earth map? Areas keep their proportions.

    Parameters
    ----------
    longitude, latitude
        Degrees, one a point.
    centre
        The meridian in the middle, degrees.

    Returns
    -------
    numpy.ndarray
        One row a point: x and y in degrees of the equator.

    References
    ----------
    Šavrič, Patterson and Jenny 2019, International Journal of Geographical Information Science
    33(3), 454-465.

    Examples
    --------
    >>> np.radians(equal_earth(np.array([180.0, 0.0]), np.array([0.0, 90.0]))).round(4).tolist()
    [[2.7066, 0.0], [0.0, 1.3174]]
    """
    a1, a2, a3, a4 = 1.340264, -0.081106, 0.000893, 0.003796
    t = np.arcsin(np.sqrt(3) / 2 * np.sin(np.radians(latitude)))
    slope = a1 + 3 * a2 * t**2 + t**6 * (7 * a3 + 9 * a4 * t**2)
    x = (longitude - centre) * np.cos(t) / (np.sqrt(3) / 2 * slope)
    return np.column_stack([x, np.degrees(t * (a1 + a2 * t**2 + t**6 * (a3 + a4 * t**2)))])


def middle_of(longitudes: Sequence[float]) -> float:
    """The middle of some longitudes, round the globe: whole degrees."""
    angles = np.radians(longitudes if len(longitudes) else [0.0])
    return float(np.round(np.degrees(np.arctan2(np.sin(angles).sum(), np.cos(angles).sum()))))


def frame(
    places: Places, hosts: pd.DataFrame, origins: Sequence[str]
) -> tuple[set[str], np.ndarray]:
    """Choose the part of the map to show: all origins, and the hosts but for the farthest few.

    Parameters
    ----------
    places
        Capitals.
    hosts
        `to` (state) and `exiles`.
    origins
        The pursuing states.

    Returns
    -------
    tuple
        The states inside the frame, and its left, right, bottom and top.
    """
    fixed = [state for state in origins if state in places]
    known = hosts[hosts["to"].isin(list(places))]
    exiles = known["exiles"].to_numpy(dtype=float)
    distance = exiles
    if len(known):
        points = np.array([places[state] for state in known["to"]])
        distance = np.hypot(*(points - np.average(points, axis=0, weights=exiles)).T)
    order = np.argsort(distance, kind="stable")
    near = [*known["to"].to_numpy()[order]]
    may_be_left_out = exiles[order][::-1].cumsum() <= SPARE * exiles.sum()
    boxes: list[np.ndarray] = []
    costs: list[float] = []
    for left_out in range(int(may_be_left_out.sum()) + 1):
        states = [*fixed, *near[: len(near) - left_out]]
        box = _box(np.array([places[state] for state in states] or [[0.0, 0.0]]))
        boxes.append(box)
        # A state is only left out where the frame shrinks by a sixth.
        costs.append((box[1] - box[0]) * (box[3] - box[2]) * 1.2**left_out)
    best = int(np.argmin(costs))
    return {*fixed, *near[: len(near) - best]}, boxes[best]


def _box(points: np.ndarray) -> np.ndarray:
    """Left, right, bottom and top around some points, with a margin and a least size."""
    low = points.min(axis=0) - MARGIN
    high = points.max(axis=0) + MARGIN
    lacking = np.maximum(np.array([SMALLEST, SMALLEST / 2]) - (high - low), 0) / 2
    (left, bottom), (right, top) = low - lacking, high + lacking
    return np.array([left, right, bottom, top])


def set_limits(figure: Figure, axis: Axes, box: np.ndarray) -> None:
    """Set the limits so that the box lies inside and a degree is as long in x as in y."""
    place = axis.get_position()
    width, height = figure.get_size_inches()
    ratio = (place.height * height) / (place.width * width)
    x, y = box[:2].mean(), box[2:].mean()
    half = max(box[1] - box[0], (box[3] - box[2]) / ratio) / 2
    axis.set(xlim=(x - half, x + half), ylim=(y - half * ratio, y + half * ratio))
    axis.set(xticks=[], yticks=[], facecolor="white")
    for side in axis.spines.values():
        side.set(visible=True, color="#C9C9C9", linewidth=0.8)


def draw_land(axis: Axes, centre: float, hosts: Collection[str], origins: Sequence[str]) -> None:
    """Draw the states: hosts darker, pursuing states in their colours."""
    edge = {"edgecolor": "white", "linewidth": 0.6}
    for shape in shapes():
        rings = [_ring(ring, centre) for ring in shape.rings]
        visible = [Path(points, closed=True) for points in rings if _is_visible(axis, points)]
        if not visible:
            continue
        path = Path.make_compound_path(*visible)
        colour = HOSTS if shape.iso3 in hosts else LAND
        axis.add_patch(PathPatch(path, facecolor=colour, zorder=1, **edge))
        if shape.iso3 in origins:
            tint = {"facecolor": origin_colour(shape.iso3), "alpha": 0.4}
            axis.add_patch(PathPatch(path, zorder=1.1, **tint, **edge))


def _ring(ring: np.ndarray, centre: float) -> np.ndarray:
    """A ring of longitudes and latitudes as points of the map, on the side where its middle is."""
    turns = 360 * np.round((ring[:, 0].mean() - centre) / 360)
    return equal_earth(ring[:, 0] - turns, ring[:, 1], centre)


def _is_visible(axis: Axes, points: np.ndarray) -> bool:
    (left, right), (bottom, top) = axis.get_xlim(), axis.get_ylim()
    (x_low, y_low), (x_high, y_high) = points.min(axis=0), points.max(axis=0)
    return bool(x_low < right and x_high > left and y_low < top and y_high > bottom)


def draw_lines(axis: Axes, lines: pd.DataFrame, places: Places) -> None:
    """Draw a curve a line of the frame behind, thicker for more exiles; a move is an arrow."""
    most = max([10.0, *lines["exiles"]])
    for line in lines[["what", "from", "to", "exiles"]].to_dict("records"):
        start, end = places[line["from"]], places[line["to"]]
        bend = (start + end) / 2 + 0.16 * np.array([start[1] - end[1], end[0] - start[0]])
        path = Path(np.array([start, bend, end]), [Path.MOVETO, Path.CURVE3, Path.CURVE3])
        is_move = line["what"] == "move"
        look = {
            "edgecolor": INK if is_move else origin_colour(line["from"]),
            "linewidth": 0.7 + 4.3 * float(line["exiles"]) / most,
            "alpha": 0.75,
            "capstyle": "round",
        }
        axis.add_patch(PathPatch(path, facecolor="none", zorder=2, **look))
        if is_move:
            arrow = {"arrowstyle": "-|>", "color": INK, "linewidth": 0, "shrinkB": 3}
            axis.annotate("", end, bend, arrowprops=arrow, zorder=4)


def radius(exiles: float, top: float) -> float:
    """Points of a circle's radius: its area is the number of exiles. top: exiles of the largest."""
    return LARGEST * float(np.sqrt(exiles / top))


def draw_circles(axis: Axes, hosts: pd.DataFrame, places: Places, top: float) -> None:
    """Draw a circle a host, with the exiles of at least each stage as areas within each other."""
    for row in hosts.sort_values("exiles", ascending=False, kind="stable").itertuples():
        place = places[row.to]
        if row.exiles < LEAST:
            axis.scatter(*place, zorder=3.2, **DOT)
            continue
        areas = {1: row.exiles, 2: row.stage_2 + row.stage_3, 3: row.stage_3}
        for stage, exiles in areas.items():
            if exiles:
                size = (2 * radius(float(exiles), top)) ** 2
                edge = {"edgecolor": INK, "linewidth": 0.7} if stage == 1 else {"linewidth": 0}
                axis.scatter(*place, s=size, color=STAGE_COLOURS[stage], zorder=3, **edge)
