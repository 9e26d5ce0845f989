"""Arithmetic with spans: which numbers can come out where each number is known by its ends only?

Each operation gives the least and the greatest result (Moore, Interval Analysis, 1966). Exact
fractions and operations by name are needed, and comparisons that may hold for some of the numbers:
that is these lines; a library of intervals over floats would round the ends.
"""

import ast
import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

from capelib.errors import DataError


@dataclass(frozen=True)
class Span:
    """Which numbers are possible? All from low to high; a known number is a span of no width.

    Attributes
    ----------
    low, high : Fraction or float
        Fractions, so that nothing is rounded; a float only where the end is infinite.
    """

    low: Fraction | float
    high: Fraction | float

    @property
    def exact(self) -> bool:
        """Is it one number?"""
        return self.low == self.high


Truth = bool | None  # None: true for some numbers of the spans, not for all


def point(value: Fraction | float) -> Span:
    """A number that is known exactly."""
    return Span(value, value)


@cache
def fraction(value: float) -> Fraction | float:
    """A published number without rounding; infinity stays."""
    return value if math.isinf(value) else Fraction(str(value))


def _corners(operation: Callable[[Any, Any], Any]) -> Callable[[Span, Span], Span]:
    """An operation that is monotone in each of its numbers takes its extremes at the ends."""

    def over(a: Span, b: Span) -> Span:
        ends = [operation(x, y) for x in (a.low, a.high) for y in (b.low, b.high)]
        # Infinity less infinity is no number: the other ends decide.
        ends = [end for end in ends if not (isinstance(end, float) and math.isnan(end))]
        return Span(min(ends), max(ends))

    return over


def _divide(a: Span, b: Span) -> Span:
    if b.low <= 0 <= b.high:
        raise ZeroDivisionError("division by a number that may be 0")
    return _corners(operator.truediv)(a, b)


def _modulo(a: Span, b: Span) -> Span:
    if not (a.exact and b.exact):
        raise DataError("relation: % takes whole numbers that are known exactly")
    return point(a.low % b.low)


def _power(a: Span, b: Span) -> Span:
    if b.exact and b.low == Fraction(1, 2) and a.low >= 0:
        return Span(Fraction(math.sqrt(a.low)), Fraction(math.sqrt(a.high)))
    raise DataError("relation: ** takes the exponent 0.5 and a number that is not negative")


def _round(a: Span, digits: Span | None = None) -> Span:
    places = int(digits.low) if digits else 0
    if digits and not (digits.exact and 0 <= places <= 9):
        raise ValueError("round takes 0 to 9 digits")
    ends = [
        end if isinstance(end, float) else Fraction(round(end, places)) for end in (a.low, a.high)
    ]
    return Span(*ends)


ARITHMETIC: dict[type[ast.operator], Callable[[Span, Span], Span]] = {
    ast.Add: _corners(operator.add),
    ast.Sub: _corners(operator.sub),
    ast.Mult: _corners(operator.mul),
    ast.Div: _divide,
    ast.Mod: _modulo,
    ast.Pow: _power,
}
FUNCTIONS: dict[str, Callable[..., Span]] = {
    "round": _round,
    "min": lambda *spans: Span(min(span.low for span in spans), min(span.high for span in spans)),
    "max": lambda *spans: Span(max(span.low for span in spans), max(span.high for span in spans)),
}


def compare(sign: type[ast.cmpop], a: Span, b: Span) -> Truth:
    """Does a comparison hold for all, for some or for none of the numbers?"""
    if sign is ast.Gt:
        return compare(ast.Lt, b, a)
    if sign is ast.GtE:
        return compare(ast.LtE, b, a)
    if sign is ast.Lt:
        always, never = a.high < b.low, a.low >= b.high
    elif sign is ast.LtE:
        always, never = a.high <= b.low, a.low > b.high
    else:
        always, never = a.exact and a == b, a.high < b.low or b.high < a.low
        if sign is ast.NotEq:
            always, never = never, always
    if always:
        return True
    return False if never else None
