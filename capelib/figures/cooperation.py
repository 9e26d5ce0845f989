"""Figures of notebook 07: who reaches whom where, and what shared memberships add."""

from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from capelib.dataset import Info
from capelib.estimators.counts import years
from capelib.figures.forest import (
    Mark,
    Row,
    behind,
    forest,
    forest_chart,
    log_limits,
    margins,
    with_n,
)
from capelib.figures.style import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORIGIN_COLOURS,
    VERMILION,
    Chart,
    canvas,
    note,
    style,
    too_few,
)
from capelib.questions.corridors import Cooperation, leave_one_host_out, switch_label
from capelib.questions.membership_shares import ANY, ORGANISATIONS, fellow
from capelib.questions.wording import bound, two_digits
from capelib.vocabulary.tables import states

MODEL_COLOURS = {
    "hosts compared": BLUE,
    "negative binomial": GREY,
    "a corridor with itself": VERMILION,
    "switch": INK,
}


def corridor_matrix(result: Cooperation, info: Info) -> Chart:
    """In which host states does each state reach its exiles? Counts in cells, darker for more.

    Parameters
    ----------
    result
        From `cape.corridors.cooperation`.
    info
        The dataset, for the source line.

    Returns
    -------
    Chart
        A frame marks fellow members. The frame behind: origin, host, n, years_shared (years of
        the period in which both were members of CIS, CSTO or SCO), years.
    """
    table = result.table
    data = _years_shared(result)
    total = f"{table.to_numpy().sum():,} incidents by pursuing state (rows) and host (columns)"
    frame = "Frame: fellow members of CIS, CSTO or SCO in all years (solid) or some (dotted)"
    title = "Which states reach their exiles in which host states?"
    subtitle = f"{info.heading}, {years(result.period)}: {total}. {frame}."
    height = 2.9 + 0.36 * len(table)
    with style():
        size = {"height": height, "left": 0.19, "bottom": 1.25 / height}
        figure, axis = canvas(title, subtitle, info, **size)
        if table.empty or not table.columns.size:
            axis.set_axis_off()
            too_few(axis, "no incidents with a known host and year")
            return Chart(figure, data, title, info)
        _heatmap(axis, table)
        columns = {host: column for column, host in enumerate(table.columns)}
        lines = {origin: line for line, origin in enumerate(table.index)}
        for row in data[data["years_shared"] > 0].itertuples():
            corner = (columns[row.host] + 0.05, lines[row.origin] + 0.05)
            line = {"linewidth": 1.3, "linestyle": "-" if row.years_shared == row.years else ":"}
            axis.add_patch(Rectangle(corner, 0.9, 0.9, fill=False, edgecolor=INK, **line))
        return Chart(figure, data, title, info)


def _years_shared(result: Cooperation) -> pd.DataFrame:
    """The cells of the table, with the years in which origin and host were fellow members."""
    first, last = result.period
    data = result.table.reset_index().melt("origin", var_name="host", value_name="n")
    corridors = data[["origin", "host"]]
    each_year = corridors.merge(pd.DataFrame({"year": range(first, last + 1)}), how="cross")
    shared = fellow(each_year).groupby(["origin", "host"])[ANY].sum()
    data["years_shared"] = shared.reindex(pd.MultiIndex.from_frame(corridors)).array
    data["years"] = last - first + 1
    return data


def _heatmap(axis: Axes, table: pd.DataFrame) -> None:
    shade = np.sqrt(table.to_numpy())  # else the largest corridor leaves all others white
    numbers = table.astype(str).replace("0", "")
    scale = {"cmap": "Blues", "vmin": 0, "vmax": max(1.15 * shade.max(), 4.5), "cbar": False}
    sns.heatmap(shade, annot=numbers, fmt="", linewidths=1.5, ax=axis, **scale)
    hosts = [states().get(host, host) for host in table.columns]
    axis.set_xticks(np.arange(len(hosts)) + 0.5, hosts, rotation=40, ha="right")
    totals = table.sum(axis=1)
    origins = [f"{states()[origin]}, {totals[origin]}" for origin in table.index]
    axis.set_yticks(np.arange(len(origins)) + 0.5, origins, rotation=0)
    axis.tick_params(length=0, colors=INK)


