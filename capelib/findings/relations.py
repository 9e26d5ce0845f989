"""Relations between published numbers, evaluated over the intervals that rounding allows. No `eval`."""

import ast
import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import pairwise
from typing import Any

import pandas as pd

from capelib.errors import DataError
from capelib.findings.ledger import Published, ledger
from capelib.vocabulary.tables import table

CONSISTENT, CONTRADICTION = "consistent", "contradiction"
LONGEST = 4_000  # characters of an expression


@dataclass(frozen=True)
class Span:
    """All numbers from low to high; a known number is a span of no width. Exact: ends are fractions (or infinite)."""

    low: Fraction | float
    high: Fraction | float

    @property
    def exact(self) -> bool:
        return self.low == self.high


Truth = bool | None  # None: true for some numbers of the spans, not for all


@dataclass(frozen=True)
class Side:
    """One comparison of a relation: what stands on the left and on the right, the sign, and whether it can hold.

    terms: both sides with the published numbers in place of their keys. keys: the findings on each side. share: the comparison is
    between shares. As text it is true: where it cannot hold the opposite sign stands, where it may hold "may be".
    """

    left: Span
    right: Span
    sign: str
    holds: Truth
    share: bool
    terms: tuple[str, str]
    keys: tuple[frozenset[str], frozenset[str]]

    def __str__(self) -> str:
        left, right = _apart(self.left, self.right, self.share)
        if self.holds is None:
            return f"{left} may be {self.sign} {right}"
        if self.holds:
            return f"{left} {self.sign} {right}"
        before, after = (
            text if any(sign in text for sign in "+-*/(") else "" for text in self.terms
        )
        return f"{before}{' = ' if before else ''}{left} {_OPPOSITE[self.sign]} {right}{' = ' if after else ''}{after}"


@dataclass(frozen=True)
class Relation:
    """A relation between published numbers and what comes out.

    verdict: "contradiction" where it holds for no numbers within the published intervals, else "consistent". at_face_value: does it
    hold for the numbers as printed? derived: it compares published numbers with constants that follow from them; no publication
    can contradict it. sides: its comparisons in numbers, or the one that cannot hold.
    """

    relation_id: str
    statement: str
    verdict: str
    at_face_value: bool
    derived: bool
    sides: str
    why: str
    in_doubt: tuple[str, ...]
    finding_ids: tuple[str, ...]


def relations(known: Mapping[str, Published] | None = None) -> list[Relation]:
    """Do the published numbers fit together? Every relation of data/published/relations.csv, evaluated.

    known: the ledger; another one tests what would come out for other numbers.

    >>> [found.verdict for found in relations() if found.relation_id == "top10-share-2025"]
    ['contradiction']
    """
    return list(_of_the_ledger()) if known is None or known is ledger() else _relations(known)


@cache
def _of_the_ledger() -> tuple[Relation, ...]:
    return tuple(_relations(ledger()))


def relations_frame() -> pd.DataFrame:
    """The same as a table: relation_id, statement, verdict, sides, why, in_doubt, finding_ids (str), at_face_value, derived (bool).

    >>> relations_frame()["verdict"].value_counts().to_dict()
    {'consistent': 104, 'contradiction': 8}
    """
    rows = [
        vars(found)
        | {"in_doubt": ";".join(found.in_doubt), "finding_ids": ";".join(found.finding_ids)}
        for found in relations()
    ]
    return pd.DataFrame(rows)


def _relations(known: Mapping[str, Published]) -> list[Relation]:
    return [_relation(row, known) for row in table("relations").astype("str").to_dict("records")]


def _relation(row: dict[str, Any], known: Mapping[str, Published]) -> Relation:
    truth, sides = evaluate(row["expression"], known)
    face, _ = evaluate(row["expression"], known, at_face_value=True)
    failed = [side for side in sides if side.holds is False]
    listed = {
        name: tuple(row[name].split(";")) if isinstance(row[name], str) else ()
        for name in ("in_doubt", "finding_ids")
    }
    verdict = CONTRADICTION if truth is False else CONSISTENT
    derived = not any(side.keys[0] and side.keys[1] for side in sides)
    shown = "; ".join(str(side) for side in failed or sides)
    return Relation(
        row["relation_id"],
        row["statement"],
        verdict,
        face is True,
        derived,
        shown,
        row["why"],
        **listed,
    )


