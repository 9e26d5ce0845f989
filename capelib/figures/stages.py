"""Figures of notebook 05: how far the pursuit of each exile went, whose went further, and how soon."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import (
    FixedLocator,
    FuncFormatter,
    MaxNLocator,
    NullLocator,
    PercentFormatter,
)

from capelib.dataset import Info
from capelib.figures.style import ACCENT, GREY, INK, STAGE_COLOURS, Chart, canvas, note, style
from capelib.questions.stages import Stages
from capelib.vocabulary.codebook import codes

HEADINGS = {"origin": "Pursuing state", "category": "Who the exile is"}


def stage_composition(result: Stages, info: Info, who: str) -> Chart:
    """What is the highest stage on record of each exile? Stacked bars by origin and category, with the interval of stage 3.

    result: from `cape.stages.stages`. who: for example "exiles pursued by Tajikistan".
    The frame behind: factor, level, label, stage, k, n, share, low, high, clusters, design_effect.
    """
    parts = {"": result.by_all, "origin": result.by_origin, "category": result.by_category}
    filled = {
        factor: part
        for factor, part in parts.items()
        if len(part) > (3 if factor == "origin" else 0)
    }  # one state is all of them
    data = pd.concat(
        [part.assign(factor=factor or "all") for factor, part in filled.items()]
        or [result.by_all.assign(factor="")]
    )
    data = data[["factor", *result.by_all.columns]].reset_index(drop=True)
    title = "How far did the pursuit of each exile go?"
    what = "highest stage on record, one count an exile. Lines: 95 % of the share at stage 3."
    subtitle = f"{info.heading}: {len(result.exiles)} {who}; {what} A collection, not a risk."
    rows = len(data) // 3
    with style():
        figure, axis = canvas(
            title, subtitle, info, height=2.35 + 0.29 * (rows + len(filled)), left=0.26, right=0.76
        )
        place, across = 0.0, axis.get_yaxis_transform()
        for factor, part in filled.items():
            if factor:
                note(
                    axis,
                    -0.02,
                    place,
                    HEADINGS[factor],
                    xycoords=across,
                    ha="right",
                    va="center",
                    weight="bold",
                )
                place += 1
            for _, level in part.groupby("level", sort=False):
                _bar(axis, place, level.set_index("stage"))
                place += 1
            place += 0.25
        if not filled:
            note(
                axis, 0.5, 0.5, "too few cases", xycoords="axes fraction", ha="center", color=ACCENT
            )
        else:
            _key(axis)
        axis.set(ylim=(max(place, 1) - 0.4, -1.1), xlim=(0, 1), yticks=[], xlabel="share of exiles")
        axis.xaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))
        axis.spines["left"].set_visible(False)
        return Chart(figure, data, title, info)


def _bar(axis: Axes, place: float, level: pd.DataFrame) -> None:
    """One stacked bar, stage 3 first, so that its interval can be drawn on a common base."""
    left = 0.0
    for stage in (3, 2, 1):
        axis.barh(
            place, level.loc[stage, "share"], left=left, color=STAGE_COLOURS[stage], height=0.72
        )
        left += level.loc[stage, "share"]
    last = level.loc[3]
    for colour, width in (("white", 4.5), (ACCENT, 2)):
        axis.plot(
            [last["low"], last["high"]],
            [place, place],
            color=colour,
            linewidth=width,
            solid_capstyle="butt",
            zorder=3,
        )
    across = axis.get_yaxis_transform()
    name = "All" if last["label"] == "all" else last["label"]
    note(axis, -0.02, place, name, xycoords=across, ha="right", va="center", fontsize=9)
    said = f"{100 * last['share']:.0f} % [{100 * last['low']:.0f}, {100 * last['high']:.0f}], n = {last['n']}"
    note(axis, 1.02, place, said, xycoords=across, va="center")


def _key(axis: Axes) -> None:
    """The three stages named above the first bar, where their colours are."""
    for at, stage in ((-0.3, 3), (0.36, 2), (0.66, 1)):
        text = f"■ stage {stage}: {codes('stage')[str(stage)].lower()}"
        note(
            axis,
            at,
            -0.78,
            text,
            va="center",
            weight="bold",
            color=STAGE_COLOURS[stage] if stage > 1 else "#6FA8CC",
        )
    note(
        axis,
        1.08,
        -0.78,
        "at stage 3",
        xycoords=axis.get_yaxis_transform(),
        va="center",
        weight="bold",
        color=STAGE_COLOURS[3],
    )


def stage_odds(result: Stages, info: Info, who: str) -> Chart:
    """Whose pursuit went further? Odds ratios of the ordered logit, and of the two binary logits that it joins in one.

    The frame behind: the `terms` of the fit (empty with too few cases).
    """
    fit = result.fit
    title = "Whose pursuit went further, other things equal?"
    what = "odds ratios of a higher stage, on a log scale, lines: 95 %"
    subtitle = f"{info.heading}: {len(result.exiles)} {who}; {'too few cases for a model.' if fit is None else what + '.'}"
    data = pd.DataFrame() if fit is None else fit.terms
    with style():
        groups = data["factor"].nunique() if fit else 0
        figure, axis = canvas(
            title,
            subtitle,
            info,
            height=2.2 + 0.4 * len(data) + 0.2 * groups,
            left=0.28,
            right=0.79,
        )
        if fit is None:
            note(
                axis, 0.5, 0.5, "too few cases", xycoords="axes fraction", ha="center", color=ACCENT
            )
            axis.set(xticks=[], yticks=[])
            return Chart(figure, data, title, info)
        place, across = 0.0, axis.get_yaxis_transform()
        shown = {
            "": ("o", INK, 2.4, 0.0),
            "held": ("^", "#4A90C2", 1.3, -0.24),
            "ended": ("s", ACCENT, 1.3, 0.24),
        }
        for factor, part in data.groupby("factor", sort=False):
            note(
                axis,
                -0.02,
                place,
                HEADINGS.get(str(factor), str(factor)),
                xycoords=across,
                ha="right",
                va="center",
                weight="bold",
            )
            place += 0.75
            for _, row in part.iterrows():
                label = f"{row['label']} ({row['n']})"
                note(
                    axis, -0.02, place, label, xycoords=across, ha="right", va="center", fontsize=9
                )
                if row["reference"]:
                    axis.plot(1, place, "|", color=GREY, markersize=11, markeredgewidth=2)
                    note(axis, 1.02, place, "reference", xycoords=across, va="center", color=GREY)
                    place += 0.8
                    continue
                for name, (mark, colour, width, shift) in shown.items():
                    columns = (
                        [f"{name}_low", f"{name}_high", name] if name else ["low", "high", "ratio"]
                    )
                    low, high, ratio = row[columns]
                    axis.plot(
                        [low, high],
                        [place + shift] * 2,
                        color=colour,
                        linewidth=width,
                        solid_capstyle="butt",
                    )
                    axis.plot(
                        ratio,
                        place + shift,
                        mark,
                        color=colour,
                        markersize=7 if not name else 5,
                        zorder=3,
                    )
                said = f"{row['ratio']:.2f} [{row['low']:.2f}, {row['high']:.2f}]"
                note(axis, 1.02, place, said, xycoords=across, va="center")
                place += 1
            place += 0.1
        axis.plot([1, 1], [-0.4, place], color=GREY, linewidth=1, zorder=0)
        axis.set_xscale("log")
        reach = np.nanmax(
            np.abs(
                np.log(
                    data[
                        ["low", "high", "held_low", "held_high", "ended_low", "ended_high"]
                    ].to_numpy(float)
                )
            )
        )
        edge = float(np.exp(min(max(reach, np.log(4)), np.log(40)))) * 1.1
        axis.set(
            ylim=(place - 0.5, -1.3),
            xlim=(1 / edge, edge),
            yticks=[],
            xlabel="odds ratio against the reference (1 = no difference)",
        )
        ticks = [
            tick
            for tick in (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8, 16, 32)
            if 1 / edge <= tick <= edge
        ]
        axis.xaxis.set_major_locator(FixedLocator(ticks))
        axis.xaxis.set_minor_locator(NullLocator())
        axis.xaxis.set_major_formatter(
            FuncFormatter(lambda value, _: f"{value:g}" if value >= 1 else f"1/{1 / value:g}")
        )
        axis.spines["left"].set_visible(False)
        words = [
            (-0.38, "▲ stage 2 or 3 against 1", "#4A90C2"),
            (0.15, "● both steps in one model", INK),
        ]
        for at, text, colour in [*words, (0.71, "■ stage 3 against 1 or 2", ACCENT)]:
            note(axis, at, -0.95, text, xycoords=across, va="center", weight="bold", color=colour)
        return Chart(figure, data, title, info)


def stage_escalation(result: Stages, info: Info, who: str) -> Chart:
    """How soon after the first recorded incident was stage 3 recorded? One minus Kaplan and Meier, under three readings of vague dates.

    The frame behind: as `cape.stages.escalation` gives (empty with too few cases).
    """
    orders, curve = result.orders(), result.curve
    followed = int(orders.loc[orders["in_the_curve"], "exiles"].sum())
    title = "How soon after the first recorded incident was stage 3 recorded?"
    tail = (
        "too few cases for a curve."
        if curve is None
        else "share recorded at stage 3 so far (one minus Kaplan-Meier)."
    )
    subtitle = f"{info.heading}: {followed} {who}, first recorded at stage 1 or 2; {tail} Recording, not risk."
    data = pd.DataFrame() if curve is None else curve
    with style():
        figure, axis = canvas(title, subtitle, info, height=4.6, left=0.09, right=0.86)
        if curve is None:
            note(
                axis, 0.5, 0.5, "too few cases", xycoords="axes fraction", ha="center", color=ACCENT
            )
            axis.set(xticks=[], yticks=[])
            return Chart(figure, data, title, info)
        years, dark = data["years"], STAGE_COLOURS[3]
        inner = data[["shortest", "midpoint", "longest"]]
        axis.fill_between(
            years,
            data["low"],
            data["high"],
            step="post",
            color=STAGE_COLOURS[1],
            alpha=0.45,
            linewidth=0,
        )
        axis.fill_between(
            years,
            inner.min(axis=1),
            inner.max(axis=1),
            step="post",
            color=STAGE_COLOURS[2],
            alpha=0.85,
            linewidth=0,
        )
        axis.step(years, data["midpoint"], where="post", color=dark, linewidth=2)
        end = data.iloc[-1]
        note(
            axis,
            end["years"],
            end["midpoint"],
            f" {100 * end['midpoint']:.0f} %",
            color=dark,
            va="center",
            weight="bold",
        )
        top = min(1.0, 1.2 * float(data["high"].max()))
        words = [
            ("line: middle of what the dates allow", dark),
            ("dark band: shortest to longest times", STAGE_COLOURS[2]),
        ]
        for line, (text, colour) in enumerate(
            [*words, ("light band: with 95 % limits", "#6FA8CC")]
        ):
            note(
                axis,
                0.99,
                0.2 - 0.065 * line,
                text,
                xycoords="axes fraction",
                ha="right",
                va="center",
                color=colour,
                weight="bold",
            )
        step = max(1, int(np.ceil(end["years"] / 8)))
        above = axis.get_xaxis_transform()
        for row in data[data["years"] % step == 0].itertuples():
            note(axis, row.years, 1.01, str(row.at_risk), xycoords=above, ha="center", color=GREY)
        note(axis, 1.02, 1.01, "still followed", xycoords="axes fraction", color=GREY)
        axis.set(
            xlim=(0, end["years"]),
            ylim=(0, top),
            xlabel="years since the first recorded incident",
            ylabel="recorded at stage 3",
        )
        axis.yaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        return Chart(figure, data, title, info)
