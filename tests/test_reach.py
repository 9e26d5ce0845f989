"""A change repeats just the runs whose results can depend on it, and none is ever missed."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from importlib import import_module, metadata
from pathlib import Path

import pytest
from shared import spread

import capelib
from capelib.files import cells
from capelib.paths import PACKAGE, project_folder
from capelib.runs import provenance, reach
from capelib.runs.parameters import read

NOTEBOOKS = {
    path.stem[:2]: path.name
    for path in sorted(project_folder("notebooks").glob("[0-9][0-9]_*.ipynb"))
}
ALL = set(NOTEBOOKS)
MODULES = sorted(PACKAGE.rglob("*.py"))


def source(notebook: Path) -> list[str]:
    return ["".join(cell["source"]) for cell in cells(notebook) if cell["cell_type"] == "code"]


CODES = {
    number: "\n".join(source(project_folder("notebooks") / name))
    for number, name in NOTEBOOKS.items()
}


def using(pattern: str) -> set[str]:
    """The notebooks in whose code cells something stands; none for ""."""
    return {number for number, code in CODES.items() if pattern and re.search(pattern, code)}


def forget():
    for each in vars(reach).values():
        if hasattr(each, "cache_clear"):
            each.cache_clear()
    provenance._version.cache_clear()


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A copy of code, data and notebooks, where each notebook has been run with its defaults."""
    shutil.copytree(PACKAGE, tmp_path / "capelib", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("data", "notebooks"):
        shutil.copytree(project_folder(name), tmp_path / name)
    monkeypatch.setattr(reach, "PACKAGE", tmp_path / "capelib")
    for module in (reach, provenance):
        monkeypatch.setattr(module, "project_folder", lambda name: tmp_path / name)
    forget()
    for number in ALL:
        folder = tmp_path / "figures" / number
        folder.mkdir(parents=True)
        (folder / "figure.svg").write_text("<svg/>")
        inputs = expected(tmp_path, number)
        provenance.state(folder, inputs["facts"])
        provenance.remember(folder, inputs, record(tmp_path, number))
    yield tmp_path
    forget()


def expected(root: Path, number: str, **given: str):
    notebook = root / "notebooks" / NOTEBOOKS[number]
    return provenance.inputs(notebook, read(notebook, given))


def record(root: Path, number: str) -> Path:
    return root / "build" / f"{number}.json"


def unchanged(root: Path, number: str, **given: str) -> bool:
    inputs = expected(root, number, **given)
    return provenance.unchanged(root / "figures" / number, inputs, record(root, number))


def repeated(root: Path) -> set[str]:
    """The notebooks whose default run would be made again."""
    forget()
    return {number for number in ALL if not unchanged(root, number)}


def append(file: Path, text: str = "\n# a change\n") -> None:
    file.write_text(file.read_text(encoding="utf-8") + text, encoding="utf-8")


def rewrite(root: Path, number: str, kind: str) -> None:
    path = root / "notebooks" / NOTEBOOKS[number]
    content = json.loads(path.read_text(encoding="utf-8"))
    cell = [cell for cell in content["cells"] if cell["cell_type"] == kind][-1]
    cell["source"] = ["a = 1\n", *cell["source"]]
    path.write_text(json.dumps(content), encoding="utf-8")


def test_nothing_is_repeated_when_nothing_changed(copy):
    assert repeated(copy) == set()


EVERY = "import capelib"
JUDGED = r"findings\.(check|judge)\("


@pytest.mark.parametrize(
    ("file", "pattern"),
    spread(
        [
            ("capelib/figures/stages.py", r"figures\.stage_"),
            ("capelib/figures/journeys.py", r"figures\.(journey_map|caught_by_host)"),
            ("capelib/figures/style.py", EVERY),
            ("capelib/figures/__init__.py", ""),  # it hands on names; where they lead is followed
            ("capelib/questions/stages.py", r"cape\.stages"),
            ("capelib/questions/targeting.py", r"cape\.targeting"),
            ("capelib/questions/corridors.py", r"cape\.corridors"),
            ("capelib/questions/ledger_numbers.py", JUDGED),
            ("capelib/estimators/yearly_counts.py", r"cape\.targeting"),
            ("capelib/estimators/clusters.py", r"cape\.findings"),
            ("capelib/findings/checks.py", JUDGED),
            ("capelib/findings/departures.py", r"findings\.follows"),
            ("capelib/dataset.py", EVERY),
            ("capelib/runs/runner.py", ""),
            ("capelib/cli.py", ""),
            ("data/incidents.csv", EVERY),
            ("data/withdrawn.csv", EVERY),
            ("data/reference/memberships.csv", r"cape\.corridors"),
            ("data/reference/displaced.csv", r"cape\.corridors"),
            ("data/reference/world.topo.json", r"figures\.journey_map"),
            ("data/published/checks.toml", JUDGED),
            ("data/published/departures.csv", r"findings\.follows"),
            ("data/double_coding.csv", r"second_coding"),
            ("data/README.md", ""),
        ],
        4,
    ),
)
def test_a_changed_file_repeats_the_runs_that_reach_it(copy, file, pattern):
    append(copy / file)
    assert repeated(copy) == using(pattern)


def test_a_new_finding_repeats_only_the_notebooks_that_use_published_numbers(copy):
    ledger = copy / "data" / "published" / "findings.csv"
    row = ledger.read_text(encoding="utf-8").splitlines()[-1]
    append(ledger, "made-up-" + row + "\n")
    users = using(r"findings\.(check|judge|published|ledger)\(")
    assert repeated(copy) == users
    assert {"03", "04", "12"} <= users
    assert not users & {"01", "05", "07", "09"}


@pytest.mark.parametrize("pattern", ["capelib/read/*.py", "capelib/**/*.py", "data/words/*.csv"])
def test_a_commit_to_a_reader_touches_no_committed_provenance(copy, pattern):
    """The runs are made again, to be sure; what stands beside their figures says the same."""
    before = {number: expected(copy, number)["facts"] for number in ALL}
    for file in copy.glob(pattern):
        append(file)
    assert repeated(copy) == ALL
    assert {number: expected(copy, number)["facts"] for number in ALL} == before


def test_a_template_of_a_page_counts_with_the_modules_that_use_jinja2(copy):
    template = copy / "capelib" / "figures" / "templates" / "made_up.html"
    template.parent.mkdir(exist_ok=True)
    template.write_text("{{ title }}")
    append(copy / "capelib" / "figures" / "stages.py", "\nfrom jinja2 import Environment\n")
    forget()
    stages, journeys = (f"from capelib.figures import {name}" for name in ("stages", "journeys"))
    assert template in reach.sources(stages)
    before = reach.sha256(stages), reach.sha256(journeys)
    template.write_text("{{ heading }}")
    forget()
    assert reach.sha256(stages) != before[0]
    if template not in reach.sources(journeys):
        assert reach.sha256(journeys) == before[1]


def test_without_a_record_every_run_is_made(copy):
    """A fresh clone has the figures, and no build/."""
    shutil.rmtree(copy / "build")
    assert repeated(copy) == ALL


def test_a_code_cell_repeats_its_notebook_and_a_text_cell_nothing(copy):
    rewrite(copy, "05", "markdown")
    assert repeated(copy) == set()
    rewrite(copy, "05", "code")
    assert repeated(copy) == {"05"}


def test_a_parameter_repeats_the_run(copy):
    assert expected(copy, "03", origin="UZB") != expected(copy, "03")
    assert unchanged(copy, "03", origin="TJK")
    assert not unchanged(copy, "03", origin="UZB")


@pytest.mark.slow
def test_a_file_of_the_readers_repeats_the_run_when_a_row_changes(copy):
    mine = copy / "mine.csv"
    mine.write_text("exile_id,origin,host,date,measure\n")
    before = expected(copy, "03", dataset=str(mine))
    append(mine, "TJK-0001,TJK,RUS,2015,detention\n")
    assert expected(copy, "03", dataset=str(mine)) != before


@pytest.mark.slow
@pytest.mark.parametrize("package", provenance.PACKAGES)
def test_another_version_of_a_package_repeats_every_run(copy, monkeypatch, package):
    version = metadata.version
    monkeypatch.setattr(
        metadata, "version", lambda name: "0.0" if name == package else version(name)
    )
    assert repeated(copy) == ALL


@pytest.mark.parametrize(
    "trouble", [Path.unlink, append, lambda path: append(path.parent / "provenance.json")]
)
def test_a_deleted_or_edited_output_repeats_its_run(copy, trouble):
    trouble(copy / "figures" / "05" / "figure.svg")
    assert repeated(copy) == {"05"}


def reached(code: str) -> set[str]:
    sources = {file for file in reach.sources(code) if file.suffix == ".py"}
    return {file.relative_to(PACKAGE).as_posix() for file in sources}


def test_code_without_capelib_reaches_nothing():
    assert reached("import pandas as pd; pd.DataFrame().cape.load") == set()
    assert reach.tables("x = 1") == []


@pytest.mark.parametrize(
    "code",
    [
        "import capelib as cape\ncape.figures.stage_odds(1).show",
        "import capelib\nprint(capelib.figures.stage_odds)",
        "def inner():\n    from capelib.figures import stage_odds as odds",
        "from capelib.figures.stages import stage_odds",
        "import capelib.figures.stages as stages",
    ],
)
def test_a_name_is_followed_however_it_is_written(code):
    assert {
        "__init__.py",
        "figures/stages.py",
        "figures/style.py",
        "vocabulary/codebook.py",
    } <= reached(code)
    assert "figures/journeys.py" not in reached(code)


def test_what_cannot_be_followed_reaches_everything():
    whole = {file.relative_to(PACKAGE).as_posix() for file in MODULES}
    for code in (
        "%matplotlib inline",
        "import capelib as cape\nf(cape)",
        "from capelib import *",
        "import capelib as c; getattr(c, 'load')",
    ):
        assert reached(code) == whole, code
    figures = {name for name in whole if name.startswith("figures/")}
    for code in (
        "import capelib as cape\nf = cape.figures",
        "from capelib import figures",
        "import capelib.figures",
    ):
        assert figures < reached(code) < whole, code


def test_a_table_that_only_a_parameter_names_counts():
    code = "import capelib as cape\ncape.table(name)"
    assert [
        table.name for table in reach.tables(code, ["audit"]) if table not in reach.tables(code)
    ] == ["audit.csv"]


REACHED = sorted(
    {file for code in CODES.values() for file in reach.sources(code) if file.suffix == ".py"}
)


@pytest.mark.parametrize(
    "file", spread(REACHED, 8), ids=lambda file: file.relative_to(PACKAGE).as_posix()
)
class TestEachModuleThatNotebooksReach:
    """What following names takes for granted."""

    def test_it_is_read_as_python_reads_it(self, file):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        typed = [node for each in tree.body if isinstance(each, ast.If) for node in ast.walk(each)]
        run = [node for node in ast.walk(tree) if node not in typed]
        assert reach._imported(file) == {
            path for use in reach._imports(run) for path in reach._files(*use)
        }
        texts = {
            str(node.value).rpartition("/")[2]
            for node in run
            if isinstance(node, ast.Constant) and " " not in str(node.value)
        }
        words = {word.rpartition("/")[2] for word in reach._words(file)}
        for table in project_folder("data").rglob("*.*"):
            assert not {table.name, table.stem} & texts or {table.name, table.stem} & words, (
                table.name
            )

    def test_its_imports_can_be_followed(self, file):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            assert not (isinstance(node, ast.ImportFrom) and node.level), "relative import"
            if file != PACKAGE / "__init__.py":
                assert not isinstance(node, ast.Name) or node.id not in (
                    "import_module",
                    "__import__",
                    "eval",
                    "exec",
                    "globals",
                ), node.id

    def test_importing_it_changes_nothing_elsewhere(self, file):
        allowed = (
            ast.Import
            | ast.ImportFrom
            | ast.FunctionDef
            | ast.ClassDef
            | ast.AnnAssign
            | ast.Assign
        )
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            documented = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
            typed = isinstance(node, ast.If) and ast.unparse(node.test) in (
                "TYPE_CHECKING",
                "__name__ == '__main__'",
            )
            assert documented or typed or isinstance(node, allowed), ast.unparse(node)
            if isinstance(node, ast.Assign):
                assert all(isinstance(part, ast.Name | ast.Tuple) for part in node.targets), (
                    ast.unparse(node)
                )


@pytest.mark.parametrize(
    "package",
    sorted({file.parent for file in MODULES} - {PACKAGE}),
    ids=lambda package: package.name,
)
def test_a_package_only_hands_on_names(package):
    _, *rest = ast.parse((package / "__init__.py").read_text(encoding="utf-8")).body
    assert all(
        isinstance(node, ast.ImportFrom) or ast.unparse(node).startswith("__all__ = ")
        for node in rest
    )


def test_public_names_lead_where_python_finds_them():
    names = reach._imported_names(PACKAGE)
    assert set(names) >= set(capelib.__all__)
    for name in capelib.__all__:
        ((module, last),) = names[name]
        assert getattr(capelib, name) is getattr(import_module(module), last)


LIVE = """
import importlib, json, os, sys
from pathlib import Path
import matplotlib; matplotlib.use("Agg")
import capelib
for module in json.loads(sys.argv[1]): importlib.import_module(module)
package, data, opened, called = str(Path(capelib.__file__).parent), sys.argv[2], set(), set()
def note(event, arguments):
    if event == "open" and str(arguments[0]).startswith(data): opened.add(str(arguments[0]))
def watch(frame, event, _):
    file = frame.f_code.co_filename
    if event == "call" and file.startswith(package): called.add(file)
sys.addaudithook(note)
os.chdir(sys.argv[3])
for name, code in json.load(sys.stdin).items():
    if os.fork() == 0:
        opened.clear()
        sys.stdout = open(os.devnull, "w")
        sys.setprofile(watch)
        exec(compile(code, name, "exec"), {"display": print, "__name__": "__main__"})
        sys.setprofile(None)
        Path(name + ".json").write_text(json.dumps([sorted(called), sorted(opened)]))
        os._exit(0)
    assert os.wait()[1] == 0, name
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_no_function_runs_and_no_table_is_opened_that_was_not_reached(tmp_path):
    """Notebooks run as they are; functions that are called and files that are opened are noted."""
    codes = {number: CODES[number] for number in ("01", "09", "12")}
    wanted = [
        file for file in MODULES if file in REACHED or file.parent.name not in ("capelib", "runs")
    ]  # before: imports are not calls
    modules = [
        ".".join(file.relative_to(PACKAGE.parent).with_suffix("").parts)
        for file in wanted
        if file.stem != "__init__"
    ]
    words = [
        sys.executable,
        "-c",
        LIVE,
        json.dumps(modules),
        str(project_folder("data")),
        str(tmp_path),
    ]
    done = subprocess.run(words, input=json.dumps(codes), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for number, code in codes.items():
        called, opened = json.loads((tmp_path / f"{number}.json").read_text())
        assert set(called) <= set(map(str, reach.sources(code))), number
        assert set(opened) <= set(map(str, reach.tables(code))), number
        assert len(called) > 10 and len(opened) > 5


def test_seeing_that_nothing_changed_needs_no_library():
    """`cape reproduce` with nothing to do is to be quick: libraries are imported to make a run."""
    code = (
        "import sys; from pathlib import Path; from capelib.runs import comparison, runner\n"
        "(run,) = runner.plan(['01'], {})\n"
        "inputs = runner.provenance.inputs(run.notebook, run.parameters)\n"
        "runner.provenance.unchanged(Path('figures'), inputs, Path('no record'))\n"
        "print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr == ""
    libraries = {"pandas", "numpy", "matplotlib", "scipy", "seaborn", "statsmodels", "papermill"}
    assert not libraries & set(done.stdout.split())
