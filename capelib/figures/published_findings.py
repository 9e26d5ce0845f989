"""Figures of notebook 12: the ledger of published numbers as a page, and its verdicts."""

from collections.abc import Sequence

import pandas as pd
from markupsafe import Markup

from capelib.dataset import Info
from capelib.figures.pages import Page, render
from capelib.figures.style import ACCENT, BLUE, GREY, INK, PALE, Chart, canvas, note, style
from capelib.findings.bibliography import address, publisher_address, reference
from capelib.findings.ledger import published
from capelib.findings.relations import (
    CONSISTENT,
    CONTRADICTION,
    DIFFERENT_EDITIONS,
    Relation,
    between,
)
from capelib.findings.verdicts import (
    ADDS_UP,
    AGREES,
    DEPENDS,
    DIFFERS,
    DOES_NOT_ADD_UP,
    MEANING,
    NEEDS_DATA,
    NOT_REPRODUCED,
    REPRODUCED,
    SET_BY_SEARCH,
    TOO_FEW,
    Verdict,
    Verdicts,
    by_finding,
)

COLOURS = {
    REPRODUCED: "#1B7837",
    ADDS_UP: "#1B7837",
    DOES_NOT_ADD_UP: ACCENT,
    AGREES: BLUE,
    NOT_REPRODUCED: ACCENT,
    DIFFERS: ACCENT,
    DEPENDS: "#762A83",
    TOO_FEW: "#8C6D1F",
    SET_BY_SEARCH: "#5D4037",
    NEEDS_DATA: GREY,
    CONTRADICTION: ACCENT,
    CONSISTENT: "#1B7837",
    DIFFERENT_EDITIONS: "#8C6D1F",
}
# Where two verdicts would look alike in grey.
HATCHED = {DOES_NOT_ADD_UP: "////", DEPENDS: "....", SET_BY_SEARCH: "\\\\\\\\"}
DATASETS = {
    "freedom-house": "Freedom House",
    "cape": "CAPE",
    "lemon": "Lemon, Tajikistan",
    "aaad": "AAAD",
    "oxus-uyghur": "Oxus Society, Uyghurs",
    "interpol": "INTERPOL",
    "other": "Others",
}


def ledger_page(verdicts: Verdicts, relations: Sequence[Relation], info: Info) -> Page:
    """Which published numbers hold? The whole ledger on a page.

    Parameters
    ----------
    verdicts
        From `cape.findings.check`.
    relations
        From `cape.findings.relations`.
    info
        The dataset that speaks.

    Returns
    -------
    Page
        Contradictions first, then what compares different editions, then every number that can be
        looked at, then what the others need, then each publication.
    """
    title = "Which published numbers on transnational repression hold?"
    counts = by_finding(verdicts).value_counts()
    counted = between(relations)
    needs = by_need(verdicts)
    by_publication: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        by_publication.setdefault(verdict.publication, []).append(verdict)
    body = _render(
        "ledger",
        title=title,
        info=info,
        total=int(counts.sum()),
        missing=int(counts.get(NEEDS_DATA, 0)),
        counts={
            name: int(counts[name]) for name in MEANING if name in counts and name != NEEDS_DATA
        },
        meaning=MEANING,
        between=len(counted),
        failed=[relation for relation in counted if relation.verdict == CONTRADICTION],
        editions=[relation for relation in counted if relation.verdict == DIFFERENT_EDITIONS],
        consistent=CONSISTENT,
        contradiction=CONTRADICTION,
        different=DIFFERENT_EDITIONS,
        needs=needs,
        judged=[verdict for verdict in verdicts if verdict.verdict != NEEDS_DATA],
        by_publication=by_publication,
        address=address,
        publisher_address=publisher_address,
        reference=reference,
    )
    return Page(title, body)


def by_need(verdicts: Verdicts) -> list[tuple[str, int]]:
    """Which data do the numbers that cannot be looked at need, and how many need each?

    Parameters
    ----------
    verdicts
        From `cape.findings.check`.

    Returns
    -------
    list of tuple
        The data in words and the number of findings, most first.
    """
    missing = verdicts.frame[verdicts.frame["verdict"] == NEEDS_DATA]
    needs = missing["reason"].str.removeprefix("needs ").value_counts()
    return [(str(words), int(count)) for words, count in needs.items()]


def relations_page(relations: Sequence[Relation]) -> Page:
    """Do the published numbers fit together? Every relation with both sides in numbers.

    Parameters
    ----------
    relations
        From `cape.findings.relations`.

    Returns
    -------
    Page
        One table: contradictions first, then what compares different editions.
    """
    order = (CONTRADICTION, DIFFERENT_EDITIONS, CONSISTENT)
    ordered = sorted(relations, key=lambda relation: order.index(relation.verdict))
    return Page("Relations between published numbers", _render("relations", relations=ordered))


