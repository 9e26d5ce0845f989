"""The specification curve of notebook 07: acts that need the host, by its memberships."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from capelib.dataset import CENTRAL_ASIA, Dataset
from capelib.estimators.specifications import moved_within, odds_of_marks
from capelib.questions.host_acts import acts_of_both_kinds
from capelib.questions.membership_shares import ANY, ORGANISATIONS, by_unit
from capelib.questions.specification_curve import Curve, curve_of
from capelib.questions.specification_rules import (
    REMAINS,
    Remaining,
    remaining,
    remaining_by_option,
    specifications,
)
from capelib.reference import memberships

CORRIDORS = "07_corridors"
YEARS = (2001, 2024)
LABELINGS = 1000
FEWEST = 20  # acts that a specification needs of each kind, and in hosts of each kind
COLUMNS = [
    "origin", "host", "year", "exile_id", "episode_id", "measure", "stage", "doubtful",
    "attribution", "source_kind", "needs_host", "authoritarian",
]  # fmt: skip
UNITS = {"episodes": "episode", "incidents": "incident", "exiles": "exile"}
NO_CIS = "any, Ukraine not in CIS"


def corridors_curve(ds: Dataset, labelings: int = LABELINGS, seed: int = 1) -> Curve | None:
    """Is an act likelier one that needs the host in fellow-member states, under every choice?

    Parameters
    ----------
    ds
        All that is loaded; acts of the five Central Asian states are taken.
    labelings
        How often memberships are moved, the true way included.
    seed
        Of the random numbers.

    Returns
    -------
    Curve or None
        None where no specification has enough acts.

    Notes
    -----
    A membership is assigned to a host, for years on end. So the reference moves whole histories of
    membership from host to host, and all acts stay where they are: acts in one host are alike, and
    moving acts, or host-years, would take them as independent. Hosts lend to each other within two
    kinds: those rated Not Free in most of the acts on record, and the others. Without that a
    difference between regimes would pass for one between members. The estimate of each
    specification is one step from the model without membership, see
    `capelib.estimators.specifications.odds_of_marks`.

    The test asks whether memberships go with the kind of act more closely than any other trait that
    is dealt out to hosts by chance. It does not ask why: former Soviet hosts share more than
    memberships.

    Examples
    --------
    >>> import capelib as cape
    >>> curve = corridors_curve(cape.load(), labelings=20)
    >>> curve.listed, curve.test.labelings
    (3840, 20)
    """
    joined = ds.where(origin=CENTRAL_ASIA).joined()
    rows = acts_of_both_kinds(joined, YEARS, unit="incident")[COLUMNS]
    if rows.empty:
        return None
    listed = specifications(CORRIDORS)
    marks = _marks(rows, labelings, seed)
    every_mark = np.concatenate(list(marks.values()))
    terms = _terms(rows)
    needs = rows["needs_host"].to_numpy(bool)
    select = [name for name in listed if name in REMAINS or name == "counted"]
    by_option = remaining_by_option(rows, listed)
    kept, values = {}, {}
    for options in listed[select].drop_duplicates().itertuples(index=False, name=None):
        kept[options] = _kept_rows(rows, by_option, dict(zip(select, options, strict=True)))
        same_rows = kept[options].tobytes()
        if same_rows not in values:
            event = np.where(kept[options], needs, np.nan)
            values[same_rows] = odds_of_marks(every_mark, event, list(terms.values()))
    shape = (len(marks), labelings, len(terms))
    keys, enough, estimates = [], [], []
    for options, members, equal in zip(
        listed[select].itertuples(index=False, name=None),
        listed["members of"],
        listed["held equal"],
        strict=True,
    ):
        inside, true = kept[options], marks[members][0].astype(bool)
        keys.append(inside.tobytes() + (inside & true).tobytes() + equal.encode())
        enough.append(all((inside & side).sum() >= FEWEST for side in (needs, ~needs, true, ~true)))
        of_rows = values[inside.tobytes()].reshape(shape)
        estimates.append(of_rows[list(marks).index(members), :, list(terms).index(equal)])
    moved = "Memberships are moved from host to host, among hosts of the same regime"
    matrix = np.array(estimates).T
    mark = "memberships"
    return curve_of(CORRIDORS, "odds ratio", listed, keys, matrix, np.array(enough), moved, mark)


def _kept_rows(rows: pd.DataFrame, by_option: Remaining, options: Mapping[str, str]) -> np.ndarray:
    """True for the acts that remain; what is counted once is so for each kind of act."""
    keep = remaining(by_option, options)
    number = rows[keep].assign(number=np.flatnonzero(keep))
    once = np.zeros(len(rows), bool)
    for _, acts in number.groupby("needs_host"):
        counted = by_unit(acts, UNITS[options["counted"]], ["exile_id", "origin", "host", "year"])
        once[counted["number"].to_numpy(int)] = True
    return once


def _terms(rows: pd.DataFrame) -> dict[str, np.ndarray]:
    """What is held equal, by option: a level, or one a pursuing state; the year; the regime."""
    origin = pd.get_dummies(rows["origin"].astype("str"), dtype="float64").to_numpy()
    year = (rows["year"] - rows["year"].mean()).to_numpy(float)[:, None] / 10
    regime = rows["authoritarian"].fillna(False).to_numpy(float)[:, None]
    return {
        "origin, year, regime": np.hstack([origin, year, regime]),
        "origin, year": np.hstack([origin, year]),
        "origin": origin,
        "nothing": np.ones((len(rows), 1)),
    }


def _marks(rows: pd.DataFrame, labelings: int, seed: int) -> dict[str, np.ndarray]:
    """By membership: labelings by acts, 1 where the origin is a fellow of the lending host."""
    host, hosts = pd.factorize(rows["host"].astype("str"))
    year = (rows["year"] - YEARS[0]).to_numpy(int)
    authoritarian = rows["authoritarian"].fillna(False).astype(bool)
    is_unfree = authoritarian.groupby(host).mean().to_numpy() > 0.5
    lender = moved_within(is_unfree, labelings, seed)[:, host]  # labelings by acts
    marks = {}
    for organisation in ORGANISATIONS:
        of_hosts = _members(organisation, hosts)
        of_origin = _members(organisation, rows["origin"])[np.arange(len(rows)), year]
        marks[organisation] = of_hosts[lender, year] & of_origin
    without = _members("CIS", hosts) & (hosts != "UKR")[:, None]
    others = [marks[name] for name in ORGANISATIONS if name != "CIS"]
    cis = _members("CIS", rows["origin"])[np.arange(len(rows)), year]
    marks[NO_CIS] = np.logical_or.reduce([without[lender, year] & cis, *others])
    marks[ANY] = np.logical_or.reduce([marks[name] for name in ORGANISATIONS])
    # With 32 bits the sixth digit would hang on how many threads multiply the matrices.
    return {name: values.astype("float64") for name, values in marks.items()}


def _members(organisation: str, states: pd.Series | pd.Index) -> np.ndarray:
    """States by years: who was a member?"""
    years = range(YEARS[0], YEARS[1] + 1)
    return np.column_stack([states.isin(memberships.members(organisation, year)) for year in years])
