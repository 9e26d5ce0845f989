"""What a table does not hold: said in a sentence each, before anything is made of the rest."""

from collections.abc import Callable, Iterable

from capelib.dataset.codebook import require
from capelib.dataset.dataset import CENTRAL_ASIA, Dataset
from capelib.dataset.tables import states

_HELD: dict[str, tuple[Callable[[Dataset], bool], str]] = {
    "host": (lambda ds: ds.incidents["host"].notna().any(), "No incident names a host"),
    "date": (lambda ds: ds.incidents["date_start"].notna().any(), "No incident has a date"),
    "category": (lambda ds: ds.exiles["category"].ne("unknown").any(), "No exile has a category"),
    "relatives": (
        lambda ds: (ds.incidents["relatives_targeted"].eq(True) | ds.incidents["measure"].eq("relatives_targeted")).any(),
        "No incident says that relatives were targeted",
    ),
}


def gaps(ds: Dataset, origin: str | Iterable[str] | None, *needed: str) -> list[str]:
    """What does a question need that the data at hand does not hold at all?

    ds: the whole dataset. origin: the state(s) that the question is about; None for all. needed: "host", "date", "category",
        "relatives".
    Returns sentences, none where all is there. Raises ParameterError for another need or state.

    >>> import capelib as cape
    >>> ds = cape.load()
    >>> gaps(ds, "TJK", "host", "date"), gaps(ds.where(origin="TUR"), "TJK", "host")[0][:46]
    ([], 'No incident by Tajikistan is in the data: its ')
    """
    require("need", needed, list(_HELD))
    chosen = ds if origin is None else ds.where(origin=origin)
    if chosen.incidents.empty:
        asked = require("state", origin or [], states())
        wanted = "the five Central Asian states" if set(asked) == set(CENTRAL_ASIA) else " or ".join(states()[state] for state in asked)
        there = ds.incidents["origin"].value_counts()
        listed = ", ".join(f"{states()[state]} ({count})" for state, count in there.head(5).items()) + (" ..." if len(there) > 5 else "")
        choose = f"; choose one with `-p origin={there.index[0]}`" if len(there) else ""
        return [f"No incident by {wanted or 'any state'} is in the data: its pursuing states are {listed or 'none'}{choose}."]
    return [f"{said} in {ds.info.label}: whatever needs one stays empty below." for has, said in map(_HELD.get, needed) if not has(chosen)]
