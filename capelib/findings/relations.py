"""Relations between published numbers, over the intervals that rounding allows. No `eval`."""

import ast
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

import pandas as pd

from capelib.display import Result, as_html, in_words
from capelib.errors import DataError
from capelib.findings.ledger import Published, ledger
from capelib.findings.spans import ARITHMETIC, FUNCTIONS, Span, Truth, compare, fraction, point
from capelib.vocabulary.shipped import table
from capelib.vocabulary.tables import states

CONSISTENT, CONTRADICTION = "consistent", "contradiction"
DIFFERENT_EDITIONS = "different editions"
LONGEST = 4_000  # characters of an expression


@dataclass(frozen=True)
class Side:
    """Can one comparison of a relation hold?

    As text it is true: where it cannot hold the opposite sign stands, where it may hold "may be".

    Attributes
    ----------
    left, right : Span
        What stands on the two sides.
    sign : str
        One of = ≠ < ≤ > ≥.
    holds : bool or None
        None: for some of the numbers.
    share : bool
        Is it a comparison of shares?
    terms : callable
        Gives both sides with the published numbers in place of their keys: few are ever shown.
    keys : tuple of frozenset
        The findings on each side.
    """

    left: Span
    right: Span
    sign: str
    holds: Truth
    share: bool
    terms: Callable[[], tuple[str, str]]
    keys: tuple[frozenset[str], frozenset[str]]

    def __str__(self) -> str:
        left, right = _as_different_texts(self.left, self.right, self.share)
        if self.holds is None:
            return f"{left} may be {self.sign} {right}"
        if self.holds:
            return f"{left} {self.sign} {right}"
        # A sum is shown with its result; a single number stands for itself.
        before, after = self.terms()
        if _is_computed(before):
            left = f"{before} = {left}"
        if _is_computed(after):
            right = f"{right} = {after}"
        return f"{left} {_OPPOSITE[self.sign]} {right}"


@dataclass(frozen=True, repr=False)
class Relation(Result):
    """What must hold between published numbers, and does it?

    Attributes
    ----------
    relation_id, statement : str
    verdict : str
        "consistent" where it holds for some numbers within the published intervals. Where it holds
        for none: "different editions" if the table says that both sides can be true as printed
        (another edition or state of the data, another base or time, a stock and a flow, parts that
        are not said to be all), otherwise "contradiction".
    at_face_value : bool
        Does it hold for the numbers as printed?
    derived : bool
        It compares published numbers with constants that follow from them; no publication can
        contradict it.
    sides : str
        Its comparisons in numbers, or those that cannot hold.
    why : str
    same_as : str
        Another relation about the same printed sentence, which a second publication repeats; "" for
        none. The two are counted once.
    in_doubt : tuple of str
        The findings that a contradiction puts in doubt.
    finding_ids : tuple of str
        All findings in it.
    """

    relation_id: str
    statement: str
    verdict: str
    at_face_value: bool
    derived: bool
    sides: str
    why: str
    same_as: str
    in_doubt: tuple[str, ...]
    finding_ids: tuple[str, ...]

    def summary(self) -> str:
        """The answer in words."""
        return f"{self.verdict}: {self.statement} {self.sides}"


def relations(known: Mapping[str, Published] | None = None) -> list[Relation]:
    """Do the published numbers fit together?

    Parameters
    ----------
    known
        The ledger; another one shows what would come out for other numbers.

    Returns
    -------
    list of Relation
        Every relation of data/published/relations.csv, evaluated.

    Examples
    --------
    >>> [each.verdict for each in relations() if each.relation_id == "top10-share-2025"]
    ['contradiction']
    """
    return list(_of_the_ledger()) if known is None or known is ledger() else _relations(known)


@cache
def _of_the_ledger() -> tuple[Relation, ...]:
    return tuple(_relations(ledger()))


def relations_frame() -> pd.DataFrame:
    """Do the published numbers fit together, as a table?

    Returns
    -------
    pandas.DataFrame
        One row a relation, with the fields of `Relation` as columns; keys are joined by ";".

    Examples
    --------
    >>> relations_frame()["verdict"].value_counts().to_dict()
    {'consistent': 163, 'different editions': 12, 'contradiction': 9}
    """
    frame = pd.DataFrame([vars(relation) for relation in relations()])
    for name in ("in_doubt", "finding_ids"):
        frame[name] = frame[name].map(";".join)
    return frame


