"""The shipped tables by name, with types and without what was withdrawn."""

from functools import lru_cache
from pathlib import Path

import pandas as pd

from capelib.errors import ParameterError
from capelib.vocabulary.codebook import codebook, unknown
from capelib.vocabulary.tables import path_of, read_text, typed
from capelib.vocabulary.withdrawal import built_in_keys, id_columns, is_withdrawn


def table(name: str) -> pd.DataFrame:
    """What does a shipped table hold, with the codebook's types?

    Rows with a withdrawn key are left out, so that "withdrawn" itself is always empty.

    Parameters
    ----------
    name
        For example "regimes", "memberships", "audit".

    Returns
    -------
    DataFrame

    Raises
    ------
    ParameterError
        The codebook holds no table of this name.

    Examples
    --------
    >>> table("displaced").dtypes.astype(str).to_dict()
    {'origin': 'str', 'year': 'Int64', 'refugees': 'Int64', 'asylum_seekers': 'Int64'}
    """
    known = codebook()["table"]
    if name not in known:
        raise ParameterError(unknown("table", name, list(known)))
    paths = [path_of(each) for each in (name, "incidents", "exiles", "sources", "withdrawn")]
    changed = [path.stat().st_mtime_ns if path.exists() else 0 for path in paths]
    return _table(name, *zip(paths, changed, strict=True)).copy()


@lru_cache(maxsize=32)
def _table(name: str, file: tuple[Path, int], *_others: tuple[Path, int]) -> pd.DataFrame:
    """The table as of these files: read once, since models ask for memberships of every year."""
    raw, ids = read_text(file[0]), id_columns(name)
    keys = built_in_keys()
    if keys and ids:
        raw = raw[~is_withdrawn(raw, keys, ids)]
    return typed(raw.reset_index(drop=True), name)
