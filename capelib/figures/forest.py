"""One row an estimate: points with their 95 % intervals, and the numbers beside them."""

from collections.abc import Sequence
from math import ceil, floor, inf, log10, nan
from textwrap import wrap
from typing import Any, NamedTuple

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.markers import CARETLEFT, CARETRIGHT
from matplotlib.ticker import NullLocator

from capelib.dataset import Info
from capelib.figures.style import (
    ACCENT,
    BLUE,
    DASHED,
    GREY,
    INK,
    Chart,
    canvas,
    in_percent,
    note,
    style,
    too_few,
)
from capelib.questions.wording import percent, points

# Widths of a letter, as fractions of the width of the figure.
LABEL_LETTER = 0.0084
WORDS_LETTER = 0.0082
LONGEST = 52  # letters of a label on one line: more would begin outside the figure
WIDEST = 30.0  # a log axis ends so many times beyond the smallest and the largest estimate
# The ticks of a log axis within a decade; the finest that are not too many are taken.
TICKS = (
    (1, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.8, 2, 3, 4, 5, 6, 7, 8, 9),
    (1, 1.5, 2, 3, 5, 7),
    (1, 2, 5),
    (1, 3),
    (1,),
)
TICK = 0.5  # inches that a tick of a log axis needs


class Mark(NamedTuple):
    """One estimate of a row.

    Attributes
    ----------
    value
        Where the marker stands; missing draws none.
    low, high
        Ends of the line; missing draws none.
    colour, marker, size
        As matplotlib names them, size in points. A diamond "D" is hollow.
    width
        Points of the line.
    shift
        Rows by which it stands lower than the middle of its row.
    """

    value: float
    low: float = nan
    high: float = nan
    colour: str = BLUE
    marker: str = "o"
    size: float = 7
    width: float = 2.2
    shift: float = 0.0


class Row(NamedTuple):
    """One row of a forest plot.

    Attributes
    ----------
    label
        Text on the left.
    marks
        What is drawn.
    words
        Text on the right.
    heading
        The label stands in bold over the rows below it.
    """

    label: str
    marks: tuple[Mark, ...] = ()
    words: str = ""
    heading: bool = False


class Reference(NamedTuple):
    """A value to draw a dashed line at, with its label."""

    value: float
    label: str
    colour: str = ACCENT


def places(rows: Sequence[Row]) -> list[float]:
    """Where the rows stand: one apart, more beside a label of three lines, more above a heading."""
    positions = []
    position = 0.0
    for number, row in enumerate(rows):
        more = 0.25 * max(0, on_lines(row.label).count("\n") - 1)
        position += more + (0.3 if row.heading and number else 0.0)
        positions.append(position)
        position += 1 + more
    return positions


def on_lines(label: str) -> str:
    """A label on as many lines as it needs: none is cut off at the edge of the figure.

    What stands in brackets at its end stays together.
    """
    if len(label) > LONGEST and label.endswith(")"):
        label = "\n(".join(label.rsplit(" (", 1))
    lines = [part for line in label.split("\n") for part in wrap(line, LONGEST) or [""]]
    return "\n".join(lines)


def margins(rows: Sequence[Row]) -> dict[str, float]:
    """Space for the labels and the words: `left` and `right` of the axes, for `canvas`."""
    lines = [line for row in rows for line in on_lines(row.label).split("\n")]
    label = max((len(line) for line in lines), default=0)
    words = max((len(row.words) for row in rows), default=13)
    left = min(0.045 + LABEL_LETTER * label, 0.46)
    right = 0.97 - WORDS_LETTER * words
    return {"left": left, "right": min(max(right, 0.65), 0.9)}


