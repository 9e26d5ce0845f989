"""A run is repeated when anything changed on which it rests, and called unchanged only then."""

import json
import os
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from shared import spread
from test_nothing_lost import notebook, run_of

from capelib.files import cells
from capelib.paths import PACKAGE, project_folder
from capelib.runs import kernels, opened, provenance, runner
from capelib.runs.parameters import read

HOSTS = project_folder("notebooks") / "04_authoritarian_hosts.ipynb"
forked = pytest.mark.skipif(not kernels.available(), reason="runs are forked on Linux only")


def status(folder: Path, path: Path, **how: bool) -> str:
    return next(runner.reproduce([run_of(path)], folder / "figs", folder / "build", **how)).status


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A copy of capelib's sources and data, of which checksums are taken."""
    shutil.copytree(PACKAGE, tmp_path / "capelib", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(project_folder("data"), tmp_path / "data")
    monkeypatch.setattr(provenance, "PACKAGE", tmp_path / "capelib")
    monkeypatch.setattr(provenance, "project_folder", lambda name: tmp_path / name)
    return tmp_path


def test_every_source_template_and_table_of_capelib_counts(copy):
    known = [provenance.package_sha256()]
    assert provenance.package_sha256() == known[0]
    for name in (
        "capelib/__init__.py",
        "capelib/figures/stages.py",
        "capelib/runs/cells.py",
        "capelib/figures/templates/page.css",
        "data/incidents.csv",
        "data/words/measures.csv",
        "data/reference/world.topo.json",
        "data/codebook.toml",
    ):
        with (copy / name).open("a") as file:
            file.write("\n")
        known.append(provenance.package_sha256())
    (copy / "capelib" / "new.py").write_text("")
    known.append(provenance.package_sha256())
    (copy / "capelib" / "new.py").rename(copy / "capelib" / "newer.py")
    known.append(provenance.package_sha256())
    assert len(set(known)) == len(known)


@pytest.mark.parametrize("package", spread(provenance.PACKAGES, 1))
def test_another_version_of_a_package_counts(monkeypatch, package):
    before = provenance.inputs(HOSTS, read(HOSTS, {}))
    version = metadata.version
    monkeypatch.setattr(
        metadata, "version", lambda name: "0.0" if name == package else version(name)
    )
    provenance._version.cache_clear()
    after = provenance.inputs(HOSTS, read(HOSTS, {}))
    provenance._version.cache_clear()
    assert after != before


def test_code_and_parameters_of_a_notebook_count_and_its_text_does_not(tmp_path):
    def expected(kind: str, **given: str) -> dict:
        path = tmp_path / kind / HOSTS.name
        path.parent.mkdir(exist_ok=True)
        content = json.loads(HOSTS.read_text(encoding="utf-8"))
        for cell in [cell for cell in content["cells"] if cell["cell_type"] == kind][-1:]:
            cell["source"] = ["a = 1\n", *cell["source"]]
        path.write_text(json.dumps(content), encoding="utf-8")
        return provenance.inputs(path, read(path, given))

    same = expected("none")
    assert expected("markdown") == same
    assert expected("code") != same
    assert expected("none", cutoff="PF") != same


def test_a_table_of_the_readers_counts_with_each_row(tmp_path):
    mine = tmp_path / "mine.csv"
    header = "exile_id,origin,host,date,measure\n"
    mine.write_text(header)
    before = provenance.inputs(HOSTS, read(HOSTS, {"dataset": str(mine)}))
    mine.write_text(header + "TJK-0001,TJK,RUS,2015,detention\n")
    assert provenance.inputs(HOSTS, read(HOSTS, {"dataset": str(mine)})) != before


def test_without_a_record_a_run_is_made_and_with_one_outputs_must_be_there(tmp_path):
    folder, record = tmp_path / "figures", tmp_path / "build" / "x.json"
    folder.mkdir()
    (folder / "figure.svg").write_text("<svg/>")
    provenance.state(folder, {"facts": 1})
    assert not provenance.unchanged(folder, {"a": 1}, record)
    provenance.remember(folder, {"a": 1}, record)
    assert provenance.unchanged(folder, {"a": 1}, record)
    assert not provenance.unchanged(folder, {"a": 2}, record)
    assert not provenance.unchanged(folder, {"a": 1}, record, ours=False)  # what did it open?
    record.write_text("[1]")  # damaged
    assert not provenance.unchanged(folder, {"a": 1}, record)
    provenance.remember(folder, {"a": 1}, record)
    (folder / "figure.svg").write_text("edited")
    assert not provenance.unchanged(folder, {"a": 1}, record)
    (folder / "figure.svg").unlink()
    assert not provenance.unchanged(folder, {"a": 1}, record)


@forked
@pytest.mark.slow
def test_what_a_notebook_opens_of_its_own_repeats_it_when_it_changes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "parts").mkdir()
    for name in ("table.csv", "beside_us.py", "parts/one.txt", "script.py"):
        (tmp_path / name).write_text("a = 1\n")
    path = notebook(
        tmp_path / "n",
        "import pandas as pd, beside_us, pathlib\npd.read_csv('table.csv')\n%run script.py",
        "names = list(pathlib.Path('parts').iterdir())\npathlib.Path(out, 'x.csv').write_text('1')",
        "pathlib.Path('own.txt').write_text('made and read'); open('own.txt').read()",
    )
    assert [status(tmp_path, path) for _ in range(2)] == ["done", "unchanged"]
    for change in (
        lambda: (tmp_path / "table.csv").write_text("a = 2\n"),
        lambda: (tmp_path / "beside_us.py").write_text("a = 22\n"),
        lambda: (tmp_path / "script.py").write_text("a = 2\n"),
        lambda: (tmp_path / "parts" / "two.txt").write_text("new"),
    ):
        change()
        assert [status(tmp_path, path) for _ in range(2)] == ["done", "unchanged"]
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")  # there "table.csv" would be another one
    record = tmp_path / "build" / f"{path.stem}.json"
    (made,) = json.loads(record.read_text())["made"].values()
    assert not opened.is_still(made["opened"])


