"""Figures of notebook 05: how far each pursuit is recorded, whose further, how soon."""

from math import nan

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from capelib.dataset import Info
from capelib.figures.forest import (
    Mark,
    Row,
    forest,
    forest_chart,
    margins,
    places,
    write_key,
)
from capelib.figures.style import (
    ACCENT,
    GREY,
    INK,
    STAGE_1_TEXT,
    STAGE_COLOURS,
    Chart,
    canvas,
    in_percent,
    note,
    style,
    too_few,
)
from capelib.questions.escalation import SCENARIOS, followed
from capelib.questions.stage_bounds import AT_ZERO, CLEAR, LAST, SHOWN, WATCHED, words_of
from capelib.questions.stages import Stages
from capelib.questions.wording import percent
from capelib.vocabulary.codebook import codes

HEADINGS = {"origin": "Pursuing state", "category": "Who the exile is"}
_SHORT = {
    WATCHED: WATCHED,
    words_of((LAST,)): "watched to the last\n record only",
    words_of((AT_ZERO,)): "first at stage 3\n counted as time 0",
    words_of((CLEAR,)): "order not told\n left out",
}
KEY_OF_ODDS = (
    (-0.38, "▲ stage 2 or 3 against 1", STAGE_COLOURS[2]),
    (0.15, "● both steps in one model", INK),
    (0.71, "■ stage 3 against 1 or 2", ACCENT),
)


def stage_composition(result: Stages, info: Info, who: str) -> Chart:
    """What is the highest stage on record of each exile? Stacked bars by origin and category.

    Parameters
    ----------
    result
        From `cape.stages.stages`.
    info
        The dataset, for the source line.
    who
        For example "exiles pursued by Tajikistan".

    Returns
    -------
    Chart
        A line shows the 95 % interval of stage 3. The frame behind: factor, level, label, stage,
        k, n, share, low, high, clusters, design_effect.
    """
    factors = {"all": result.by_all, "origin": result.by_origin, "category": result.by_category}
    if len(result.by_origin) <= len(STAGE_COLOURS):  # the one state is all of them
        del factors["origin"]
    factors = {factor: table for factor, table in factors.items() if len(table)}
    tables = [table.assign(factor=factor) for factor, table in factors.items()]
    data = pd.concat(tables or [result.by_all.assign(factor="")])
    data = data[["factor", *result.by_all.columns]].reset_index(drop=True)
    title = "How far is the pursuit of each exile recorded to have gone?"
    what = "highest stage on record, one count an exile. Lines: 95 % of the share at stage 3."
    subtitle = f"{info.heading}: {len(result.exiles)} {who}; {what} A collection, not a risk."
    rows, levels = _rows_of_levels(factors)
    length = places(rows)[-1] + 1 if rows else 1
    with style():
        sizes = {"height": 2.15 + 0.29 * length, "space": 0.2, **margins(rows)}
        figure, axis = canvas(title, subtitle, info, **sizes)
        forest(axis, rows)
        for place, level in zip(places(rows), levels, strict=True):
            if level is not None:
                _bar(axis, place, level)
        if rows:
            _key(axis)
        axis.set_xlabel("share of exiles")
        return Chart(figure, data, title, info)


def _rows_of_levels(
    factors: dict[str, pd.DataFrame],
) -> tuple[list[Row], list[pd.Series | None]]:
    """The rows of the figure, and for each the shares of its stages (None for a heading)."""
    rows: list[Row] = []
    levels: list[pd.Series | None] = []
    for factor, table in factors.items():
        if factor in HEADINGS:
            rows.append(Row(HEADINGS[factor], heading=True))
            levels.append(None)
        for _, level in table.groupby("level", sort=False):
            stages = level.set_index("stage")
            last = stages.loc[3]
            name = "All" if last["label"] == "all" else last["label"]
            marks = (
                Mark(nan, last["low"], last["high"], "white", width=4.5),
                Mark(nan, last["low"], last["high"], ACCENT, width=2),
            )
            words = f"{percent(last['share'], last['low'], last['high'])}, n = {last['n']}"
            rows.append(Row(name, marks, words))
            levels.append(stages["share"])
    return rows, levels


def _bar(axis: Axes, place: float, shares: pd.Series) -> None:
    """One stacked bar, stage 3 first, so that its interval can be drawn on a common base."""
    left = 0.0
    for stage in (3, 2, 1):
        colour = STAGE_COLOURS[stage]
        axis.barh(place, shares[stage], left=left, color=colour, height=0.72, zorder=1)
        left += shares[stage]


def _key(axis: Axes) -> None:
    """The three stages named above the first bar, where their colours are."""
    where = {3: -0.3, 2: 0.36, 1: 0.66}
    colours = STAGE_COLOURS | {1: STAGE_1_TEXT}
    words = {stage: f"■ stage {stage}: {codes('stage')[str(stage)].lower()}" for stage in where}
    key = [(x, words[stage], colours[stage]) for stage, x in where.items()]
    write_key(axis, [*key, (1.08, "at stage 3", colours[3])])


