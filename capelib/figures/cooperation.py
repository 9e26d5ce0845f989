"""Figures of corridors: who reaches whom where, fellow members against others, incidents per displaced people, ratios of counts."""

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.ticker import LogLocator, NullLocator, PercentFormatter

from capelib.dataset import Info
from capelib.figures.style import (
    ACCENT,
    GREY,
    INK,
    ORIGIN_COLOURS,
    PALE,
    Chart,
    canvas,
    note,
    style,
)
from capelib.questions.corridors import Cooperation, leave_one_host_out, switch_label
from capelib.questions.hosts import years
from capelib.questions.membership_shares import ANY, ORGANISATIONS, fellow
from capelib.questions.wording import two_digits
from capelib.vocabulary.tables import states

BLUE = ORIGIN_COLOURS["KAZ"]


def corridor_matrix(result: Cooperation, info: Info) -> Chart:
    """In which host states does each state reach its exiles? Counts in cells, darker for more; a frame marks fellow members.

    result: from `cape.corridors.cooperation`.
    The frame behind: origin, host, n, years_shared (years of the period in which both were members of CIS, CSTO or SCO), years.
    """
    table, (first, last) = result.table, result.period
    data = table.reset_index().melt("origin", var_name="host", value_name="n")
    every = data[["origin", "host"]].merge(
        pd.DataFrame({"year": range(first, last + 1)}), how="cross"
    )
    data["years_shared"] = (
        fellow(every)
        .groupby(["origin", "host"])[ANY]
        .sum()
        .reindex(pd.MultiIndex.from_frame(data[["origin", "host"]]))
        .array
    )
    data["years"] = last - first + 1
    title = "Which states reach their exiles in which host states?"
    what = f"{table.to_numpy().sum():,} incidents by pursuing state (rows) and host (columns). Frame: fellow members of CIS, CSTO or SCO"
    subtitle = (
        f"{info.heading}, {years(result.period)}: {what} in all years (solid) or some (dotted)."
    )
    with style():
        figure, axis = canvas(
            title,
            subtitle,
            info,
            height=2.9 + 0.36 * len(table),
            left=0.19,
            bottom=1.25 / (2.9 + 0.36 * len(table)),
        )
        if table.empty or not table.columns.size:
            axis.set_axis_off()
            note(
                axis,
                0.5,
                0.5,
                "no incidents with a known host and year",
                xycoords="axes fraction",
                ha="center",
                color=ACCENT,
            )
            return Chart(figure, data, title, info)
        shade = np.sqrt(table.to_numpy())  # else the largest corridor leaves all others white
        words = table.astype(str).replace("0", "")
        sns.heatmap(
            shade,
            annot=words,
            fmt="",
            cmap="Blues",
            vmin=0,
            vmax=max(1.15 * shade.max(), 4.5),
            cbar=False,
            linewidths=1.5,
            ax=axis,
        )
        axis.set_xticks(
            np.arange(len(table.columns)) + 0.5,
            [states().get(host, host) for host in table.columns],
            rotation=40,
            ha="right",
        )
        totals = table.sum(axis=1)
        axis.set_yticks(
            np.arange(len(table)) + 0.5,
            [f"{states()[origin]}, {totals[origin]}" for origin in table.index],
            rotation=0,
        )
        axis.tick_params(length=0, colors=INK)
        for row in data[data["years_shared"] > 0].itertuples():
            place = (
                list(table.columns).index(row.host) + 0.05,
                list(table.index).index(row.origin) + 0.05,
            )
            line = "-" if row.years_shared == row.years else ":"
            axis.add_patch(
                Rectangle(place, 0.9, 0.9, fill=False, edgecolor=INK, linewidth=1.3, linestyle=line)
            )
        return Chart(figure, data, title, info)


def fellow_members(result: Cooperation, info: Info) -> Chart:
    """What share of incidents happens in fellow-member states, by organisation and period, and in comparison with other stages?

    result: from `cape.corridors.cooperation`. The frame behind: label, value, low, high, n, if_equal (fractions).
    """
    shares = result.shares
    several = len(set(shares["period"])) > 1
    shown = shares[(shares["period"] != years(result.period)) | (not several)]
    labels = shown["organisation"] + ", " + shown["period"]
    data = pd.DataFrame(
        {
            "label": labels,
            "value": shown["share"],
            "low": shown["low"],
            "high": shown["high"],
            "n": shown["n"],
        }
    )
    data["if_equal"] = shown["if_equal"]
    other = result.stages.drop(index="difference").reset_index()
    other = other.rename(columns={"incidents": "label", "share": "value"}).assign(
        label=lambda frame: f"{ANY}, " + frame["label"], if_equal=np.nan
    )
    data = pd.concat(
        [data, other[["label", "value", "low", "high", "n", "if_equal"]]], ignore_index=True
    )
    title = "What share of incidents happens in fellow-member states of CIS, CSTO and SCO?"
    what = "dots with 95 % lines. Grey mark: the share if every possible host were as likely as every other, a weak yardstick"
    subtitle = f"{info.heading}, {years(result.period)}, n = {len(result.rows)}: {what}. Last two rows: stages compared, whole period."
    with style():
        figure, axis = canvas(
            title, subtitle, info, height=1.9 + 0.34 * len(data), left=0.33, right=0.76
        )
        for place, row in enumerate(data.itertuples()):
            colour = (
                ORIGIN_COLOURS["TKM"]
                if place >= len(shown)
                else BLUE
                if row.label.startswith(ANY)
                else GREY
            )
            axis.plot(
                [row.low, row.high],
                [place, place],
                color=colour,
                linewidth=2.2,
                solid_capstyle="butt",
            )
            axis.plot(row.value, place, "o", color=colour, markersize=7, zorder=3)
            axis.plot(row.if_equal, place, "|", color="#8C8C8C", markersize=15, markeredgewidth=3)
            known = pd.notna(row.value)
            words = (
                f"{100 * row.value:.0f} % [{100 * row.low:.0f}, {100 * row.high:.0f}], n = {row.n}"
                if known
                else "no incident"
            )
            note(axis, 1.02, place, words, xycoords=axis.get_yaxis_transform(), va="center")
        _rows(axis, list(data["label"]))
        axis.set_xlim(0, 1)
        axis.xaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))
        return Chart(figure, data, title, info)


