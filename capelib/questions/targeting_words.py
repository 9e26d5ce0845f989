"""The answer of notebook 03 in words."""

from collections.abc import Sequence

from capelib.questions.targeting_series import Targeting
from capelib.questions.targeting_share import AgainstOthers
from capelib.questions.wording import signed, two_digits

_THINGS = {
    "incident": "incidents against",
    "exile": "persons targeted among",
    "episode": "incidents (clusters counted once) against",
}
# The step that the answer names beside "not established".
_NAMED_STEP = 3.0


def yearly(numbers: Sequence[float]) -> str:
    """A factor a year with its interval, in percent.

    >>> yearly((1.084, 1.025, 1.141))
    '+8 % a year [+2, +14]'
    >>> yearly((1.002, 0.904, 1.1114))
    '+0.2 % a year [-10, +11]'
    """
    value, low, high = (_change(100 * (factor - 1)) for factor in numbers)
    return f"{value} % a year [{low}, {high}]"


def _change(percent: float) -> str:
    """A change with its sign, also where it is below 1 %."""
    if abs(percent) >= 0.95:
        return signed(percent)
    text = f"{percent:+.1f}"
    return "0" if text in ("+0.0", "-0.0") else text


def sentence(series: Targeting, who: str, unit: str, others: AgainstOthers | None = None) -> str:
    """The answer in two sentences, with intervals: its course; a break, and the other states.

    Parameters
    ----------
    series
        From `targeting`.
    who
        For example "exiles pursued by Tajikistan".
    unit
        "incident", "exile" or "episode".
    others
        The same years of the other states; None leaves that sentence out.

    Returns
    -------
    str
    """
    start = f"Recorded {_THINGS[unit]} {who}"
    if series.rise is None:
        why = "; ".join(series.why)
        return f"{start}, {series.period}: too few cases for a trend ({why})."
    against = _share(series, others) if others is not None else ""
    return f"{_course(series, start)} {'; '.join(filter(None, [_break(series), against]))}."


def _course(series: Targeting, start: str) -> str:
    """Growth to a year and what came after; one line where there was no growth to speak of."""
    series_of = f"{series.period}, n = {series.counts['n'].sum():,}"
    if series.course is None or not series.grew:
        numbers = series.estimates().loc["yearly factor, whole period"]
        direction = "neither clearly rose nor fell"
        if numbers["low"] > 1:
            direction = "rose"
        elif numbers["high"] < 1:
            direction = "fell"
        return f"{start} {direction} ({series_of}): {yearly(tuple(numbers))}."
    growth = yearly(tuple(series.course.terms.loc["to the turn"]))
    since = series.course.terms.loc["since the turn"]
    after = "neither a further rise nor a fall is established since"
    if since["low"] > 1:
        after = "they went on rising"
    elif since["high"] < 1:
        after = "they fell since"
    elif not series.course.ended:
        after = "whether the growth ended is not settled"
    return (
        f"{start} grew ({series_of}): {growth} to about {series.course.turn} "
        f"({series.course.years_in_words}), {yearly(tuple(since))} since; {after}."
    )


def _break(series: Targeting) -> str:
    """A break at the chosen year and at any, with what the test could have seen."""
    if series.untested or series.breaks is None:
        return f"Whether {series.break_year} was a break cannot be told"
    p, anywhere = f"p = {series.chosen_p:.2g}", f"p = {series.breaks.p:.2g}"
    if series.chosen_p < 0.05:
        words = f"A break at {series.break_year} passes the test looked at alone ({p})"
        if series.breaks.p < 0.05:
            return (
                f"{words}, and a break in some year does ({anywhere}, {series.breaks.break_year})"
            )
        return f"{words}, but a search over all years does not find one ({anywhere})"
    seen = 100 * series.power.set_index("step").loc[_NAMED_STEP, "this_year"]
    only = "only " if seen < 50 else ""
    return (
        f"A break at {series.break_year} is not established ({p}, in any year {anywhere}; a step "
        f"of {two_digits(_NAMED_STEP)} times would be seen in {only}{seen:.0f} of 100 such series)"
    )


def _share(series: Targeting, others: AgainstOthers) -> str:
    """What the other states say to "it is only more reporting"."""
    odds = others.odds
    if odds is None:
        return ""
    change = yearly((odds.ratio, odds.low, odds.high))
    start = f"the odds against {others.words}"
    if odds.low > 1:
        return f"{start} rose ({change}), which more reporting of the whole region would not do"
    if odds.high < 1:
        return f"{start} fell ({change})"
    if series.grew:
        return f"that only reporting of the whole region grew is not ruled out ({start}: {change})"
    return f"{start} did not clearly change ({change})"
