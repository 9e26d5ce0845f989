"""Figures of notebook 03: until when did the pursuit grow, did it break, is it only reporting?"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from capelib.dataset import Info
from capelib.estimators.counts import years
from capelib.figures.style import (
    ACCENT,
    DASHED,
    GREY,
    INK,
    PALE,
    Chart,
    canvas,
    in_percent,
    note,
    origin_colour,
    style,
)
from capelib.meaning.pursuers import pursuers
from capelib.questions.targeting import AgainstOthers, Targeting, yearly

COUNTED = {
    "incident": "incidents",
    "exile": "persons (once a year)",
    "episode": "incidents (clusters once)",
}
_BAND = {"alpha": 0.18, "linewidth": 0, "zorder": 2}


def targeting(
    result: Targeting, info: Info, origin: str, unit: str, event: str = "", when: float = 0.0
) -> Chart:
    """Until when did the pursuit of exiles grow? Bars of counts with the fitted lines.

    Parameters
    ----------
    result
        From `cape.targeting.targeting`.
    info
        The dataset, for the source line.
    origin
        A state's code, or "all".
    unit
        What is counted: "incident", "exile" or "episode".
    event
        What happened, for the label of a vertical line; "" draws none.
    when
        The year of the event and the part of it that was over, such as 2015.7.

    Returns
    -------
    Chart
        The trend to the year to which it grew, and that since; one line where it did not grow,
        none with too few cases. The frame behind: year, n and, with a line, fitted, low, high.
    """
    who = pursuers(origin).words
    course = result.course if result.grew else None
    data = result.counts
    title = f"Did the pursuit of exiles by {who} rise or fall?"
    line = "Too few cases for a line."
    if course is not None:
        data = course.fitted
        title = f"Until when did the pursuit of exiles by {who} grow?"
        line = f"Lines: trend to {course.turn} and since, with 95 % band. A collection, not a rate."
    elif result.rise is not None:
        data = result.rise.band
        line = "Line: one trend through all years, with 95 % band. A collection, not a rate."
    total = f"{data['n'].sum():,} {COUNTED[unit]}"
    ceiling = max(data["n"].max() * 1.5, 4)
    colour = origin_colour(origin)
    with style():
        figure, axis = canvas(title, f"{info.heading}, {result.period}: {total}. {line}", info)
        axis.bar(data["year"], data["n"], color=PALE, width=0.8, zorder=1)
        if "fitted" in data:
            later = data["year"] > (course.turn if course is not None else np.inf)
            for _, part in data.groupby(later):
                high = part["high"].clip(upper=ceiling)
                axis.fill_between(part["year"], part["low"], high, color=colour, **_BAND)
                axis.plot(part["year"], part["fitted"], color=colour, linewidth=2.2, zorder=3)
            _label_lines(axis, result, data, colour, ceiling)
        if event:
            _mark_event(axis, when, event, data["year"], ceiling)
        axis.set(ylim=(0, ceiling), ylabel=f"{COUNTED[unit].partition(' ')[0]} a year")
        _every_year(axis, data["year"])
        axis.yaxis.set_major_locator(MaxNLocator(integer=True))
        return Chart(figure, data, title, info)


def _mark_event(axis: Axes, when: float, event: str, years: pd.Series, ceiling: float) -> None:
    """A vertical line with its label, on the side on which there is room for it."""
    place = when - 0.5  # the bar of a year reaches from half a year before its mark
    near_end = years.max() - place < 0.2 * len(years)
    side, gap = ("right", -0.12) if near_end else ("left", 0.12)
    axis.axvline(place, ymax=0.74, color=INK, linewidth=1, zorder=4)
    note(axis, place + gap, ceiling * 0.735, event, ha=side, va="top")


def _every_year(axis: Axes, shown: pd.Series) -> None:
    """Each year has its mark, whatever the length of the series."""
    axis.set_xlim(shown.min() - 0.7, shown.max() + 0.7)
    axis.set_xticks(shown.tolist(), [str(year) for year in shown], rotation=90, fontsize=8)


def _label_lines(
    axis: Axes, result: Targeting, data: pd.DataFrame, colour: str, ceiling: float
) -> None:
    """What the lines say in numbers; above them, where the growth can have ended."""
    words = {"color": colour, "weight": "bold", "va": "bottom"}
    first, last = float(data["year"].min()), float(data["year"].max())
    if not result.grew or result.course is None:
        numbers = result.estimates().loc["yearly factor, whole period"]
        note(axis, first - 0.4, ceiling * 0.93, yearly(tuple(numbers)), ha="left", **words)
        return
    course = result.course
    turn, (earliest, latest) = course.turn, course.years
    before = yearly(tuple(course.terms.loc["to the turn"]))
    after = yearly(tuple(course.terms.loc["since the turn"]))
    note(axis, first - 0.4, ceiling * 0.93, f"to {turn}: {before}", ha="left", **words)
    note(axis, last + 0.5, ceiling * 0.93, f"since {turn}: {after}", ha="right", **words)
    height = ceiling * 0.84
    axis.plot([earliest, latest], [height, height], color=GREY, linewidth=1.6, zorder=3)
    axis.plot([turn], [height], "o", color=GREY, markersize=5, zorder=4)
    text = f"if growth ended: {course.years_in_words} (95 %)"
    note(axis, earliest - 0.2, height, text, color=GREY, ha="right", va="center")


def break_scan(result: Targeting, info: Info, origin: str) -> Chart:
    """Is there a year in which the course broke? One bar a year: the test statistic.

    Parameters
    ----------
    result
        From `cape.targeting.targeting`.
    info
        The dataset, for the source line.
    origin
        A state's code, or "all".

    Returns
    -------
    Chart
        The dashed line is that of the whole search: without a break, the highest bar stays below
        it in 95 of 100 series. The frame behind: `at`, `statistic`, `p`, `threshold`, `chosen`.
    """
    search = result.breaks
    columns = ["break_year", "statistic", "p"]
    scan = search.scan[columns] if search else pd.DataFrame(columns=columns, dtype=float)
    threshold = search.line if search else np.nan
    chosen = scan["break_year"] == result.break_year
    data = scan.assign(threshold=threshold, chosen=chosen)
    title = "Is there a year in which the course broke?"
    subtitle = f"{info.heading}, {result.period}: n = {result.counts['n'].sum():,}. "
    subtitle += "Each bar tests that neither level nor slope changed from that year on."
    if not chosen.any():
        subtitle += f" {result.break_year} cannot be tested."
    words = "dashed: without a break, 95 of 100 series have every bar below it"
    if search is None:
        words = "too few cases to test any year"
    colour = origin_colour(origin)
    with style():
        figure, axis = canvas(title, subtitle, info, height=3.9)
        above = {"xycoords": "axes fraction", "va": "bottom", "ha": "right"}
        note(axis, 0.99, 1.01, words, color=ACCENT, **above)
        if search is not None:
            colours = np.where(chosen, colour, "#BFBFBF")
            axis.bar(data["break_year"], data["statistic"], color=colours, width=0.75)
            axis.axhline(threshold, color=ACCENT, linewidth=1.3, linestyle=DASHED)
            for row in data[chosen].itertuples():
                label = {"ha": "center", "va": "bottom", "weight": "bold", "color": colour}
                note(
                    axis,
                    float(row.break_year),
                    float(row.statistic),
                    f"{result.break_year}",
                    **label,
                )
            axis.set(ylim=(0, 1.2 * max(threshold, search.statistic)))
            _every_year(axis, data["break_year"])
        axis.set_ylabel("test statistic (F)")
        return Chart(figure, data, title, info)


def against_others(others: AgainstOthers, info: Info, origin: str) -> Chart:
    """Is it only more reporting? One state's part of what is on record for its region, by year.

    Parameters
    ----------
    others
        From `cape.targeting.against_others`.
    info
        The dataset, for the source line.
    origin
        A state's code.

    Returns
    -------
    Chart
        A point a year, larger with more incidents; the line is the trend of the odds. The frame
        behind: year, part, rest and, with a line, share, fitted, low, high.
    """
    who = pursuers(origin).words
    odds = others.odds
    data = odds.fitted if odds else others.counts
    title = f"Is it only more reporting? {who[:1].upper()}{who[1:]} against the others"
    whole = data["part"] + data["rest"]
    n = f"n = {data['part'].sum():,} of {whole.sum():,}"
    span = years((data["year"].min(), data["year"].max()))
    subtitle = f"{info.heading}, {span}: share of all incidents by Central Asian states, {n}. "
    subtitle += "A rising line: incidents grew faster than those by the others."
    if odds is None:
        subtitle = f"{info.heading}, {span}: {others.why}."
    colour = origin_colour(origin)
    with style():
        figure, axis = canvas(title, subtitle, info, height=3.9)
        if odds is not None:
            axis.fill_between(data["year"], data["low"], data["high"], color=colour, **_BAND)
            axis.plot(data["year"], data["fitted"], color=colour, linewidth=2.2, zorder=3)
            axis.scatter(data["year"], data["share"], s=6 + 3 * whole, color="#8C8C8C", zorder=4)
            text = f"odds: {yearly((odds.ratio, odds.low, odds.high))}"
            above = {"xycoords": "axes fraction", "va": "bottom", "ha": "right"}
            note(axis, 0.99, 1.01, text, color=colour, weight="bold", **above)
            note(axis, 0.01, 1.01, "larger points: more incidents", color=GREY,
                 xycoords="axes fraction", va="bottom")  # fmt: skip
            axis.set(ylim=(0, 1), ylabel="share of the year")
            in_percent(axis.yaxis)
        _every_year(axis, data["year"])
        return Chart(figure, data, title, info)
