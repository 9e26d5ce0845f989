"""Codes of two coders: recodings of known chances, Holm's rule, and tests of steps under them."""

import numpy as np
import pandas as pd
import pytest
from shared import slow

import capelib as cape
from capelib.errors import DataError
from capelib.estimators.misclassified import Confusion, confusion, holm, recodings
from capelib.questions import stage_tests

LEVELS = ["a", "b", "c"]


def coded_twice(table: list[list[int]]) -> Confusion:
    """Two codings with these counts, first coder by row."""
    pairs = [
        (LEVELS[i], LEVELS[j])
        for i, row in enumerate(table)
        for j, number in enumerate(row)
        for _ in range(number)
    ]
    first, second = (pd.Series(part) for part in zip(*pairs, strict=True))
    return confusion(first, second, LEVELS)


def test_the_confusion_counts_what_both_coded():
    first = pd.Series(["a", "a", "b", "c"], index=["A", "B", "C", "D"])
    second = pd.Series(["a", "b", "b", "x"], index=["A", "B", "C", "D"])
    both = confusion(first, second, LEVELS)
    assert both.counts.to_numpy().tolist() == [[1, 1, 0], [0, 1, 0], [0, 0, 0]]
    assert both.n == 3


def test_recodings_have_the_chances_of_the_second_coder_and_keep_the_known_codes():
    both = coded_twice([[850, 100, 50], [80, 840, 80], [20, 80, 900]])
    codes = pd.Series(["a"] * 3000, index=range(10_000, 13_000))
    drawn = next(recodings(codes, both, 1, seed=1))
    shares = drawn.value_counts(normalize=True)[LEVELS]
    assert shares.to_numpy() == pytest.approx([0.85, 0.10, 0.05], abs=0.03)
    same = pd.Series(["a"] * 3, index=[849, 850, 999])  # the second coder had a, b, c
    assert next(recodings(same, both, 1, seed=1)).tolist() == ["a", "b", "c"]


def test_the_apparent_shares_are_those_of_the_published_example():
    """True .5 .3 .2 become .453 .318 .229 by rows .85 .10 .05 / .08 .84 .08 / .02 .08 .90."""
    both = coded_twice([[8500, 1000, 500], [800, 8400, 800], [200, 800, 9000]])
    codes = pd.Series(np.repeat(LEVELS, [5000, 3000, 2000]), index=range(50_000, 60_000))
    shares = next(recodings(codes, both, 1, seed=2)).value_counts(normalize=True)[LEVELS]
    assert shares.to_numpy() == pytest.approx([0.453, 0.318, 0.229], abs=0.015)


def test_symmetric_errors_are_half_the_way():
    """Two steps of the drawn table lead from one coder to the other."""
    step = np.array([[0.9, 0.1, 0.0], [0.1, 0.8, 0.1], [0.0, 0.1, 0.9]])
    between = np.rint(10_000 * step @ step).astype(int).tolist()
    codes = pd.Series(["b"] * 4000)
    drawn = next(recodings(codes, coded_twice(between), 1, seed=3, symmetric=True))
    shares = drawn.value_counts(normalize=True)[LEVELS]
    assert shares.to_numpy() == pytest.approx(step[1], abs=0.02)


def test_coders_who_agree_less_than_by_chance_have_no_symmetric_errors():
    with pytest.raises(DataError, match="agree too little"):
        next(recodings(pd.Series(["a"]), coded_twice([[1, 90, 1], [90, 1, 1], [1, 1, 90]]), 1, 1,
                       symmetric=True))  # fmt: skip


def test_a_level_that_nobody_coded_twice_stays():
    both = coded_twice([[5, 5, 0], [5, 5, 0], [0, 0, 0]])
    codes = pd.Series(["c"] * 50 + ["z"] * 2, index=range(100, 152))
    assert next(recodings(codes, both, 1, seed=4)).tolist() == ["c"] * 50 + ["z"] * 2


def test_cases_of_one_report_can_be_coded_alike():
    """Half of the a are b to the second coder: whole groups change, as often as single cases do."""
    both = coded_twice([[500, 500, 0], [0, 1000, 0], [0, 0, 1000]])
    codes = pd.Series(["a"] * 600, index=range(10_000, 10_600))
    groups = pd.Series(np.repeat(range(100), 6), codes.index)
    alike = next(recodings(codes, both, 1, seed=7, together=groups))
    assert alike.groupby(groups).nunique().eq(1).all()
    assert (alike == "b").mean() == pytest.approx(0.5, abs=0.15)
    apart = next(recodings(codes, both, 1, seed=7))
    assert apart.groupby(groups).nunique().gt(1).mean() > 0.9


