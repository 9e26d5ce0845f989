"""Figures of order: what is recorded before and after a step, and what cannot be told."""

import pandas as pd
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from capelib.dataset import Info
from capelib.estimators.event_order import AFTER, BEFORE, NONE, SAME, THEN, UNKNOWN
from capelib.figures.style import GREY, INK, Chart, canvas, note, style

# dark for what is certain, pale for what is not recorded; "cannot be told" is hatched, so that it is seen in grey as well
SHADES = {SAME: "#08306B", AFTER: "#4A90C2", UNKNOWN: "#FFFFFF", BEFORE: "#C9B26B", NONE: "#EDEDED"}


def sequence(
    data: pd.DataFrame,
    info: Info,
    title: str,
    subtitle: str,
    words: dict[str, str],
    axis_label: str,
) -> Chart:
    """What is recorded at or after a step? One bar of persons a kind, cut by what can be told about the order.

    data: `label` and a count for each of "same incident", "after", "cannot be told", "before only", "not recorded" (other columns
    are kept). words: what each of these is called in the key. axis_label: what a bar counts. The frame behind: as given.
    """
    with style():
        longest = int(data["label"].str.len().max())
        size = {
            "height": 2.05 + 0.5 * len(data),
            "left": min(0.05 + 0.0092 * longest, 0.4),
            "right": 0.97,
        }
        figure, axis = canvas(title, subtitle, info, **size)
        start = pd.Series(0.0, index=data.index)
        for name in THEN:
            hatch = (
                {"hatch": "////", "edgecolor": GREY} if name == UNKNOWN else {"edgecolor": "white"}
            )
            axis.barh(
                data["label"],
                data[name],
                left=start,
                color=SHADES[name],
                height=0.62,
                linewidth=0.8,
                **hatch,
            )
            for place, (width, left) in enumerate(zip(data[name], start, strict=True)):
                if width:
                    box = (
                        {"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none"}
                        if name == UNKNOWN
                        else None
                    )
                    colour = "white" if name in (SAME, AFTER) else INK
                    note(
                        axis,
                        left + width / 2,
                        place,
                        f"{width:.0f}",
                        ha="center",
                        va="center",
                        color=colour,
                        bbox=box,
                    )
            start = start + data[name]
        axis.set(
            ylim=(len(data) - 0.45, -1.15), xlim=(0, max(float(start.max()), 1)), xlabel=axis_label
        )
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.tick_params(axis="y", length=0, colors=INK)
        axis.spines["left"].set_visible(False)
        handles = [
            Patch(facecolor=SHADES[name], edgecolor=GREY, hatch="////" if name == UNKNOWN else None)
            for name in THEN
        ]
        key = {
            "ncols": 5,
            "loc": "upper left",
            "bbox_to_anchor": (-0.01, 1.04),
            "columnspacing": 1.2,
        }
        axis.legend(
            handles,
            [words[name] for name in THEN],
            frameon=False,
            fontsize=8.5,
            handlelength=1.2,
            handletextpad=0.5,
            **key,
        )
        return Chart(figure, data, title, info)
