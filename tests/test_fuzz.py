"""Whatever a table looks like: no traceback, no row lost, no name out.

Ten thousand of them: `python benchmarks/fuzz.py`.
"""

import importlib.util
import sys
from pathlib import Path

import pytest
from shared import slow

PATH = Path(__file__).parent.parent / "benchmarks" / "fuzz.py"
EACH = 20
REST = [slow(first, EACH) for first in range(0, 100, EACH)]


@pytest.fixture(scope="module")
def fuzz():
    spec = importlib.util.spec_from_file_location("fuzz", PATH)
    module = sys.modules["fuzz"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(("first", "number"), [(0, 4), *REST])
def test_broken_tables_are_loaded_or_refused_and_every_row_is_accounted_for(fuzz, first, number):
    outcomes = fuzz.run(number, seed=20, first=first)
    failed = [outcome for outcome in outcomes if outcome.what == "FAILED"]
    assert [(outcome.number, outcome.form, outcome.said) for outcome in failed] == []
    assert {"loaded", "refused"} == {outcome.what for outcome in outcomes}


@pytest.mark.parametrize("first", [0, pytest.param(20, marks=pytest.mark.slow)])
def test_files_of_which_bytes_were_changed_are_loaded_or_refused(fuzz, first):
    tables = 10 if first == 0 else 80
    outcomes = fuzz.run(tables, seed=31, first=first, mutate=True)
    assert {outcome.form for outcome in outcomes} == set(fuzz.MUTATED)
    failed = [outcome for outcome in outcomes if outcome.what == "FAILED"]
    assert [(outcome.number, outcome.form, outcome.said) for outcome in failed] == []


@pytest.mark.slow
def test_the_fuzzer_finds_a_row_that_is_lost(fuzz, monkeypatch):
    from capelib.clean import table

    whole = table.set_aside_rows
    monkeypatch.setattr(table, "set_aside_rows", lambda *asked: whole(*asked).iloc[1:])
    assert any("lost" in outcome.said for outcome in fuzz.run(20, seed=20))