def _relations(known: Mapping[str, Published]) -> list[Relation]:
    return [_relation(row, known) for row in table("relations").astype("str").to_dict("records")]


def _relation(row: dict[str, Any], known: Mapping[str, Published]) -> Relation:
    """A row of the table, evaluated."""
    truth, sides = evaluate(row["expression"], known)
    at_face_value, _ = evaluate(row["expression"], known, at_face_value=True)
    failed = [side for side in sides if side.holds is False]
    verdict = CONSISTENT
    if truth is False:
        editions = row["expected"] == "different_editions"
        verdict = DIFFERENT_EDITIONS if editions else CONTRADICTION
    return Relation(
        relation_id=row["relation_id"],
        statement=row["statement"],
        verdict=verdict,
        at_face_value=at_face_value is True,
        derived=not any(side.keys[0] and side.keys[1] for side in sides),
        sides="; ".join(str(side) for side in failed or sides),
        why=row["why"],
        same_as=row["same_as"] if isinstance(row["same_as"], str) else "",
        in_doubt=_listed(row["in_doubt"]),
        finding_ids=_listed(row["finding_ids"]),
    )


def _listed(cell: Any) -> tuple[str, ...]:
    """The keys in a cell; none in a blank one."""
    return tuple(cell.split(";")) if isinstance(cell, str) else ()


def between(among: Sequence[Relation]) -> list[Relation]:
    """Which relations can publications contradict? Each printed sentence once.

    Parameters
    ----------
    among
        From `relations`.

    Returns
    -------
    list of Relation
        Without those that only say what follows from the numbers (`derived`), and without those
        about a sentence that another publication repeats (`same_as`).

    Examples
    --------
    >>> counted = {relation.relation_id for relation in between(relations())}
    >>> "top10-share-2025" in counted, "top10-share-2025-ep" in counted
    (True, False)
    """
    return [relation for relation in among if not relation.derived and not relation.same_as]


