"""Any notebook that papermill runs, runs here too; what cannot be passed says so in a line."""

import json
import math

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from shared import slow

from capelib.errors import CapeError, ParameterError
from capelib.runs import runner
from capelib.runs.parameters import COMPUTED, declared, parse, read

SHOW = "import json; from pathlib import Path; Path(out, 'x.json').write_text(repr(value))"


def notebook(folder, parameters, *cells, name="90_any", metadata=None):
    tagged = [new_code_cell(parameters, metadata={"tags": ["parameters"]})] if parameters else []
    nb = new_notebook(cells=[*tagged, *map(new_code_cell, cells)], metadata=metadata or {})
    path = folder / f"{name}.ipynb"
    nbformat.write(nb, path)
    return path


ODD = '''
"""The parameters."""
from datetime import date
import math
%matplotlib inline
x = 1  # untyped
y = 2 * 3
z: float = float("nan")
day = date(2024, 1, 1)
note: str | None = None
names = ["a"]
table = {"a": 1}
pair = (1, 2)
a, b = 1, 2
'''


def test_whatever_else_stands_in_the_cell_is_no_parameter(tmp_path):
    known = declared(notebook(tmp_path, ODD))
    assert {name: each.kind for name, each in known.items()} == {
        "x": "int",
        "y": "Any",
        "z": "float",
        "day": "Any",
        "note": "str | None",
        "names": "list",
        "table": "dict",
        "pair": "Any",
    }
    assert known["x"].default == 1 and known["x"].comment == "untyped"
    assert all(known[name].default is COMPUTED for name in ("y", "z", "day", "pair"))


def test_a_default_that_only_the_notebook_can_work_out_is_left_to_it(tmp_path):
    path = notebook(tmp_path, "x = 1\ny = 2 * x\n")
    assert read(path, {}) == {"x": 1}
    assert read(path, {"y": "5"}) == {"x": 1, "y": 5}


@pytest.mark.parametrize(
    ("line", "text", "value"),
    [
        ("v: str | None = None", "None", None),
        ("v: str | None = None", "word", "word"),
        ("v: Optional[int] = 3", "4", 4),
        ("v: int | str = 3", "word", "word"),
        ("v: dict = {}", "{'a': 1}", {"a": 1}),
        ("v: list = []", "1,b", [1, "b"]),
        ("v = None", "2.5", 2.5),
        ("v = [1]", "[3, 4]", [3, 4]),
        ("v: float = 1", "inf", math.inf),
        ('v: Literal["a", "b"] = "a"', "b", "b"),
    ],
)
def test_a_text_becomes_a_value_of_the_declared_type(tmp_path, line, text, value):
    assert parse(declared(notebook(tmp_path, line))["v"], text) == value


@pytest.mark.parametrize(
    ("line", "text", "message"),
    [
        ("v: date = date.today()", "2024-01-01", "cannot be passed: declare it as str"),
        ("v: Path = Path('.')", "x", "cannot be passed"),
        ("v: tuple[int, int] = (1, 2)", "1,2", "cannot be passed"),
        ("v: dict = {}", "3", "must be dict, not '3'"),
        ('v: Literal["a", "b"] = "a"', "c", "must be Literal"),
        ("", "1", "has no parameters: tag the cell that sets v `parameters`"),
    ],
)
def test_what_cannot_be_passed_says_so_in_a_line(tmp_path, line, text, message):
    with pytest.raises(ParameterError) as error:
        read(notebook(tmp_path, line, "1"), {"v": text})
    assert message in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(("cell", "line"), [("x = 1\ny = = 2", 2), ("x: False", 1)])
def test_a_parameter_cell_with_an_error_names_its_line(tmp_path, cell, line):
    with pytest.raises(CapeError, match=f"parameter cell, line {line}"):
        declared(notebook(tmp_path, cell))


@pytest.mark.parametrize(
    ("parameters", "given", "shown"),
    [
        ("value = 1\nout = ''", {}, "1"),
        slow("value: float = 1.0\nout = ''", {"value": "nan"}, "nan"),
        slow("value: str | None = 'x'\nout = ''", {"value": "None"}, "None"),
        slow("value: dict = {}\nout = ''", {"value": "{'a': [1, 2]}"}, "{'a': [1, 2]}"),
        slow("import math\nvalue = (1, math.pi)\nout = ''", {}, f"(1, {math.pi})"),
    ],
)
def test_the_notebook_gets_the_value_that_was_given(tmp_path, parameters, given, shown):
    (run,) = runner.plan([str(notebook(tmp_path, parameters, SHOW))], given)
    (ended,) = runner.reproduce([run], tmp_path / "figs", tmp_path / "build")
    assert (ended.status, ended.error) == ("done", "")
    assert (ended.folder / "x.json").read_text() == shown
    json.loads((ended.folder / "provenance.json").read_text())


@pytest.mark.slow
def test_a_notebook_without_parameters_runs(tmp_path):
    (run,) = runner.plan([str(notebook(tmp_path, "", "print(1)"))], {})
    (ended,) = runner.reproduce([run], tmp_path / "figs", tmp_path / "build")
    assert (ended.status, ended.error) == ("done", "")


def test_a_notebook_of_another_language_is_refused_in_a_line(tmp_path):
    for name, metadata in {
        "r": {"kernelspec": {"name": "ir", "language": "R", "display_name": "R"}},
        "julia": {"language_info": {"name": "julia"}},
    }.items():
        path = notebook(tmp_path, "", "print(1)", name=name, metadata=metadata)
        with pytest.raises(ParameterError, match=f"is a notebook of (?i:{name}): only those of"):
            runner.plan([str(path)], {})
    conda = {"kernelspec": {"name": "my-env", "language": "python", "display_name": "x"}}
    assert runner.plan([str(notebook(tmp_path, "", "1", name="conda", metadata=conda))], {})