@pytest.mark.slow
def test_holm_is_that_of_statsmodels_and_leaves_blanks():
    from statsmodels.stats.multitest import multipletests

    rng = np.random.default_rng(5)
    for size in (1, 2, 4, 9):
        p = pd.Series(rng.random(size) ** 3)
        assert holm(p).to_numpy() == pytest.approx(multipletests(p, method="holm")[1])
    assert holm(pd.Series([np.nan, 0.02])).tolist()[1] == 0.02
    assert holm(pd.Series([np.nan, 0.02])).isna().tolist() == [True, False]


def simulated(rng: np.random.Generator, n: int, effect: bool, wrong: float):
    """Exiles with a true category, a coded one that is wrong in some, and a second coder's.

    Wrong are half of the religious at stage 1, who are coded as unknown: errors that go with the
    stage, as where a court's report both names a faith and tells of an arrest.
    """
    religious = rng.random(n) < 0.5
    held = rng.random(n) < np.where(religious & effect, 0.85, 0.5)
    stage = np.where(held, np.where(rng.random(n) < 0.5, 3, 2), 1)
    coded = np.where(religious, "religious", "unknown")
    coded = np.where(rng.random(n) < wrong, np.where(held, "religious", "unknown"), coded)
    exiles = pd.DataFrame(
        {
            "exile_id": [f"X{i}" for i in range(n)],
            "origin": np.where(rng.random(n) < 0.5, "TJK", "UZB"),
            "category": coded,
            "stage": stage,
            "cluster": np.arange(n),
        }
    )
    again = rng.random(n) < 0.4
    true = pd.Series(np.where(religious, "religious", "unknown"), exiles["exile_id"])[again]
    first = exiles.set_index("exile_id")["category"][again]
    return exiles, confusion(first, true, list(cape.codes("category")))


@pytest.mark.parametrize("rounds", [1, slow(30)])
def test_a_difference_made_by_coding_falls_and_a_true_one_stays(rounds):
    rng = np.random.default_rng(6)
    key = ("being held or worse", "category")
    found: dict[bool, list[tuple[float, float]]] = {True: [], False: []}
    for effect in found:
        for _ in range(rounds):
            exiles, both = simulated(rng, 260, effect, 0.0 if effect else 0.35)
            tests = stage_tests.step_tests(
                exiles, cape.stages.odds(exiles), both, draws=6 if rounds == 1 else 20
            )
            row = tests.tests.set_index(["step", "factor"]).loc[key]
            found[effect].append((row["holm"], row["share_below"]))
    true, made = (np.array(found[effect]) for effect in (True, False))
    assert (made[:, 0] < 0.05).all()  # as coded, both look alike
    assert (true[:, 0] < 0.05).all()
    assert true[:, 1].mean() > 0.8
    assert made[:, 1].mean() < 0.6


def test_the_words_call_only_that_a_difference_which_survives():
    columns = ["step", "factor", "p", "holm", "p_median", "holm_median", "share_below"]
    rows = [
        ("being held or worse", "origin", 0.5, 0.9, 0.5, 0.9, 0.0),
        ("being held or worse", "category", 0.001, 0.004, 0.02, 0.08, 0.46),
        ("reaching stage 3", "origin", 0.0001, 0.0004, 0.0001, 0.0004, 1.0),
        ("reaching stage 3", "category", np.nan, np.nan, np.nan, np.nan, np.nan),
    ]
    tests = stage_tests.StepTests(pd.DataFrame(rows, columns=columns), 100, 127)
    first, second = tests.sentences()
    assert first.startswith("whether being held or worse differed by category (p = 0.004, Holm")
    assert "depends on the coder, by origin no difference can be told from chance" in first
    assert second.startswith("reaching stage 3 differed by origin (p = 0.0004, Holm; ")
    assert "category" not in second


def test_only_the_public_record_was_coded_twice(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("exile_id,origin,measure\nTJK-0001,TJK,detention\n")
    assert stage_tests.second_coding(cape.load(path)) is None
    exiles = cape.stages.people(cape.load().where(origin="TJK").joined())
    fit = cape.stages.odds(exiles)
    alone = stage_tests.step_tests(exiles, fit, None)
    assert alone.draws == 0
    assert alone.tests["holm_median"].isna().all()
    assert "second coder" not in " ".join(alone.sentences())
