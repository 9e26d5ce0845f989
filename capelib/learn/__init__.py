"""Exercises of notebooks/lessons: they check themselves, never give the answer."""

from capelib.learn.answers import Feedback
from capelib.learn.checking import check, score

__all__ = ["Feedback", "check", "score"]


def __dir__() -> list[str]:
    return __all__
