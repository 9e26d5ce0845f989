"""Every defensible way to the main number of a notebook, and whether together they show it."""

import numpy as np
import pandas as pd

from capelib.dataset import Dataset
from capelib.estimators.change_points import line
from capelib.estimators.counts import collapse, per_year
from capelib.estimators.many_counts import fit_many
from capelib.estimators.shares import MARK, authoritarian_hosts
from capelib.estimators.specifications import gaps
from capelib.progress import progress
from capelib.questions import estimates as shared
from capelib.questions.corridor_specifications import corridors_curve
from capelib.questions.regimes_moved import LABELINGS, changes_with_moved_regimes
from capelib.questions.specification_curve import Curve, curve_of
from capelib.questions.specification_rules import (
    REMAINS,
    Remaining,
    choices,
    remaining,
    remaining_by_option,
    specifications,
)

__all__ = [
    "Curve", "answer", "choices", "corridors_curve", "estimates", "hosts_curve", "series_curve",
    "specifications",
]  # fmt: skip

HOSTS, SERIES = "04_authoritarian_hosts", "03_tajik_targeting"
YEARS = (2014, 2021)  # 04: the last one against the others
LAST_YEAR = 2024  # 03
FEWEST = 20  # cases that a specification needs on the side with fewer (04), or in all (03)


def hosts_curve(ds: Dataset, labelings: int = LABELINGS) -> Curve | None:
    """Did the share on authoritarian soil rise in 2021, under every defensible choice?

    Parameters
    ----------
    ds
        All that is loaded.
    labelings
        How often regimes are moved between hosts, see below.

    Returns
    -------
    Curve or None
        None where no specification has enough cases.

    Notes
    -----
    "2021" is assigned to a year. So the reference takes each of the eight years in turn as the
    special one; rows are never moved between years, since rows of one year are alike. With eight
    years no p is below 1/8: this data cannot show at 5 % that one year is special, and an interval
    that says so rests on rows taken as independent of their year.

    A regime is assigned to a host. So a second reference gives each host the regimes of another one
    (`by_host`): did the cases of 2021 move to authoritarian hosts, or to some hosts that happen to
    be so? It takes 2021 as given, and has no least p of 1/8.

    Examples
    --------
    >>> import capelib as cape
    >>> curve = hosts_curve(cape.load())
    >>> curve.listed, curve.test.labelings
    (3456, 8)
    """
    joined = ds.joined()
    joined = joined[joined["year"].between(*YEARS).fillna(False).astype(bool)]
    joined = joined.reset_index(drop=True)
    listed = specifications(HOSTS)
    marks = _marks(joined)
    if joined.empty:
        return None
    place = pd.factorize(joined["origin"])[0], (joined["year"] - YEARS[0]).to_numpy(int)
    shape = (place[0].max() + 1, YEARS[1] - YEARS[0] + 1)
    cell = np.ravel_multi_index(place, shape)
    select = [name for name in listed if name in REMAINS or name == "counted"]
    by_option = remaining_by_option(joined, listed)
    kept = {
        options: _kept_rows(joined, by_option, dict(zip(select, options, strict=True)))
        for options in listed[select].drop_duplicates().itertuples(index=False, name=None)
    }
    hits, cases, keys, insides = [], [], [], []
    chosen = zip(
        listed[select].itertuples(index=False, name=None),
        listed["authoritarian"],
        listed["rated"],
        strict=True,
    )
    for options, definition, rated in progress(chosen, "specifications", len(listed)):
        mark = marks[definition, rated]
        inside = kept[options] & (mark >= 0)
        hit = inside & (mark == 1)
        insides.append(inside)
        keys.append(inside.tobytes() + hit.tobytes())
        size = shape[0] * shape[1]
        cases.append(np.bincount(cell[inside], minlength=size).reshape(shape))
        hits.append(np.bincount(cell[hit], minlength=size).reshape(shape))
    n = np.array(cases)
    late = np.eye(shape[1], dtype=bool)[::-1]  # the last year first
    enough = n[..., -1].sum(axis=1) >= FEWEST
    enough &= n[..., :-1].sum(axis=(1, 2)) >= FEWEST
    which = (listed["estimate"] == "within states").to_numpy(int)
    values = gaps(np.array(hits), n, late)
    estimates = np.take_along_axis(values, which[None, :, None], axis=2)[..., 0]
    enough &= ~np.isnan(estimates).any(axis=0)
    by_host = changes_with_moved_regimes(joined, YEARS, listed, insides, labelings)
    moved = "Each year takes the place of 2021 in turn"
    return curve_of(HOSTS, "difference", listed, keys, estimates, enough, moved, "years", by_host)


