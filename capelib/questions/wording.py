"""Numbers and names in words, as the sentences of questions write them."""

from collections.abc import Iterable

from capelib.meaning.pursuers import pursuers
from capelib.vocabulary.numbers import (
    bound,
    number_word,
    percent,
    points,
    signed,
    times,
    two_digits,
    value_and_interval,
)
from capelib.vocabulary.tables import states

__all__ = [
    "bound",
    "named",
    "number_word",
    "percent",
    "points",
    "pursued_by",
    "signed",
    "times",
    "two_digits",
    "value_and_interval",
]


def named(corridor: str) -> str:
    """A corridor in words.

    >>> named("TJK to RUS")
    'Tajikistan to Russia'
    """
    return " to ".join(states().get(code, code) for code in corridor.split(" to "))


def pursued_by(origins: Iterable[str]) -> str:
    """The pursuing states of some incidents or exiles, in words.

    >>> pursued_by(["TJK", "TJK"]), pursued_by(["TUR", "CHN"])
    ('Tajikistan', '2 states')
    """
    codes = {str(code) for code in origins}
    group = pursuers("all")
    if codes == set(group.codes):
        return group.words
    return states()[codes.pop()] if len(codes) == 1 else f"{len(codes)} states"
