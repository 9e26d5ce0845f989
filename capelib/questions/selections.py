"""Parts of the data in which an answer is looked at again, the same for all questions."""

from collections.abc import Callable

import pandas as pd

# Rows with the estimates as chosen, but with other ideas of who was reported together.
CORRIDOR = "exiles of one corridor as one group"
ORIGIN = "exiles of one pursuing state as one group"
INDEPENDENT = "exiles taken as independent (they are not)"

_KEPT: dict[str, tuple[str, Callable[[pd.DataFrame], pd.Series]]] = {
    "doubtful": ("without doubtful cases", lambda rows: ~rows["doubtful"]),
    "alleged": ("without alleged cases", lambda rows: rows["attribution"].isna()),
    "cape": ("without CAPE's own pages", lambda rows: rows["source_kind"] != "cape"),
    "groups": ("without group rows", lambda rows: ~rows["is_group"].fillna(False).astype(bool)),
    "interested": (
        "without interested sources",
        lambda rows: rows["source_kind"] != "interested_party",
    ),
    "court": ("without court sources", lambda rows: rows["source_kind"] != "court"),
    "requests": (
        "without extradition requests",
        lambda rows: rows["measure"] != "extradition_request",
    ),
    "relatives": ("without relatives", lambda rows: rows["measure"] != "relatives_targeted"),
    "undated": ("dated incidents only", lambda rows: rows["date_start"].notna()),
}


def kept(rows: pd.DataFrame, *left_out: str) -> dict[str, pd.Series]:
    """Which incidents remain when each kind is left out in turn?

    Parameters
    ----------
    rows
        Incidents as `Dataset.joined` gives.
    left_out
        Any of "doubtful", "alleged", "cape" (CAPE's own pages), "court" (judgments as sources),
        "groups" (rows on groups of persons), "interested" (interested parties as sources),
        "relatives", "requests" (extradition requests), "undated", in the order wanted.

    Returns
    -------
    dict
        For each, in that order: the words that name the selection, and a boolean column on the
        index of `rows`, True for what remains.

    Examples
    --------
    >>> rows = pd.DataFrame({"doubtful": [True, False], "attribution": [None, "alleged"]})
    >>> {words: remains.tolist() for words, remains in kept(rows, "doubtful", "alleged").items()}
    {'without doubtful cases': [False, True], 'without alleged cases': [True, False]}
    """
    words_and_rules = [_KEPT[name] for name in left_out]
    return {words: rule(rows) for words, rule in words_and_rules}


def selections(rows: pd.DataFrame, *left_out: str) -> dict[str, pd.DataFrame]:
    """The incidents without each kind in turn, under the words that name the selection; see `kept`.

    Examples
    --------
    >>> import capelib as cape
    >>> list(selections(cape.load().joined(), "alleged", "cape"))
    ['without alleged cases', "without CAPE's own pages"]
    """
    return {words: rows[remains] for words, remains in kept(rows, *left_out).items()}
