"""Figure of notebook 10: all specifications in order, and what each choice moves."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, NullLocator

from capelib.dataset import Info
from capelib.figures.style import ACCENT, BLUE, GREY, INK, PALE, Chart, canvas, note, style, too_few
from capelib.questions.specifications import Curve

EMPTY = "Too few cases for any specification"
MOST_LINES = 50  # labelings that are drawn each as a line; of more a band
TICKS = [0.1, 0.2, 0.5, 1, 2, 5, 10]  # of odds ratios


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
    distinct, listed = len(curve.table), curve.listed
    moved = "the same with the years moved"
    if curve.test.labelings > MOST_LINES:
        moved = f"the middle 95 % of {curve.test.labelings:,} curves with {curve.mark} moved"
    subtitle = (
        f"{info.heading}: {distinct:,} of {listed:,} listed specifications rest on rows of their "
        f"own. Blue: the specifications as they are, in order. Grey: {moved}. "
        "Below: median and middle half of the specifications with each option."
    )
    count = options["choice"].nunique()
    lower = 0.19 * (len(options) + count)
    height = 3.4 + lower
    with style():
        figure, axes = canvas(
            title, subtitle, info, rows=2, height=height, left=0.22, right=0.92,
            height_ratios=[2.2, lower], hspace=1.3 / (2.2 + lower),  # the same gap for any number
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
    """Estimates on the axis: points, percent a year, or times."""
    return _on_axis(values if curve.unit == "difference" else np.exp(values), curve)


def _on_axis(values: np.ndarray, curve: Curve) -> np.ndarray:
    """Values of the table on the axis."""
    if curve.unit == "odds ratio":
        return values
    return 100 * (values - 1) if curve.unit == "ratio" else 100 * values


def _none(curve: Curve) -> float:
    """Where the axis shows that there is nothing."""
    return 1.0 if curve.unit == "odds ratio" else 0.0


def _curve(axis: Axes, curve: Curve) -> None:
    """All estimates in order, and the same under the other labelings."""
    place = np.arange(1, curve.estimates.shape[1] + 1)
    moved = np.sort(curve.estimates[1:], axis=1)
    if len(moved) < MOST_LINES:
        for line in moved:
            axis.plot(place, _shown(line, curve), color=PALE, linewidth=1, zorder=1)
    else:
        low, high = np.quantile(moved, [0.025, 0.975], axis=0, method="nearest")
        band = _shown(low, curve), _shown(high, curve)
        axis.fill_between(place, *band, color=PALE, linewidth=0, zorder=1)
    values = _shown(curve.estimates[0], curve)
    axis.plot(place, np.sort(values), color=BLUE, linewidth=2.2, zorder=3)
    axis.axhline(_none(curve), color=GREY, linewidth=1, zorder=2)
    shown = values[curve.default]
    rank = int((values < shown).sum()) + 1
    axis.plot(rank, shown, "o", color=ACCENT, zorder=4)
    side = "right" if rank > len(values) / 2 else "left"
    words = "the notebook's " if side == "right" else " the notebook's"
    height = "bottom" if side == "right" else "top"
    note(axis, rank, shown, words, color=ACCENT, ha=side, va=height)
    axis.set_ylabel(_unit(curve))
    axis.set_xlim(0, len(values) + 1)
    axis.set_xlabel("specifications in order", size=8.5)
    if curve.unit == "odds ratio":
        axis.set_yscale("log")
        axis.yaxis.set_major_locator(FixedLocator(TICKS))
        axis.yaxis.set_major_formatter("{x:g}")
        axis.yaxis.set_minor_locator(NullLocator())


def _unit(curve: Curve) -> str:
    if curve.unit == "odds ratio":
        return "times the odds"
    return "percent a year" if curve.unit == "ratio" else "percentage points"


def _options(axis: Axes, options: pd.DataFrame, curve: Curve) -> None:
    """One row an option, a heading a choice."""
    table = options.copy()
    for name in ("low", "median", "high"):
        table[name] = _on_axis(table[name].to_numpy(), curve)
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
    axis.axvline(_none(curve), color=GREY, linewidth=1, zorder=0)
    axis.spines["left"].set_visible(False)
    axis.set_xlabel(f"{_unit(curve)}; on the right: how many specifications", size=8.5)
