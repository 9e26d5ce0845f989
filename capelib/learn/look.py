"""Lesson 1, look: what stands in the tables, and what a blank means."""

from capelib.dataset import Dataset
from capelib.learn.exercise import Exercise, Slip
from capelib.vocabulary.codebook import stage_of


def _most_frequent(ds: Dataset, column: str = "host") -> list[str]:
    return ds.incidents[column].value_counts().head(3).index.tolist()


def _exact_to(ds: Dataset, *precisions: str) -> float:
    return float(ds.incidents["precision"].isin(precisions).mean())


EXERCISES = (
    Exercise(
        "1.1",
        "How many exiles does the public record hold?",
        "number",
        lambda ds: len(ds.exiles),
        (
            Slip(
                lambda ds: len(ds.incidents),
                "That is the number of incidents. One exile can be pursued more than once: which "
                "table has one row a person?",
            ),
            Slip(
                lambda ds: len(ds.sources),
                "That is the number of reports. Which table has one row a person?",
            ),
        ),
    ),
    Exercise(
        "1.2",
        "Which stage follows from a red notice: 1, 2 or 3?",
        "number",
        lambda _: stage_of()["red_notice"],
        (
            Slip(
                lambda _: stage_of()["detention"],
                "A red notice asks for an arrest. Has anybody been arrested when it is published?",
            ),
            Slip(
                lambda _: stage_of()["extradition"],
                "A red notice may end in a removal. What has happened when it is published?",
            ),
        ),
    ),
    Exercise(
        "1.3",
        "In how many incidents is the host not stated?",
        "number",
        lambda ds: ds.incidents["host"].isna().sum(),
        (
            Slip(
                lambda ds: ds.incidents["host"].notna().sum(),
                "That is the number of incidents in which it is stated.",
            ),
            Slip(
                lambda ds: (ds.incidents["host"] == "").sum(),
                "A missing value equals nothing, not even an empty text: use `.isna()`.",
            ),
            Slip(
                lambda ds: ds.incidents["host"].nunique(),
                "That is the number of different hosts.",
            ),
        ),
    ),
    Exercise(
        "1.4",
        "In how many incidents does the record say that relatives were NOT targeted?",
        "number",
        lambda ds: ds.incidents["relatives_targeted"].eq(False).sum(),
        (
            Slip(
                lambda ds: ds.incidents["relatives_targeted"].isna().sum(),
                "Those are the blanks. What does the codebook say that a blank means?",
            ),
            Slip(
                lambda ds: ds.incidents["relatives_targeted"].eq(True).sum(),
                "In those it says that they were.",
            ),
        ),
    ),
    Exercise(
        "1.5",
        "Which three states are the most frequent hosts in incidents by Tajikistan?",
        "states",
        lambda ds: _most_frequent(ds.where(origin="TJK")),
        (
            Slip(
                _most_frequent,
                "Those are the hosts in all incidents. Have you kept those by Tajikistan?",
            ),
            Slip(
                lambda ds: _most_frequent(ds.where(host="TJK"), "origin"),
                "Those states pursue people in Tajikistan. Which argument of `where` is the "
                "pursuing state?",
            ),
            Slip(
                lambda ds: _most_frequent(ds, "origin"),
                "Those are pursuing states. Which column is the state where it happened?",
            ),
        ),
    ),
    Exercise(
        "1.6",
        "In what fraction of all incidents is the date exact to the day?",
        "fraction",
        lambda ds: _exact_to(ds, "day"),
        (
            Slip(
                lambda ds: ds.incidents["precision"].dropna().eq("day").mean(),
                "That leaves out incidents without any date. Of all incidents is asked.",
            ),
            Slip(
                lambda ds: _exact_to(ds, "day", "month"),
                "That counts dates that are exact to the month too.",
            ),
        ),
        within=0.005,
    ),
)
