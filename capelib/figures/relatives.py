"""Figures of notebook 06: how often the family is the lever, and where."""

import pandas as pd

from capelib.dataset import Info
from capelib.estimators.event_order import AFTER, BEFORE, NONE, SAME, UNKNOWN
from capelib.figures.event_order import sequence
from capelib.figures.forest import (
    Mark,
    Reference,
    Row,
    behind,
    forest_chart,
    intervals,
)
from capelib.figures.style import GREY, INK, ORIGIN_COLOURS, Chart
from capelib.questions.relatives import Relatives
from capelib.questions.wording import percent
from capelib.vocabulary.tables import states

LINES = "Lines: 95 %, allowing for exiles reported together"
HEADINGS = {
    "origin": "Pursuing state",
    "category": "Who the exile is",
    "first report": "Year of the first report",
    "host": "Where the exile lives",
}


def relatives_shares(result: Relatives, info: Info, who: str) -> Chart:
    """For which share of exiles are relatives reported as targeted? One row a group.

    Parameters
    ----------
    result
        From `cape.relatives.relatives`.
    info
        The dataset, for the source line.
    who
        For example "exiles pursued by Tajikistan".

    Returns
    -------
    Chart
        The frame behind: kind, group, k, n, share, low, high.
    """
    data = result.shares
    rows = []
    for kind, heading in HEADINGS.items():
        groups = data[data["kind"] == kind]
        if len(groups):
            rows.append(Row(heading, heading=True))
        for row in groups.itertuples():
            mark = Mark(row.share, row.low, row.high, _colour(kind, str(row.group)), size=6)
            words = f"{percent(row.share, row.low, row.high)}, n = {row.n}"
            rows.append(Row(str(row.group), (mark,), words))
    reference = None
    total = f"no {who}"
    if result.overall:
        total = f"{result.overall.n} {who}"
        share = result.overall.share
        reference = Reference(share, f"all: {100 * share:.0f} %", GREY)
    title = "For how many exiles, at least, is the family reported as the lever?"
    caution = 'Not reported is not "no": each share is a lower bound'
    subtitle = f"{info.heading}: {total}. {caution}. {LINES}."
    label = "share of exiles with relatives reported as targeted (lower bound)"
    look = {"reference": reference, "label": label, "pitch": 0.25}
    return forest_chart(rows, data, info, title, subtitle, **look)


def _colour(kind: str, group: str) -> str:
    """A pursuing state has its colour; what is not known is grey."""
    if kind == "origin":
        names = {states().get(code): colour for code, colour in ORIGIN_COLOURS.items()}
        return names.get(group, INK)
    return GREY if "known" in group.lower() else INK


def relatives_gap(result: Relatives, info: Info) -> Chart:
    """Are relatives reported as targeted more often for exiles in free hosts than in others?

    Parameters
    ----------
    result
        From `cape.relatives.relatives`.
    info
        The dataset, for the source line.

    Returns
    -------
    Chart
        Rows that condition on what came after stand last, as descriptive. The frame behind: label,
        value, low, high (fractions), n (text: exiles on each side), strong.
    """
    table = result.comparisons
    table = table.sort_values("descriptive", kind="stable").reset_index(drop=True)
    n = table["free_n"].astype("str") + " and " + table["other_n"].astype("str")
    mark = table["descriptive"].map({True: "descriptive:\n", False: ""})
    label = mark + table["comparison"] + " (" + n + ")"
    ends = ("difference", "difference_low", "difference_high")
    data = behind(label, table.assign(n=n), *ends)
    data["strong"] = table["comparison"] == "all exiles with a rated host"
    title = "Are relatives reported as targeted more often for exiles in free hosts?"
    what = (
        "share with relatives reported as targeted, exiles in free hosts minus exiles in others "
        "(number of exiles in brackets)"
    )
    subtitle = f"{info.heading}: {what}. Not free: {result.definition}. {LINES}."
    return intervals(data, info, title, subtitle, signed=True)


def relatives_sequence(table: pd.DataFrame, info: Info) -> Chart:
    """What else was done to exiles whose relatives were targeted, and was it before or after?

    Parameters
    ----------
    table
        From `cape.relatives.what_else`.
    info
        The dataset, for the source line.

    Returns
    -------
    Chart
        The frame behind: label and the counts.
    """
    data = table.rename(columns={"kind": "label"})
    title = "Where relatives were targeted, what else was done to the exile?"
    total = f"{int(data['n'].max())} exiles with relatives reported as targeted"
    order = "Before and after: seen from the first report on relatives, by the dates as reported"
    words = {
        SAME: "together",
        AFTER: "after",
        UNKNOWN: "order cannot be told",
        BEFORE: "only before",
        NONE: "not reported",
    }
    return sequence(data, info, title, f"{info.heading}: {total}. {order}.", words, "exiles")
