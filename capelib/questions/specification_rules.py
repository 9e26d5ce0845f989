"""The choices of the specification curves: what each option of data/specifications.toml does."""

import tomllib
from collections.abc import Callable, Mapping
from functools import cache
from itertools import product

import numpy as np
import pandas as pd

from capelib.errors import DataError
from capelib.meaning.pursuers import pursuers
from capelib.paths import project_folder
from capelib.questions.selections import kept

Options = dict[str, dict[str, str]]  # by choice and option, the reason
Remaining = dict[tuple[str, str], np.ndarray]  # by choice and option, True for what remains
Rule = Callable[[pd.DataFrame], pd.Series]  # from incidents to those that remain


def _every(rows: pd.DataFrame) -> pd.Series:
    return pd.Series(True, rows.index)


def _in_central_asia(rows: pd.DataFrame) -> pd.Series:
    return rows["origin"].isin(pursuers("all").codes)


def _without(kind: str) -> Rule:
    return lambda rows: next(iter(kept(rows, kind).values()))


# What remains of the incidents under each option of a choice.
REMAINS: dict[str, dict[str, Rule]] = {
    "stages": {
        "all": _every,
        "2 and 3": lambda rows: rows["stage"].isin([2, 3]),
        "3 only": lambda rows: rows["stage"].isin([3]),
    },
    "doubtful": {"in": _every, "out": lambda rows: ~rows["doubtful"]},
    "alleged": {"in": _every, "out": lambda rows: rows["attribution"].isna()},
    "interested sources": {
        "in": _every,
        "out": lambda rows: rows["source_kind"].ne("interested_party").fillna(True),
    },
    "court sources": {
        "in": _every,
        "out": lambda rows: rows["source_kind"].ne("court").fillna(True),
    },
    "pursuing states": {
        "all": _every,
        "Central Asia": _in_central_asia,
        "others": lambda rows: ~_in_central_asia(rows),
    },
    "acts compared": {
        "2 and 3 with others": _every,
        "3 with 1": lambda rows: ~rows["stage"].isin([2]),
    },
    "requests": {"in": _every, "out": _without("requests")},
    "relatives": {"in": _every, "out": _without("relatives")},
}
# Options that are no selection of incidents, by choice.
OTHERS: dict[str, tuple[str, ...]] = {
    "authoritarian": ("fiw NF", "fiw PF", "row 0", "row 1", "lied 2", "lied 3"),
    "rated": ("each year", "as in 2021"),
    "counted": ("incidents", "episodes", "exiles"),
    "estimate": ("as recorded", "within states"),
    "first year": ("2001", "2005", "2010"),
    "members of": ("any of the three", "CIS", "CSTO", "SCO", "any, Ukraine not in CIS"),
    "held equal": ("origin, year, regime", "origin, year", "origin", "nothing"),
}


@cache
def _file() -> dict[str, Options]:
    """The choices by notebook."""
    path = project_folder("data") / "specifications.toml"
    with path.open("rb") as file:
        entries = tomllib.load(file)["choice"]
    result: dict[str, Options] = {}
    for entry in entries:
        reasons = {option["name"]: option["reason"] for option in entry["option"]}
        known = REMAINS.get(entry["name"]) or OTHERS.get(entry["name"], ())
        unknown = [name for name in reasons if name not in known]
        if unknown:
            raise DataError(
                f"{path}: no rule for the option {unknown[0]!r} of {entry['name']!r}: add one to "
                "capelib/questions/specification_rules.py"
            )
        result.setdefault(entry["notebook"], {})[entry["name"]] = reasons
    return result


def choices(notebook: str) -> pd.DataFrame:
    """Which choices does the specification curve of a notebook make, and why?

    Parameters
    ----------
    notebook
        Its name, such as "04_authoritarian_hosts".

    Returns
    -------
    DataFrame
        One row an option: `choice`, `option`, `reason`.

    Examples
    --------
    >>> choices("04_authoritarian_hosts")["choice"].nunique()
    9
    """
    rows = [
        (choice, option, reason)
        for choice, reasons in _file()[notebook].items()
        for option, reason in reasons.items()
    ]
    return pd.DataFrame(rows, columns=["choice", "option", "reason"])


def specifications(notebook: str) -> pd.DataFrame:
    """Every combination of the options: one row a specification, one column a choice.

    Examples
    --------
    >>> len(specifications("04_authoritarian_hosts"))
    3456
    """
    options = _file()[notebook]
    return pd.DataFrame(list(product(*options.values())), columns=list(options))


def remaining_by_option(rows: pd.DataFrame, listed: pd.DataFrame) -> Remaining:
    """Which incidents remain under each option of the choices that select some of them?

    Parameters
    ----------
    rows
        Incidents.
    listed
        From `specifications`.
    """
    return {
        (choice, option): REMAINS[choice][option](rows).to_numpy(bool)
        for choice in listed
        if choice in REMAINS
        for option in listed[choice].unique()
    }


def remaining(by_option: Remaining, options: Mapping[str, str]) -> np.ndarray:
    """Which incidents remain under all these options? Choices that select none are passed over."""
    return np.logical_and.reduce([by_option[each] for each in options.items() if each in by_option])