def forest(
    axis: Axes,
    rows: Sequence[Row],
    unit: str = "share",
    reference: Reference | None = None,
    limits: tuple[float, float] | None = None,
) -> None:
    """Draw rows of estimates on an axis; an arrow marks an interval that goes on beyond it.

    Parameters
    ----------
    axis
        Where to draw.
    rows
        From top to bottom; without any, the axis says "too few cases".
    unit
        "share" (axis from 0 to 100 %), "difference" (percentage points), "ratio" (log scale with
        a line at 1), "rate" (log scale), or "count".
    reference
        A line to draw.
    limits
        Ends of a log axis; by default as `log_limits` gives them.
    """
    positions = places(rows)
    if unit not in ("ratio", "rate"):
        limits = None
    elif limits is None:
        marks = pd.DataFrame([mark[:3] for row in rows for mark in row.marks], columns=list("vlh"))
        limits = log_limits(marks["v"], marks["l"], marks["h"], unit)
    for position, row in zip(positions, rows, strict=True):
        for mark in row.marks:
            _draw(axis, position + mark.shift, mark, *(limits or (-inf, inf)))
        across = axis.get_yaxis_transform()
        note(axis, 1.02, position, row.words, xycoords=across, va="center")
    if not rows:
        too_few(axis)
    _scale(axis, unit, limits)
    axis.tick_params(axis="y", length=0, pad=7, colors=INK, labelleft=True)
    axis.set_yticks(positions, [on_lines(row.label) for row in rows])
    for label, row in zip(axis.get_yticklabels(), rows, strict=True):
        label.set_fontweight("bold" if row.heading else "normal")
    axis.set_ylim(positions[-1] + 0.6 if rows else 0.6, -0.95 if reference else -0.6)
    axis.spines["left"].set_visible(False)
    if reference is not None:
        colour = reference.colour
        axis.axvline(reference.value, color=colour, linewidth=1.3, linestyle=DASHED, zorder=0)
        note(axis, reference.value, -0.9, f" {reference.label}", color=colour, va="top")


def _draw(axis: Axes, position: float, mark: Mark, left: float, right: float) -> None:
    if pd.notna(mark.low):
        ends = [max(mark.low, left), min(mark.high, right)]
        line = {"linewidth": mark.width, "solid_capstyle": "butt"}
        axis.plot(ends, [position, position], color=mark.colour, **line)
        if mark.low < left:
            axis.plot(left, position, marker=CARETLEFT, color=mark.colour)
        if mark.high > right:
            axis.plot(right, position, marker=CARETRIGHT, color=mark.colour)
    if pd.notna(mark.value) and left <= mark.value <= right:
        shape = {
            "markersize": mark.size,
            "markerfacecolor": "white" if mark.marker == "D" else mark.colour,
            "markeredgewidth": 2.5 if mark.marker == "|" else 1.0,
        }
        axis.plot(
            mark.value, position, mark.marker, color=mark.colour, clip_on=False, zorder=3, **shape
        )


def _scale(axis: Axes, unit: str, limits: tuple[float, float] | None) -> None:
    """The x axis of a unit, with a grey line where there is no difference."""
    if unit == "share":
        axis.set_xlim(0, 1)
        in_percent(axis.xaxis)
    elif unit == "difference":
        axis.axvline(0, color=GREY, linewidth=1, zorder=0)
        axis.xaxis.set_major_formatter(_in_points)
        axis.set_xlabel("percentage points")
    elif limits is not None:
        ticks = _ticks(*limits, most=max(int(axis.bbox.width / axis.figure.dpi / TICK), 4))
        axis.set_xscale("log")
        axis.set_xlim(*limits)
        axis.set_xticks(ticks, [f"{tick:,.10g}" for tick in ticks])
        axis.xaxis.set_minor_locator(NullLocator())
        if unit == "ratio":
            axis.axvline(1, color=GREY, linewidth=1, zorder=0)


def _in_points(value: float, _position: int) -> str:
    """A tick of an axis of differences; a sum of steps may miss zero by a hair."""
    return f"{100 * value:+.0f}" if abs(value) > 1e-9 else "0"


def log_limits(
    value: pd.Series, low: pd.Series, high: pd.Series, unit: str = "ratio"
) -> tuple[float, float]:
    """Where does a log axis end? It holds all estimates and most of their intervals.

    Parameters
    ----------
    value, low, high
        Estimates and the ends of their intervals, some of them above 0.
    unit
        For a "ratio" the axis holds 1.

    Returns
    -------
    tuple of float
        Both ends, no further than 30 times beyond the smallest and the largest estimate, so that
        one vague estimate does not hide the others.
    """
    positive = value[value > 0]
    if positive.empty:
        return 0.1, 10.0
    # estimates without any interval leave both ends of `low` and `high` missing
    least = pd.Series([low[low > 0].min(), positive.min()]).min()
    most = pd.Series([high.max(), positive.max()]).max()
    left = max(least, positive.min() / WIDEST)
    right = min(most, positive.max() * WIDEST)
    if unit == "ratio":
        left = min(left, 0.9)
        right = max(right, 1.1)
    space = (right / left) ** 0.05
    return float(left / space), float(right * space)