def fellow_members(result: Cooperation, info: Info) -> Chart:
    """What share of incidents happens in fellow-member states, by organisation and period?

    Parameters
    ----------
    result, info
        As for `corridor_matrix`.

    Returns
    -------
    Chart
        The last two rows compare stages. The frame behind: label, value, low, high, n (fractions).
    """
    shares = _by_period(result.shares, result)
    by_period = behind(shares["organisation"] + ", " + shares["period"], shares, "share")
    stages = result.stages.drop(index="difference").reset_index()
    by_stage = behind(f"{ANY}, " + stages["incidents"], stages, "share")
    data = pd.concat([by_period, by_stage], ignore_index=True)
    rows = []
    for number, row in enumerate(data.itertuples()):
        colour = BLUE if row.label.startswith(ANY) else GREY
        if number >= len(shares):
            colour = GREEN
        share = Mark(row.value, row.low, row.high, colour)
        words = "no incident" if pd.isna(row.value) else with_n(row)
        rows.append(Row(row.label, (share,), words))
    title = "What share of incidents happens in fellow-member states of CIS, CSTO and SCO?"
    what = (
        "dots with 95 % lines that allow for incidents reported together. The three overlap. Last "
        "two rows (green): the stages compared, whole period; exiles who live there are in both."
    )
    subtitle = f"{info.heading}, {years(result.period)}, n = {len(result.rows)}: {what}"
    return forest_chart(rows, data, info, title, subtitle)


def _by_period(table: pd.DataFrame, result: Cooperation) -> pd.DataFrame:
    """The rows of the single periods; those of the whole where there is only one."""
    several = len(set(table["period"])) > 1
    return table[table["period"] != years(result.period)] if several else table


def per_displaced(result: Cooperation, info: Info) -> Chart:
    """How many incidents are on record per 1,000 displaced people of that origin and year?

    Parameters
    ----------
    result, info
        As for `corridor_matrix`.

    Returns
    -------
    Chart
        By origin and period. The frame behind: label, value, low, high, n, origin, person_years.
    """
    people = _by_period(result.people, result)
    labels = people["origin"].map(states()) + ", " + people["period"]
    data = behind(labels, people, "per_1000")
    data[["origin", "person_years"]] = people[["origin", "person_years"]]
    rows = []
    for row in data.itertuples():
        mark = Mark(row.value, row.low, row.high, ORIGIN_COLOURS.get(row.origin, INK))
        rows.append(Row(row.label, (mark,), f"{_ratio(row)}, n = {row.n}"))
    title = "How many incidents are on record per 1,000 displaced people?"
    total = f"{data['n'].sum():,} incidents"
    against = "against UNHCR refugees plus asylum-seekers of that origin, added up over years"
    caution = "Lines: 95 %. Not a risk: most migrants are not in it."
    subtitle = f"{info.heading}: {total} {against}. {caution}"
    label = "incidents on record per 1,000 displaced people and year"
    return forest_chart(rows, data, info, title, subtitle, "rate", label=label)


NO_LINE = "No line: one host holds most of the incidents on one side."


def _lines(data: pd.DataFrame, low: str = "low", value: str = "value") -> str:
    """What a subtitle says where some ratios have no interval."""
    return f" {NO_LINE}" if (data[low].isna() & data[value].notna()).any() else ""


def _ratio(row: Any) -> str:
    """A ratio in words; the ends of a hopelessly vague interval would be dozens of digits long."""
    if pd.isna(row.low):
        return f"{two_digits(row.value)}, no interval"
    low = "<0.0001" if row.low < 1e-4 else bound(row.low)
    high = ">10,000" if row.high > 1e4 else bound(row.high)
    return f"{two_digits(row.value)} [{low}, {high}]"


