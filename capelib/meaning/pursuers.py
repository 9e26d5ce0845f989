"""The pursuing states that a parameter `origin` names: one state, or a group of the codebook."""

from typing import NamedTuple

from capelib.meaning.arguments import states_meant
from capelib.vocabulary.codebook import codebook
from capelib.vocabulary.tables import states


class Pursuers(NamedTuple):
    """Pursuing states: their codes (ISO 3166-1 alpha-3), and the words for them in a sentence."""

    codes: tuple[str, ...]
    words: str


def pursuers(origin: str = "all") -> Pursuers:
    """Which states does a notebook's parameter `origin` name, and in which words?

    Parameters
    ----------
    origin
        A state's code or name such as "TJK" or "Tajikistan", or "all" for the states for which
        the record was searched in full (`[pursuers.all]` of the codebook).

    Returns
    -------
    Pursuers
        `codes` and `words`.

    Raises
    ------
    ParameterError
        For anything else, naming the nearest state.

    Examples
    --------
    >>> pursuers("TJK")
    Pursuers(codes=('TJK',), words='Tajikistan')
    >>> pursuers("all").words
    'the five Central Asian states'
    """
    group = codebook()["pursuers"].get(origin)
    if group is not None:
        return Pursuers(tuple(group["states"]), group["words"])
    state = states_meant("state", origin)[0]
    return Pursuers((state,), states()[state])
