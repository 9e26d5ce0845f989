"""Figures of notebook 01: what is in the data."""

import pandas as pd
import seaborn as sns

from capelib.dataset import Dataset, require_dataset
from capelib.estimators.counts import per_year, years
from capelib.figures.style import (
    INK,
    ORIGIN_COLOURS,
    STAGE_COLOURS,
    Chart,
    canvas,
    note,
    style,
)
from capelib.meaning.pursuers import pursuers
from capelib.vocabulary.codebook import codes, stage_of
from capelib.vocabulary.tables import states

PURSUERS = pursuers("all")


def by_origin_and_year(
    ds: Dataset,
    first_year: int,
    last_year: int,
    title: str = f"When did {PURSUERS.words} pursue their exiles?",
) -> Chart:
    """When were the incidents of each Central Asian state? One small panel of counts a state.

    Parameters
    ----------
    ds
        The incidents to count.
    first_year, last_year
        The years shown, both included.
    title
        The question above the panels.

    Returns
    -------
    Chart
        The frame behind: year, origin, n.
    """
    ds = require_dataset(ds)
    origins = PURSUERS.codes
    data = per_year(ds.where(origin=origins).incidents, first_year, last_year, by="origin")
    total = f"{data['n'].sum():,} incidents, {years((first_year, last_year))}"
    subtitle = f"{ds.info.heading}: {total}. A collection, not a rate."
    size = {"columns": len(origins), "height": 3.4, "left": 0.075, "wspace": 0.12}
    with style():
        figure, axes = canvas(title, subtitle, ds.info, **size)
        for axis, origin in zip(axes, origins, strict=True):
            counts = data[data["origin"] == origin]
            axis.bar(counts["year"], counts["n"], color=ORIGIN_COLOURS[origin], width=0.9)
            axis.set_title(f"{states()[origin]}, {counts['n'].sum()}", size=9.5, loc="left")
            axis.set_xticks([year for year in (2000, 2020) if first_year <= year <= last_year])
            axis.set_xlim(first_year - 1, last_year + 1)
        axes[0].set_ylabel("incidents a year")
        return Chart(figure, data, title, ds.info)


def by_measure(ds: Dataset, title: str = "What is done to exiles?") -> Chart:
    """Which measures were recorded, and to which stage does each belong? One bar a measure.

    Parameters
    ----------
    ds
        The incidents to count.
    title
        The question above the bars.

    Returns
    -------
    Chart
        Darker bars belong to later stages. The frame behind: measure, label, stage, n.
    """
    ds = require_dataset(ds)
    data = _counts_of_measures(ds)
    total = f"{data['n'].sum():,} incidents"
    stages = "Which measure belongs to which stage is our reading of CAPE"
    subtitle = f"{ds.info.heading}: {total}. {stages}."
    size = {"height": 1.7 + 0.27 * len(data), "left": 0.22, "right": 0.72}
    with style():
        figure, axis = canvas(title, subtitle, ds.info, **size)
        colours = {"hue": "stage", "palette": STAGE_COLOURS, "saturation": 1}
        sns.barplot(data, x="n", y="label", legend=False, ax=axis, **colours)
        for place, n in enumerate(data["n"]):
            note(axis, float(n), place, f" {n}", va="center")
        for stage, rows in data.groupby("stage"):
            text = f"Stage {stage}: {rows['n'].sum()}\n{codes('stage')[str(stage)].lower()}"
            colour = STAGE_COLOURS[max(stage, 2)]
            beside = {"xycoords": axis.get_yaxis_transform(), "va": "center", "weight": "bold"}
            note(axis, 1.04, rows.index.to_numpy().mean(), text, color=colour, **beside)
        axis.set(xlabel="incidents", ylabel="")
        axis.tick_params(axis="y", length=0, colors=INK)
        return Chart(figure, data, title, ds.info)


def _counts_of_measures(ds: Dataset) -> pd.DataFrame:
    """The measures that occur, by stage, the most frequent first."""
    labels = codes("measure")
    stages = stage_of()
    data = pd.DataFrame(
        {
            "measure": list(stages),
            "label": [labels[measure] for measure in stages],
            "stage": list(stages.values()),
        }
    )
    counts = ds.incidents["measure"].value_counts()
    data["n"] = data["measure"].map(counts).fillna(0).astype("int64")
    order = data[data["n"] > 0].sort_values(["stage", "n"], ascending=[True, False])
    return order.reset_index(drop=True)
