"""Figure of notebook 10: all specifications in order, and what each choice moves."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from capelib.dataset import Info
from capelib.figures.style import ACCENT, BLUE, GREY, INK, PALE, Chart, canvas, note, style, too_few
from capelib.questions.specifications import Curve

EMPTY = "Too few cases for any specification"


def all_specifications(curve: Curve | None, title: str, info: Info) -> Chart:
    """What does each defensible specification give, and which choice moves it?

    Parameters
    ----------
    curve
        From `cape.specifications`; None draws an empty figure.
    title
        The question.
    info
        The dataset.

    Returns
    -------
    Chart
        The frame behind: one row a specification, its options, how many listed ones are the same
        rows, value, p.
    """
    if curve is None:
        return _empty(title, info)
    options = curve.by_option()
    own, listed = len(curve.table), curve.listed
    subtitle = (
        f"{info.heading}: {own:,} of {listed:,} listed specifications rest on rows of their own. "
        "Blue: the specifications as they are, in order. Grey: the same with the years moved. "
        "Below: median and middle half of the specifications with each option."
    )
    count = options["choice"].nunique()
    height = 3.4 + 0.19 * (len(options) + count)
    with style():
        figure, axes = canvas(
            title, subtitle, info, rows=2, height=height, left=0.22, right=0.92,
            height_ratios=[2.2, 0.19 * (len(options) + count)], hspace=0.16,
        )  # fmt: skip
        _curve(axes[0], curve)
        _options(axes[1], options, curve)
        return Chart(figure, curve.table, title, info)


def _empty(title: str, info: Info) -> Chart:
    with style():
        figure, axis = canvas(title, f"{info.heading}. {EMPTY}.", info, height=2.6)
        too_few(axis)
        return Chart(figure, pd.DataFrame({"value": []}), title, info)


def _shown(values: np.ndarray, curve: Curve) -> np.ndarray:
    """On the axis: points, or percent a year."""
    return 100 * (np.exp(values) - 1) if curve.unit == "ratio" else 100 * values


def _curve(axis: Axes, curve: Curve) -> None:
    """All estimates in order, and the same under each other labeling."""
    place = np.arange(1, curve.estimates.shape[1] + 1)
    for moved in curve.estimates[1:]:
        axis.plot(place, np.sort(_shown(moved, curve)), color=PALE, linewidth=1, zorder=1)
    values = _shown(curve.estimates[0], curve)
    axis.plot(place, np.sort(values), color=BLUE, linewidth=2.2, zorder=3)
    axis.axhline(0, color=GREY, linewidth=1, zorder=2)
    own = values[curve.default]
    rank = int((values < own).sum()) + 1
    axis.plot(rank, own, "o", color=ACCENT, zorder=4)
    side = "right" if rank > len(values) / 2 else "left"
    words = "the notebook's " if side == "right" else " the notebook's"
    note(axis, rank, own, words, color=ACCENT, ha=side, va="bottom")
    axis.set_ylabel(_unit(curve))
    axis.set_xlim(0, len(values) + 1)
    axis.set_xlabel("specifications in order", size=8.5)


def _unit(curve: Curve) -> str:
    return "percent a year" if curve.unit == "ratio" else "percentage points"


def _options(axis: Axes, options: pd.DataFrame, curve: Curve) -> None:
    """One row an option, a heading a choice."""
    table = options.copy()
    for name in ("low", "median", "high"):
        values = table[name].to_numpy()
        table[name] = 100 * (values - 1) if curve.unit == "ratio" else 100 * values
    place, labels, position = [], [], 0.0
    for choice, rows in table.groupby("choice", sort=False):
        place.append(position)
        labels.append(str(choice))
        position += 1
        for row in rows.itertuples():
            axis.plot([row.low, row.high], [position] * 2, color=BLUE, linewidth=2.2)
            axis.plot(row.median, position, "o", color=BLUE, markersize=4.5)
            note(axis, 1.01, position, f"{row.n:,}", xycoords=axis.get_yaxis_transform(),
                 va="center", fontsize=7.5, color=GREY)  # fmt: skip
            place.append(position)
            labels.append(str(row.option))
            position += 1
    heads = set(table["choice"])
    axis.set_yticks(place, labels)
    for tick in axis.get_yticklabels():
        is_head = tick.get_text() in heads
        tick.set(fontsize=8, color=INK, fontweight="bold" if is_head else "normal")
    axis.tick_params(axis="y", length=0)
    axis.set_ylim(position - 0.4, -0.6)
    axis.axvline(0, color=GREY, linewidth=1, zorder=0)
    axis.spines["left"].set_visible(False)
    axis.set_xlabel(f"{_unit(curve)}; on the right: how many specifications", size=8.5)
