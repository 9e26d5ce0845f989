"""Two processes at once, as Sphinx works too: forked where that is safe, else one after another."""

import multiprocessing
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

PROCESSES = 2
Given = TypeVar("Given")
Made = TypeVar("Made")


def mapped(
    function: Callable[[Given], Made], items: Iterable[Given], together: int = 1
) -> list[Made]:
    """The result of a function for each item, in the order of the items.

    Parameters
    ----------
    function, items
        Results are sent between processes: both can be pickled.
    together
        How many items a process takes at once.

    Returns
    -------
    list
        Of results. An error of the function is raised here.
    """
    if sys.platform != "linux":  # a fork is not safe, or not there; a fresh process imports first
        return [function(item) for item in items]
    context = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(PROCESSES, mp_context=context) as pool:
        return list(pool.map(function, items, chunksize=together))