def host_act_odds(result: Cooperation, info: Info) -> Chart:
    """Are acts that need the host more frequent, beside other acts, in fellow-member states?

    Parameters
    ----------
    result, info
        As for `corridor_matrix`.

    Returns
    -------
    Chart
        One row a choice, the first as chosen. The frame behind: label, value, low, high, n.
    """
    table = result.acts.choices
    table = table.assign(n=table["needs_host"] + table["needs_none"])
    data = behind(table["choice"], table, "ratio")
    rows = []
    for place, row in enumerate(data.itertuples()):
        mark = Mark(row.value, row.low, row.high, GREY if place else BLUE)
        words = "cannot be told" if pd.isna(row.value) else f"{_ratio(row)}, n = {row.n}"
        rows.append(Row(row.label, (mark,), words))
    stages = str(result.stages.index[0])
    title = f"Are acts of {stages} likelier, beside other acts, in fellow-member states?"
    what = (
        f"odds that an act on record is of {stages} rather than another stage, in fellow-member "
        "states against others. 1: no difference. Lines: 95 %, by host (but for rows 2 and 3)."
    )
    subtitle = f"{info.heading}, {years(result.period)}: {what}"
    label = "odds ratio (log scale)"
    return forest_chart(rows, data, info, title, subtitle, "ratio", label=label)


def counts_beside(result: Cooperation, info: Info) -> Chart:
    """Do counts show cooperation? Acts that need the host beside acts that do not.

    Parameters
    ----------
    result, info
        As for `corridor_matrix`.

    Returns
    -------
    Chart
        One row a model, with two marks. The frame behind: label, value, low, high, n, other,
        other_low, other_high (the same of acts of other stages).
    """
    table = result.exposures
    labels = table["model"].str.replace(", ", ",\n", regex=False)
    data = behind(labels, table, "ratio")
    data[["other", "other_low", "other_high"]] = table[["beside", "beside_low", "beside_high"]]
    rows = []
    for row in data.itertuples():
        marks = (
            Mark(row.value, row.low, row.high, BLUE, shift=-0.15),
            Mark(row.other, row.other_low, row.other_high, GREEN, marker="s", size=6, shift=0.15),
        )
        shown = [two_digits(ratio) for ratio in (row.value, row.other) if pd.notna(ratio)]
        rows.append(Row(row.label, marks, " and ".join(shown) or "cannot be told"))
    stages = str(result.stages.index[0])
    title = "Counts run higher in fellow-member states, for acts that need no host as well"
    if data[["value", "other"]].isna().all(axis=None) or (data["other"] <= 1).any():
        title = "How many times as many acts are on record in fellow-member states?"
    what = (
        "ratio of expected counts, fellow members against others, by what is held equal (always "
        "origin, year, the host's regime). Lines: 95 %, clustered by host." + _lines(data)
    )
    subtitle = f"{info.heading}, {years(result.period)}: {what}"
    label = "ratio of expected counts (log scale)"
    key = ((0.0, f"{stages} (dots)", BLUE), (0.4, "other stages (squares)", GREEN))
    return forest_chart(
        rows, data, info, title, subtitle, "ratio", label=label, pitch=0.46, key=key
    )


def membership_models(result: Cooperation, info: Info) -> Chart:
    """How many times as many incidents are expected in fellow-member states, in several models?

    Parameters
    ----------
    result, info
        As for `corridor_matrix`.

    Returns
    -------
    Chart
        The frame behind: label, value, low, high, n, model.
    """
    data = _ratios_of_models(result)
    rows = []
    for row in data.itertuples():
        mark = Mark(row.value, row.low, row.high, MODEL_COLOURS[row.model])
        words = "cannot be told" if pd.isna(row.value) else _ratio(row)
        rows.append(Row(row.label, (mark,), words))
    title = "How many times as many incidents go with a shared membership, without exposure?"
    held_equal = "origin, year, displaced people and the host's regime held equal"
    what = f"ratio of expected counts, with {held_equal}. Lines: 95 %, clustered by host"
    tail = "; last row: exact" if "switch" in set(data["model"]) else ""
    what = f"{what}{tail}.{_lines(data)}"
    subtitle = f"{info.heading}, {years(result.period)}, n = {len(result.rows)}: {what}"
    label = "ratio of expected counts (log scale)"
    return forest_chart(rows, data, info, title, subtitle, "ratio", label=label)


