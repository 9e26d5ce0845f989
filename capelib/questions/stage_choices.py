"""What would change the answer on stages? The same estimates under other choices."""

from contextlib import suppress
from dataclasses import replace

import numpy as np
import pandas as pd

from capelib.dataset import takes_dataset
from capelib.errors import TooFewCases
from capelib.progress import progress
from capelib.questions.exiles import people, within
from capelib.questions.odds import FACTORS, odds
from capelib.questions.selections import selections
from capelib.questions.stage_reached import Stages, stages
from capelib.questions.stage_tests import STEPS, step_tests
from capelib.vocabulary.codebook import codebook

_ONE_LEVEL = {"religious": "unknown"}
RECENT = 2001  # the years before have few reports


@takes_dataset
def variants(
    joined: pd.DataFrame, first_year: int, last_year: int, covered_until: int | None = None
) -> pd.DataFrame:
    """What would change the answer? The same estimates under other choices, one row a choice.

    Parameters
    ----------
    joined
        Incidents as `Dataset.joined` gives.
    first_year, last_year, covered_until
        As for `stages`.

    Returns
    -------
    DataFrame
        `choice`, `n`, `stage_3`, `low`, `high` (share at stage 3, 95 %); of no difference between
        the levels at each step, corrected by Holm's rule over the four: `held_origin`,
        `held_category`, `ended_origin`, `ended_category`; `p_parallel`; `least`, `most` (share
        recorded at stage 3 within five years of the first incident, over all readings of who was
        watched how long, see `cape.stages.readings`). Missing where there are too few cases.
        Categories are as coded: see `cape.stages.coders` for the second coder.
    """
    rows = within(joined, first_year, last_year)
    until = last_year if covered_until is None else min(last_year, covered_until)
    results = {
        choice: stages(part, first_year, last_year, covered_until)
        for choice, part in progress(_choices(rows, until).items(), "choices")
    }
    chosen = results["as chosen"]
    with_decade = None
    with suppress(TooFewCases):
        with_decade = odds(chosen.exiles, (*FACTORS, "decade"))
    results["decade of the first incident held equal"] = replace(
        chosen, fit=with_decade, tests=step_tests(chosen.exiles, with_decade, None)
    )
    merged = people(rows.assign(category=rows["category"].astype("str").replace(_ONE_LEVEL)))
    merged = merged[~merged["is_group"]]
    one_level = None
    with suppress(TooFewCases):
        one_level = odds(merged)
    results["religious and unknown as one level"] = replace(
        chosen, fit=one_level, tests=step_tests(merged, one_level, None)
    )
    return pd.DataFrame([{"choice": name, **_variant(part)} for name, part in results.items()])


def _choices(rows: pd.DataFrame, last_year: int) -> dict[str, pd.DataFrame]:
    """The incidents under each choice of them, or of the stage of a measure."""
    persons = people(rows[~rows["is_group"].astype(bool)])
    one_each = persons.drop_duplicates("cluster")["exile_id"]
    start = rows.groupby("exile_id")["date_start"].transform("min").dt.year
    latest = last_year - 5
    choices = {
        "as chosen": rows,
        "groups counted as one exile each": rows.assign(is_group=False),
        **selections(rows, "doubtful", "alleged", "cape", "court", "interested"),
        "one exile from each cluster": rows[rows["exile_id"].isin(one_each)],
        **selections(rows, "undated"),
        f"without incidents before {RECENT}": rows[~(rows["date_end"].dt.year < RECENT)],
        **selections(rows, "requests"),
        f"first recorded by {latest} (five years to follow)": rows[start <= latest],
    }
    for stage, measures in _other_stages().items():
        moved = rows["stage"].mask(rows["measure"].isin(measures), stage)
        choices[f"{', '.join(measures)} read as stage {stage}"] = rows.assign(stage=moved)
    return choices


def _other_stages() -> dict[int, list[str]]:
    """The measures that could as well be read as another stage (`other_stage` in the codebook)."""
    others: dict[int, list[str]] = {}
    for measure, entry in codebook()["codes"]["measure"].items():
        if "other_stage" in entry:
            others.setdefault(entry["other_stage"], []).append(measure)
    return others


def _variant(result: Stages) -> dict[str, float]:
    """The estimates of one row of `variants`; missing where there are too few cases."""
    missing, share, soon = (np.nan, np.nan, np.nan), result.share(), result.reach()
    corrected = result.tests.tests.set_index(["step", "factor"])["holm"]
    keys = {
        f"{column.removesuffix('_p')}_{factor}": (step, factor)
        for column, step in STEPS.items()
        for factor in FACTORS
    }
    return {
        "n": len(result.exiles),
        **dict(zip(("stage_3", "low", "high"), share[2:5] if share else missing, strict=True)),
        **{name: corrected.get(key, np.nan) for name, key in keys.items()},
        "p_parallel": result.fit.parallel_p if result.fit else np.nan,
        "least": soon.least if soon else np.nan,
        "most": soon.most if soon else np.nan,
    }
