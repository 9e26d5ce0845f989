"""The words on the map of journeys: names of states that cover nothing, and the legend below."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patheffects import withStroke
from matplotlib.textpath import text_to_path

from capelib.figures.map_parts import DOT, LEAST, Places, radius
from capelib.figures.style import (
    GREY,
    INK,
    ORIGIN_COLOURS,
    STAGE_COLOURS,
    WIDTH,
    note,
    origin_colour,
)
from capelib.vocabulary.codebook import codes
from capelib.vocabulary.tables import states

STRIP = 1.0  # inches for the legend below the map
ANGLES = (0, 180, 90, 270, 45, 135, 225, 315)  # where a label may stand, in order of preference
CLEAR = 3  # points between a label and its circle, and between a label and the frame
MOST_LABELS = 12
MOST_NAMED = 6  # states that the legend names as not shown
STAGES = {1: "on notice (pale rim)", 2: "held", 3: "returned or attacked (dark core)"}
SIZES = (3, 10, 30, 100, 300, 1000)  # exiles of the circles in the legend, the three largest


def write_labels(
    axis: Axes,
    hosts: pd.DataFrame,
    places: Places,
    origins: Sequence[str],
    top: float,
) -> None:
    """Name the pursuing states and the largest hosts, each where it covers nothing.

    A label without a free place is left out. Lengths are in points, from the lower left corner.
    """
    left, bottom = axis.get_xlim()[0], axis.get_ylim()[0]
    points = 72 * axis.get_position().width * WIDTH / np.ptp(axis.get_xlim())  # of a degree
    corner = points * np.array([np.ptp(axis.get_xlim()), np.ptp(axis.get_ylim())])
    exiles = dict(zip(hosts["to"], hosts["exiles"].astype(int), strict=True))
    radii = {state: max(radius(float(n), top), 2.5) for state, n in exiles.items()}
    spots = {state: points * (places[state] - (left, bottom)) for state in {*exiles, *origins}}
    taken = [np.array([*(spots[state] - r), *(spots[state] + r)]) for state, r in radii.items()]
    largest = [state for state in exiles if exiles[state] >= LEAST]
    largest.sort(key=lambda state: (-exiles[state], state))
    for state in dict.fromkeys([*largest[:3], *origins, *largest[:MOST_LABELS]]):
        text = states()[state]
        if exiles.get(state, 0) >= LEAST:
            text = f"{text} {exiles[state]}"
        weight = "bold" if state in origins else "normal"
        half = _half_of(text, weight)
        for angle in ANGLES:
            turn = np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
            distance = turn * (radii.get(state, 3.0) + CLEAR)
            middle = spots[state] + distance + np.sign(turn.round(6)) * half
            area = np.array([*(middle - half), *(middle + half)])
            if _is_free(area, taken, corner):
                taken.append(area)
                outline = [withStroke(linewidth=2, foreground="#FFFFFFCC")]
                look = {"ha": "center", "va": "center_baseline", "weight": weight, "zorder": 6}
                place = middle / points + (left, bottom)
                note(axis, *place, text, path_effects=outline, **look)
                break


def _half_of(text: str, weight: str) -> np.ndarray:
    """Half of the width and the height of a label, points."""
    font = FontProperties(family="DejaVu Sans", weight=weight, size=8.5)
    width, _, _ = text_to_path.get_text_width_height_descent(text, font, ismath=False)
    return np.array([width, 8.5]) / 2


def _is_free(area: np.ndarray, taken: Sequence[np.ndarray], corner: np.ndarray) -> bool:
    """Whether an area (left, bottom, right, top) lies in the frame and covers no other."""
    inside = (area[:2] > CLEAR).all() and (area[2:] < corner - CLEAR).all()
    covers = any((area[:2] <= other[2:]).all() and (area[2:] >= other[:2]).all() for other in taken)
    return bool(inside and not covers)


def write_legend(
    figure: Figure, height: float, data: pd.DataFrame, top: float, origins: Sequence[str]
) -> None:
    """Write the strip below the map: what circles and lines mean, and what is not on the map.

    Lengths are in points. `height` is that of the figure, in inches.
    """
    axis = figure.add_axes((0.015, 0.3 / height, 0.97, STRIP / height))
    axis.set(xlim=(0, 72 * 0.97 * WIDTH), ylim=(0, 72 * STRIP))
    axis.axis("off")
    x, y = _sizes(axis, top)
    for stage, name in codes("stage").items():
        line = y + 14 * (2 - int(stage))
        look = {"s": 60, "color": STAGE_COLOURS[int(stage)], "edgecolor": INK, "linewidth": 0.5}
        axis.scatter(x, line, **look)
        note(axis, x + 9, line, STAGES.get(int(stage), name), va="center", fontsize=8)
    x += 170
    if (data["what"] != "host").any():
        tints = [origin_colour(state) for state in origins if state in ORIGIN_COLOURS]
        for place, tint in enumerate(tints or [ORIGIN_COLOURS["all"]]):
            line = {"linewidth": 1.6, "solid_capstyle": "butt", "color": tint}
            axis.plot([x, x + 20], [y + 14 - 3 * place] * 2, **line)
        words = "joins a pursuing state (bold) and a host\nof three or more of its exiles; no route"
        note(axis, x + 26, y + 8, words, va="center", fontsize=8)
    words = "no move between two hosts\nby three or more exiles"
    if (data["what"] == "move").any():
        words = "move between hosts by three or more exiles"
        arrow = {"arrowstyle": "-|>", "color": INK}
        axis.annotate("", (x + 20, y - 14), (x, y - 14), arrowprops=arrow)
    note(axis, x + 26, y - 14, words, va="center", fontsize=8)
    hosts = data[data["what"] == "host"]
    note(axis, 4, 2, _not_shown(hosts), va="bottom", fontsize=8, color=GREY)


def _sizes(axis: Axes, top: float) -> tuple[float, float]:
    """Circles of some sizes with their numbers; where the next part of the legend begins."""
    x, y = 4.0, 42.0
    number = {"ha": "center", "va": "top", "fontsize": 7.5}
    for exiles in [size for size in SIZES if size <= top][-3:]:
        r = radius(exiles, top)
        x += r
        axis.scatter(x, y, s=(2 * r) ** 2, facecolor="none", edgecolor=INK, linewidth=0.7)
        note(axis, x, y - r - 2, str(exiles), **number)
        x += r + 8
    axis.scatter(x + 4, y, **DOT)
    note(axis, x + 4, y - 6, "1 or 2", **number)
    note(axis, x + 20, y, "exiles\non record", va="center", fontsize=8)
    return x + 72, y


def _not_shown(hosts: pd.DataFrame) -> str:
    """Which hosts are not on the map, and why."""
    sentences = []
    for reason in ("outside the frame", "no capital on record"):
        names = []
        for row in hosts[hosts["shown"] == reason].itertuples():
            names.append(f"{states()[row.to]} {row.exiles if row.exiles >= LEAST else '1 or 2'}")
        if names:
            more = len(names) - MOST_NAMED
            tail = f" and {more} more states" if more > 0 else ""
            sentences.append(f"{reason.capitalize()}: {', '.join(names[:MOST_NAMED])}{tail}.")
    return " ".join(sentences)
