"""Figures of notebook 03: did the pursuit rise, and did it break?"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from scipy import stats

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
    note,
    origin_colour,
    style,
)
from capelib.meaning.pursuers import pursuers
from capelib.questions.targeting import Targeting

COUNTED = {
    "incident": "incidents",
    "exile": "persons (once a year)",
    "episode": "incidents (clusters once)",
}


def targeting(result: Targeting, info: Info, origin: str, unit: str, event: str = "") -> Chart:
    """Did the pursuit of exiles rise, and did it break? Bars of counts with the fitted line.

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
        What happened at the break, for its label.

    Returns
    -------
    Chart
        The line has a 95 % band. The frame behind: year, n and, where there are enough cases,
        fitted, low, high and without_break.
    """
    fit = result.broken or result.rise
    break_year = result.at if result.broken else None
    data = fit.fitted if fit else result.counts
    title = f"Did the pursuit of exiles by {pursuers(origin).words} rise, and break in {result.at}?"
    total = f"{data['n'].sum():,} {COUNTED[unit]}"
    line = "Line: model with 95 % band. A collection, not a rate."
    if not fit:
        line = "Too few cases for a line."
    span = years((data["year"].min(), data["year"].max()))
    ceiling = max(data["n"].max() * 1.35, 4)
    with style():
        figure, axis = canvas(title, f"{info.heading}, {span}: {total}. {line}", info)
        axis.bar(data["year"], data["n"], color=PALE, width=0.8, zorder=1)
        if fit:
            _line(axis, data, break_year, origin_colour(origin), ceiling)
        if break_year is not None:
            axis.axvline(break_year - 0.5, color=INK, linewidth=1, zorder=0)
            label = event or f"break at {break_year}"
            note(axis, break_year - 0.65, ceiling * 0.99, label, ha="right", va="top")
        axis.set(ylim=(0, ceiling), ylabel=f"{COUNTED[unit].partition(' ')[0]} a year")
        axis.set(xlim=(data["year"].min() - 0.7, data["year"].max() + 0.7))
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.yaxis.set_major_locator(MaxNLocator(integer=True))
        return Chart(figure, data, title, info)


def _line(
    axis: Axes, data: pd.DataFrame, break_year: int | None, colour: str, ceiling: float
) -> None:
    """The fitted line with its band, in two pieces where there is a break."""
    since = np.inf if break_year is None else break_year
    before = data[data["year"] < since]
    after = data[data["year"] >= since]
    for piece in (before, after):
        high = piece["high"].clip(upper=ceiling)
        band = {"color": colour, "alpha": 0.18, "linewidth": 0, "zorder": 2}
        axis.fill_between(piece["year"], piece["low"], high, **band)
        axis.plot(piece["year"], piece["fitted"], color=colour, linewidth=2.2, zorder=3)
    last = data.iloc[-1]
    label = {"va": "bottom", "ha": "right", "weight": "bold", "color": colour}
    note(axis, last["year"] + 0.3, last["fitted"] + 0.02 * ceiling, "fitted", **label)
    if break_year is not None:
        continued = after[after["without_break"] <= 0.9 * ceiling]
        if len(continued) > 1:
            x, y = continued["year"], continued["without_break"]
            axis.plot(x, y, color=GREY, linewidth=1.5, linestyle=(0, (4, 3)), zorder=3)
            text = f"the line before {break_year},\ncontinued"
            note(axis, x.iloc[-1] + 0.2, y.iloc[-1], text, color=GREY, va="center")


def break_scan(result: Targeting, info: Info, origin: str) -> Chart:
    """Would other years look like a break as well? One bar a year: the test statistic.

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
        A line shows what 5 % of the tests pass by chance. The frame behind: the scan of `result`,
        with `threshold` and `chosen`.
    """
    n_years = len(result.counts)
    threshold = float(stats.f.ppf(0.95, 2, max(n_years - 4, 1)))
    chosen = result.scan["at"] == result.at
    data = result.scan.assign(threshold=threshold, chosen=chosen)
    title = f"Is {result.at} a special year, or would others look like a break as well?"
    test = "the test that neither level nor slope changed, made at every year"
    subtitle = f"{info.heading}: {test}. n = {result.counts['n'].sum()}, {n_years} years."
    if not chosen.any():
        subtitle += f" {result.at} cannot be tested."
    words = "dashed: without any break, one test in 20 passes this line"
    if data["statistic"].isna().all():
        words = "too few cases to test any year"
    colour = origin_colour(origin)
    with style():
        figure, axis = canvas(title, subtitle, info, height=3.9)
        colours = np.where(chosen, colour, "#BFBFBF")
        axis.bar(data["at"], data["statistic"], color=colours, width=0.75)
        axis.axhline(threshold, color=ACCENT, linewidth=1.3, linestyle=DASHED)
        above = {"xycoords": "axes fraction", "va": "bottom", "ha": "right"}
        note(axis, 0.99, 1.01, words, color=ACCENT, **above)
        for row in data[chosen & data["statistic"].notna()].itertuples():
            label = {"ha": "center", "va": "bottom", "weight": "bold", "color": colour}
            note(axis, float(row.at), float(row.statistic), f"{result.at}", **label)
        axis.set(ylim=(0, 1.25 * np.nanmax([threshold, *data["statistic"]])))
        axis.set(xlabel="year taken as the first after a break", ylabel="test statistic (F)")
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        return Chart(figure, data, title, info)
