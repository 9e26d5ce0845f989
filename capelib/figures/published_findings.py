"""The ledger of published numbers for readers: a page with a small interval plot a finding, and a chart of the verdicts."""

from collections.abc import Sequence
from html import escape

import pandas as pd

from capelib.dataset import Info
from capelib.figures.style import ACCENT, GREY, INK, PALE, Chart, Page, canvas, note, style
from capelib.findings.bibliography import address, reference
from capelib.findings.ledger import published
from capelib.findings.relations import CONSISTENT, CONTRADICTION, Relation
from capelib.findings.verdicts import (
    AGREES,
    DEPENDS,
    DIFFERS,
    MEANING,
    NEEDS_DATA,
    NOT_REPRODUCED,
    REPRODUCED,
    TOO_FEW,
    Verdict,
    Verdicts,
    by_finding,
)

COLOURS = {
    REPRODUCED: "#1B7837",
    AGREES: "#0072B2",
    NOT_REPRODUCED: ACCENT,
    DIFFERS: ACCENT,
    DEPENDS: "#762A83",
    TOO_FEW: "#8C6D1F",
    NEEDS_DATA: "#6B6B6B",
    CONTRADICTION: ACCENT,
    CONSISTENT: "#1B7837",
}
DATASETS = {
    "freedom-house": "Freedom House",
    "cape": "CAPE",
    "lemon": "Lemon, Tajikistan",
    "aaad": "AAAD",
    "oxus-uyghur": "Oxus Society, Uyghurs",
    "interpol": "INTERPOL",
    "other": "Others",
}


def ledger_page(verdicts: Verdicts, found: Sequence[Relation], info: Info) -> Page:
    """Which published numbers hold? The whole ledger: contradictions first, then what the data says, then each publication.

    verdicts: from `cape.findings.check`. found: from `cape.findings.relations`. info: of the dataset that speaks.
    """
    title = "Which published numbers on transnational repression hold?"
    counted = by_finding(verdicts).value_counts()
    words = "; ".join(
        f"{counted[name]} {_tag(name)}: {MEANING[name]}" for name in MEANING if name in counted
    )
    total = int(counted.sum())
    data = f"Data at hand: {escape(info.source_line)}."
    head = f"<h1>{escape(title)}</h1><p>{total} published numbers. {data}<br>{words}.</p>"
    key = (
        "<p><small>The small plots: a hollow diamond is the published number, with the interval that its rounding allows (dashed: open to "
        "that side); a dot is the number in the data at hand, with its 95 % interval. Shares run from 0 to 100 %, other numbers from 0. "
        "Too few cases speak neither for nor against a number.</small></p>"
    )
    spoken = [verdict for verdict in verdicts if verdict.verdict != NEEDS_DATA]
    parts = [
        head,
        _contradictions(found),
        "<h2>Where the data at hand can speak</h2>",
        key,
        _rows(spoken),
    ]
    parts.append("<h2>Every published number</h2><p><small>Grouped by publication.</small></p>")
    by_publication: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        by_publication.setdefault(verdict.publication, []).append(verdict)
    for publication, rows in by_publication.items():
        link = address(publication)
        parts.append(
            f'<h3>{escape(reference(publication))}</h3><p><a href="{escape(link)}">{escape(link)}</a></p>{_rows(rows)}'
        )
    return Page(title, "\n".join(parts))


def relations_page(found: Sequence[Relation]) -> Page:
    """Do the published numbers fit together? Every relation with both sides in numbers.

    found: from `cape.findings.relations`.
    """
    return Page("Relations between published numbers", _relations(found))


def _contradictions(found: Sequence[Relation]) -> str:
    between = [relation for relation in found if not relation.derived]
    failed = [relation for relation in between if relation.verdict == CONTRADICTION]
    return (
        f"<h2>Where published numbers contradict each other</h2><p>{len(between)} relations between published numbers were computed over "
        f"the intervals that rounding allows: {len(between) - len(failed)} are {_tag(CONSISTENT)}, {len(failed)} are a "
        f"{_tag(CONTRADICTION)}: they cannot hold as printed. The last column says what may lie behind it; it need not be an error.</p>"
        f"{_relations(failed)}"
    )


def _relations(found: Sequence[Relation]) -> str:
    rows = [
        f"<tr><td>{escape(relation.statement)}</td><td>{escape(relation.sides)}</td><td>{_tag(relation.verdict)}</td>"
        f"<td>{escape(relation.why)}{_in_doubt(relation)}</td></tr>"
        for relation in found
    ]
    head = "<tr><th>What would have to hold</th><th>In numbers</th><th>Verdict</th><th>What to make of it</th></tr>"
    return f"<table>{head}{''.join(rows)}</table>"


def _in_doubt(relation: Relation) -> str:
    sources = sorted({reference(published(key).publication) for key in relation.in_doubt})
    return f"<br><small>In doubt: {escape('; '.join(sources))}</small>" if sources else ""


