"""What would change the answer of notebook 03?"""

import numpy as np
import pandas as pd

from capelib.dataset import takes_dataset
from capelib.errors import TooFewCases
from capelib.estimators.change_points import DRAWS, change_point
from capelib.estimators.counts import actions, per_year
from capelib.progress import progress
from capelib.questions.selections import selections
from capelib.questions.targeting_series import NUMBERS, Targeting, of_counts
from capelib.vocabulary.codebook import codes

_LAST_OF_CAPE = 2018
_DRAWS = 199  # series drawn for a row of another series: the p values go in steps of 0.005
_COLUMNS = [
    *("choice", "n", "per_year", "low", "high"),
    *("turn", "since", "since_low", "since_high", "p_break", "p_any"),
]


@takes_dataset
def variants(
    joined: pd.DataFrame, first_year: int, last_year: int, break_year: int, unit: str, model: str
) -> pd.DataFrame:
    """What would change the answer? The same estimates under other choices.

    Parameters
    ----------
    joined
        Incidents as `Dataset.joined` gives.
    first_year, last_year, break_year, unit, model
        As for `targeting`.

    Returns
    -------
    DataFrame
        One row a choice: `choice`, `n`; `per_year`, `low`, `high` of one line through all years;
        `turn` (to which year it grew), `since`, `since_low`, `since_high` (the factor a year from
        then on); `p_break` (a break in `break_year`, alone) and `p_any` (a break in some year).
        Missing where there are too few cases. A choice that leaves fewer than 5 years, or would go
        on after the last year, has no row.

    Notes
    -----
    Undated incidents are no random part. The two rows that put all of them into the years before
    `break_year`, or from it on, evenly, are the ends between which the truth lies.
    """
    other_model = "negative_binomial" if model == "poisson" else "poisson"
    as_chosen = per_year(joined, first_year, last_year, unit)
    rows = [{"choice": "as chosen", **_estimates(of_counts(as_chosen, break_year, model), DRAWS)}]
    for name in codes("unit"):
        if name != unit:
            rows.append(
                _row(f"counted by {name}", joined, first_year, last_year, break_year, name, model)
            )
    once = actions(joined)
    rows.append(_row("each action once", once, first_year, last_year, break_year, "episode", model))
    # the search is the same
    words = f"{other_model.replace('_', ' ')} model"
    weighted = _estimates(of_counts(as_chosen, break_year, other_model), DRAWS)
    rows.append({"choice": words, **weighted})
    parts = {"stages 2 and 3 only": joined[joined["stage"] >= 2]}
    parts |= selections(
        joined, "doubtful", "alleged", "cape", "court", "groups", "relatives", "requests"
    )
    for words, part in progress(parts.items(), "choices"):
        rows.append(_row(words, part, first_year, last_year, break_year, unit, model))
    if first_year < break_year <= last_year:
        for words, first, last in (
            (f"undated ones put before {break_year}", first_year, break_year - 1),
            (f"undated ones put from {break_year} on", break_year, last_year),
        ):
            counts = _with_undated(joined, (first_year, last_year), (first, last), unit)
            rows.append({"choice": words, **_estimates(of_counts(counts, break_year, model))})
    if first_year + 4 <= _LAST_OF_CAPE <= last_year:
        words = f"until {_LAST_OF_CAPE}, CAPE's last year"
        rows.append(_row(words, joined, first_year, _LAST_OF_CAPE, break_year, unit, model))
    return pd.DataFrame(rows if last_year - first_year >= 4 else [], columns=_COLUMNS)


def _row(
    words: str,
    incidents: pd.DataFrame,
    first: int,
    last: int,
    break_year: int,
    unit: str,
    model: str,
) -> dict[str, object]:
    """A row of `variants`."""
    series = of_counts(per_year(incidents, first, last, unit), break_year, model)
    return {"choice": words, **_estimates(series)}


def _with_undated(
    joined: pd.DataFrame, period: tuple[int, int], into: tuple[int, int], unit: str
) -> pd.DataFrame:
    """Counts a year, the undated incidents spread evenly over some of the years."""
    counts = per_year(joined, *period, unit)
    undated = joined[joined["year"].isna()]
    placed = undated.assign(year=pd.array([period[0]] * len(undated), dtype="Int64"))
    more = int(per_year(placed, *period, unit)["n"].sum())
    inside = counts["year"].between(*into).to_numpy()
    places = np.flatnonzero(inside)
    spread = np.linspace(0, len(places), more, endpoint=False).astype(int)
    added = np.bincount(places[spread], minlength=len(counts)) if more else 0
    return counts.assign(n=counts["n"] + added)


def _estimates(series: Targeting, draws: int = _DRAWS) -> dict[str, object]:
    """The columns of `variants` after the words."""
    table = series.estimates()
    whole = table.loc["yearly factor, whole period", NUMBERS]
    since = table.loc["yearly factor since the turn", NUMBERS]
    p_break = p_any = np.nan
    try:
        search = change_point(series.counts, draws=draws)
        p_break, p_any = search.p_of(series.break_year), search.p
    except TooFewCases:
        pass
    return {
        "n": int(series.counts["n"].sum()),
        **dict(zip(("per_year", "low", "high"), whole, strict=True)),
        "turn": series.course.turn if series.grew and series.course else pd.NA,
        **dict(zip(("since", "since_low", "since_high"), since, strict=True)),
        "p_break": p_break,
        "p_any": p_any,
    }
