"""The committed notebooks and figures: executed, whole, and what comes out of the code as it stands."""

import ast
import json
import re

import papermill
import pytest

from capelib.paths import room
from capelib.runs import provenance, runner
from capelib.runs.parameters import declared

NOTEBOOKS = list(runner.notebooks().values())
FIGURES = room("notebooks").parent / "figures"
RUNS = runner.plan([], {})


def cells(path):
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


def code(path):
    return [cell for cell in cells(path) if cell["cell_type"] == "code"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
class TestEachNotebook:
    def test_it_is_committed_executed_in_order_and_without_an_error(self, path):
        assert [cell["execution_count"] for cell in code(path)] == list(range(1, len(code(path)) + 1))
        outputs = [output for cell in code(path) for output in cell["outputs"]]
        assert any("image/png" in output.get("data", {}) for output in outputs)
        assert not any(output["output_type"] == "error" or output.get("name") == "stderr" for output in outputs)

    def test_it_shows_no_path_of_a_machine(self, path):
        shown = json.dumps([cell["outputs"] for cell in code(path)])
        assert not re.search(r"/(home|root|tmp|work|Users)/", shown)

    def test_each_parameter_has_a_type_a_default_and_a_comment_and_papermill_sees_it(self, path):
        found = declared(path)
        assert all(parameter.comment for parameter in found.values())
        assert set(papermill.inspect_notebook(path)) == set(found)
        assert found["dataset"].default == "public-record"
        assert found["out"].default == ""

    def test_it_checks_all_its_parameters(self, path):
        calls = [node for cell in code(path) for node in ast.walk(ast.parse("".join(cell["source"]))) if isinstance(node, ast.Call)]
        (check,) = [call for call in calls if ast.unparse(call.func) == "cape.check_parameters"]
        assert {word.arg for word in check.keywords} == set(declared(path))

    def test_it_imports_only_capelib_and_pandas(self, path):
        trees = [ast.parse("".join(cell["source"])) for cell in code(path)]
        names = {alias.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        assert names <= {"capelib", "pandas"}

    def test_it_opens_with_the_question_and_what_it_follows_and_ends_with_limits(self, path):
        texts = ["".join(cell["source"]) for cell in cells(path) if cell["cell_type"] == "markdown"]
        assert "**Question.**" in texts[0]
        assert "https://" in texts[0]
        assert any(re.search(r"^## (Limits|What the data is not)", text, re.MULTILINE) for text in texts[-2:])


def test_every_notebook_has_its_runs():
    assert {run.notebook for run in RUNS} == set(NOTEBOOKS)


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.name)
def test_the_committed_figures_come_from_the_code_and_data_as_they_stand(run):
    """After a change of code or data: `make reproduce`, and commit what it draws."""
    found = json.loads((FIGURES / run.name / "provenance.json").read_text(encoding="utf-8"))
    expected = provenance.inputs(run.notebook, run.parameters)
    for changing in ("python", "packages"):  # another environment may differ from the lock file
        found["inputs"].pop(changing), expected.pop(changing)
    assert found["inputs"] == expected
    there = provenance.outputs(FIGURES / run.name)
    assert {name: sha for name, sha in found["outputs"].items() if not name.endswith(".png")} == {
        name: sha for name, sha in there.items() if not name.endswith(".png")
    }


def test_no_folder_of_figures_is_left_over():
    assert {folder.name for folder in FIGURES.iterdir() if folder.is_dir() and not folder.name.startswith(".")} == {
        run.name for run in RUNS
    }
