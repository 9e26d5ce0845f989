"""Tables that provenance.json names are those that a notebook rests on; none is missed."""

import ast
import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from shared import spread

import capelib
from capelib.files import cells
from capelib.paths import PACKAGE, project_folder
from capelib.runs import reach

NOTEBOOKS = {
    path.stem[:2]: path.name
    for path in sorted(project_folder("notebooks").glob("[0-9][0-9]_*.ipynb"))
}
MODULES = sorted(PACKAGE.rglob("*.py"))


def source(notebook: Path) -> list[str]:
    return ["".join(cell["source"]) for cell in cells(notebook) if cell["cell_type"] == "code"]


CODES = {
    number: "\n".join(source(project_folder("notebooks") / name))
    for number, name in NOTEBOOKS.items()
}


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
    "file", spread(REACHED, 4), ids=lambda file: file.relative_to(PACKAGE).as_posix()
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


@pytest.mark.parametrize(
    "package",
    sorted({file.parent for file in MODULES} - {PACKAGE}),
    ids=lambda package: package.name,
)
def test_a_package_only_hands_on_names(package):
    _, *rest = ast.parse((package / "__init__.py").read_text(encoding="utf-8")).body
    assert all(
        isinstance(node, ast.ImportFrom)
        or ast.unparse(node).startswith(("__all__ = ", "def __dir__("))
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
        modules_called = {file for file in called if file.endswith(".py")}  # no templates of pages
        assert modules_called <= set(map(str, reach.sources(code))), number
        assert set(opened) <= set(map(str, reach.tables(code))), number
        assert len(called) > 10 and len(opened) > 5


@pytest.mark.slow
def test_seeing_that_nothing_changed_needs_no_library(tmp_path):
    """`cape reproduce` with nothing to do is to be quick: libraries are imported to make a run."""
    code = (
        "import sys; from capelib.cli import main\n"
        f"sys.argv = ['cape', 'reproduce', '01', '--out', {str(tmp_path)!r}]\n"
        "try: main()\n"
        "finally: print(*sys.modules)"
    )
    for status in ("1 done, 0 unchanged", "0 done, 1 unchanged"):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert done.stderr == "" and status in done.stdout
    libraries = {"pandas", "numpy", "matplotlib", "scipy", "seaborn", "statsmodels", "papermill"}
    assert not libraries & set(done.stdout.splitlines()[-1].split())
