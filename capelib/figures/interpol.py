"""Figures of notebook 08: is Interpol the first step, and what follows?"""

from collections.abc import Callable

import pandas as pd
from matplotlib.ticker import PercentFormatter

from capelib.dataset import Info
from capelib.estimators.event_order import AFTER, BEFORE, NONE, SAME, UNKNOWN
from capelib.figures.charts import intervals
from capelib.figures.event_order import sequence
from capelib.figures.style import GREY, INK, ORIGIN_COLOURS, Chart, canvas, note, style
from capelib.questions.interpol import FEWEST_ASKED, GROUPS, Interpol
from capelib.reference.regimes import scale
from capelib.vocabulary.codebook import codes


def interpol_first(result: Interpol, info: Info, who: str) -> Chart:
    """Is the Interpol step the first one recorded? One bar a choice: from the share that is certain to the share that is possible.

    result: from `cape.interpol.interpol`. who: for example "exiles pursued by Tajikistan".
    The frame behind: choice, k, unknown, n, lower, upper, low, high.
    """
    data = result.choices
    title = "Is Interpol the first recorded step against an exile?"
    total = f"{result.first.n if result.first else 0} {who} with Interpol named"
    subtitle = f"{info.heading}: {total}. Bar: from certainly first to possibly first. Line: 95 % limits around both."
    with style():
        figure, axis = canvas(
            title, subtitle, info, height=1.85 + 0.36 * len(data), left=0.31, right=0.73
        )
        for place, row in enumerate(data.itertuples()):
            colour, size = (ORIGIN_COLOURS["KAZ"], 11) if place == 0 else (GREY, 8)
            enough = row.n >= FEWEST_ASKED
            if enough:
                axis.plot(
                    [row.low, row.high],
                    [place, place],
                    color=colour,
                    linewidth=1.4,
                    solid_capstyle="butt",
                )
                axis.plot(
                    [row.lower, row.upper],
                    [place, place],
                    color=colour,
                    linewidth=size,
                    solid_capstyle="butt",
                )
            limits = f"{100 * row.lower:.0f} to {100 * row.upper:.0f} % [{100 * row.low:.0f}, {100 * row.high:.0f}], n = {row.n}"
            note(
                axis,
                1.02,
                place,
                limits if enough else f"too few cases, n = {row.n}",
                xycoords=axis.get_yaxis_transform(),
                va="center",
            )
        axis.set_yticks(range(len(data)), data["choice"])
        axis.set(
            ylim=(len(data) - 0.4, -0.6),
            xlim=(0, 1),
            xlabel="share of exiles for whom the Interpol step comes first",
        )
        axis.tick_params(axis="y", length=0, colors=INK)
        axis.spines["left"].set_visible(False)
        axis.xaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))
        return Chart(figure, data, title, info)


def interpol_follows(result: Interpol, info: Info) -> Chart:
    """What is recorded at or after the Interpol step? One bar of exiles for "held" and one for "ended or attacked".

    result: from `cape.interpol.interpol`. The frame behind: label and the counts.
    """
    data = result.follows.rename(columns={"kind": "label"})
    title = "What follows when Interpol is used against an exile?"
    n = int(data["n"].max())
    subtitle = f"{info.heading}: {n} exiles with Interpol named. Before and after: seen from the first such report, by the dates as reported."
    words = {
        SAME: "Interpol named in it",
        AFTER: "after",
        UNKNOWN: "order cannot be told",
        BEFORE: "only before",
        NONE: "not reported",
    }
    return sequence(data, info, title, subtitle, words, "exiles")


def interpol_compared(result: Interpol, info: Info) -> Chart:
    """Are exiles with Interpol named more often recorded as held, or as sent back, killed or attacked? Shares with intervals.

    result: from `cape.interpol.interpol`. The frame behind: label, value, low, high (fractions), n, strong.
    """
    found = result.compared
    short = dict(
        zip(
            GROUPS,
            ("Interpol reported", "... apart from the arrest", "Interpol not reported"),
            strict=True,
        )
    )
    data = pd.DataFrame(
        {
            "label": found["kind"] + ": " + found["group"].map(short),
            "value": found["share"],
            **{name: found[name] for name in ("low", "high", "n")},
            "strong": found["group"] != GROUPS[2],
        }
    )
    title = "Are exiles with Interpol reported more often held, sent back or attacked?"
    subtitle = f"{info.heading}: share of exiles. Not an effect: an arrest is often why a notice is reported at all. Lines: 95 %."
    return intervals(data, info, title, subtitle)


def interpol_held(table: pd.DataFrame, info: Info, measure: str) -> Chart:
    """In what kind of state are exiles first held? Shares by the rating of the host, with Interpol named and without.

    table: from `cape.interpol.held_by_regime`. measure: whose rating. The frame behind: label, value, low, high (fractions), n, strong.
    """
    names = codes("regime_value") if measure == "fiw" else {}
    label = (
        table["rating"].map(lambda value: names.get(value, f"rated {value}"))
        + ": "
        + table["group"].astype("str")
    )
    data = pd.DataFrame(
        {
            "label": label,
            "value": table["share"],
            **{name: table[name] for name in ("low", "high", "n")},
        }
    )
    data = data.assign(strong=table["group"] == GROUPS[0], order=table["rating"]).sort_values(
        "order", kind="stable", key=_rank(measure)
    )
    title = "In what kind of state are exiles held for the first time?"
    subtitle = f"{info.heading}: exiles with a first arrest in a rated host, by {codes('regime_measure')[measure]}. Lines: 95 %."
    return intervals(data.drop(columns="order").reset_index(drop=True), info, title, subtitle)


def _rank(measure: str) -> Callable[[pd.Series], pd.Series]:
    places = {value: place for place, value in enumerate(scale(measure))}
    return lambda values: values.map(places)