def _render(template: str, **values: object) -> Markup:
    """Fill in a template that shows verdicts."""
    return render(
        template,
        colours=COLOURS,
        ink=INK,
        interval_plot=interval_plot,
        sources_in_doubt=_sources_in_doubt,
        unbroken=_unbroken,
        **values,
    )


def _sources_in_doubt(relation: Relation) -> list[str]:
    return sorted({reference(published(key).publication) for key in relation.in_doubt})


def _unbroken(text: str) -> str:
    """A text whose numbers keep their percent sign on the same line."""
    return text.replace(" %", "\u00a0%")


def interval_plot(verdict: Verdict, width: int = 150) -> Markup:
    """How do the published number and the number here compare? Both on one small axis, as SVG.

    Parameters
    ----------
    verdict
        A share has the axis 0 to 1; other numbers one that holds both.
    width
        In pixels.

    Returns
    -------
    markupsafe.Markup
        Empty where the data cannot speak.
    """
    if verdict.value is None:
        return Markup()
    low = verdict.published_low
    high = verdict.published_high
    low = verdict.published_value if low is None else low
    published_end = verdict.published_value if high is None else high
    here = [verdict.value if end is None else end for end in (verdict.low, verdict.high)]
    start, stop = 0.0, 1.0
    if verdict.quantity != "share":
        ends = [0.0, low, published_end, *here]
        start, stop = min(ends), 1.2 * max(ends) or 1.0

    def x(value: float) -> str:
        return f"{6 + (width - 12) * (value - start) / (stop - start):.1f}"

    return render(
        "interval_plot",
        verdict=verdict,
        width=width,
        x=x,
        low=low,
        high=stop if high is None else high,
        dashed=high is None,
        here=here,
        colour=COLOURS.get(verdict.verdict, INK),
        ink=INK,
        pale=PALE,
    )


def verdicts(judged: Verdicts, info: Info) -> Chart:
    """How many published numbers can be looked at, and what comes out? One bar a dataset.

    Parameters
    ----------
    judged
        From `cape.findings.check`. A finding whose readings differ counts as that.
    info
        The dataset that speaks.

    Returns
    -------
    Chart
        Bars are split by verdict. Numbers that need other data are no part of a bar: how many
        there are in all stands beside it. The frame behind: dataset, verdict, n.
    """
    once = by_finding(judged).rename("verdict").reset_index()
    once["dataset"] = [
        DATASETS.get(published(key).dataset, DATASETS["other"]) for key in once["finding_id"]
    ]
    data = once.groupby(["dataset", "verdict"]).size().rename("n").reset_index()
    order = [name for name in DATASETS.values() if name in set(data["dataset"])]
    shown = data[data["verdict"] != NEEDS_DATA]
    totals = data.groupby("dataset")["n"].sum()
    title = "How many published numbers can the data that ships speak to?"
    subtitle = (
        f"{info.heading}: {shown['n'].sum()} of {len(once)} published numbers, by the dataset that "
        "they speak of.\nThe others need data that does not ship and are not drawn."
    )
    with style():
        size = {"height": 2.6 + 0.42 * len(order), "left": 0.2, "right": 0.93, "bottom": 0.3}
        figure, axis = canvas(title, subtitle, info, **size)
        left = pd.Series(0, index=order)
        for name in [name for name in MEANING if name in set(shown["verdict"])]:
            rows = shown[shown["verdict"] == name].set_index("dataset")
            widths = rows["n"].reindex(order, fill_value=0)
            bar = {"color": COLOURS[name], "height": 0.7, "edgecolor": "white", "label": name}
            if name in HATCHED:
                bar["hatch"] = HATCHED[name]
            axis.barh(order, widths, left=left, **bar)
            left += widths
        for place, (drawn, total) in enumerate(zip(left, totals.reindex(order), strict=True)):
            note(axis, float(drawn), place, f" {drawn} of {total}", va="center")
        axis.invert_yaxis()
        axis.tick_params(axis="y", length=0, colors=INK)
        axis.set(xlabel="published numbers", ylabel="")
        axis.set_xlim(0, 1.15 * max(left.max(), 1))
        below = {"loc": "upper left", "bbox_to_anchor": (-0.1, -0.16), "ncol": 3}
        axis.legend(frameon=False, fontsize=9, labelcolor=GREY, **below)
        return Chart(figure, data, title, info)