def evaluate(
    expression: str, known: Mapping[str, Published], at_face_value: bool = False
) -> tuple[Truth, list[Side]]:
    """Does an expression hold for all (True), for some (None) or for none (False) of the numbers that the intervals allow?

    expression: comparisons of published numbers, joined by `and`. F['key'] is a number with its interval, L['key'] and H['key']
        are the ends of the interval. Allowed are numbers, + - * / % **, round, min, max, and comparisons; nothing else.
    at_face_value: take F['key'] as printed. Returns the truth and each comparison with both its sides.
    A number that occurs twice is taken as two, and each comparison is judged by itself: spans come out too wide rather than too
    narrow. So False is certain; None only says that it cannot be excluded.
    Raises DataError for anything else, naming it. Source: interval arithmetic, Moore 1966; exact fractions, so nothing is rounded
    but by `round`.

    >>> evaluate("F['fh2025-tjk'] == 92 and F['fh2025-tjk'] + 1 < 90", ledger())[0]
    False
    """
    if len(expression) > LONGEST:
        raise DataError(
            f"relation: an expression may have {LONGEST} characters, this one has {len(expression)}"
        )
    try:
        tree = ast.parse(expression.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise DataError(f"relation: {expression[:60]!r} is not an expression: {error}") from None
    run = _Evaluation(known, at_face_value)
    try:
        truth = run.truth(tree.body)
    except (ArithmeticError, ValueError, TypeError, RecursionError) as error:
        raise DataError(f"relation: {expression[:60]!r} cannot be computed: {error}") from None
    return truth, run.sides


class _Evaluation:
    """Walks one expression. Every kind of node that is not named here is refused."""

    def __init__(self, known: Mapping[str, Published], at_face_value: bool) -> None:
        self.known, self.at_face_value = known, at_face_value
        self.sides: list[Side] = []

    def truth(self, node: ast.expr) -> Truth:
        if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.And):
            found = [self.truth(part) for part in node.values]  # noqa: PD011 (of the syntax tree)
            return False if False in found else None if None in found else True
        if isinstance(node, ast.Compare) and all(type(sign) in _SIGNS for sign in node.ops):
            parts = [node.left, *node.comparators]
            spans, terms, keys = (
                [of(part) for part in parts] for of in (self.span, self.terms, _keys)
            )
            share = any(
                isinstance(part, ast.Subscript) and self.known[key].quantity == "share"
                for part in parts
                for key in _keys(part)
            )
            chain = [
                Side(*pair, _SIGNS[type(sign)], _compare(type(sign), *pair), share, said, named)
                for pair, said, named, sign in zip(
                    pairwise(spans), pairwise(terms), pairwise(keys), node.ops, strict=True
                )
            ]
            self.sides += chain
            held = [side.holds for side in chain]
            return False if False in held else None if None in held else True
        raise DataError(f"relation: {ast.unparse(node)[:60]!r} is not a comparison")

    def span(self, node: ast.expr) -> Span:
        match node:
            case ast.Constant(value=bool()) | ast.Constant(value=complex()):
                pass
            case ast.Constant(value=int() | float() as number):
                return _point(Fraction(str(number)))
            case ast.Subscript(
                value=ast.Name(id="F" | "L" | "H" as which), slice=ast.Constant(value=str(key))
            ):
                return self.number(which, key)
            case ast.UnaryOp(op=ast.USub(), operand=part):
                inner = self.span(part)
                return Span(-inner.high, -inner.low)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
                return _ARITHMETIC[type(op)](self.span(left), self.span(right))
            case ast.Call(func=ast.Name(id=name), args=parts, keywords=[]) if (
                name in _FUNCTIONS and parts
            ):
                return _FUNCTIONS[name](*[self.span(part) for part in parts])
            case ast.Compare():  # counts as 1 where it holds, as 0 where it does not
                before = len(self.sides)
                held = self.truth(node)
                del self.sides[before:]
                return Span(Fraction(held is True), Fraction(held is not False))
        raise DataError(f"relation: {ast.unparse(node)[:60]!r} is not allowed in an expression")

    def terms(self, node: ast.expr) -> str:
        """An expression with the published numbers in place of their keys."""
        text = ast.unparse(node)
        for key in _keys(node):
            for which in "FLH":
                text = text.replace(
                    f"{which}['{key}']",
                    _shown(self.number(which, key), self.known[key].quantity == "share"),
                )
        return text

    def number(self, which: str, key: str) -> Span:
        if key not in self.known:
            raise DataError(f"relation: no finding {key!r} in the ledger")
        claim = self.known[key]
        if not claim.exact:
            raise DataError(f"relation: {key!r} was published as 'about': it has no interval")
        low, high = (
            _fraction(claim.low),
            _fraction(min(claim.high, 1.0) if claim.quantity == "share" else claim.high),
        )
        if which == "F":
            return _point(_fraction(claim.value)) if self.at_face_value else Span(low, high)
        return _point(low if which == "L" else high)


