"""Figures of notebook 08: is Interpol the first step, and what else is on record?"""

from math import nan

import pandas as pd

from capelib.dataset import Info
from capelib.estimators.event_order import AFTER, BEFORE, NONE, SAME, UNKNOWN
from capelib.figures.event_order import sequence
from capelib.figures.forest import Mark, Row, behind, forest_chart, intervals
from capelib.figures.style import BLUE, GREY, Chart
from capelib.questions.interpol import FEWEST_ASKED, GROUPS, Interpol
from capelib.reference.regimes import scale
from capelib.vocabulary.codebook import codes

LINES = "Lines: 95 %, allowing for exiles reported together"
SHORT = ("Interpol reported", "... not only in an arrest", "Interpol not reported")


def interpol_first(result: Interpol, info: Info, who: str) -> Chart:
    """Is the Interpol step the first one recorded? From the share that is certain to the possible.

    Parameters
    ----------
    result
        From `cape.interpol.interpol`.
    info
        The dataset, for the source line.
    who
        For example "exiles pursued by Tajikistan".

    Returns
    -------
    Chart
        One bar a choice. The frame behind: choice, k, unknown, n, lower, upper, low, high.
    """
    data = result.choices
    rows = []
    for row in data.itertuples():
        if row.n < FEWEST_ASKED:
            rows.append(Row(row.choice, words=f"too few cases, n = {row.n}"))
            continue
        bounds = f"{100 * row.lower:.0f} to {100 * row.upper:.0f} %"
        words = f"{bounds} [{100 * row.low:.0f}, {100 * row.high:.0f}], n = {row.n}"
        colour, width = (GREY, 8.0) if rows else (BLUE, 11.0)
        line = Mark(nan, row.low, row.high, colour, width=1.4)
        bar = Mark(nan, row.lower, row.upper, colour, width=width)
        rows.append(Row(row.choice, (line, bar), words))
    title = "Is Interpol the first recorded step against an exile?"
    total = f"{result.first.n if result.first else 0} {who} with Interpol named"
    what = (
        "Bar: from certainly first to possibly first. Line: 95 % limits around both, allowing for "
        "exiles reported together"
    )
    label = "share of exiles for whom the Interpol step comes first"
    return forest_chart(rows, data, info, title, f"{info.heading}: {total}. {what}.", label=label)


def interpol_follows(result: Interpol, info: Info) -> Chart:
    """What is recorded at or after the Interpol step? One bar of exiles a kind of step.

    Parameters
    ----------
    result
        From `cape.interpol.interpol`.
    info
        The dataset, for the source line.

    Returns
    -------
    Chart
        Bars for "held" and "ended or attacked". The frame behind: label and the counts.
    """
    data = result.follows.rename(columns={"kind": "label"})
    title = "What else is on record of exiles with Interpol named, and when?"
    total = f"{int(data['n'].max())} exiles with Interpol named"
    order = "Before and after: seen from the first such report, by the dates as reported"
    words = {
        SAME: "Interpol named in it",
        AFTER: "after",
        UNKNOWN: "order cannot be told",
        BEFORE: "only before",
        NONE: "not reported",
    }
    return sequence(data, info, title, f"{info.heading}: {total}. {order}.", words, "exiles")


def interpol_compared(result: Interpol, info: Info) -> Chart:
    """Are exiles with Interpol named more often recorded as held, sent back, killed or attacked?

    Parameters
    ----------
    result
        From `cape.interpol.interpol`.
    info
        The dataset, for the source line.

    Returns
    -------
    Chart
        The frame behind: label, value, low, high (fractions), n, strong.
    """
    table = result.compared
    short = dict(zip(GROUPS, SHORT, strict=True))
    data = behind(table["kind"] + ": " + table["group"].map(short), table, "share")
    data["strong"] = table["group"] != GROUPS[2]
    title = "Are exiles with Interpol reported more often held, sent back or attacked?"
    caution = "Not an effect: an arrest is often why a notice is reported at all"
    return intervals(data, info, title, f"{info.heading}: share of exiles. {caution}. {LINES}.")


def interpol_held(table: pd.DataFrame, info: Info, measure: str) -> Chart:
    """In what kind of state are exiles first held? Shares by the rating of the host.

    Parameters
    ----------
    table
        From `cape.interpol.held_by_regime`: with Interpol named, and without.
    info
        The dataset, for the source line.
    measure
        Whose rating, a code of `cape.codes("regime_measure")`.

    Returns
    -------
    Chart
        The frame behind: label, value, low, high (fractions), n, strong.
    """
    names = codes("regime_value") if measure == "fiw" else {}
    label = [
        f"{names.get(rating, f'rated {rating}')}: {group}"
        for rating, group in zip(table["rating"], table["group"], strict=True)
    ]
    data = behind(label, table, "share").assign(strong=table["group"] == GROUPS[0])
    ranks = table["rating"].map({rating: rank for rank, rating in enumerate(scale(measure))})
    data = data.loc[ranks.sort_values(kind="stable").index].reset_index(drop=True)
    title = "In what kind of state are exiles held for the first time?"
    what = f"exiles with a first arrest in a rated host, by {codes('regime_measure')[measure]}"
    return intervals(data, info, title, f"{info.heading}: {what}. {LINES}.")
