"""Figures of notebook 02: how exactly the record is dated, how coders agree, what moves answers."""

import numpy as np
import pandas as pd

from capelib.dataset import Info
from capelib.figures.forest import Mark, Row, forest, margins
from capelib.figures.style import (
    ACCENT,
    BLUE,
    GREY,
    PALE,
    VERMILION,
    Chart,
    canvas,
    style,
    too_few,
)
from capelib.questions.data_quality import AS_IT_STANDS, CodingRounds
from capelib.questions.wording import percent, points, times

# Dark to light: the less exact the paler, also in grey.
SHADES = {"a day": "#08306B", "a month": "#4A90C2", "a year": "#A6CEE3", "an interval": PALE}


def date_precision(years: pd.DataFrame, info: Info, undated: int) -> Chart:
    """How many incidents of each year are on record, and how exactly dated? Stacked bars.

    Parameters
    ----------
    years
        From `cape.data_quality.by_year`.
    info
        The dataset.
    undated
        Incidents without any date.

    Returns
    -------
    Chart
        The frame behind: `years`.
    """
    title = "How many incidents of each year are on record, and how exactly are they dated?"
    total = int(years.drop(columns="year").to_numpy().sum())
    subtitle = (
        f"{info.heading}: {total:,} incidents by year; {undated:,} more have no date, or one that "
        "crosses a year. A collection, not a rate."
    )
    with style():
        figure, axis = canvas(title, subtitle, info, height=4.0)
        if not total:
            too_few(axis)
        below = np.zeros(len(years))
        for words, colour in SHADES.items():
            axis.bar(
                years["year"], years[words], bottom=below, color=colour, width=0.9, label=words
            )
            below += years[words].to_numpy()
        axis.set_ylabel("incidents a year")
        axis.legend(title="dated to", loc="upper left", frameon=False)
        return Chart(figure, years, title, info)


def coder_agreement(rounds: CodingRounds | None, info: Info) -> Chart:
    """How far do two coders agree? One row a field, both rounds beside each other.

    Parameters
    ----------
    rounds
        From `cape.data_quality.coding_rounds`; None draws an empty figure.
    info
        The dataset.

    Returns
    -------
    Chart
        The frame behind: the agreements by round and field.
    """
    title = "How far does a second coder code the same?"
    if rounds is None:
        with style():
            figure, axis = canvas(title, f"{info.heading}.", info, height=2.4)
            too_few(axis, "no second coder has read this data")
            return Chart(figure, pd.DataFrame({"field": []}), title, info)
    seen = rounds.seen.loc["both"]
    share = percent(seen["share"], seen["low"], seen["high"])
    subtitle = (
        f"{info.heading}: {seen['exiles']:.0f} exiles in {seen['reports']:.0f} reports, coded "
        "twice. Cohen's kappa with 95 % intervals (exiles drawn again). Of all incidents both saw "
        f"{share}. Circles: first round; squares: second round."
    )
    data = rounds.agreements
    shown = data[data["round"] != "both"]
    rows = []
    for field, pair in shown.groupby("field", sort=False):
        marks = tuple(
            Mark(each.kappa, each.kappa_low, each.kappa_high, colour, marker, shift=shift)
            for each, colour, marker, shift in zip(
                pair.itertuples(), (BLUE, VERMILION), ("o", "s"), (-0.14, 0.14), strict=True
            )
        )
        numbers = ", ".join(f"{each.kappa:.2f} (n = {each.n})" for each in pair.itertuples())
        rows.append(Row(str(field), marks, numbers))
    with style():
        figure, axis = canvas(title, subtitle, info, height=3.5, **margins(rows))
        forest(axis, rows, unit="count")
        axis.set_xlim(0.5, 1.0)
        axis.set_xlabel("kappa (1: always the same; 0: as often as by chance)")
        return Chart(figure, data, title, info)


WORDS = {"share": percent, "difference": points, "ratio": times}


def robustness(table: pd.DataFrame, info: Info) -> Chart:
    """Which main numbers move when a part is left out? A small panel a notebook.

    Parameters
    ----------
    table
        From `cape.data_quality.headlines`.
    info
        The dataset.

    Returns
    -------
    Chart
        The frame behind: `table`.
    """
    title = "Do the notebooks' main numbers hold when a part of the data is left out?"
    turned = int(table["turned"].sum())
    subtitle = (
        f"{info.heading}. Points with 95 % intervals that allow for cases reported together; the "
        f"grey band is the interval as it stands. {turned} in red: there it is another answer."
    )
    notebooks = list(table["notebook"].unique())
    choices = list(table["choice"].unique())
    columns = 2
    rows = -(-len(notebooks) // columns)
    with style():
        figure, axes = canvas(
            title, subtitle, info, rows=rows, columns=columns, height=1.3 + 2.15 * rows,
            left=0.2, hspace=0.52, wspace=0.12, space=0.2,
        )  # fmt: skip
        for axis, notebook in zip(axes.flat, notebooks, strict=False):
            _panel(axis, table[table["notebook"] == notebook], choices)
        for axis in axes.flat[len(notebooks) :]:
            axis.set_visible(False)
        return Chart(figure, table, title, info)


def _panel(axis, rows: pd.DataFrame, choices: list[str]) -> None:
    """One notebook's number under each choice."""
    unit, notebook = rows["unit"].iloc[0], rows["notebook"].iloc[0]
    marks = []
    for row in rows.itertuples():
        colour = ACCENT if row.turned else GREY if row.choice != AS_IT_STANDS else BLUE
        marks.append(Row(row.choice, (Mark(row.value, row.low, row.high, colour, size=5),)))
    forest(axis, marks if rows["value"].notna().any() else [], unit=unit)
    stands = rows[rows["choice"] == AS_IT_STANDS].iloc[0]
    axis.set_title(f"{notebook}\n{rows['number'].iloc[0]}", size=8.5, loc="left", pad=5)
    if unit == "difference":
        axis.set_xlabel("")
    if pd.notna(stands["low"]):
        axis.axvspan(stands["low"], stands["high"], color=PALE, alpha=0.5, zorder=-1, linewidth=0)
        axis.set_xlabel(WORDS[unit](*stands[["value", "low", "high"]]), size=8.5)
    axis.tick_params(axis="both", labelsize=7.5)
    axis.tick_params(axis="y", labelleft=bool(axis.get_subplotspec().is_first_col()))
    axis.set_ylim(len(choices) - 0.4, -0.6)
