"""Lesson 3, compare: shares, what they are shares of, and how sure they are."""

import pandas as pd

from capelib.dataset import Dataset
from capelib.estimators.clusters import (
    ClusteredDifference,
    ClusteredShare,
    cluster_of,
    clustered,
    clustered_difference,
)
from capelib.estimators.shares import Share, difference, wilson
from capelib.learn.exercise import Exercise, Slip

_TWO_DECIMALS = 0.005


def _known(ds: Dataset) -> pd.DataFrame:
    return ds.where(origin="UZB").incidents.dropna(subset=["host"])


def _alone(ds: Dataset) -> Share:
    """Russia's share, as if every incident stood for itself."""
    hits = _known(ds)["host"] == "RUS"
    return wilson(int(hits.sum()), len(hits))


def _together(ds: Dataset) -> ClusteredShare:
    rows = _known(ds)
    return clustered(rows["host"] == "RUS", cluster_of(rows))


def _of_all(ds: Dataset) -> float:
    rows = ds.where(origin="UZB").incidents
    return float((rows["host"] == "RUS").sum() / len(rows))


def _gap(ds: Dataset) -> ClusteredDifference:
    """Tajikistan's share at stage 3, minus Uzbekistan's."""
    rows = ds.where(origin=["TJK", "UZB"]).incidents
    return clustered_difference(rows["stage"] == 3, rows["origin"] == "TJK", cluster_of(rows))


def _gap_alone(ds: Dataset):
    first, second = (ds.where(origin=state).incidents["stage"] == 3 for state in ("TJK", "UZB"))
    return difference(wilson(int(first.sum()), len(first)), wilson(int(second.sum()), len(second)))


def _established(ds: Dataset) -> bool:
    gap = _gap(ds)
    return bool(gap.low > 0 or gap.high < 0)


EXERCISES = (
    Exercise(
        "3.1",
        "Of the incidents by Uzbekistan whose host is known, what fraction happened in Russia?",
        "fraction",
        lambda ds: _alone(ds).share,
        (
            Slip(
                _of_all,
                "Incidents without a host are in your base. Nobody knows whether they happened in "
                "Russia: leave them out.",
            ),
            Slip(
                lambda ds: (ds.where(host="RUS").incidents["origin"] == "UZB").mean(),
                "That is Uzbekistan's share of what happened in Russia: the other way round.",
            ),
            Slip(
                lambda ds: (ds.incidents["host"].dropna() == "RUS").mean(),
                "That is Russia's share in the incidents by all states.",
            ),
        ),
        _TWO_DECIMALS,
    ),
    Exercise(
        "3.2",
        "What is the lower end of its 95 % interval, if every incident stood for itself?",
        "fraction",
        lambda ds: _alone(ds).low,
        (
            Slip(lambda ds: _alone(ds).high, "That is the upper end."),
            Slip(lambda ds: _alone(ds).share, "That is the share itself."),
            Slip(
                lambda ds: _together(ds).low,
                "That interval takes incidents together. See `cape.shares.wilson`.",
            ),
        ),
        _TWO_DECIMALS,
    ),
    Exercise(
        "3.3",
        "What is the lower end when incidents with a source or an episode in common are taken "
        "together?",
        "fraction",
        lambda ds: _together(ds).low,
        (
            Slip(
                lambda ds: _alone(ds).low,
                "That takes every incident as if it stood for itself. See "
                "`cape.clusters.cluster_of` and `cape.clusters.clustered`.",
            ),
            Slip(lambda ds: _together(ds).high, "That is the upper end."),
            Slip(lambda ds: _together(ds).share, "That is the share itself."),
        ),
        _TWO_DECIMALS,
    ),
    Exercise(
        "3.4",
        "By how much does the share of incidents at stage 3 by Tajikistan exceed that by "
        "Uzbekistan?",
        "fraction",
        lambda ds: _gap(ds).value,
        (
            Slip(lambda ds: -_gap(ds).value, "The sign: Tajikistan minus Uzbekistan is asked."),
            Slip(
                lambda ds: _gap(ds).group.share / _gap(ds).others.share,
                "That is how many times as high it is. The difference is asked.",
            ),
            Slip(
                lambda ds: _gap(ds).group.share,
                "That is Tajikistan's share. Take Uzbekistan's from it.",
            ),
        ),
        _TWO_DECIMALS,
    ),
    Exercise(
        "3.5",
        "What is the lower end of the 95 % interval of this difference, with incidents taken "
        "together?",
        "fraction",
        lambda ds: _gap(ds).low,
        (
            Slip(
                lambda ds: _gap_alone(ds).low,
                "That takes every incident as if it stood for itself. See "
                "`cape.clusters.clustered_difference`.",
            ),
            Slip(lambda ds: _gap(ds).high, "That is the upper end."),
            Slip(lambda ds: _gap(ds).value, "That is the difference itself."),
        ),
        _TWO_DECIMALS,
    ),
    Exercise(
        "3.6",
        "Is it established, at 95 %, that the two shares differ: True or False?",
        "yes",
        _established,
        (
            Slip(
                lambda ds: not _established(ds),
                "Where does the interval of 3.5 begin and end, and on which side of it is 0?",
            ),
        ),
    ),
)
