"""What is recorded before and after a step, and what cannot be told: for notebooks 06 and 08."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from capelib.dataset import Info
from capelib.estimators.event_order import AFTER, BEFORE, NONE, SAME, THEN, UNKNOWN
from capelib.figures.style import GREY, INK, Chart, canvas, note, style

# Dark for what is certain, pale for what is not recorded; what cannot be told is hatched, so that
# it is seen in grey as well.
SHADES = {SAME: "#08306B", AFTER: "#4A90C2", UNKNOWN: "#FFFFFF", BEFORE: "#C9B26B", NONE: "#EDEDED"}


def sequence(
    data: pd.DataFrame,
    info: Info,
    title: str,
    subtitle: str,
    words: dict[str, str],
    axis_label: str,
) -> Chart:
    """What is recorded at or after a step? One bar of persons a kind, cut by their order.

    Parameters
    ----------
    data
        `label`, and a count for each of the orders in `estimators.event_order.THEN`; other
        columns are kept.
    info, title, subtitle
        As for `canvas`.
    words
        What each order is called in the key.
    axis_label
        What a bar counts.

    Returns
    -------
    Chart
        The frame behind is `data`.
    """
    left = min(0.05 + 0.0092 * int(data["label"].str.len().max()), 0.4)
    with style():
        figure, axis = canvas(title, subtitle, info, height=2.05 + 0.5 * len(data), left=left)
        start = pd.Series(0.0, index=data.index)
        for order in THEN:
            _segments(axis, data, order, start)
            start = start + data[order]
        axis.set(ylim=(len(data) - 0.45, -1.15), xlabel=axis_label)
        axis.set(xlim=(0, max(float(start.max()), 1)))
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.tick_params(axis="y", length=0, colors=INK)
        axis.spines["left"].set_visible(False)
        _key(axis, words)
        return Chart(figure, data, title, info)


def _segments(axis: Axes, data: pd.DataFrame, order: str, start: pd.Series) -> None:
    """One segment of each bar, with its count."""
    edge = {"hatch": "////", "edgecolor": GREY} if order == UNKNOWN else {"edgecolor": "white"}
    shape = {"color": SHADES[order], "height": 0.62, "linewidth": 0.8}
    axis.barh(data["label"], data[order], left=start, **shape, **edge)
    label = {"ha": "center", "va": "center", "color": "white" if order in (SAME, AFTER) else INK}
    if order == UNKNOWN:
        label["bbox"] = {"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none"}
    for place, (width, left) in enumerate(zip(data[order], start, strict=True)):
        if width:
            note(axis, left + width / 2, place, f"{width:.0f}", **label)


def _key(axis: Axes, words: dict[str, str]) -> None:
    handles = [
        Patch(facecolor=SHADES[order], edgecolor=GREY, hatch="////" if order == UNKNOWN else None)
        for order in THEN
    ]
    where = {"ncols": 5, "loc": "upper left", "bbox_to_anchor": (-0.01, 1.04)}
    look = {"frameon": False, "fontsize": 8.5, "handlelength": 1.2, "handletextpad": 0.5}
    names = [words[order] for order in THEN]
    axis.legend(handles, names, columnspacing=1.2, **where, **look)