def evaluate(
    expression: str, known: Mapping[str, Published], at_face_value: bool = False
) -> tuple[Truth, list[Side]]:
    """Does an expression hold for all, some or none of the numbers that the intervals allow?

    Parameters
    ----------
    expression
        Comparisons of published numbers, joined by `and`. F['key'] is a number with its interval,
        L['key'] and H['key'] are the ends of the interval. Allowed are numbers, ``+ - * / % **``,
        round, min, max, comparisons, and states(year), the independent states of a year; nothing
        else.
    known
        The ledger.
    at_face_value
        Take F['key'] as printed.

    Returns
    -------
    tuple
        The truth (True for all, None for some, False for none), and each comparison with both its
        sides.

    Raises
    ------
    DataError
        For anything that is not allowed, naming it.

    Notes
    -----
    A number that occurs twice is taken as two, and each comparison is judged by itself: spans come
    out too wide rather than too narrow. So False is certain; None only says that it cannot be
    excluded. Fractions are exact, so nothing is rounded but by `round`.

    References
    ----------
    Interval arithmetic: R. E. Moore, Interval Analysis, 1966.

    Examples
    --------
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
    evaluation = _Evaluation(known, at_face_value)
    try:
        truth = evaluation.truth(tree.body)
    except (ArithmeticError, ValueError, TypeError, RecursionError) as error:
        raise DataError(f"relation: {expression[:60]!r} cannot be computed: {error}") from None
    return truth, evaluation.sides


class _Evaluation:
    """Walks one expression. Every kind of node that is not named here is refused."""

    def __init__(self, known: Mapping[str, Published], at_face_value: bool) -> None:
        self.known, self.at_face_value = known, at_face_value
        self.sides: list[Side] = []

    def truth(self, node: ast.expr) -> Truth:
        """Does it hold: a comparison, or several joined by `and`?"""
        if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.And):
            return _all([self.truth(part) for part in node.values])  # noqa: PD011 (not pandas)
        if isinstance(node, ast.Compare) and all(type(sign) in _SIGNS for sign in node.ops):
            parts = [node.left, *node.comparators]
            share = any(self._is_a_share(part) for part in parts)
            sides = [
                self._side(left, sign, right, share)
                for (left, right), sign in zip(pairwise(parts), node.ops, strict=True)
            ]
            self.sides += sides
            return _all([side.holds for side in sides])
        raise DataError(f"relation: {ast.unparse(node)[:60]!r} is not a comparison")

    def _side(self, left: ast.expr, sign: ast.cmpop, right: ast.expr, share: bool) -> Side:
        """One comparison of two expressions."""
        spans = self.span(left), self.span(right)
        return Side(
            *spans,
            sign=_SIGNS[type(sign)],
            holds=compare(type(sign), *spans),
            share=share,
            terms=lambda: (self.terms(left), self.terms(right)),
            keys=(_keys(left), _keys(right)),
        )

    def _is_a_share(self, node: ast.expr) -> bool:
        """Is it one published share?"""
        keys = _keys(node) if isinstance(node, ast.Subscript) else []
        # A key that the ledger does not hold is refused by `number`.
        claims = [self.known[key] for key in keys if key in self.known]
        return any(claim.quantity == "share" for claim in claims)

    def span(self, node: ast.expr) -> Span:
        """Which numbers can an expression be?"""
        match node:
            case ast.Constant(value=bool()) | ast.Constant(value=complex()):
                pass
            case ast.Constant(value=int() | float() as number):
                return point(Fraction(str(number)))
            case ast.Subscript(
                value=ast.Name(id="F" | "L" | "H" as which), slice=ast.Constant(value=str(key))
            ):
                return self.number(which, key)
            case ast.UnaryOp(op=ast.USub(), operand=part):
                inner = self.span(part)
                return Span(-inner.high, -inner.low)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in ARITHMETIC:
                return ARITHMETIC[type(op)](self.span(left), self.span(right))
            case ast.Call(func=ast.Name(id=name), args=parts, keywords=[]) if (
                name in FUNCTIONS and parts
            ):
                return FUNCTIONS[name](*[self.span(part) for part in parts])
            case ast.Call(
                func=ast.Name(id="states"), args=[ast.Constant(value=int() as year)], keywords=[]
            ):
                return point(Fraction(_independent_states(year)))
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
            share = self.known[key].quantity == "share"
            for which in "FLH":
                name = f"{which}['{key}']"
                if name not in text:
                    continue
                number = _shown(self.number(which, key), share)
                if " " in number.removesuffix(" %") and not isinstance(node, ast.Subscript):
                    number = f"({number})"  # a range within a sum
                text = text.replace(name, number)
        for year in _years_of_states(node):
            text = text.replace(f"states({year})", f"{_independent_states(year)} states")
        return text

    def number(self, which: str, key: str) -> Span:
        """A published number (F), or the low (L) or high (H) end of its interval."""
        if key not in self.known:
            raise DataError(f"relation: no finding {key!r} in the ledger")
        claim = self.known[key]
        if not claim.exact:
            raise DataError(f"relation: {key!r} was published as 'about': it has no interval")
        highest = min(claim.high, 1.0) if claim.quantity == "share" else claim.high
        low = fraction(claim.low)
        high = fraction(highest)
        if which == "F":
            return point(fraction(claim.value)) if self.at_face_value else Span(low, high)
        return point(low if which == "L" else high)


class Sum(NamedTuple):
    """What comes out of published numbers?

    Attributes
    ----------
    low, high : float
        The least and the greatest number that can come out, over the intervals of the others.
    printed : float
        What comes out of the numbers as printed.
    words : str
        The numbers as printed: "272 / 1,219".
    exact : bool
        Do the intervals leave just one number?
    finding_ids : tuple of str
        The findings in it.
    """

    low: float
    high: float
    printed: float
    words: str
    exact: bool
    finding_ids: tuple[str, ...]

    __repr__ = in_words
    _repr_html_ = as_html

    def summary(self) -> str:
        """The numbers as printed, and what comes out of them."""
        return f"{self.words} = {self.printed:.4g}"


def computed(expression: str, known: Mapping[str, Published]) -> Sum:
    """Which number comes out of other published numbers?

    Parameters
    ----------
    expression
        As for `evaluate`, without a comparison outside.
    known
        The ledger.

    Raises
    ------
    DataError
        For anything that is not allowed, naming it.

    Examples
    --------
    >>> share = computed("F['fh2025-chn'] / F['fh2025-total']", ledger())
    >>> share.words, round(share.printed, 3), share.exact
    ('272 / 1,219', 0.223, True)
    """
    try:
        node = ast.parse(expression.strip(), mode="eval").body
        possible = _Evaluation(known, at_face_value=False).span(node)
        as_printed = _Evaluation(known, at_face_value=True)
        printed = as_printed.span(node)
        words = as_printed.terms(node)
    except (ArithmeticError, ValueError, TypeError, SyntaxError) as error:
        raise DataError(f"relation: {expression[:60]!r} cannot be computed: {error}") from None
    return Sum(
        float(possible.low),
        float(possible.high),
        float(printed.low),
        words,
        possible.exact,
        tuple(sorted(_keys(node))),
    )


@cache
def _independent_states(year: int) -> int:
    """How many independent states were there? Those that the Lexical Index rates in the year.

    Freedom House also rates territories, and Regimes of the World leaves small states out.
    """
    rated = table("regimes")
    rows = rated[(rated["measure"].astype("str") == "lied") & rated["iso3"].isin(states())]
    first, last = rows["first_year"], rows["last_year"].fillna(year)
    count = int(rows.loc[(first <= year) & (year <= last), "iso3"].nunique())
    if not count:
        raise DataError(f"relation: no independent states are known for {year}")
    return count


def _all(truths: list[Truth]) -> Truth:
    """The truth of several things together."""
    if False in truths:
        return False
    return None if None in truths else True


def _keys(node: ast.AST) -> frozenset[str]:
    """The findings in an expression."""
    keys = []
    for part in ast.walk(node):
        if isinstance(part, ast.Subscript) and isinstance(part.slice, ast.Constant):
            keys.append(str(part.slice.value))
    return frozenset(keys)


def _years_of_states(node: ast.AST) -> set[int]:
    """The years for which an expression asks how many states there were."""
    years = set()
    for part in ast.walk(node):
        match part:
            case ast.Call(func=ast.Name(id="states"), args=[ast.Constant(value=int() as year)]):
                years.add(year)
    return years


def _is_computed(term: str) -> bool:
    return any(sign in term for sign in "+-*/(")


_OPPOSITE = {"=": "≠", "≠": "=", "<": "≥", "≤": ">", ">": "≤", "≥": "<"}
_SIGNS: dict[type[ast.cmpop], str] = {
    ast.Eq: "=",
    ast.NotEq: "≠",
    ast.Lt: "<",
    ast.LtE: "≤",
    ast.Gt: ">",
    ast.GtE: "≥",
}


def _as_different_texts(left: Span, right: Span, share: bool) -> tuple[str, str]:
    """Both sides as text, with as many decimals as it takes to see that they differ."""
    for digits in range(3, 9):
        texts = _shown(left, share, digits), _shown(right, share, digits)
        if texts[0] != texts[1] or left == right:
            break
    return texts


def _shown(span: Span, share: bool, digits: int = 3) -> str:
    """A span as text: "74.5 %", "3 to 5", "49 or more"."""
    low = "" if math.isinf(span.low) else _number(float(span.low), share, digits)
    high = "" if math.isinf(span.high) else _number(float(span.high), share, digits)
    if low and high:
        return low if low == high else f"{low} to {high}"
    if low:
        return f"{low} or more"
    return f"{high} or less" if high else "any number"


def _number(value: float, share: bool, digits: int) -> str:
    if share:
        return f"{100 * value:.{digits}g} %"
    if value == round(value):
        return f"{value:,.0f}"
    return f"{value:,.{digits - 2}f}" if abs(value) >= 100 else f"{value:.{digits}g}"
