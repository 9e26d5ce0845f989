"""What an exercise is: a question, the way to its answer, and the ways that students often take."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from capelib.dataset import Dataset


@dataclass(frozen=True)
class Slip:
    """A way that leads elsewhere.

    Attributes
    ----------
    way : callable
        From the data to the wrong answer.
    look : str
        Where to look again, without the answer.
    """

    way: Callable[[Dataset], Any]
    look: str


@dataclass(frozen=True)
class Exercise:
    """A question to the data.

    Attributes
    ----------
    number : str
        "2.3": the third of lesson 2.
    asks : str
    wanted : str
        What kind of answer, a key of `capelib.learn.answers.WANTED`.
    right : callable
        From the data to the answer.
    slips : tuple of Slip
    within : float
        By how much a number may differ.
    edition : str
        Of the public record; "" is the current one.
    """

    number: str
    asks: str
    wanted: str
    right: Callable[[Dataset], Any]
    slips: tuple[Slip, ...] = ()
    within: float = 1e-9
    edition: str = ""