def _marks(joined: pd.DataFrame) -> dict[tuple[str, str], np.ndarray]:
    """By definition and rating: 1 where on authoritarian soil, 0 where not, -1 not known."""
    fixed = joined.assign(year=joined["year"].mask(joined["year"].notna(), YEARS[1]))
    rated = {"each year": joined, "as in 2021": fixed}
    options = choices(HOSTS)
    marks = {}
    for definition in options.loc[options["choice"] == "authoritarian", "option"]:
        measure, cutoff = definition.split(" ")
        for words, rows in rated.items():
            mark = authoritarian_hosts(rows, measure, cutoff)[MARK]
            marks[definition, words] = mark.astype("Int64").fillna(-1).to_numpy(int)
    return marks


def _kept_rows(joined: pd.DataFrame, by_option: Remaining, options: dict[str, str]) -> np.ndarray:
    """True for the incidents that remain, each episode once where episodes are counted."""
    keep = remaining(by_option, options)
    if options["counted"] == "incidents":
        return keep
    number = joined[keep].assign(number=np.flatnonzero(keep))
    once = np.zeros(len(joined), bool)
    once[collapse(number)["number"].to_numpy(int)] = True
    return once


def series_curve(ds: Dataset, origin: str = "TJK") -> Curve | None:
    """Did the pursuit grow from year to year, under every defensible choice?

    Parameters
    ----------
    ds
        All that is loaded.
    origin
        The pursuing state.

    Returns
    -------
    Curve or None
        None where no specification has enough cases. The estimate is the factor a year of one line
        through all years; whether growth has ended is another question (notebook 03).

    Notes
    -----
    Years lean on the ones before, so they are not moved one by one. The reference shifts the whole
    series against the years, round a circle: its order is kept but for one seam. With T years no p
    is below 1/T.

    Examples
    --------
    >>> import capelib as cape
    >>> curve = series_curve(cape.load())
    >>> curve.listed
    432
    """
    joined = ds.where(origin=origin).joined()
    listed = specifications(SERIES)
    if joined.empty:
        return None
    by_option = remaining_by_option(joined, listed)
    units = {"episodes": "episode", "incidents": "incident", "exiles": "exile"}
    select = [name for name in listed if name in REMAINS]
    first_years = listed["first year"].astype(int)
    labelings = LAST_YEAR - first_years.max() + 1
    series: dict[tuple, np.ndarray] = {}
    keys, enough, estimates = [], [], []
    chosen = zip(listed.to_dict("records"), first_years, strict=True)
    for options, first in progress(chosen, "specifications", len(listed)):
        key = (*(options[name] for name in select), options["counted"])
        if key not in series:
            rows = joined[remaining(by_option, options)]
            unit = units[options["counted"]]
            counts = per_year(rows, first_years.min(), LAST_YEAR, unit)["n"]
            series[key] = counts.to_numpy(float)
        n = series[key][first - first_years.min() :]
        keys.append(n.tobytes())
        enough.append(n.sum() >= FEWEST)
        shifts = [round(step * len(n) / labelings) for step in range(labelings)]
        turned = np.array([np.roll(n, shift) for shift in shifts])
        estimates.append(fit_many(turned, line(len(n)))[0][:, 1])
    moved = "The series is shifted against the years, round a circle"
    matrix = np.array(estimates).T
    return curve_of(SERIES, "ratio", listed, keys, matrix, np.array(enough), moved, "years")


def answer(hosts: Curve | None, series: Curve | None, corridors: Curve | None) -> str:
    """The answer of notebook 10 in a few sentences; None has too few cases."""
    parts = []
    for words, curve in (
        ("Share on authoritarian soil, 2021 against 2014-2020", hosts),
        ("Pursuit of Tajik exiles", series),
        ("Acts that need the host, in states that are fellow members", corridors),
    ):
        text = curve.sentence() if curve else "too few cases for any specification."
        parts.append(f"{words}: {text[:1].lower()}{text[1:]}")
    return " ".join(parts)


def estimates(hosts: Curve | None, series: Curve | None, corridors: Curve | None) -> pd.DataFrame:
    """Medians and middle halves of the curves; see `capelib.questions.estimates`.

    `low` and `high` are quartiles of the specifications, no interval of an estimate.
    """
    rows: list[shared.Row] = []
    for words, curve, unit in (
        ("change on authoritarian soil, median and middle half of specifications", hosts,
         "difference"),
        ("factor a year, median and middle half of specifications", series, "ratio"),
        ("odds of an act that needs the host, median and middle half of specifications", corridors,
         "ratio"),
    ):  # fmt: skip
        if curve is None:
            rows.append((words, None, 0, unit))
            continue
        low, middle, high = curve.table["value"].quantile([0.25, 0.5, 0.75])
        rows.append((words, (middle, low, high), len(curve.table), unit))
    return shared.table(rows)
