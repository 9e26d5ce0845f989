"""Lesson 2, count: what one is, and which years and persons a count leaves out."""

import pandas as pd

from capelib.dataset import Dataset
from capelib.estimators.counts import collapse, per_year
from capelib.learn.exercise import Exercise, Slip

_YEARS = (2014, 2024)


def _by_year(ds: Dataset, unit: str, first: int = 1990, last: int = 2024) -> pd.Series:
    counts = per_year(ds.where(origin="UZB").incidents, first, last, unit)
    return counts.set_index("year")["n"]


def _recorded_years(ds: Dataset) -> pd.Series:
    return ds.where(origin="UZB", years=_YEARS).incidents["year"].value_counts()


def _wave(ds: Dataset) -> pd.DataFrame:
    return ds.where(origin="TKM", years=2021).incidents


EXERCISES = (
    Exercise(
        "2.1",
        "How many incidents by Tajikistan are on record?",
        "number",
        lambda ds: len(ds.where(origin="TJK").incidents),
        (
            Slip(
                lambda ds: len(ds.where(origin="TJK").exiles),
                "That counts persons. One person can be pursued more than once.",
            ),
            Slip(
                lambda ds: len(ds.where(host="TJK").incidents),
                "Those happened in Tajikistan. By Tajikistan is asked.",
            ),
            Slip(
                lambda ds: len(ds.incidents),
                "Those are the incidents by all states.",
            ),
        ),
    ),
    Exercise(
        "2.2",
        "How many exiles did Tajikistan pursue in Russia?",
        "number",
        lambda ds: len(ds.where(origin="TJK", host="RUS").exiles),
        (
            Slip(
                lambda ds: len(ds.where(origin="TJK", host="RUS").incidents),
                "That counts incidents. One exile can be pursued more than once: which column "
                "names the person?",
            ),
            Slip(
                lambda ds: len(ds.where(origin="TJK").exiles),
                "Those are the exiles in all hosts. Have you kept Russia only?",
            ),
            Slip(
                lambda ds: len(ds.where(host="RUS").exiles),
                "Those are pursued by all states. Have you kept Tajikistan only?",
            ),
        ),
    ),
    Exercise(
        "2.3",
        "How many incidents by Turkmenistan in 2021 remain when each episode counts once?",
        "number",
        lambda ds: len(collapse(_wave(ds))),
        (
            Slip(
                lambda ds: len(_wave(ds)),
                "That counts every person of an episode. See `cape.counts.collapse`.",
            ),
            Slip(
                lambda ds: _wave(ds)["episode_id"].nunique(),
                "Those are the episodes alone. Incidents that belong to no episode count too.",
            ),
            Slip(
                lambda ds: _wave(ds)["exile_id"].nunique(),
                "That counts persons. One episode is one action against several of them.",
            ),
        ),
    ),
    Exercise(
        "2.4",
        "How many incidents by Uzbekistan are there in each year from 2014 to 2024?",
        "series",
        lambda ds: _by_year(ds, "incident", *_YEARS),
        (
            Slip(
                _recorded_years,
                "A year without an incident is missing. It counts, as zero.",
            ),
            Slip(
                lambda ds: _by_year(ds, "exile", *_YEARS),
                "That counts persons in each year.",
            ),
            Slip(
                lambda ds: _by_year(ds, "episode", *_YEARS),
                "That counts each episode once.",
            ),
        ),
    ),
    Exercise(
        "2.5",
        "In which year is Uzbekistan's count highest when each episode counts once?",
        "number",
        lambda ds: _by_year(ds, "episode").idxmax(),
        (
            Slip(
                lambda ds: _by_year(ds, "incident").idxmax(),
                "That is the year with most incidents, which one raid can make. Which `unit` "
                "counts an action against several persons once?",
            ),
            Slip(
                lambda ds: _by_year(ds, "episode").max(),
                "That is the count. The year is asked.",
            ),
        ),
    ),
    Exercise(
        "2.6",
        "How many incidents by Tajikistan are in no count by year, because they have no year?",
        "number",
        lambda ds: ds.where(origin="TJK").incidents["year"].isna().sum(),
        (
            Slip(
                lambda ds: ds.incidents["year"].isna().sum(),
                "Those are the incidents by all states.",
            ),
            Slip(
                lambda ds: ds.where(origin="TJK").incidents["year"].notna().sum(),
                "Those have a year.",
            ),
        ),
    ),
)