def stage_odds(result: Stages, info: Info, who: str) -> Chart:
    """Whose pursuit is recorded further? Odds ratios of the ordered and of two binary logits.

    Parameters
    ----------
    result
        From `cape.stages.stages`.
    info
        The dataset, for the source line.
    who
        For example "exiles pursued by Tajikistan".

    Returns
    -------
    Chart
        The frame behind: the `terms` of the fit (empty with too few cases).
    """
    fit = result.fit
    data = pd.DataFrame() if fit is None else fit.terms
    rows = []
    for factor, terms in data.groupby("factor", sort=False) if len(data) else []:
        rows.append(Row(HEADINGS.get(str(factor), str(factor)), heading=True))
        rows += [_row_of_odds(term) for _, term in terms.iterrows()]
    what = "odds ratios of a higher stage, on a log scale, lines: 95 %."
    if fit is None:
        what = "too few cases for a model."
    title = "Whose pursuit is recorded further, by origin and category?"
    subtitle = f"{info.heading}: {len(result.exiles)} {who}; {what}"
    label = "odds ratio against the reference (1 = no difference)"
    look = {"unit": "ratio", "label": label, "pitch": 0.36, "key": KEY_OF_ODDS if rows else ()}
    return forest_chart(rows, data, info, title, subtitle, **look)


def _row_of_odds(term: pd.Series) -> Row:
    """One level of a factor: the joint model, with a binary logit above and one below."""
    label = f"{term['label']} ({term['n']})"
    if term["reference"]:
        return Row(label, (Mark(1, colour=GREY, marker="|", size=11),), "reference")
    held = term[["held", "held_low", "held_high"]]
    both = term[["ratio", "low", "high"]]
    ended = term[["ended", "ended_low", "ended_high"]]
    marks = (
        Mark(*held, STAGE_COLOURS[2], "^", size=5, width=1.3, shift=-0.24),
        Mark(*both, INK, width=2.4),
        Mark(*ended, ACCENT, "s", size=5, width=1.3, shift=0.24),
    )
    words = f"{both['ratio']:.2f} [{both['low']:.2f}, {both['high']:.2f}]"
    return Row(label, marks, words)


def stage_escalation(result: Stages, info: Info, who: str) -> Chart:
    """How soon after the first recorded incident was stage 3 recorded? Bounds, no estimate.

    Parameters
    ----------
    result
        From `cape.stages.stages`.
    info
        The dataset, for the source line.
    who
        For example "exiles pursued by Tajikistan".

    Returns
    -------
    Chart
        A line for each reading of who was watched how long that departs in one thing, within the
        area of all readings. The frame behind: `years`, `least`, `most`, and a column a line
        (fractions; empty with too few cases).
    """
    lines = {words_of(reading): result.curves.get(reading) for reading in SHOWN}
    known = {words: curve for words, curve in lines.items() if curve is not None}
    what = "share recorded at stage 3 so far; each line another assumption on who was watched."
    if not known:
        what = "too few cases for a curve."
    title = "How soon after the first recorded incident was stage 3 recorded?"
    total = f"{len(followed(result.times))} {who}, first recorded at stage 1 or 2"
    with style():
        subtitle = f"{info.heading}: {total}; {what} Recording, not risk."
        figure, axis = canvas(title, subtitle, info, right=0.68)
        if not known:
            too_few(axis)
            axis.set(xticks=[], yticks=[])
            return Chart(figure, pd.DataFrame(), title, info)
        data = _frame_of_curves(result, known)
        _area(axis, data)
        _lines(axis, data, list(known))
        axis.set(xlim=(0, max(0.25, data["years"].iloc[-1])))
        axis.set(ylim=(0, min(1, 1.1 * data["most"].max())))
        axis.set(xlabel="years since the first recorded incident", ylabel="recorded at stage 3")
        in_percent(axis.yaxis)
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        return Chart(figure, data, title, info)


def _frame_of_curves(result: Stages, known: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """The lines by year, and the outermost shares of all readings and dates."""
    every = [curve.set_index("years") for curve in result.curves.values()]
    shares = pd.concat([curve[list(SCENARIOS)] for curve in every], axis=1)
    data = pd.DataFrame({"least": shares.min(axis=1), "most": shares.max(axis=1)})
    for words, curve in known.items():
        data[words] = curve.set_index("years")["midpoint"]
    # beyond the end of a reading the area would be that of the others
    end = min(float(curve["years"].iloc[-1]) for curve in known.values())
    return data[data.index <= end].rename_axis("years").reset_index()


def _area(axis: Axes, data: pd.DataFrame) -> None:
    """What all readings together allow."""
    look = {"color": STAGE_COLOURS[1], "alpha": 0.45, "linewidth": 0, "step": "post"}
    axis.fill_between(data["years"], data["least"], data["most"], **look)


def _lines(axis: Axes, data: pd.DataFrame, names: list[str]) -> None:
    """One line a reading, named at its end; labels that would touch are moved apart."""
    colours = (STAGE_COLOURS[3], STAGE_COLOURS[2], ACCENT, GREY)
    last = data.iloc[-1]
    top = float(last["most"]) or 1.0
    place = -1.0
    for name, colour in sorted(zip(names, colours, strict=False), key=lambda pair: last[pair[0]]):
        axis.step(data["years"], data[name], where="post", color=colour, linewidth=2)
        place = max(place + 0.11 * top, float(last[name]))
        text = f" {100 * last[name]:.0f} % {_SHORT.get(name, name)}"
        note(axis, last["years"], place, text, color=colour, va="center", weight="bold")
    area = "area: all readings,\nand all days that dates allow"
    look = {"xycoords": "axes fraction", "color": STAGE_1_TEXT, "weight": "bold", "va": "top"}
    note(axis, 0.02, 0.98, area, **look)
