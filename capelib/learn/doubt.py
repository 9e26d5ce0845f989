"""Lesson 4, doubt: how a headline of this project fell from one edition to the next."""

import pandas as pd

from capelib.dataset import Dataset
from capelib.estimators import periods
from capelib.estimators.clusters import ClusteredDifference, cluster_of
from capelib.estimators.decomposition import Decomposition, kitagawa
from capelib.estimators.shares import MARK, Estimate, authoritarian_hosts, difference, wilson
from capelib.findings import Verdict, claim, judge
from capelib.learn.exercise import Exercise, Slip
from capelib.loading import load
from capelib.questions.hosts import by_definition
from capelib.questions.ledger_numbers import authoritarian_change
from capelib.vocabulary.editions import first

EARLY, LATE = (2014, 2020), (2021, 2021)
_TWO_DECIMALS = 0.005
_FIRST = first()


def _marked(ds: Dataset, stages: tuple[int, ...] = (2, 3)) -> pd.DataFrame:
    rows = authoritarian_hosts(ds.where(stage=stages).incidents)
    return rows.assign(cluster=cluster_of(rows))


def _change(ds: Dataset, stages: tuple[int, ...] = (2, 3)) -> ClusteredDifference:
    return periods.change(_marked(ds, stages), EARLY, LATE)


def _alone(ds: Dataset) -> Estimate:
    """The change, as if every incident stood for itself."""
    change = _change(ds)
    return difference(*(wilson(side.k, side.n) for side in (change.group, change.others)))


def _by_corridor(ds: Dataset) -> ClusteredDifference:
    rows = _marked(ds)
    return periods.change(rows.assign(cluster=cluster_of(rows, "corridor")), EARLY, LATE)


def _parts(ds: Dataset) -> Decomposition:
    rows = _marked(ds).dropna(subset=["year", MARK])
    rows = rows[rows["year"].between(EARLY[0], LATE[1])]
    late = rows["year"].ge(LATE[0]).astype(bool)
    return kitagawa(rows[MARK].astype(bool), late, rows["origin"], rows["cluster"])


def _definitions(ds: Dataset) -> pd.DataFrame:
    return by_definition(ds.where(stage=(2, 3)), EARLY, LATE)


def _sentence(ds: Dataset) -> str:
    """The letter of the sentence that the interval allows."""
    change = _change(ds)
    if change.low <= 0 <= change.high:
        return "C"
    return "A" if change.low > 0 else "B"


def _own_headline(ds: Dataset) -> Verdict:
    """The change that the first edition gave, judged by the current one."""
    change = 100 * _change(load(edition=_FIRST)).value
    printed = round(change)
    number = claim(
        "The share on authoritarian soil rose from 2014-2020 to 2021.",
        value=printed,
        low=printed - 0.5,
        high=printed + 0.5,
        quantity="difference",
        unit="percent_points",
        publication=f"capelib, edition {_FIRST}",
    )
    tally = authoritarian_change(ds.where(stage=(2, 3)), EARLY, LATE)
    return judge(number, ds.info, "cape.tallies.authoritarian_change", tally)


EXERCISES = (
    Exercise(
        "4.1",
        "Edition 2026-11, stages 2 and 3: by how much did the share on authoritarian soil change "
        "from 2014-2020 to 2021?",
        "fraction",
        lambda ds: _change(ds).value,
        (
            Slip(
                lambda ds: _change(ds, (1, 2, 3)).value,
                "That is for all stages. Have you kept stages 2 and 3?",
            ),
            Slip(
                lambda _: _change(load()).value,
                "That is the current edition. The question is put to 2026-11.",
            ),
            Slip(
                lambda ds: _change(ds).group.share,
                "That is the share in 2021. How much higher is it than before?",
            ),
            Slip(
                lambda ds: -_change(ds).value,
                "The sign: the later share minus the earlier one.",
            ),
        ),
        _TWO_DECIMALS,
        _FIRST,
    ),
    Exercise(
        "4.2",
        "What is the lower end of its 95 % interval, if every incident stood for itself?",
        "fraction",
        lambda ds: _alone(ds).low,
        (
            Slip(
                lambda ds: _change(ds).low,
                "That interval takes incidents together. See `cape.shares.difference`.",
            ),
            Slip(lambda ds: _alone(ds).high, "That is the upper end."),
        ),
        _TWO_DECIMALS,
        _FIRST,
    ),
    Exercise(
        "4.3",
        "What is the lower end when incidents with a source or an episode in common are taken "
        "together?",
        "fraction",
        lambda ds: _change(ds).low,
        (
            Slip(
                lambda ds: _alone(ds).low,
                "That takes every incident as if it stood for itself. See `cape.periods.change`.",
            ),
            Slip(
                lambda ds: _by_corridor(ds).low,
                "That takes together what happened between the same two states. Take what has a "
                "source or an episode in common.",
            ),
            Slip(lambda ds: _change(ds).high, "That is the upper end."),
        ),
        _TWO_DECIMALS,
        _FIRST,
    ),
    Exercise(
        "4.4",
        "Which part of the change comes from the same states, and not from other states acting?",
        "fraction",
        lambda ds: _parts(ds).within.value,
        (
            Slip(
                lambda ds: _parts(ds).composition.value,
                "That part comes from who acts. Which part is left?",
            ),
            Slip(lambda ds: _parts(ds).total.value, "That is the whole change."),
            Slip(lambda ds: _parts(ds).within.low, "That is the lower end of its interval."),
        ),
        _TWO_DECIMALS,
        _FIRST,
    ),
    Exercise(
        "4.5",
        "Under how many of the six definitions of authoritarian does the interval of the change "
        "lie above 0?",
        "number",
        lambda ds: (_definitions(ds)["low"] > 0).sum(),
        (
            Slip(
                lambda ds: (_definitions(ds)["difference"] > 0).sum(),
                "Under so many is the change above 0. Is its whole interval?",
            ),
            Slip(
                lambda ds: len(_definitions(ds)),
                "That is the number of definitions.",
            ),
        ),
        edition=_FIRST,
    ),
    Exercise(
        "4.6",
        "What is the lower end of the interval of the change in edition 2026-12, with incidents "
        "taken together?",
        "fraction",
        lambda ds: _change(ds).low,
        (
            Slip(
                lambda _: _change(load(edition=_FIRST)).low,
                "That is edition 2026-11 again.",
            ),
            Slip(
                lambda ds: _alone(ds).low,
                "That takes every incident as if it stood for itself.",
            ),
            Slip(lambda ds: _change(ds).value, "That is the change itself."),
            Slip(lambda ds: _change(ds).high, "That is the upper end."),
        ),
        _TWO_DECIMALS,
    ),
    Exercise(
        "4.7",
        "Which sentence does the data of edition 2026-12 allow: A it rose, B it fell, C that it "
        "changed is not established, D it did not change?",
        "letter",
        _sentence,
        (
            Slip(lambda _: "A", "Does the whole interval lie above 0?"),
            Slip(lambda _: "B", "Does the whole interval lie below 0?"),
            Slip(
                lambda _: "D",
                "How large a change does the interval still hold? Not established is not "
                "established not to be.",
            ),
        ),
    ),
    Exercise(
        "4.8",
        "Last task: which verdict does the data give on a published number that is not in the "
        "ledger?",
        "verdict",
        _own_headline,
    ),
)