def per_displaced(result: Cooperation, info: Info) -> Chart:
    """How many incidents are on record per 1,000 displaced people of that origin and year, by origin and period?

    result: from `cape.corridors.cooperation`. The frame behind: label, value, low, high, n, origin, person_years.
    """
    several = len(set(result.people["period"])) > 1
    people = result.people[(result.people["period"] != years(result.period)) | (not several)]
    labels = [
        f"{states()[origin]}, {period}"
        for origin, period in zip(people["origin"], people["period"], strict=True)
    ]
    data = pd.DataFrame(
        {
            "label": labels,
            "value": people["per_1000"],
            "low": people["low"],
            "high": people["high"],
            "n": people["n"],
        }
    )
    data["origin"], data["person_years"] = people["origin"], people["person_years"]
    title = "How many incidents are on record per 1,000 displaced people?"
    what = f"{data['n'].sum():,} incidents against UNHCR refugees plus asylum-seekers of that origin, added up over years"
    subtitle = f"{info.heading}: {what}. Lines: 95 %. Not a risk: most migrants are not in it."
    words = [
        f"{two_digits(row.value)} [{two_digits(row.low)}, {two_digits(row.high)}], n = {row.n}"
        for row in data.itertuples()
    ]
    colours = [ORIGIN_COLOURS.get(origin, INK) for origin in data["origin"]]
    return _forest(
        data,
        words,
        colours,
        info,
        title,
        subtitle,
        "incidents on record per 1,000 displaced people and year",
        None,
    )


def membership_models(result: Cooperation, info: Info) -> Chart:
    """How many times as many incidents are expected in fellow-member states? The three organisations in several models.

    result: from `cape.corridors.cooperation`. The frame behind: label, value, low, high, n, model.
    """
    fits = {
        "hosts compared": result.separate,
        "negative binomial": result.negative,
        "a corridor with itself": result.within,
    }
    found = [
        (f"{ANY}, hosts compared", *fit.row(ANY).values(), fit.n, "hosts compared")
        for fit in [result.together]
        if fit
    ]
    found += [
        (f"{term}, {name}", *fit.row(term).values(), fit.n, name)
        for term in ORGANISATIONS
        for name, fit in fits.items()
        if fit
    ]
    switch = result.switch()
    if switch is not None:
        n = int(switch[["n_with", "n_without", "other_with", "other_without"]].sum())
        found.append(
            (
                switch_label(switch).replace("against its other hosts", "against\nits other hosts"),
                *switch[["ratio", "low", "high"]],
                n,
                "switch",
            )
        )
    data = pd.DataFrame(found, columns=["label", "value", "low", "high", "n", "model"])
    title = "How many times as many incidents go with a shared membership?"
    tail = "" if switch is None else "; last row: exact"
    what = "ratio of expected counts, with origin, year, displaced people and the host's regime held equal"
    subtitle = f"{info.heading}, {years(result.period)}, n = {len(result.rows)}: {what}. Lines: 95 %, clustered by host{tail}."
    words = [_ratio_words(row.value, row.low, row.high) for row in data.itertuples()]
    palette = {
        "hosts compared": BLUE,
        "negative binomial": GREY,
        "a corridor with itself": ORIGIN_COLOURS["TJK"],
        "switch": INK,
    }
    return _forest(
        data,
        words,
        [palette[model] for model in data["model"]],
        info,
        title,
        subtitle,
        "ratio of expected counts (log scale)",
        1.0,
    )


def _ratio_words(value: float, low: float, high: float) -> str:
    return (
        "cannot be told"
        if pd.isna(value)
        else f"{two_digits(value)} [{two_digits(low)}, {two_digits(high)}]"
    )


