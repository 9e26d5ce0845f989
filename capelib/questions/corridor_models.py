"""How many times as many incidents are expected in fellow-member states as in others?"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from capelib.errors import TooFewCases
from capelib.estimators.panel_counts import Ratios, expected_counts
from capelib.progress import progress
from capelib.questions.corridor_panel import coded
from capelib.questions.membership_shares import ANY, ORGANISATIONS
from capelib.vocabulary.codebook import require


def membership_ratios(
    cells: pd.DataFrame,
    terms: Sequence[str] = ORGANISATIONS,
    effects: str = "origin",
    model: str = "poisson",
    people: str = "term",
) -> Ratios:
    """How many times as many incidents are expected in fellow-member states, all else equal?

    Parameters
    ----------
    cells
        From `panel`.
    terms
        The memberships in the model. The other terms: host authoritarian, year, displaced people
        (twice as many).
    effects
        "origin" (compares hosts of the same pursuing state) or "corridor" (compares a corridor with
        itself: only changes of membership speak).
    model
        "poisson" or "negative_binomial".
    people
        The displaced people of the origin as a "term", an "offset" (incidents proportional to them)
        or "none". Where no counts ship for some of the origins, they are left out.

    Returns
    -------
    Ratios
        With intervals clustered by host, which includes the corridor (a corridor has one host).

    Raises
    ------
    TooFewCases
        Where none of the memberships can be compared, or the model cannot be fitted.
    ParameterError
        For an unknown choice.

    Notes
    -----
    Assumptions and source: see `capelib.estimators.panel_counts.expected_counts`.

    Examples
    --------
    >>> import capelib as cape
    >>> incidents = cape.load().where(origin=cape.CENTRAL_ASIA, stage=[2, 3]).incidents
    >>> hosts = cape.corridors.possible_hosts(cape.load().incidents, 2001, 2024)
    >>> fit = membership_ratios(cape.corridors.panel(incidents, hosts, 2001, 2024))
    >>> round(fit.row("CSTO")["ratio"], 1), fit.n, fit.n_clusters
    (2.6, 390, 97)
    """
    require("effects", effects, ("origin", "corridor"))
    require("people", people, ("term", "offset", "none"))
    with_counts = cells.loc[cells["displaced"].notna(), "origin"].nunique()
    if with_counts < cells["origin"].nunique():
        people = "none"  # the trend of the year stands alone
    every, offset = [*terms, "authoritarian", "year"], None
    if people == "term":
        every.append("displaced")
    if people == "offset":
        cells, offset = cells.assign(exposure=cells["displaced"] * np.log(2)), "exposure"
    fit = expected_counts(cells, every, effects, "host", model, offset)
    if set(terms) <= set(fit.dropped):
        reasons = "; ".join(f"{term}: {fit.dropped[term]}" for term in terms)
        raise TooFewCases(f"no membership can be compared: {reasons}")
    return fit


def ratios_of(cells: pd.DataFrame, terms: Sequence[str], **choices: str) -> dict[str, dict]:
    """`ratio`, `low`, `high` of each term in one model; missing where too few cases are left.

    Parameters
    ----------
    cells, terms
        As for `membership_ratios`.
    choices
        Its other arguments.
    """
    try:
        fit = membership_ratios(cells, terms, **choices)
    except TooFewCases:
        return {term: dict.fromkeys(("ratio", "low", "high"), np.nan) for term in terms}
    return {term: fit.row(term) for term in terms}


def leave_one_host_out(cells: pd.DataFrame, most: int = 6) -> pd.DataFrame:
    """Do the ratios rest on one host? The same models without each of the largest hosts.

    Parameters
    ----------
    cells
        From `panel`.
    most
        How many hosts, those with most incidents.

    Returns
    -------
    DataFrame
        One row a host left out ("none" first) and term (CIS, CSTO, SCO from one model; "any of the
        three" from another): `host`, `left_out` (incidents), `term`, `ratio`, `low`, `high`;
        missing where too few cases are left.
    """
    cells = coded(cells)
    totals = cells.groupby("host")["n"].sum().sort_values(ascending=False, kind="stable")
    rows = []
    left_out = [("none", 0), *totals[totals > 0].head(most).items()]
    for host, n in progress(left_out, "hosts left out"):
        rest = cells[cells["host"] != host]
        for term, ratio in (ratios_of(rest, ORGANISATIONS) | ratios_of(rest, (ANY,))).items():
            rows.append({"host": host, "left_out": int(n), "term": term, **ratio})
    return pd.DataFrame(rows)
