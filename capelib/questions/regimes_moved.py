"""Shares on authoritarian soil where the regimes of hosts are moved from host to host."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from capelib.estimators.specifications import moved_within
from capelib.reference import regimes

LABELINGS = 1000


def changes_with_moved_regimes(
    joined: pd.DataFrame,
    years: tuple[int, int],
    listed: pd.DataFrame,
    kept: Iterable[np.ndarray],
    labelings: int = LABELINGS,
    seed: int = 1,
) -> np.ndarray:
    """By how much does the share change in the last year, with other hosts' regimes?

    Parameters
    ----------
    joined
        Incidents with `origin`, `host`, `year`.
    years
        First and last year; the last one is compared with the others.
    listed
        The specifications: `authoritarian` (such as "fiw NF"), `rated` ("each year", or "as in ..."
        for the last one), `estimate` ("as recorded", "within states").
    kept
        For each of them which incidents count, True or False.
    labelings, seed
        How often regimes are moved, the true way included; of the random numbers.

    Returns
    -------
    array
        Labelings by specifications: change of the share (a fraction).

    Notes
    -----
    A regime is assigned to a host, for years on end, so whole histories are moved, and every
    incident stays where it is. Hosts that are not rated in all years by every measure keep theirs.
    Since cases stay, the change is a sum over them with fixed weights, and all labelings of all
    specifications are a few products of matrices.
    """
    year = (joined["year"] - years[0]).to_numpy(int)
    host, hosts = pd.factorize(joined["host"].astype("str"))
    host = np.maximum(host, 0)  # where it is missing no specification keeps the incident
    origin = pd.factorize(joined["origin"].astype("str"))[0]
    abroad = (joined["host"] != joined["origin"]).fillna(False).to_numpy(bool)
    shape = (len(hosts), years[1] - years[0] + 1)
    definitions = {name: name.split(" ") for name in listed["authoritarian"].unique()}
    histories = {
        name: _histories(hosts, years, *definition) for name, definition in definitions.items()
    }
    is_rated = np.all([(history >= 0).all(axis=1) for history in histories.values()], axis=0)
    lender = moved_within(np.where(is_rated, 0, np.arange(1, len(hosts) + 1)), labelings, seed)
    whole, weights = np.zeros_like(origin), []
    for inside, estimate in zip(kept, listed["estimate"], strict=True):
        groups = origin if estimate == "within states" else whole
        weights.append(_weights(inside, year == shape[1] - 1, groups))
    result = np.empty((labelings, len(listed)))
    for (name, rated), places in listed.groupby(["authoritarian", "rated"]).indices.items():
        each_year = rated == "each year"
        history = histories[name] if each_year else np.repeat(histories[name][:, -1:], shape[1], 1)
        rows = joined if each_year else joined.assign(year=years[1])
        counts = abroad & (_authoritarian(rows, "origin", *definitions[name]) == 1)
        of_cell = np.zeros((len(places), *shape))
        for row, place in enumerate(places):
            np.add.at(of_cell[row], (host[counts], year[counts]), weights[place][counts])
        moved = (history == 1)[lender].reshape(labelings, -1)
        result[:, places] = moved.astype(float) @ of_cell.reshape(len(places), -1).T
    return result


def _weights(inside: np.ndarray, is_late: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """What a case on authoritarian soil adds to the change: Kitagawa's part within groups."""
    late, early = inside & is_late, inside & ~is_late
    last, before = (np.bincount(groups[side], minlength=groups.max() + 1) for side in (late, early))
    part = (last / max(last.sum(), 1) + before / max(before.sum(), 1)) / 2
    part = np.where((last > 0) & (before > 0), part, 0.0)
    added = (part / np.maximum(last, 1))[groups] * late
    return added - (part / np.maximum(before, 1))[groups] * early


def _histories(hosts: pd.Index, years: tuple[int, int], measure: str, cutoff: str) -> np.ndarray:
    """Hosts by years: 1 where authoritarian, 0 where not, -1 not known."""
    period = range(years[0], years[1] + 1)
    grid = pd.MultiIndex.from_product([hosts, period], names=["host", "year"])
    marks = _authoritarian(grid.to_frame(index=False), "host", measure, cutoff)
    return marks.reshape(len(hosts), len(period))


def _authoritarian(rows: pd.DataFrame, place: str, measure: str, cutoff: str) -> np.ndarray:
    """1 where the state is authoritarian that year, 0 where not, -1 not known."""
    rated = regimes.add_regime(rows[[place, "year"]], measure, place)
    mark = regimes.is_authoritarian(rated[f"{place}_{measure}"], measure, cutoff)
    return mark.astype("Int64").fillna(-1).to_numpy(int)
