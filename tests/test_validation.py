"""The pages on estimators: every case runs, what must fail fails, notebooks lead to their part."""

import json
import re
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from capelib.site.method_pages import methods
from capelib.validation import page, power
from capelib.validation.cases import CASES
from capelib.validation.run import COLUMNS, validate

ROOT = Path(__file__).parent.parent
TABLE = pd.read_csv(ROOT / "docs/validation.csv", index_col="case")


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_case_gives_an_estimate(case):
    row = validate(20, [case.name], processes=1).iloc[0]
    assert row["without"] < row["twins"] / 2
    assert 0 <= row["coverage"] <= 1


def test_the_same_seeds_give_the_same_row():
    once, again = (validate(4, ["a share"], processes=1) for _ in range(2))
    pd.testing.assert_frame_equal(once, again)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_each_case_names_an_estimator_and_has_a_row(case):
    parts = f"capelib.{case.estimator}".split(".")
    try:
        import_module(".".join(parts))
    except ModuleNotFoundError:
        assert hasattr(import_module(".".join(parts[:-1])), parts[-1])
    assert case.name in TABLE.index


@pytest.mark.parametrize("case", [c for c in CASES if not c.fails], ids=lambda case: case.name)
def test_what_should_hold_holds(case):
    row = TABLE.loc[case.name]
    if case.unit == "p":
        nominal = 1 / 8 if case.name == "a special year" else 0.05
        assert row["low"] <= nominal + 0.03
    else:
        assert row["high"] >= 0.92, "an interval of 95 % that holds less: say so in `fails`"


@pytest.mark.parametrize("case", [c for c in CASES if c.fails], ids=lambda case: case.name)
def test_what_must_fail_fails(case):
    """By its coverage, or by a bias that no interval should be needed for."""
    row = TABLE.loc[case.name]
    if case.unit == "p":
        assert row["low"] > 0.1
    else:
        biased = abs(row["bias"]) > 0.1 and abs(row["bias"]) > 4 * row["bias_error"]
        assert row["high"] < 0.93 or biased


def test_the_page_on_disk_is_made_of_the_table_on_disk():
    assert list(TABLE.reset_index()) == COLUMNS
    text = (ROOT / "docs/validation.md").read_text(encoding="utf-8")
    assert text == page.page(TABLE.reset_index())


def test_the_power_page_on_disk_is_made_of_its_table_and_power_grows_with_cases():
    table = pd.read_csv(ROOT / "docs/power.csv", dtype={"effect": "str"})
    assert (ROOT / "docs/power.md").read_text(encoding="utf-8") == power.page(table)
    for _, rows in table.groupby("question"):
        none, largest = rows["effect"].iloc[0], rows["effect"].unique()[-1]
        false_alarms = rows.loc[rows["effect"] == none, "seen"]
        assert false_alarms.max() < 0.15
        seen = rows.loc[rows["effect"] == largest, "seen"].to_numpy()
        assert (np.diff(seen) > -0.1).all()


# Methods without an interval: shares of recodings, and p values corrected. Their simulations are in
# tests/test_misclassified.py.
WITHOUT_INTERVAL = {"misclassified"}
SHOW_NONE = {"01", "12"}  # 01 counts, 12 judges what the others estimate


@pytest.mark.parametrize("key", sorted(set(methods()) - WITHOUT_INTERVAL))
def test_every_method_that_a_notebook_shows_has_a_row_in_its_part(key):
    names = {function.removeprefix("capelib.") for function in methods()[key].functions}
    for notebook in set(methods()[key].notebooks) - SHOW_NONE:
        tried = {case.estimator for case in CASES if notebook in case.notebooks}
        assert tried & names, f"notebook {notebook} shows {sorted(names)}"


@pytest.mark.parametrize(
    "path", sorted((ROOT / "figures").glob("*/answer.json")), ids=lambda path: path.parent.name
)
def test_every_run_with_an_interval_is_of_a_notebook_with_rows(path):
    estimates = json.loads(path.read_text(encoding="utf-8"))["estimates"]
    if any(row["low"] is not None for row in estimates):
        number = path.parent.name[:2]
        assert number in SHOW_NONE or any(number in case.notebooks for case in CASES)


def links(path: Path) -> set[str]:
    return set(re.findall(r"docs/validation\.md#([a-z0-9-]+)", path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda p: p.stem)
def test_a_notebook_leads_to_its_own_part_of_the_page(path):
    parts = {f"notebook-{number}" for case in CASES for number in case.notebooks}
    assert links(path) <= {f"notebook-{path.stem[:2]}"} & parts


def test_each_notebook_with_estimators_leads_there():
    """All others estimate."""
    paths = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
    assert len(paths) > 9
    for path in paths:
        expected = set() if path.name[:2] in SHOW_NONE else {f"notebook-{path.name[:2]}"}
        assert links(path) == expected