def hosts_left_out(result: Cooperation, info: Info, most: int = 6) -> Chart:
    """Do the ratios rest on one host? One panel a membership, one row a host left out.

    result: from `cape.corridors.cooperation`. most: hosts with most incidents. The frame behind: as `cape.corridors.leave_one_host_out`.
    """
    data = leave_one_host_out(result.cells, most)
    hosts = list(data["host"].unique())
    title = "Do the ratios rest on one host state?"
    what = "ratio of expected counts, fellow members against others, with one host left out in each row (in brackets: its incidents)"
    subtitle = f"{info.heading}, {years(result.period)}, n = {len(result.rows)}: {what}. Lines: 95 %, clustered by host."
    limits = _limits(data["ratio"], data["low"], data["high"])
    counts = data.groupby("host")["left_out"].first()
    labels = [
        "all hosts" if host == "none" else f"without {states()[host]} ({counts[host]})"
        for host in hosts
    ]
    with style():
        figure, axes = canvas(
            title,
            subtitle,
            info,
            columns=4,
            height=2.2 + 0.36 * len(hosts),
            left=max(0.235, 0.05 + 0.0078 * max(map(len, labels))),
            wspace=0.1,
            top=1 - 1.2 / (2.2 + 0.36 * len(hosts)),
        )
        for axis, term in zip(axes, (*ORGANISATIONS, ANY), strict=True):
            part = data[data["term"] == term].reset_index(drop=True)
            for place, row in enumerate(part.itertuples()):
                _interval(
                    axis,
                    place,
                    row.ratio,
                    row.low,
                    row.high,
                    BLUE if row.host == "none" else GREY,
                    limits,
                )
                if pd.notna(row.ratio):
                    note(
                        axis,
                        row.ratio,
                        place - 0.2,
                        two_digits(row.ratio),
                        ha="center",
                        va="bottom",
                        fontsize=8,
                    )
            if part["ratio"].isna().all():
                note(
                    axis,
                    0.5,
                    0.5,
                    "too few cases",
                    xycoords="axes fraction",
                    ha="center",
                    color=ACCENT,
                )
            axis.set_title(term, size=9.5, loc="left")
            _log(axis, limits, 1.0)
        _rows(axes[0], labels)
        for axis in axes[1:]:
            axis.tick_params(axis="y", length=0, labelleft=False)
            axis.spines["left"].set_visible(False)
        return Chart(figure, data, title, info)


def _forest(
    data: pd.DataFrame,
    words: list[str],
    colours: list[str],
    info: Info,
    title: str,
    subtitle: str,
    label: str,
    reference: float | None,
) -> Chart:
    """Intervals on a log scale, one row each, the numbers beside them."""
    limits = _limits(data["value"], data["low"], data["high"])
    with style():
        lines = data["label"].str.split("\n").explode() if len(data) else pd.Series([""])
        left = min(0.05 + 0.0092 * int(lines.str.len().max()), 0.45)
        height = 2.2 + 0.34 * max(len(data), 1)
        figure, axis = canvas(
            title, subtitle, info, height=height, left=left, right=0.76, bottom=0.85 / height
        )
        for place, (row, said, colour) in enumerate(
            zip(data.itertuples(), words, colours, strict=True)
        ):
            _interval(axis, place, row.value, row.low, row.high, colour, limits)
            note(axis, 1.02, place, said, xycoords=axis.get_yaxis_transform(), va="center")
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
        _rows(axis, list(data["label"]))
        _log(axis, limits, reference)
        axis.set_xlabel(label)
        return Chart(figure, data, title, info)


def _limits(value: pd.Series, low: pd.Series, high: pd.Series) -> tuple[float, float]:
    """The ends of a log axis: all intervals, but no further than 30 times beyond the smallest and the largest value."""
    some = value[value > 0]
    if some.empty:
        return 0.1, 10.0
    floor, ceiling = some.min() / 30, some.max() * 30
    return float(max(low[low > 0].min(), floor) / 1.5), float(min(high.max(), ceiling) * 1.5)


def _interval(
    axis: Axes,
    place: int,
    value: float,
    low: float,
    high: float,
    colour: str,
    limits: tuple[float, float],
) -> None:
    if pd.isna(value):
        return
    ends = (max(low, limits[0]), min(high, limits[1]))
    axis.plot(ends, [place, place], color=colour, linewidth=2.2, solid_capstyle="butt")
    for end, beyond, mark in ((ends[0], low < limits[0], "<"), (ends[1], high > limits[1], ">")):
        if beyond:
            axis.plot(end, place, mark, color=colour, markersize=6, clip_on=False)
    if value >= limits[0]:
        axis.plot(value, place, "o", color=colour, markersize=7, zorder=3)


def _log(axis: Axes, limits: tuple[float, float], reference: float | None) -> None:
    axis.set_xscale("log")
    axis.set_xlim(*limits)
    axis.xaxis.set_major_locator(LogLocator(numticks=6))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_major_formatter(lambda value, _: f"{value:,.10g}")
    if reference is not None:
        axis.axvline(reference, color=PALE, linewidth=1.5, zorder=0)


def _rows(axis: Axes, labels: list[str]) -> None:
    axis.set_yticks(range(len(labels)), labels)
    axis.set_ylim(len(labels) - 0.4, -0.7)
    axis.tick_params(axis="y", length=0, colors=INK)
    axis.spines["left"].set_visible(False)
