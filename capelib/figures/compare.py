"""Runs of one notebook side by side: the same estimates under other parameters."""

import re

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import NullFormatter, PercentFormatter

from capelib.dataset import Info
from capelib.figures.style import ACCENT, GREY, INK, ORIGIN_COLOURS, Chart, canvas, note, style

WIDEST_RATIO = 20.0  # intervals of ratios are cut here and at its inverse, so that one vague run does not hide the others
RATIO_TICKS = (  # the finest that are not too many
    (0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.8, 2),
    (0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 10, 20),
    (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20),
    (0.1, 0.3, 1, 3, 10),
)


def side_by_side(data: pd.DataFrame, info: Info, title: str, varied: str = "") -> Chart:
    """How do the main estimates differ from run to run? One block an estimate, one row a run, with 95 % intervals.

    data: run (label), estimate (label), value, low, high, n, unit ("share", "difference", "ratio", "count"), as the answers of runs
        give them. varied: the parameters that differ from run to run. The frame behind: the same.
    """
    blocks = [part.reset_index(drop=True) for _, part in data.groupby("estimate", sort=False)]
    rows = [len(block) for block in blocks]
    longest = int(data["run"].str.len().max())
    differ = f" that differ in {varied}" if varied else ""
    subtitle = f"{info.heading}: {data['run'].nunique()} runs{differ}, one row a run. Lines: 95 % intervals; an arrow goes on beyond the axis."
    with style():
        height = 1.75 + sum(0.3 * n + 0.55 for n in rows)
        grid = {
            "left": min(0.06 + 0.0092 * longest, 0.42),
            "right": 0.74,
            "height_ratios": [n + 1 for n in rows],
        }
        # 0.62 inches between blocks, as a part of the mean height of an axis
        between = 0.62 * len(rows) / max(height - 1.9 - 0.62 * (len(rows) - 1), 1)
        figure, axes = canvas(
            title, subtitle, info, len(blocks), 1, height=height, air=0.3, hspace=between, **grid
        )
        for axis, block in zip(np.atleast_1d(axes), blocks, strict=True):
            _block(axis, block)
        return Chart(figure, data, title, info)


def _block(axis: Axes, block: pd.DataFrame) -> None:
    unit = str(block["unit"].iloc[0])
    cut = (1 / WIDEST_RATIO, WIDEST_RATIO) if unit == "ratio" else (-np.inf, np.inf)
    for place, row in enumerate(block.itertuples()):
        if pd.isna(row.value):
            note(
                axis,
                1.02,
                place,
                "too few cases",
                xycoords=axis.get_yaxis_transform(),
                va="center",
                color=GREY,
            )
            continue
        colour = next(
            (
                tone
                for code, tone in ORIGIN_COLOURS.items()
                if code in re.findall(r"\w+", str(row.run))
            ),
            ORIGIN_COLOURS["KAZ"],
        )
        if pd.notna(row.low):
            ends = np.clip([row.low, row.high], *cut)
            axis.plot(ends, [place, place], color=colour, linewidth=2.2, solid_capstyle="butt")
            for end, arrow, beyond in (
                (ends[0], "<", row.low < cut[0]),
                (ends[1], ">", row.high > cut[1]),
            ):
                if beyond:  # the line goes on outside the axis
                    axis.plot(end, place, arrow, color=colour, markersize=6)
        if cut[0] <= row.value <= cut[1]:
            axis.plot(row.value, place, "o", color=colour, markersize=6.5, zorder=3)
        note(axis, 1.02, place, _said(row, unit), xycoords=axis.get_yaxis_transform(), va="center")
    axis.set_title(
        str(block["estimate"].iloc[0]), loc="left", size=10, weight="bold", color=INK, pad=4
    )
    axis.set_yticks(range(len(block)), block["run"])
    axis.set_ylim(len(block) - 0.4, -0.6)
    axis.tick_params(axis="y", length=0, colors=INK, labelleft=True)
    axis.spines["left"].set_visible(False)
    if unit == "ratio":
        axis.set_xscale("log")
        if (block["value"] * 0 == 0).any():
            inner = np.clip(block[["value", "low", "high"]].to_numpy(float), *cut)
            axis.set_xlim(
                np.nanmin([np.nanmin(inner), 0.9]) * 0.93, np.nanmax([np.nanmax(inner), 1.1]) * 1.08
            )
        low, high = axis.get_xlim()
        ticks = next(
            found
            for steps in RATIO_TICKS
            if len(found := [tick for tick in steps if low <= tick <= high]) <= 7
        )
        axis.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        axis.xaxis.set_minor_formatter(NullFormatter())
        axis.axvline(1, color=ACCENT, linewidth=1, linestyle=(0, (5, 3)), zorder=0)
    elif unit == "difference":
        axis.axvline(0, color=ACCENT, linewidth=1, linestyle=(0, (5, 3)), zorder=0)
        axis.xaxis.set_major_formatter(
            lambda value, _: f"{100 * value:+.0f}" if abs(value) > 1e-9 else "0"
        )
        axis.annotate(
            "percentage points",
            (1, 0),
            xycoords="axes fraction",
            xytext=(0, -22),
            textcoords="offset points",
            ha="right",
            size=8,
        )
    elif unit == "share":
        axis.set_xlim(0, 1)
        axis.xaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))


def _said(row: object, unit: str) -> str:
    scale, sign, end = {
        "share": (100, "", " %"),
        "difference": (100, "+", " points"),
        "ratio": (1, "", ""),
    }.get(unit, (1, "", ""))
    digits = ".2f" if unit == "ratio" else ",.0f"
    numbers = [scale * part for part in (row.value, row.low, row.high)]
    value, low, high = (
        format(part, ".1g" if unit == "ratio" and 0 < part < 0.05 else f"{sign}{digits}")
        for part in numbers
    )
    n = "" if pd.isna(row.n) else f", n = {row.n:,.0f}"
    return f"{value}{end}{n}" if pd.isna(row.low) else f"{value}{end} [{low}, {high}]{n}"
