"""The page of a sweep: its table, its words, its charts, and what it costs to write it."""

import html
import json
import re
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pandas as pd
import pytest
from shared import slow

from capelib.errors import CapeError
from capelib.runs import comparison, kernels, runner
from capelib.runs.parameters import in_words
from capelib.vocabulary.numbers import percent, value_and_interval

NOTEBOOK = {"cells": [{"cell_type": "markdown", "source": ["# 90 How many?"], "metadata": {}}]}
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'


def made_up(folder: Path, count: int, estimates: int = 2, **fixed: object) -> list[runner.Outcome]:
    """Runs of a sweep as they lie in their folders when they have ended."""
    notebook = folder / "90_made_up.ipynb"
    notebook.write_text(json.dumps(NOTEBOOK))
    outcomes = []
    for number in range(count):
        place = folder / "figures" / f"90_made_up--x={number}"
        place.mkdir(parents=True)
        rows = [
            {
                "estimate": f"share {each}",
                "value": None if number == 1 else number / count,
                "low": None if number == 1 else 0.0,
                "high": None if number == 1 else 1.0,
                "n": number,
                "unit": "share",
            }
            for each in range(estimates)
        ]
        answer = {"answer": f"Run {number} <b> says {number}.", "data": "made up, SYNTHETIC"}
        (place / "answer.json").write_text(json.dumps(answer | {"estimates": rows}))
        (place / "shares.svg").write_text(SVG)
        about = {"figures": {"shares": {"title": "How large?"}}, "outputs": {"shares.svg": "0"}}
        (place / "provenance.json").write_text(json.dumps(about))
        run = runner.Run(notebook, {"x": number, **fixed}, place.name)
        outcomes.append(runner.Outcome(run, "done", place))
    return outcomes


def table(page: str) -> list[list[str]]:
    """The cells of the page's table, without marks."""
    rows = re.findall(r"<tr id.*?</tr>", page)
    cells = [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in rows]
    return [[html.unescape(re.sub("<[^>]+>", "", cell)) for cell in row] for row in cells]


def written(folder: Path, outcomes: list[runner.Outcome]) -> Path:
    page = folder / "figures" / "comparisons" / "90_made_up"
    page.mkdir(parents=True)
    comparison._write(page, outcomes, ["x"])
    return page / "index.html"


def test_the_table_stands_first_and_leads_to_the_figures_of_a_run_and_back(tmp_path):
    page = written(tmp_path, made_up(tmp_path, 3)).read_text(encoding="utf-8")
    assert page.index("<table") < page.index("<img")
    assert table(page) == [
        [f"share {each}", f"x {number}", *words, str(number), "share"]
        for each in (0, 1)
        for number, words in enumerate(
            [("0 %", "[0, 100]"), ("too few cases", ""), ("67 %", "[0, 100]")]
        )
    ]
    anchors = re.findall(r'id="([^"]+)"', page)
    assert len(anchors) == len(set(anchors)) == 2 * 3 + 3
    inside = re.findall(r'href="#([^"]+)"', page)
    assert len(inside) == 2 * 3 + 3 and set(inside) <= set(anchors)
    assert 'alt="How large? Run 2 &lt;b&gt; says 2."' in page
    assert "share 0: 0 % (x 0) to 67 % (x 2)" in page  # the chart in words


@pytest.mark.parametrize(
    ("count", "charts"),
    [
        (28, ["estimates.svg"]),
        slow(29, ["estimates_1.svg", "estimates_2.svg"]),
        (60, []),
    ],
)
def test_no_chart_has_more_rows_than_can_be_read(tmp_path, count, charts):
    file = written(tmp_path, made_up(tmp_path, count))
    folder, page = file.parent, file.read_text(encoding="utf-8")
    assert sorted(file.name for file in folder.glob("*.svg")) == charts
    assert re.findall(r'src="(estimates[^"]*)"', page) == charts
    assert ("No chart:" in page) == (not charts)
    assert len(table(page)) == len(pd.read_csv(folder / "estimates.csv")) == 2 * count
    for chart in charts:
        height = re.search(r'height="([\d.]+)pt"', (folder / chart).read_text())
        assert height and float(height[1]) < 72 * 20


def test_the_memory_of_a_page_does_not_grow_with_its_runs(tmp_path):
    peaks = {}
    for count in (50, 50, 500):  # the first one also loads what every page needs
        folder = tmp_path / f"{count}-{len(peaks)}"
        folder.mkdir()
        outcomes = made_up(folder, count)
        tracemalloc.start()
        written(folder, outcomes)
        peaks[count] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peaks[500] < 1.3 * peaks[50], peaks


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"origin": "TJK"}, "Tajikistan"),
        ({"origin": "all"}, "origin: all"),
        ({"exclude_host": "RUS+KAZ"}, "exclude host: Russia and Kazakhstan"),
        ({"exclude_host": ""}, "exclude host: none"),
        ({"regime_measure": "row"}, "Regimes of the World"),
        ({"edition": "2026-11"}, "First edition (2026-11)"),
        (
            {"unit": "exile", "measure": "rendition"},
            "persons with at least one incident in the year, Rendition",
        ),
        ({"doubtful": True}, "with doubtful cases"),
        ({"dataset": "public-record"}, "public record"),
        ({"cutoff": 0.5, "origin": "left"}, "cutoff 0.5, origin left"),  # of a user's notebook
        ({"path": "/a/b/c.csv", "note": None, "sizes": [1, 2]}, "path c.csv, note None, sizes 1+2"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_parameters_are_shown_by_the_labels_of_their_codes(values, words):
    assert in_words(values, values) == words


def test_a_cut_off_names_its_measure_also_where_that_is_the_same_in_all_runs():
    values = {"regime_measure": "fiw", "cutoff": "NF", "last_year": 2020}
    assert in_words(values, ["cutoff"]) == "Freedom in the World: Not Free"
    assert in_words(values, ["last_year"]) == "last year 2020"


def test_there_is_no_minus_zero():
    assert percent(-0.001, -0.004, 0.004) == "0 % [0, 0]"
    for unit in ("share", "difference", "ratio", "count"):
        shown = " ".join(value_and_interval(-0.0001, -0.002, 0.13, unit))
        assert not re.search(r"-0(?![.\d]*[1-9])", shown), shown


def test_what_goes_wrong_in_a_page_of_its_own_process_is_one_line(tmp_path):
    if not kernels.available():
        pytest.skip("no processes are forked here")
    outcomes = made_up(tmp_path, 2)
    (outcomes[0].folder / "answer.json").write_text('{"estimates": [{"estimate": "share"}]}')
    with pytest.raises(CapeError, match=r"^KeyError: 'value'$"):
        comparison.compare(outcomes, tmp_path / "figures", tmp_path / "build")
    assert not (tmp_path / "figures" / "comparisons").exists()


@pytest.mark.slow
def test_a_page_is_drawn_without_the_libraries_that_draw(tmp_path):
    if not kernels.available():
        pytest.skip("no processes are forked here")
    made_up(tmp_path, 2)
    code = """
import sys
from pathlib import Path
from capelib.runs import comparison, runner
ended = []
for number, folder in enumerate(sorted(Path("figures").iterdir())):
    run = runner.Run(Path("90_made_up.ipynb"), {"x": number}, folder.name)
    ended.append(runner.Outcome(run, "done", folder))
comparison.compare(ended, Path("figures"), Path("build"))
print(*sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert not {"pandas", "matplotlib"} & set(done.stdout.split())
    assert (tmp_path / "figures" / "comparisons" / "90_made_up" / "estimates.svg").exists()
