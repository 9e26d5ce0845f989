"""One function a figure: frames in, a `Chart` out."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, PercentFormatter
from scipy import stats

from capelib.dataset import CENTRAL_ASIA, Dataset, Info
from capelib.estimators.counts import per_year
from capelib.figures.style import (
    ACCENT,
    GREY,
    INK,
    ORIGIN_COLOURS,
    PALE,
    STAGE_COLOURS,
    Chart,
    canvas,
    note,
    style,
)
from capelib.questions.hosts import years
from capelib.vocabulary.codebook import codes, stage_of
from capelib.vocabulary.tables import states

if TYPE_CHECKING:
    from capelib.findings.ledger import Published
    from capelib.questions.hosts import HostShares
    from capelib.questions.targeting import Targeting


def by_origin_and_year(
    ds: Dataset,
    first_year: int,
    last_year: int,
    title: str = "When did the five Central Asian states pursue their exiles?",
) -> Chart:
    """When were the incidents of each Central Asian state? One small panel of yearly counts a state.

    The frame behind: year, origin, n.
    """
    data = per_year(ds.where(origin=CENTRAL_ASIA).incidents, first_year, last_year, by="origin")
    with style():
        subtitle = f"{ds.info.heading}: {data['n'].sum():,} incidents, {first_year}-{last_year}. A collection, not a rate."
        figure, axes = canvas(
            title, subtitle, ds.info, columns=len(CENTRAL_ASIA), height=3.4, left=0.075, wspace=0.12
        )
        for axis, origin in zip(axes, CENTRAL_ASIA, strict=True):
            part = data[data["origin"] == origin]
            axis.bar(part["year"], part["n"], color=ORIGIN_COLOURS[origin], width=0.9)
            axis.set_title(f"{states()[origin]}, {part['n'].sum()}", size=9.5, loc="left")
            axis.set_xticks([year for year in (2000, 2020) if first_year <= year <= last_year])
            axis.set_xlim(first_year - 1, last_year + 1)
        axes[0].set_ylabel("incidents a year")
        return Chart(figure, data, title, ds.info)


def by_measure(ds: Dataset, title: str = "What is done to exiles?") -> Chart:
    """Which measures were recorded, and to which stage does each belong? One bar a measure, dark for the last stage.

    The frame behind: measure, label, stage, n.
    """
    counted = ds.incidents["measure"].value_counts()
    data = pd.DataFrame(
        {
            "measure": list(stage_of()),
            "label": list(codes("measure").values()),
            "stage": list(stage_of().values()),
        }
    )
    data["n"] = data["measure"].map(counted).fillna(0).astype("int64")
    data = (
        data[data["n"] > 0]
        .sort_values(["stage", "n"], ascending=[True, False])
        .reset_index(drop=True)
    )
    with style():
        subtitle = f"{ds.info.heading}: {data['n'].sum():,} incidents. Which measure belongs to which stage is our reading of CAPE."
        figure, axis = canvas(
            title, subtitle, ds.info, height=1.7 + 0.27 * len(data), left=0.22, right=0.72
        )
        sns.barplot(
            data,
            x="n",
            y="label",
            hue="stage",
            palette=STAGE_COLOURS,
            legend=False,
            ax=axis,
            saturation=1,
        )
        for place, row in enumerate(data.itertuples()):
            note(axis, float(row.n), place, f" {row.n}", va="center")
        for stage, part in data.groupby("stage"):
            text = f"Stage {stage}: {part['n'].sum()}\n{codes('stage')[str(stage)].lower()}"
            where = (1.04, part.index.to_numpy().mean())
            note(
                axis,
                *where,
                text,
                xycoords=axis.get_yaxis_transform(),
                va="center",
                weight="bold",
                color=STAGE_COLOURS[max(stage, 2)],
            )
        axis.set(xlabel="incidents", ylabel="")
        axis.tick_params(axis="y", length=0, colors=INK)
        return Chart(figure, data, title, ds.info)


def targeting(result: "Targeting", info: Info, origin: str, unit: str, event: str = "") -> Chart:
    """Did the pursuit of exiles rise, and did it break? Bars of counts with the fitted line and its 95 % band.

    result: from `cape.targeting.targeting`. origin: a state code or "all". event: what happened at the break, for its label.
    The frame behind: year, n and, where there are enough cases, fitted, low, high and without_break.
    """
    fit, at = result.broken or result.rise, result.at if result.broken else None
    data = fit.fitted if fit else result.counts
    colour = ORIGIN_COLOURS.get(origin, ORIGIN_COLOURS["all"])
    who = "five Central Asian states" if origin == "all" else states()[origin]
    title = f"Did the pursuit of exiles by {who} rise, and break in {result.at}?"
    counted = {
        "incident": "incidents",
        "exile": "persons (once a year)",
        "episode": "incidents (clusters once)",
    }
    span = f"{data['year'].min()}-{data['year'].max()}"
    tail = (
        "Line: model with 95 % band. A collection, not a rate."
        if fit
        else "Too few cases for a line."
    )
    subtitle = f"{info.heading}, {span}: {data['n'].sum():,} {counted[unit]}. {tail}"
    with style():
        figure, axis = canvas(title, subtitle, info)
        axis.bar(data["year"], data["n"], color=PALE, width=0.8, zorder=1)
        ceiling = max(data["n"].max() * 1.35, 4)
        if fit:
            _line(axis, data, at, colour, ceiling)
        if at is not None:
            axis.axvline(at - 0.5, color=INK, linewidth=1, zorder=0)
            note(axis, at - 0.65, ceiling * 0.99, event or f"break at {at}", ha="right", va="top")
        label = {"incident": "incidents", "exile": "persons", "episode": "incidents"}[unit]
        axis.set(
            ylim=(0, ceiling),
            xlim=(data["year"].min() - 0.7, data["year"].max() + 0.7),
            xlabel="",
            ylabel=f"{label} a year",
        )
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.yaxis.set_major_locator(MaxNLocator(integer=True))
        return Chart(figure, data, title, info)


def _line(axis: Axes, data: pd.DataFrame, at: int | None, colour: str, ceiling: float) -> None:
    for piece in [data] if at is None else [data[data["year"] < at], data[data["year"] >= at]]:
        axis.fill_between(
            piece["year"],
            piece["low"],
            piece["high"].clip(upper=ceiling),
            color=colour,
            alpha=0.18,
            linewidth=0,
            zorder=2,
        )
        axis.plot(piece["year"], piece["fitted"], color=colour, linewidth=2.2, zorder=3)
    last = data.iloc[-1]
    note(
        axis,
        last["year"] + 0.3,
        last["fitted"] + 0.02 * ceiling,
        "fitted",
        color=colour,
        va="bottom",
        ha="right",
        weight="bold",
    )
    after = (
        data.iloc[:0]
        if at is None
        else data[(data["year"] >= at) & (data["without_break"] <= 0.9 * ceiling)]
    )
    if len(after) > 1:
        axis.plot(
            after["year"],
            after["without_break"],
            color=GREY,
            linewidth=1.5,
            linestyle=(0, (4, 3)),
            zorder=3,
        )
        end = after.iloc[-1]
        note(
            axis,
            end["year"] + 0.2,
            end["without_break"],
            f"the line before {at},\ncontinued",
            color=GREY,
            va="center",
        )


def break_scan(result: "Targeting", info: Info, origin: str) -> Chart:
    """Would other years look like a break as well? One bar a year: the test statistic, with the line that 5 % pass by chance.

    result: from `cape.targeting.targeting`. The frame behind: its scan, with `threshold` and `chosen`.
    """
    n_years, at, colour = (
        len(result.counts),
        result.at,
        ORIGIN_COLOURS.get(origin, ORIGIN_COLOURS["all"]),
    )
    data = result.scan.assign(
        threshold=stats.f.ppf(0.95, 2, max(n_years - 4, 1)), chosen=result.scan["at"] == at
    )
    title = f"Is {at} a special year, or would others look like a break as well?"
    total = f"n = {result.counts['n'].sum()}, {n_years} years."
    subtitle = f"{info.heading}: the test that neither level nor slope changed, made at every year. {total}"
    with style():
        figure, axis = canvas(title, subtitle, info, height=3.9)
        axis.bar(
            data["at"],
            data["statistic"],
            color=np.where(data["chosen"], colour, "#BFBFBF"),
            width=0.75,
        )
        line = float(stats.f.ppf(0.95, 2, max(n_years - 4, 1)))
        axis.axhline(line, color=ACCENT, linewidth=1.3, linestyle=(0, (5, 3)))
        tested = data["statistic"].notna().any()
        top = max(float(data["statistic"].max()) if tested else 0.0, line) * 1.25
        words = (
            "dashed: without any break, one test in 20 passes this line"
            if tested
            else "too few cases to test any year"
        )
        note(
            axis, 0.99, 1.01, words, xycoords="axes fraction", color=ACCENT, va="bottom", ha="right"
        )
        for row in data[data["chosen"] & data["statistic"].notna()].itertuples():
            note(
                axis,
                float(row.at),
                float(row.statistic),
                f"{at}",
                ha="center",
                va="bottom",
                weight="bold",
                color=colour,
            )
        axis.set(
            ylim=(0, top),
            xlabel="year taken as the first after a break",
            ylabel="test statistic (F)",
        )
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        return Chart(figure, data, title, info)


def host_shares(result: "HostShares", info: Info, claims: dict[str, "Published"]) -> Chart:
    """What share of incidents happens on the soil of other authoritarian states, in two periods, beside the published shares?

    claims: published shares by period in words ("2021"); only those of the periods at hand are drawn.
    The frame behind: label, value, low, high, n, published.
    """
    rows = []
    for name, period in (("early", result.early), ("late", result.late)):
        span = years(period)
        if span in claims:
            claim = claims[span]
            rows.append((f"{span}, Freedom House", claim.value, claim.low, claim.high, 0, True))
        if result.numbers:
            numbers = result.numbers
            rows.append(
                (
                    f"{span}, {info.label}",
                    numbers[name],
                    numbers[f"{name}_low"],
                    numbers[f"{name}_high"],
                    numbers[f"{name}_n"],
                    False,
                )
            )
    data = pd.DataFrame(rows, columns=["label", "value", "low", "high", "n", "published"])
    title = "What share of incidents happens on the soil of other authoritarian states?"
    total = result.numbers["early_n"] + result.numbers["late_n"] if result.numbers else 0
    subtitle = f"{info.heading}: {total} incidents with a known host. Authoritarian: {result.definition}. Lines: 95 %."
    also = (
        "; ".join(sorted({claim.reference for claim in claims.values()}))
        if data["published"].any()
        else ""
    )
    return intervals(data, info, title, subtitle, also=f"published: {also}" if also else "")


def corridors(result: "HostShares", info: Info, claim: "Published | None", most: int = 8) -> Chart:
    """Does the change rest on one corridor? The change with each of the weightiest corridors left out.

    claim: the published change in points, drawn as a line. The frame behind: label, value, low, high, n (incidents left out).
    """
    left_out = (
        result.corridors.head(most + 1)
        if len(result.corridors)
        else pd.DataFrame(columns=["corridor", "difference", "low", "high", "left_out"])
    )
    labels = [
        "all corridors" if name == "none" else f"without {_names(name)}"
        for name in left_out["corridor"]
    ]
    data = pd.DataFrame(
        {
            "label": labels,
            "value": left_out["difference"],
            "low": left_out["low"],
            "high": left_out["high"],
            "n": left_out["left_out"],
        }
    )
    data["strong"] = left_out["corridor"] == "none"
    title = (
        f"Does the change from {years(result.early)} to {years(result.late)} rest on one corridor?"
    )
    what = f"change of the share on authoritarian soil, with one corridor left out. Authoritarian: {result.definition}"
    subtitle = f"{info.heading}: {what}. Lines: 95 %."
    reference = (claim.value / 100, f"published: {claim.text}") if claim else None
    return intervals(
        data,
        info,
        title,
        subtitle,
        reference,
        signed=True,
        also=f"published: {claim.reference}" if claim else "",
    )


def _names(corridor: str) -> str:
    return " to ".join(states().get(code, code) for code in corridor.split(" to "))


def definitions(result: "HostShares", info: Info, claim: "Published | None") -> Chart:
    """Does the change depend on what "authoritarian" means? The change under six definitions.

    The frame behind: label, value, low, high, n.
    """
    found = result.definitions
    data = pd.DataFrame(
        {
            "label": found["definition"],
            "value": found["difference"],
            "low": found["low"],
            "high": found["high"],
            "n": found["late_n"],
        }
    )
    data["strong"] = found["definition"] == result.definition
    title = f"Does the change from {years(result.early)} to {years(result.late)} depend on what authoritarian means?"
    what = (
        "change of the share on authoritarian soil under six definitions; the chosen one in colour"
    )
    subtitle = f"{info.heading}: {what}. Lines: 95 %."
    reference = (claim.value / 100, f"published: {claim.text}") if claim else None
    return intervals(
        data,
        info,
        title,
        subtitle,
        reference,
        signed=True,
        also=f"published: {claim.reference}" if claim else "",
    )


def intervals(
    data: pd.DataFrame,
    info: Info,
    title: str,
    subtitle: str,
    reference: tuple[float, str] | None = None,
    signed: bool = False,
    also: str = "",
) -> Chart:
    """How large is each, and how sure? One row an estimate: a point with its 95 % interval, and the numbers beside it.

    data: label, value, low, high (fractions), n (text or number shown in brackets), and optionally `published` (True draws a
        hollow diamond: a number from a publication, with the interval that its rounding allows) and `strong` (True draws it in
        colour). reference: a value to draw a line at, and its label. signed: differences in percentage points. also: the source
        of published numbers, for the source line.
    The frame behind: as given.
    """
    published = data["published"] if "published" in data else pd.Series(False, index=data.index)
    strong = data["strong"] if "strong" in data else pd.Series(True, index=data.index)
    with style():
        longest = int(data["label"].str.len().max()) if len(data) else 0
        size = {
            "height": 1.75 + 0.36 * max(len(data), 1),
            "left": min(0.05 + 0.0092 * longest, 0.45),
            "right": 0.76,
        }
        figure, axis = canvas(title, subtitle, info, also=also, **size)
        for place, (row, diamond, bold) in enumerate(
            zip(data.itertuples(), published, strong, strict=True)
        ):
            colour = INK if diamond else (ORIGIN_COLOURS["KAZ"] if bold else GREY)
            axis.plot(
                [row.low, row.high],
                [place, place],
                color=colour,
                linewidth=2.4 if bold else 1.4,
                solid_capstyle="butt",
            )
            face = "white" if diamond else colour
            axis.plot(
                row.value,
                place,
                "D" if diamond else "o",
                color=colour,
                markerfacecolor=face,
                markersize=7,
                zorder=3,
            )
            note(
                axis,
                1.02,
                place,
                _numbers(row.value, row.low, row.high, row.n, signed, bool(diamond)),
                xycoords=axis.get_yaxis_transform(),
                va="center",
            )
        if data.empty:
            note(
                axis,
                0.5,
                0.5,
                "too few cases",
                xycoords="axes fraction",
                ha="center",
                va="bottom",
                color=ACCENT,
            )
        _finish(axis, data, reference, signed)
        return Chart(figure, data, title, info)


def _numbers(
    value: float, low: float, high: float, n: object, signed: bool, published: bool
) -> str:
    if pd.isna(value):
        return "too few cases"
    if signed:
        return f"{100 * value:+.0f} points [{100 * low:+.0f}, {100 * high:+.0f}]"
    said = f"{100 * value:.0f} %"
    return (
        f"{said}  published"
        if published
        else f"{said} [{100 * low:.0f}, {100 * high:.0f}], n = {n}"
    )


def _finish(
    axis: Axes, data: pd.DataFrame, reference: tuple[float, str] | None, signed: bool
) -> None:
    axis.set_yticks(range(len(data)), data["label"])
    axis.set_ylim(len(data) - 0.4, -0.9)
    axis.tick_params(axis="y", length=0, colors=INK)
    axis.spines["left"].set_visible(False)
    if signed:
        axis.axvline(0, color=GREY, linewidth=1)
        axis.xaxis.set_major_formatter(lambda value, _: f"{100 * value:+.0f}" if value else "0")
        axis.set_xlabel("percentage points")
    else:
        axis.set_xlim(0, 1)
        axis.xaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))
    if reference is not None:
        axis.axvline(reference[0], color=ACCENT, linewidth=1.3, linestyle=(0, (5, 3)), zorder=0)
        note(axis, reference[0], -0.85, f" {reference[1]}", color=ACCENT, va="top")