def _keys(node: ast.AST) -> frozenset[str]:
    subscripts = [
        part
        for part in ast.walk(node)
        if isinstance(part, ast.Subscript) and isinstance(part.slice, ast.Constant)
    ]
    return frozenset(str(part.slice.value) for part in subscripts)


def _point(value: Fraction | float) -> Span:
    return Span(value, value)


def _fraction(value: float) -> Fraction | float:
    return value if math.isinf(value) else Fraction(str(value))


def _corners(operation: Callable[[Any, Any], Any]) -> Callable[[Span, Span], Span]:
    """An operation that is monotone in each of its numbers takes its extremes at the ends."""

    def over(a: Span, b: Span) -> Span:
        found = [operation(x, y) for x in (a.low, a.high) for y in (b.low, b.high)]
        found = [
            end for end in found if not (isinstance(end, float) and math.isnan(end))
        ]  # infinity with itself: other ends decide
        return Span(min(found), max(found))

    return over


def _divide(a: Span, b: Span) -> Span:
    if b.low <= 0 <= b.high:
        raise ZeroDivisionError("division by a number that may be 0")
    return _corners(operator.truediv)(a, b)


def _modulo(a: Span, b: Span) -> Span:
    if not (a.exact and b.exact):
        raise DataError("relation: % takes whole numbers that are known exactly")
    return _point(a.low % b.low)


def _power(a: Span, b: Span) -> Span:
    if b.exact and b.low == Fraction(1, 2) and a.low >= 0:
        return Span(Fraction(math.sqrt(a.low)), Fraction(math.sqrt(a.high)))
    raise DataError("relation: ** takes the exponent 0.5 and a number that is not negative")


def _round(a: Span, digits: Span | None = None) -> Span:
    places = int(digits.low) if digits else 0
    if digits and not (digits.exact and 0 <= places <= 9):
        raise ValueError("round takes 0 to 9 digits")
    return Span(
        *(
            end if isinstance(end, float) else Fraction(round(end, places))
            for end in (a.low, a.high)
        )
    )


_ARITHMETIC: dict[type[ast.operator], Callable[[Span, Span], Span]] = {
    ast.Add: _corners(operator.add),
    ast.Sub: _corners(operator.sub),
    ast.Mult: _corners(operator.mul),
    ast.Div: _divide,
    ast.Mod: _modulo,
    ast.Pow: _power,
}
_FUNCTIONS: dict[str, Callable[..., Span]] = {
    "round": _round,
    "min": lambda *spans: Span(min(span.low for span in spans), min(span.high for span in spans)),
    "max": lambda *spans: Span(max(span.low for span in spans), max(span.high for span in spans)),
}
_OPPOSITE = {"=": "≠", "≠": "=", "<": "≥", "≤": ">", ">": "≤", "≥": "<"}
_SIGNS: dict[type[ast.cmpop], str] = {
    ast.Eq: "=",
    ast.NotEq: "≠",
    ast.Lt: "<",
    ast.LtE: "≤",
    ast.Gt: ">",
    ast.GtE: "≥",
}


def _compare(sign: type[ast.cmpop], a: Span, b: Span) -> Truth:
    if sign in (ast.Gt, ast.GtE):
        return _compare(ast.Lt if sign is ast.Gt else ast.LtE, b, a)
    if sign is ast.Lt:
        return True if a.high < b.low else False if a.low >= b.high else None
    if sign is ast.LtE:
        return True if a.high <= b.low else False if a.low > b.high else None
    equal = True if a.exact and a == b else False if a.high < b.low or b.high < a.low else None
    return equal if sign is ast.Eq or equal is None else not equal


def _apart(left: Span, right: Span, share: bool) -> tuple[str, str]:
    """Both sides as text, with as many decimals as it takes to tell different ones apart."""
    for digits in range(3, 9):
        texts = _shown(left, share, digits), _shown(right, share, digits)
        if texts[0] != texts[1] or left == right:
            break
    return texts


def _shown(span: Span, share: bool, digits: int = 3) -> str:
    ends = [
        "" if math.isinf(end) else _number(float(end), share, digits)
        for end in (span.low, span.high)
    ]
    if "" in ends:
        return (
            f"{ends[0]} or more" if ends[0] else f"{ends[1]} or less" if ends[1] else "any number"
        )
    return ends[0] if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"


def _number(value: float, share: bool, digits: int) -> str:
    if share:
        return f"{100 * value:.{digits}g} %"
    if value == round(value):
        return f"{value:,.0f}"
    return f"{value:,.{digits - 2}f}" if abs(value) >= 100 else f"{value:.{digits}g}"
