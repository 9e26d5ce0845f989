"""Numbers in words, the same everywhere: shares, changes and ratios with their 95 % intervals."""

from collections.abc import Callable

from pandas import isna

_NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def percent(share: float, low: float, high: float) -> str:
    """A share (fractions) with its interval; one that is missing is called so.

    >>> percent(0.777, 0.66, 0.864), percent(0.777, float("nan"), float("nan"))
    ('78 % [66, 86]', '78 % (no interval)')
    """
    if isna(low) or isna(high):
        return f"{100 * share:.0f} % (no interval)"
    return f"{_whole(100 * share)} % [{_whole(100 * low)}, {_whole(100 * high)}]"


def _whole(number: float) -> str:
    return _unsigned_zero(f"{number:,.0f}")


def _unsigned_zero(text: str) -> str:
    """A number as it is written; there is no "-0"."""
    return text if text.strip("-0.,") else text.removeprefix("-")


def signed(number: float) -> str:
    """A whole number with its sign; there is no "-0".

    >>> signed(11.7), signed(-0.3), signed(-5)
    ('+12', '0', '-5')
    """
    return _unsigned_zero(f"{number:+.0f}")


def points(change: float, low: float, high: float) -> str:
    """A difference of shares (fractions) in percentage points, with its interval.

    >>> points(0.269, 0.14, 0.382), points(0.269, float("nan"), float("nan"))
    ('+27 points [+14, +38]', '+27 points (no interval)')
    """
    if isna(low) or isna(high):
        return f"{signed(100 * change)} points (no interval)"
    return f"{signed(100 * change)} points [{signed(100 * low)}, {signed(100 * high)}]"


def _two_decimals(ratio: float) -> str:
    """Two decimals; one digit of what they would hide."""
    return f"{ratio:.1g}" if 0 < ratio < 0.05 else _unsigned_zero(f"{ratio:.2f}")


# By unit: a number in words, and what stands behind it.
_IN_UNIT: dict[str, tuple[Callable[[float], str], str]] = {
    "share": (lambda share: _whole(100 * share), " %"),
    "difference": (lambda change: signed(100 * change), " points"),
    "ratio": (_two_decimals, ""),
}


def value_and_interval(
    value: float | None, low: float | None, high: float | None, unit: str
) -> tuple[str, str]:
    """An estimate and its interval as two cells of a table; what is missing is called so.

    The unit is "share" or "difference" (both fractions), "ratio", or that of a count.

    >>> value_and_interval(-0.002, -0.004, 0.13, "difference")
    ('0 points', '[0, +13]')
    >>> value_and_interval(None, None, None, "share"), value_and_interval(1815, None, None, "count")
    (('too few cases', ''), ('1,815', 'no interval'))
    """
    if isna(value):
        return "too few cases", ""
    words, after = _IN_UNIT.get(unit, (_whole, ""))
    interval = "no interval" if isna(low) or isna(high) else f"[{words(low)}, {words(high)}]"
    return words(value) + after, interval


def times(ratio: float, low: float, high: float) -> str:
    """A ratio with its interval.

    >>> times(3.534, 1.288, 9.749)
    '3.5 times [1.3, 9.7]'
    """
    return f"{two_digits(ratio)} times [{two_digits(low)}, {two_digits(high)}]"


def two_digits(ratio: float) -> str:
    """A ratio with the two digits that matter.

    >>> two_digits(0.324), two_digits(4.449), two_digits(325.96)
    ('0.32', '4.4', '326')
    """
    return f"{ratio:.2g}" if ratio < 10 else f"{ratio:,.0f}"


def bound(ratio: float) -> str:
    """An end of an interval of a ratio; one near 1 with the digits that say on which side it is.

    >>> bound(1.02), bound(10.3)
    ('1.02', '10')
    """
    return f"{ratio:.2f}" if 0.95 <= ratio < 1.05 else two_digits(ratio)


def number_word(count: int) -> str:
    """A whole number as a sentence writes it: in letters up to ten.

    >>> number_word(6), number_word(12)
    ('six', '12')
    """
    return _NUMBERS[count] if count < len(_NUMBERS) else str(count)
