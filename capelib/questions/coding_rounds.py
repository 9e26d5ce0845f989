"""Two rounds of second coding: what either coder saw, and how far their codes agree."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from capelib.display import Result
from capelib.errors import TooFewCases
from capelib.estimators.agreement import agreement
from capelib.estimators.clusters import clustered
from capelib.estimators.misclassified import Confusion, confusion
from capelib.loading import load
from capelib.vocabulary.codebook import codes, stage_of
from capelib.vocabulary.editions import first as first_edition
from capelib.vocabulary.shipped import table

NOT_CODED = ("none_found", "source_not_found")  # no incident of the second coder
BOTH = "both"
FIELDS = {
    "category": "category of the exile",
    "host": "host",
    "year": "year (blank is a value)",
    "measure": "measure, where matched by year and host alone",
    "stage": "highest stage of an exile in a report",
}


@dataclass(frozen=True, repr=False)
class CodingRounds(Result):
    """What two coders made of the same reports.

    Attributes
    ----------
    seen : DataFrame
        By round ("1", "2", "both"): `exiles`, `reports`, `both`, `first_only`, `second_only`
        (incidents), `share` of all incidents that both saw, with `low`, `high` (95 %, exiles drawn
        together), and `lacked`, `right`: of the incidents that the second coder rightly saw, how
        many the first edition lacked.
    agreements : DataFrame
        By round and field: `n`, `clusters`, `agree`, `kappa`, `kappa_low`, `kappa_high`, `alpha`,
        `alpha_low`, `alpha_high`.
    categories : Confusion
        Of the categories, first coder by second, both rounds.
    """

    seen: pd.DataFrame
    agreements: pd.DataFrame
    categories: Confusion

    def row(self, field: str, round_: str = BOTH) -> pd.Series:
        """The agreement on a field in a round."""
        table = self.agreements.set_index(["round", "field"])
        return table.loc[(round_, field)]


def coding_rounds() -> CodingRounds:
    """How far did a second coder see and code the same?

    Returns
    -------
    CodingRounds

    Notes
    -----
    The first coder's codes are those of the first edition, before anything was corrected. Incidents
    of one exile and report are matched where measure is the same, those most alike in year and host
    first. That favours agreement on the measure; so agreement on it is counted on incidents that
    are matched by year and host alone. Intervals draw exiles.

    Examples
    --------
    >>> result = coding_rounds()
    >>> result.seen.loc["1", ["both", "first_only", "second_only"]].tolist()
    [136, 7, 46]
    """
    first, second, pairs = _coded()
    matched = _matched(first, second, "measure")
    alike = _matched(first, second, "place")
    agreements = [
        {"round": round_, "field": field, **agreement(one, two, cluster)._asdict()}
        for round_ in ("1", "2", BOTH)
        for field, (one, two, cluster) in _fields(first, second, matched, alike, round_).items()
    ]
    return CodingRounds(
        _seen(first, second, pairs, matched),
        pd.DataFrame(agreements),
        _categories(second),
    )


def _coded() -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Incidents of the first coder, of the second, and the reports that both read."""
    rows = table("double_coding").astype({"measure": "str", "category": "str"})
    rows = rows.assign(round=rows["round"].astype("str"), year=rows["date"].str[:4])
    second = rows[~rows["measure"].isin(NOT_CODED)]
    read = rows[rows["measure"] != NOT_CODED[1]]
    pairs = read[["exile_id", "source_id", "round"]].drop_duplicates()
    ds = load(edition=first_edition())
    first = ds.incidents.merge(pairs, on=["exile_id", "source_id"])
    people = ds.exiles[["exile_id", "category"]]
    first = first.drop(columns="year").merge(people, on="exile_id")
    columns = ["exile_id", "source_id", "round", "host", "year", "date", "measure", "category"]
    first = first.assign(year=first["date"].str[:4]).astype({"measure": "str", "category": "str"})
    sides = []
    for side in (first, second):
        blank = side[columns].astype("object").fillna({"host": "", "year": "", "date": ""})
        place = blank["year"] + " " + blank["host"]
        sides.append(blank.assign(place=place).reset_index(drop=True))
    return sides[0], sides[1], pairs


