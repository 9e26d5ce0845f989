"""A city with its state or province: "Los Angeles, CA" is one place in the USA."""

import re
from functools import cache

from capelib.meaning.cells import Cell, refused
from capelib.meaning.state_lexicon import folded, lexicon, two_letter_codes
from capelib.paths import project_folder
from capelib.vocabulary.tables import read_text
from capelib.vocabulary.tables import states as codes_of_states

RULE = "state.subdivision"
RULES = {RULE: "a city with its state of the USA or province of Canada: one place there"}
NAMED, LIKELY = 0.8, 0.6  # certainty

_PART = r"[^,;/|()\[\]\n\r→>]+"
_POSTCODE = r"(?:\s+(?:[0-9]{5}(?:-[0-9]{4})?|[A-Z][0-9][A-Z] ?[0-9][A-Z][0-9]))?"
_CITY = re.compile(
    rf"(?P<city>{_PART}),\s*(?P<part>{_PART}?){_POSTCODE}(?:,\s*(?P<state>{_PART}))?"
)
_LETTERS = re.compile(r"[A-Z]{2,3}|[A-Z]\.[A-Z]\.")
_OF_PLACES = ("state.city", "state.region")


@cache
def subdivisions() -> dict[str, str]:
    """In which state lies each state of the USA and each province of Canada?

    Returns
    -------
    dict
        By code of two letters, and by `folded` name.

    Examples
    --------
    >>> subdivisions()["NY"], subdivisions()["ontario"]
    ('USA', 'CAN')
    """
    table = read_text(project_folder("data") / "names" / "subdivisions.csv")
    names = {folded(name): state for name, state in zip(table["name"], table["iso3"], strict=True)}
    return dict(zip(table["code"], table["iso3"], strict=True)) | names


def city_in_subdivision(text: str, among_such: frozenset[str] = frozenset()) -> Cell | None:
    """Which state does a city lie in that is written with its state or province?

    Parameters
    ----------
    text
        A `visible` cell.
    among_such
        The states of which the column names subdivisions elsewhere: CA then is California, which
        without them may be Canada.

    Returns
    -------
    Cell or None
        A guess, or a problem where the second part may also be another state; None where this is
        no city with a subdivision.

    Examples
    --------
    >>> city_in_subdivision("Brooklyn, NY").value, city_in_subdivision("Moscow, Russia")
    ('USA', None)
    >>> city_in_subdivision("Wuppertal, DE").remedy
    'write USA or DEU'
    """
    match = _CITY.fullmatch(text.strip()) if "," in text else None
    if match is None:
        return None
    part = match["part"].strip()
    is_code = _LETTERS.fullmatch(part) is not None
    country = subdivisions().get(part.replace(".", "") if is_code else folded(part))
    if country is None or _LETTERS.fullmatch(match["city"].strip()):
        return None
    if match["state"]:
        same = _state(match["state"]) == country
        return Cell(country, RULE, NAMED) if same else None
    city, rule = _meaning(match["city"])
    other, _ = (two_letter_codes().get(part), "") if is_code else _meaning(part)
    if city and rule not in _OF_PLACES:  # Russia, IN: two states, or Peru in Indiana
        return _either(country, city) if is_code else None
    elsewhere = other not in (None, country)
    if not elsewhere:
        return Cell(country, RULE, NAMED if city in (None, country) else LIKELY)
    if city == other or not is_code:
        return None
    if city == country:
        return Cell(country, RULE, NAMED)
    return Cell(country, RULE, LIKELY) if country in among_such else _either(country, other)


def _meaning(name: str) -> tuple[str | None, str]:
    """The state of a known name, and the rule that reads it."""
    entries = lexicon().get(folded(name), [])
    return (entries[0].iso3, entries[0].rule) if len(entries) == 1 else (None, "")


def _state(text: str) -> str | None:
    code = text.strip().upper()
    if code in codes_of_states():
        return code
    return _meaning(text)[0] or two_letter_codes().get(code)


def _either(country: str, other: str | None) -> Cell:
    problem = "a city in a state of the USA or Canada, or in another state"
    return refused(problem, f"write {country} or {other}", RULE)
