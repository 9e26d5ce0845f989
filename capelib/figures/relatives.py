"""Figures of notebook 06: how often the family is the lever, and where."""

import pandas as pd
from matplotlib.ticker import PercentFormatter

from capelib.dataset import Info
from capelib.estimators.event_order import AFTER, BEFORE, NONE, SAME, UNKNOWN
from capelib.figures.charts import intervals
from capelib.figures.event_order import sequence
from capelib.figures.style import GREY, INK, ORIGIN_COLOURS, Chart, canvas, note, style
from capelib.questions.relatives import Relatives
from capelib.vocabulary.tables import states

HEADINGS = {
    "origin": "Pursuing state",
    "category": "Who the exile is",
    "first report": "Year of the first report on the exile",
    "host": "Where the exile lives",
}


def relatives_shares(result: Relatives, info: Info, who: str) -> Chart:
    """For which share of exiles are relatives reported as targeted? One row a group, with its 95 % interval.

    result: from `cape.relatives.relatives`. who: for example "exiles pursued by Tajikistan".
    The frame behind: kind, group, k, n, share, low, high.
    """
    data = result.shares
    title = "For how many exiles, at least, is the family reported as the lever?"
    total = f"{result.overall.n} {who}" if result.overall else f"no {who}"
    subtitle = f'{info.heading}: {total}. Not reported is not "no": each share is a lower bound. Lines: 95 %.'
    sizes = [int((data["kind"] == kind).sum()) for kind in HEADINGS]
    length = sum(sizes) + 1.1 * sum(1 for size in sizes if size)
    colours = {
        states()[code]: colour for code, colour in ORIGIN_COLOURS.items() if code in states()
    }
    with style():
        figure, axis = canvas(
            title, subtitle, info, height=1.9 + 0.245 * length, left=0.27, right=0.8
        )
        place, across = 0.0, axis.get_yaxis_transform()
        for kind, heading in HEADINGS.items():
            part = data[data["kind"] == kind]
            if len(part):
                note(axis, -0.36, place, heading, xycoords=across, va="center", weight="bold")
                place += 1
            for row in part.itertuples():
                colour = (
                    colours.get(str(row.group), INK)
                    if kind == "origin"
                    else GREY
                    if "known" in str(row.group).lower()
                    else INK
                )
                axis.plot(
                    [row.low, row.high],
                    [place, place],
                    color=colour,
                    linewidth=2.2,
                    solid_capstyle="butt",
                )
                axis.plot(row.share, place, "o", color=colour, markersize=6, zorder=3)
                note(
                    axis,
                    -0.02,
                    place,
                    str(row.group),
                    xycoords=across,
                    va="center",
                    ha="right",
                    fontsize=9,
                )
                said = f"{100 * row.share:.0f} % [{100 * row.low:.0f}, {100 * row.high:.0f}], n = {row.n}"
                note(axis, 1.02, place, said, xycoords=across, va="center")
                place += 1
            place += 0.1
        if data.empty:
            note(axis, 0.5, 0.5, "too few cases", xycoords="axes fraction", ha="center")
        if result.overall:
            axis.axvline(
                result.overall.share, color=GREY, linewidth=1, linestyle=(0, (4, 3)), zorder=0
            )
            note(
                axis,
                result.overall.share,
                -0.55,
                f" all: {100 * result.overall.share:.0f} %",
                color=GREY,
                va="center",
            )
        axis.set(
            ylim=(max(place, 1) - 0.4, -0.95),
            xlim=(0, 1),
            yticks=[],
            xlabel="share of exiles with relatives reported as targeted (lower bound)",
        )
        axis.xaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))
        axis.spines["left"].set_visible(False)
        return Chart(figure, data, title, info)


def relatives_gap(result: Relatives, info: Info) -> Chart:
    """Is the family the lever where the exile is out of reach? Free hosts minus others, among comparable exiles.

    result: from `cape.relatives.relatives`. The frame behind: label, value, low, high (fractions), n (text: exiles on each side).
    """
    found = result.comparisons
    n = found["free_n"].astype("str") + " and " + found["other_n"].astype("str")
    label = found["comparison"] + " (" + n + ")"
    named = {"value": "difference", "low": "difference_low", "high": "difference_high"}
    data = pd.DataFrame(
        {"label": label, **{name: found[column] for name, column in named.items()}, "n": n}
    )
    data["strong"] = found["comparison"] == "all exiles with a rated host"
    title = "Is the family the lever where the exile cannot be reached?"
    what = "share with relatives reported as targeted, exiles in free hosts minus exiles in others (number of exiles in brackets)"
    subtitle = f"{info.heading}: {what}. Not free: {result.definition}. Lines: 95 %."
    return intervals(data, info, title, subtitle, signed=True)


def relatives_sequence(table: pd.DataFrame, info: Info) -> Chart:
    """What else was done to the exiles whose relatives were targeted, and was it before or after?

    table: from `cape.relatives.what_else`. The frame behind: label and the counts.
    """
    data = table.rename(columns={"kind": "label"})
    title = "Where relatives were targeted, what else was done to the exile?"
    n = int(data["n"].max())
    order = "Before and after: seen from the first report on relatives, by the dates as reported"
    subtitle = f"{info.heading}: {n} exiles with relatives reported as targeted. {order}."
    words = {
        SAME: "together",
        AFTER: "after",
        UNKNOWN: "order cannot be told",
        BEFORE: "only before",
        NONE: "not reported",
    }
    return sequence(data, info, title, subtitle, words, "exiles")