def _ticks(left: float, right: float, most: int) -> list[float]:
    """The finest ticks of a log axis that are not more than `most`."""
    decades = [10.0**power for power in range(floor(log10(left)), ceil(log10(right)) + 1)]
    ticks: list[float] = []
    for steps in TICKS:
        ticks = [step * decade for decade in decades for step in steps]
        ticks = [tick for tick in ticks if left <= tick <= right]
        if len(ticks) <= most:
            return ticks
    return ticks[:: ceil(len(ticks) / most)]


def forest_chart(
    rows: Sequence[Row],
    data: pd.DataFrame,
    info: Info,
    title: str,
    subtitle: str,
    unit: str = "share",
    reference: Reference | None = None,
    label: str = "",
    also: str = "",
    pitch: float = 0.34,
    key: Sequence[tuple[float, str, str]] = (),
) -> Chart:
    """A chart of one forest plot.

    Parameters
    ----------
    rows, unit, reference
        As for `forest`.
    data
        The frame behind.
    info, title, subtitle, also
        As for `canvas`.
    label
        What the x axis shows.
    pitch
        Inches from row to row.
    key
        Texts above the axis: where each begins (a fraction of the axis), the text, its colour.

    Returns
    -------
    Chart
        Its figure has one axis.
    """
    length = places(rows)[-1] + 1 if rows else 1
    sizes = {"height": 1.85 + pitch * length, "space": 0.2 if key else 0.0, **margins(rows)}
    with style():
        figure, axis = canvas(title, subtitle, info, also=also, **sizes)
        forest(axis, rows, unit, reference)
        write_key(axis, key)
        if label:
            axis.set_xlabel(label)
        return Chart(figure, data, title, info)


def write_key(axis: Axes, key: Sequence[tuple[float, str, str]]) -> None:
    """Write texts above an axis; each with where it begins (a fraction of the axis) and colour."""
    above = {"xycoords": "axes fraction", "xytext": (0, 5), "textcoords": "offset points"}
    for x, text, colour in key:
        note(axis, x, 1, text, color=colour, weight="bold", **above)


def behind(
    label: Any, table: pd.DataFrame, value: str, low: str = "low", high: str = "high", n: str = "n"
) -> pd.DataFrame:
    """The frame behind a forest plot: label, value, low, high, n, from these columns of a table."""
    columns = {"value": value, "low": low, "high": high, "n": n}
    return pd.DataFrame({"label": label} | {name: table[of] for name, of in columns.items()})


def with_n(row: Any) -> str:
    """A share in words with its interval and its n: "78 % [66, 86], n = 49"."""
    return f"{percent(row.value, row.low, row.high)}, n = {row.n}"


def intervals(
    data: pd.DataFrame,
    info: Info,
    title: str,
    subtitle: str,
    reference: tuple[float, str] | None = None,
    signed: bool = False,
    also: str = "",
) -> Chart:
    """How large is each, and how sure? One row an estimate, a point with its 95 % interval.

    Parameters
    ----------
    data
        label, value, low, high (fractions), n (number or text), and optionally two columns of
        booleans: `published` draws a hollow diamond, for a number from a publication with the
        interval that its rounding allows; `strong` draws the row in colour.
    info
        The dataset, for the source line.
    title, subtitle
        Texts above the chart.
    reference
        A value to draw a line at, and its label.
    signed
        True for differences, shown in percentage points.
    also
        The source of published numbers, for the source line.

    Returns
    -------
    Chart
        The frame behind is `data`.
    """
    published = data["published"] if "published" in data else [False] * len(data)
    strong = data["strong"] if "strong" in data else [True] * len(data)
    rows = []
    for row, is_published, is_strong in zip(data.itertuples(), published, strong, strict=True):
        colour = BLUE if is_strong else GREY
        mark = Mark(row.value, row.low, row.high, colour, width=2.4 if is_strong else 1.4)
        if is_published:
            mark = mark._replace(colour=INK, marker="D")
        rows.append(Row(row.label, (mark,), _words(row, signed, bool(is_published))))
    unit = "difference" if signed else "share"
    line = None if reference is None else Reference(*reference)
    return forest_chart(rows, data, info, title, subtitle, unit, line, also=also, pitch=0.36)


def _words(row: Any, signed: bool, published: bool) -> str:
    if pd.isna(row.value):
        return "too few cases"
    if signed:
        return points(row.value, row.low, row.high)
    return f"{100 * row.value:.0f} %  published" if published else with_n(row)