def _rows(verdicts: Sequence[Verdict]) -> str:
    head = "<tr><th>Published</th><th>Statement</th><th>Here</th><th>◇ published, ● here</th><th>Verdict</th><th>Reason</th></tr>"
    return f"<table>{head}{''.join(_row(verdict) for verdict in verdicts)}</table>"


def _row(verdict: Verdict) -> str:
    fits = (
        f"<br><small>among themselves: {_tag(verdict.arithmetic)}</small>"
        if verdict.arithmetic
        else ""
    )
    how = f"<br><small>{escape(verdict.made_by)}</small>" if verdict.made_by else ""
    return (
        f"<tr><td class='number'>{escape(verdict.published)}</td><td>{escape(verdict.said)}</td>"
        f"<td>{escape(verdict.here)}</td><td>{interval_plot(verdict)}</td><td>{_tag(verdict.verdict)}{fits}</td><td>{escape(verdict.reason)}{how}</td></tr>"
    )


def _tag(verdict: str) -> str:
    return (
        f'<span class="verdict" style="color:{COLOURS.get(verdict, INK)}">{escape(verdict)}</span>'
    )


def interval_plot(verdict: Verdict, width: int = 150) -> str:
    """The published number and the number here on one small axis, as SVG; nothing where the data cannot speak.

    A share has the axis 0 to 1; other numbers one that holds both.
    """
    if verdict.value is None:
        return ""
    published_low = (
        verdict.published_value if verdict.published_low is None else verdict.published_low
    )
    published_high = (
        verdict.published_value if verdict.published_high is None else verdict.published_high
    )
    low, high = (verdict.value if end is None else end for end in (verdict.low, verdict.high))
    if verdict.quantity == "share":
        start, stop = 0.0, 1.0
    else:
        ends = [0.0, published_low, published_high, low, high]
        start, stop = min(ends), 1.2 * max(ends) or 1.0
    colour = COLOURS.get(verdict.verdict, INK)

    def at(value: float) -> str:
        return f"{6 + (width - 12) * (value - start) / (stop - start):.1f}"

    unbounded = verdict.published_high is None
    right = at(stop) if unbounded else at(published_high)
    dashes = ' stroke-dasharray="2 2"' if unbounded else ""
    x, y = at(verdict.published_value), 9
    return (
        f'<svg width="{width}" height="36" role="img" aria-label="published {escape(verdict.published)}, here {escape(verdict.here)}">'
        f'<line x1="6" y1="18" x2="{width - 6}" y2="18" stroke="{PALE}"/>'
        f'<line x1="{at(published_low)}" y1="{y}" x2="{right}" y2="{y}" stroke="{INK}" stroke-width="1.5"{dashes}/>'
        f'<path d="M{x} {y - 5}l5 5l-5 5l-5 -5z" fill="white" stroke="{INK}" stroke-width="1.5"/>'
        f'<line x1="{at(low)}" y1="27" x2="{at(high)}" y2="27" stroke="{colour}" stroke-width="2.5"/>'
        f'<circle cx="{at(verdict.value)}" cy="27" r="4.5" fill="{colour}"/></svg>'
    )


def verdicts(found: Verdicts, info: Info) -> Chart:
    """How many published numbers can be checked, and what comes out? One bar a dataset, split by verdict.

    found: from `cape.findings.check`. Where a finding has several readings, the first counts.
    The frame behind: dataset, verdict, n.
    """
    once = by_finding(found).rename("verdict").reset_index()
    whose = once["finding_id"].map(lambda key: DATASETS.get(published(key).dataset, "Others"))
    data = (
        once.assign(dataset=whose).groupby(["dataset", "verdict"]).size().rename("n").reset_index()
    )
    order = [name for name in DATASETS.values() if name in set(data["dataset"])]
    title = "How many published numbers can be checked with the data at hand?"
    subtitle = f"{info.heading}: {len(once)} published numbers, by the dataset that they speak of."
    with style():
        figure, axis = canvas(
            title, subtitle, info, height=1.9 + 0.42 * len(order), left=0.2, right=0.93
        )
        left = pd.Series(0, index=order)
        for name in [name for name in MEANING if name in set(data["verdict"])]:
            widths = (
                data[data["verdict"] == name].set_index("dataset")["n"].reindex(order, fill_value=0)
            )
            colour = PALE if name == NEEDS_DATA else COLOURS[name]
            axis.barh(
                order, widths, left=left, color=colour, height=0.7, edgecolor="white", label=name
            )
            left += widths
        for place, name in enumerate(order):
            note(axis, float(left[name]), place, f" {left[name]}", va="center")
        axis.invert_yaxis()
        axis.tick_params(axis="y", length=0, colors=INK)
        axis.set(xlabel="published numbers", ylabel="")
        handles, names = axis.get_legend_handles_labels()
        axis.legend(handles, names, loc="lower right", frameon=False, fontsize=9, labelcolor=GREY)
        return Chart(figure, data, title, info)