@forked
@pytest.mark.parametrize(
    "cell",
    spread(
        [
            "import os; os.environ.get('HOME')",
            "!echo a",
            "import subprocess; subprocess.run(['true'])",
            "import socket; s = socket.socket(); s.connect_ex(('127.0.0.1', 1))",
            "import sqlite3; sqlite3.connect('x.db').close()",
            "import pyarrow.csv",
            "import datetime; datetime.date.today()",
            "text = open('counter', 'a+').read(); open('counter', 'r+').write('x')",
        ],
        2,
    ),
)
def test_what_cannot_be_noted_is_never_called_unchanged(tmp_path, monkeypatch, cell):
    monkeypatch.chdir(tmp_path)
    path = notebook(tmp_path / "n", cell)
    assert [status(tmp_path, path) for _ in range(2)] == ["done", "done"]


@pytest.mark.slow
def test_in_a_plain_kernel_nothing_is_noted_and_an_own_notebook_is_repeated(tmp_path):
    path = notebook(tmp_path / "n", "1")
    assert [status(tmp_path, path, plain=True) for _ in range(2)] == ["done", "done"]


def test_no_notebook_of_ours_opens_what_cannot_be_noted():
    """So a run of one rests on capelib, its data and its parameters alone."""
    for path in runner.notebooks().values():
        code = ["".join(cell["source"]) for cell in cells(path) if cell["cell_type"] == "code"]
        assert not [text for text in code if opened.UNSEEN_WORDS.search(text)], path.name


def test_a_file_counts_as_it_was_when_it_was_opened(tmp_path):
    """One that the run itself changes later is another one: such a run is made again."""
    (tmp_path / "a").write_text("1")
    code = (
        "import sys, json; from capelib.runs import opened\nnoted = opened.watch()\n"
        "open('a').read(); open('a', 'w').write('2'); open('b', 'w').write('3'); open('b').read()\n"
        "try: open('c')\nexcept OSError: pass\nprint(json.dumps(noted()))"
    )
    environment = os.environ | {"PYTHONPATH": str(PACKAGE.parent)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    noted = json.loads(done.stdout)
    names = {Path(name).name: sha for name, sha in noted["read"].items()}
    assert set(names) == {"a", "c"} and names["c"] == opened.checksum(str(tmp_path / "c"))
    assert names["a"] != opened.checksum(str(tmp_path / "a"))