def _matched(first: pd.DataFrame, second: pd.DataFrame, key: str) -> pd.DataFrame:
    """Pairs of incidents with the same exile, report and key; those most alike first."""
    both = first.reset_index().merge(
        second.reset_index(), on=["exile_id", "source_id", key], suffixes=("", "_2")
    )
    alike = pd.Series(0, both.index)
    for name in ("date", "host", "year", "measure"):
        if f"{name}_2" in both:
            alike += both[name] == both[f"{name}_2"]
    both = both.loc[alike.sort_values(ascending=False, kind="stable").index]
    taken: tuple[set, set] = (set(), set())
    kept = []
    for left, right in zip(both["index"], both["index_2"], strict=True):
        free = left not in taken[0] and right not in taken[1]
        kept.append(free)
        if free:
            taken[0].add(left)
            taken[1].add(right)
    return both[kept]


def _fields(
    first: pd.DataFrame,
    second: pd.DataFrame,
    matched: pd.DataFrame,
    alike: pd.DataFrame,
    round_: str,
) -> dict[str, tuple[pd.Series, pd.Series, pd.Series]]:
    """Both coders' codes of each field, and the exile."""

    def chosen(frame: pd.DataFrame) -> pd.DataFrame:
        return frame if round_ == BOTH else frame[frame["round"] == round_]

    pairs, places = chosen(matched), chosen(alike)
    of_exile = [chosen(side).groupby("exile_id")["category"].first() for side in (first, second)]
    people = pd.concat(of_exile, axis=1, keys=["first", "second"]).dropna()
    stage = stage_of()
    by_report = ["exile_id", "source_id"]
    highest = [
        chosen(side).assign(stage=side["measure"].map(stage)).groupby(by_report)["stage"].max()
        for side in (first, second)
    ]
    reports = pd.concat(highest, axis=1, keys=["first", "second"]).dropna().reset_index()
    exile = people.index.to_series()
    return {
        FIELDS["category"]: (people["first"], people["second"], exile),
        FIELDS["host"]: (pairs["host"], pairs["host_2"], pairs["exile_id"]),
        FIELDS["year"]: (pairs["year"], pairs["year_2"], pairs["exile_id"]),
        FIELDS["measure"]: (places["measure"], places["measure_2"], places["exile_id"]),
        FIELDS["stage"]: (reports["first"], reports["second"], reports["exile_id"]),
    }


def _seen(
    first: pd.DataFrame, second: pd.DataFrame, pairs: pd.DataFrame, matched: pd.DataFrame
) -> pd.DataFrame:
    """The field `seen` of `CodingRounds`."""
    judged = table("adjudication").astype({"round": "str", "verdict": "str"})
    rows = {}
    for round_ in ("1", "2", BOTH):
        one, two, read, same, verdicts = (
            frame if round_ == BOTH else frame[frame["round"] == round_]
            for frame in (first, second, pairs, matched, judged)
        )
        all_seen = pd.concat(
            [same.assign(hit=True), one[~one.index.isin(same["index"])].assign(hit=False),
             two[~two.index.isin(same["index_2"])].assign(hit=False)],
        )  # fmt: skip
        share = clustered(all_seen["hit"].astype(bool), all_seen["exile_id"])
        counts = verdicts["verdict"].value_counts().to_dict()
        rows[round_] = {
            "exiles": read["exile_id"].nunique(),
            "reports": len(read),
            "both": len(same),
            "first_only": len(one) - len(same),
            "second_only": len(two) - len(same),
            "share": share.share,
            "low": share.low,
            "high": share.high,
            "lacked": int(counts.get("accepted", 0) + counts.get("in_new_rows", 0)),
            "right": int(len(two) - counts.get("rejected", 0)),
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("round")


def _categories(second: pd.DataFrame) -> Confusion:
    """First coder's category by the second's, as `cape.misclassified.confusion` gives it."""
    one = load(edition=first_edition()).exiles.set_index("exile_id")["category"].astype("str")
    two = second.groupby("exile_id")["category"].first()
    result = confusion(one, two, list(codes("category")))
    if not result.n:
        raise TooFewCases("no exile has two categories")
    return result


def confusions(coding: Confusion) -> pd.DataFrame:
    """The table of a `Confusion` in words, with the share that the second coder left as it was."""
    words = coding.counts.rename(index=codes("category"), columns=codes("category"))
    total = words.sum(axis=1)
    same = np.diag(words) / total.where(total > 0)
    return words.assign(**{"left as it was": same}).rename_axis("first coder")