def _ratios_of_models(result: Cooperation) -> pd.DataFrame:
    """The ratios of fellow members together, of each organisation, and of a change of one."""
    models = {
        "hosts compared": result.separate,
        "negative binomial": result.negative,
        "a corridor with itself": result.within,
    }
    fits = [(ANY, "hosts compared", result.together)]
    fits += [(term, model, fit) for term in ORGANISATIONS for model, fit in models.items()]
    rows = [
        (f"{term}, {model}", *fit.row(term).values(), fit.n, model)
        for term, model, fit in fits
        if fit
    ]
    switch = result.switch()
    if switch is not None:
        n = int(switch[["n_with", "n_without", "other_with", "other_without"]].sum())
        label = switch_label(switch).replace(" its other hosts", "\nits other hosts")
        rows.append((label, *switch[["ratio", "low", "high"]], n, "switch"))
    return pd.DataFrame(rows, columns=["label", "value", "low", "high", "n", "model"])


def hosts_left_out(result: Cooperation, info: Info, most: int = 6) -> Chart:
    """Do the ratios rest on one host? One panel a membership, one row a host left out.

    Parameters
    ----------
    result, info
        As for `corridor_matrix`.
    most
        Hosts left out in turn, those with most incidents first.

    Returns
    -------
    Chart
        The frame behind: as `cape.corridors.leave_one_host_out`.
    """
    data = leave_one_host_out(result.cells, most)
    left_out = data.groupby("host", sort=False)["left_out"].first()
    labels = {
        host: "all hosts" if host == "none" else f"without {states()[host]} ({n})"
        for host, n in left_out.items()
    }
    title = "Do the ratios rest on one host state?"
    what = (
        "ratio of expected counts, fellow members against others, with one host left out in each "
        "row (in brackets: its incidents). Lines: 95 %, clustered by host."
        + _lines(data, value="ratio")
    )
    subtitle = f"{info.heading}, {years(result.period)}, n = {len(result.rows)}: {what}"
    limits = log_limits(data["ratio"], data["low"], data["high"])
    left = margins([Row(label) for label in labels.values()])["left"]
    with style():
        size = {"height": 2.2 + 0.36 * len(labels), "left": left, "space": 0.2, "wspace": 0.1}
        figure, axes = canvas(title, subtitle, info, columns=len(ORGANISATIONS) + 1, **size)
        for axis, term in zip(axes, (*ORGANISATIONS, ANY), strict=True):
            _panel(axis, data[data["term"] == term], labels, limits)
            axis.set_title(term, size=9.5, loc="left")
        for axis in axes[1:]:
            axis.tick_params(axis="y", labelleft=False)
        return Chart(figure, data, title, info)


def _panel(
    axis: Axes, ratios: pd.DataFrame, labels: dict[str, str], limits: tuple[float, float]
) -> None:
    rows = []
    for row in ratios.itertuples():
        colour = BLUE if row.host == "none" else GREY
        rows.append(Row(labels[row.host], (Mark(row.ratio, row.low, row.high, colour),)))
    forest(axis, rows, "ratio", limits=limits)
    if ratios["ratio"].isna().all():
        too_few(axis)
    for place, ratio in enumerate(ratios["ratio"]):
        if pd.notna(ratio):
            above = {"ha": "center", "va": "bottom", "fontsize": 8}
            note(axis, ratio, place - 0.2, two_digits(ratio), **above)
