"""Figures of notebook 04: the share of incidents on the soil of other authoritarian states."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator

from capelib.dataset import Info
from capelib.estimators.counts import years
from capelib.figures.forest import Mark, Reference, Row, forest_chart, intervals
from capelib.figures.style import (
    BLUE,
    GREY,
    INK,
    PALE,
    VERMILION,
    Chart,
    canvas,
    in_percent,
    note,
    style,
)
from capelib.findings.ledger import Published
from capelib.questions.hosts import HostShares
from capelib.questions.wording import named, number_word, points
from capelib.vocabulary.tables import states

HEADINGS = {
    "corridor": "Without a corridor",
    "origin": "Without an origin",
    "host": "Without a host",
}
TOGETHER = "Lines: 95 %, incidents of a common source or episode taken together."


def host_shares(result: HostShares, info: Info, claims: Mapping[str, Published]) -> Chart:
    """What share of incidents happens on the soil of other authoritarian states, then and later?

    Parameters
    ----------
    result
        From `cape.hosts.host_shares`.
    info
        The dataset, for the source line.
    claims
        Published shares by period in words ("2021"); those of other periods are not drawn.

    Returns
    -------
    Chart
        The frame behind: label, value, low, high, n, published.
    """
    rows = []
    sides = (None, None) if result.change is None else (result.change.others, result.change.group)
    for period, share in zip((result.early, result.late), sides, strict=True):
        span = years(period)
        if span in claims:
            claim = claims[span]
            rows.append((f"{span}, Freedom House", claim.value, claim.low, claim.high, pd.NA, True))
        if share:
            rows.append((f"{span}, {info.label}", *share[2:5], share.n, False))
    data = pd.DataFrame(rows, columns=["label", "value", "low", "high", "n", "published"])
    data["n"] = data["n"].astype("Int64")
    title = "What share of incidents happens on the soil of other authoritarian states?"
    total = result.change.n if result.change else 0
    what = f"{total} incidents with a known host. Authoritarian: {result.definition}"
    also = ""
    if data["published"].any():
        references = sorted({claim.reference for claim in claims.values()})
        also = f"published: {'; '.join(references)}"
    return intervals(data, info, title, f"{info.heading}: {what}. {TOGETHER}", also=also)


def host_years(result: HostShares, info: Info) -> Chart:
    """Does the later period differ from what single years show anyway? One point a year.

    Parameters
    ----------
    result
        From `cape.hosts.host_shares`.
    info
        The dataset, for the source line.

    Returns
    -------
    Chart
        A band shows where a year like the earlier ones would lie. The frame behind: the years of
        `result`, with `new_low` and `new_high`.
    """
    data = result.years.copy()
    typical = result.typical
    data["new_low"], data["new_high"] = typical.new_year[1:] if typical else (None, None)
    title = f"Does {years(result.late)} differ from other years?"
    total = f"{data['n'].sum():,} incidents with a known host and rating"
    subtitle = f"{info.heading}: {total}. Authoritarian: {result.definition}. {TOGETHER}"
    shown = data[data["n"] > 0]
    with style():
        figure, axis = canvas(title, subtitle, info, height=4.2, left=0.1)
        if typical:
            axis.axhspan(*typical.new_year[1:], color=PALE, alpha=0.5, linewidth=0, zorder=0)
            axis.axhline(typical.level.value, color=GREY, linewidth=1, zorder=1)
            early = years(result.early)
            words = f"line: the level of {early}; grey: where a year like these would lie (95 %)"
            above = {"xycoords": "axes fraction", "va": "bottom", "ha": "right"}
            note(axis, 0.99, 1.01, words, color=GREY, **above)
        outline = [withStroke(linewidth=2, foreground="#FFFFFFCC")]
        for row in shown.itertuples():
            is_late = result.late[0] <= row.year <= result.late[1]
            colour = VERMILION if is_late else BLUE
            axis.plot([row.year] * 2, [row.low, row.high], color=colour, linewidth=2.2, zorder=2)
            axis.plot(row.year, row.share, "o", color=colour, markersize=7, zorder=3)
            words = f"{100 * row.share:.0f} %\nn = {row.n}"
            look = {"fontsize": 7.5, "color": colour, "path_effects": outline, "zorder": 5}
            note(axis, row.year + 0.12, row.share, words, va="center", **look)
        axis.set(ylim=(0, 1), xlim=(data["year"].min() - 0.5, data["year"].max() + 0.8))
        axis.set_ylabel("share on authoritarian soil")
        in_percent(axis.yaxis)
        axis.xaxis.set_major_locator(MaxNLocator(nbins=len(data) + 1, integer=True))
        return Chart(figure, data, title, info)


def left_out(result: HostShares, info: Info, claim: Published | None, most: int = 4) -> Chart:
    """Does the change rest on one corridor, pursuing state or host? Each weighty one is left out.

    Parameters
    ----------
    result
        From `cape.hosts.host_shares`.
    info
        The dataset, for the source line.
    claim
        The published change in points, drawn as a line.
    most
        Rows of each kind.

    Returns
    -------
    Chart
        The frame behind: kind, label, value, low, high, n (incidents left out).
    """
    rows, behind = [], []
    for kind, heading in HEADINGS.items() if len(result.left_out) else ():
        table = result.left_out[result.left_out["kind"] == kind].head(most + 1)
        if not rows:
            whole = table.iloc[0]
            rows.append(_row("nothing left out", whole, BLUE))
            behind.append(("all", "nothing left out", *_cells(whole)))
        rows.append(Row(heading, heading=True))
        for row in table.iloc[1:].itertuples():
            words = named(row.left_out) if kind == "corridor" else states()[row.left_out]
            rows.append(_row(words, pd.Series(row._asdict()), GREY))
            behind.append((kind, words, *_cells(pd.Series(row._asdict()))))
    data = pd.DataFrame(behind, columns=["kind", "label", "value", "low", "high", "n"])
    what = f"those that move it most. Authoritarian: {result.definition}"
    return _change(rows, data, result, info, claim, "rest on one corridor, state or host", what)


def _row(label: str, row: pd.Series, colour: str) -> Row:
    """A row with a change and its interval."""
    change = (row["difference"], row["low"], row["high"])
    words = points(*change) if pd.notna(row["low"]) else "too few cases"
    return Row(label, (Mark(*change, colour, width=2.2),), words)


def _cells(row: pd.Series) -> tuple:
    return row["difference"], row["low"], row["high"], row["incidents"]


def definitions(result: HostShares, info: Info, claim: Published | None) -> Chart:
    """Does the change depend on what "authoritarian" means? All definitions, none privileged.

    Parameters
    ----------
    result
        From `cape.hosts.host_shares`.
    info
        The dataset, for the source line.
    claim
        The published change in points, drawn as a line.

    Returns
    -------
    Chart
        For each definition the change and the part of it within the pursuing states. The frame
        behind: the definitions of `result`.
    """
    table = result.definitions
    rows = []
    for row in table.itertuples():
        change, within = (
            Mark(row.difference, row.low, row.high, BLUE, shift=-0.17),
            Mark(row.within, row.within_low, row.within_high, VERMILION, "s", 6, shift=0.17),
        )
        words = "too few cases"
        if pd.notna(row.low) and pd.notna(row.within_low):
            words = (
                f"{_short(row.difference, row.low, row.high)}\n"
                f"{_short(row.within, row.within_low, row.within_high)}"
            )
        rows.append(Row(row.definition, (change, within), words))
    what = f"under {number_word(len(table))} definitions"
    key = ((0.0, "the change", BLUE), (0.35, "within the same pursuing states", VERMILION))
    return _change(rows, table, result, info, claim, "depend on the definition", what, key, 0.52)


def _short(value: float, low: float, high: float) -> str:
    return points(value, low, high).replace(" points", "")


def _change(
    rows: list[Row],
    data: pd.DataFrame,
    result: HostShares,
    info: Info,
    claim: Published | None,
    question: str,
    what: str,
    key: tuple = (),
    pitch: float = 0.36,
) -> Chart:
    """The change between the periods in several forms, beside the published one."""
    title = f"Does the change from {years(result.early)} to {years(result.late)} {question}?"
    subtitle = f"{info.heading}: change of the share on authoritarian soil, {what}. {TOGETHER}"
    line, also = None, ""
    if claim is not None:
        line = Reference(claim.value / 100, f"published: {claim.text}", INK)
        also = f"published: {claim.reference}"
    return forest_chart(
        rows, data, info, title, subtitle, "difference", line, also=also, pitch=pitch, key=key
    )
