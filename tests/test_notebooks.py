"""The committed notebooks and figures: executed, complete, and what the code gives today."""

import ast
import html
import json
import os
import re

import pandas as pd
import papermill
import pytest

import capelib as cape
from capelib.paths import project_folder
from capelib.runs import comparison, provenance, runner
from capelib.runs.parameters import declared

NOTEBOOKS = list(runner.notebooks().values())
FIGURES = project_folder("notebooks").parent / "figures"
LOCK = project_folder("notebooks").parent / "requirements.lock"
RUNS = runner.plan([], {})
WORDS = {  # parameter: a word for it, and the code that it means
    "edition": ("First edition", "2026-11"),
    "origin": ("Uzbekistan", "UZB"),
    "exclude_host": ("Russia+tur", "RUS+TUR"),
    "exclude_origin": ("Turkmenistan", "TKM"),
    "unit": ("Incidents", "incident"),
    "measure": ("kidnapping", "rendition"),
    "model": ("Negative binomial", "negative_binomial"),
    "regime_measure": ("Freedom House", "fiw"),
    "cutoff": ("partly free", "PF"),
}


def cells(path):
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


def code(path):
    return [cell for cell in cells(path) if cell["cell_type"] == "code"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
class TestEachNotebook:
    def test_it_is_committed_executed_in_order_and_without_an_error(self, path):
        assert [cell["execution_count"] for cell in code(path)] == list(
            range(1, len(code(path)) + 1)
        )
        outputs = [output for cell in code(path) for output in cell["outputs"]]
        assert any("image/png" in output.get("data", {}) for output in outputs)
        assert not any(
            output["output_type"] == "error" or output.get("name") == "stderr" for output in outputs
        )

    def test_it_shows_no_path_of_a_machine(self, path):
        shown = json.dumps([cell["outputs"] for cell in code(path)])
        assert not re.search(r"/(home|root|tmp|work|Users)/", shown)

    def test_each_parameter_has_a_type_a_default_and_a_comment_and_papermill_sees_it(self, path):
        parameters = declared(path)
        assert all(parameter.comment for parameter in parameters.values())
        assert set(papermill.inspect_notebook(path)) == set(parameters)
        assert parameters["dataset"].default == "public-record"
        assert parameters["out"].default == ""

    def test_it_checks_all_its_parameters(self, path):
        calls = [
            node
            for cell in code(path)
            for node in ast.walk(ast.parse("".join(cell["source"])))
            if isinstance(node, ast.Call)
        ]
        (check,) = [call for call in calls if ast.unparse(call.func) == "cape.check_parameters"]
        assert {word.arg for word in check.keywords} == set(declared(path))

    def test_a_word_in_its_parameter_cell_becomes_the_code(self, path):
        values = {name: parameter.default for name, parameter in declared(path).items()}
        kernel = values | {name: word for name, (word, _) in WORDS.items() if name in values}
        (cell,) = [
            cell for cell in code(path) if "cape.check_parameters(" in "".join(cell["source"])
        ]
        statements = ast.parse("".join(cell["source"])).body
        texts = [ast.unparse(statement) for statement in statements]
        until_codes = texts.index("globals().update(parameters)") + 1
        exec("\n".join(texts[:until_codes]), kernel)
        expected = values | {name: meant for name, (_, meant) in WORDS.items() if name in values}
        assert {name: kernel[name] for name in values} == expected

    def test_it_imports_only_capelib_and_pandas(self, path):
        trees = [ast.parse("".join(cell["source"])) for cell in code(path)]
        names = {
            alias.name
            for tree in trees
            for node in ast.walk(tree)
            if isinstance(node, ast.Import)
            for alias in node.names
        }
        assert names <= {"capelib", "pandas"}

    def test_it_opens_with_the_question_and_what_it_follows_and_ends_with_limits(self, path):
        texts = ["".join(cell["source"]) for cell in cells(path) if cell["cell_type"] == "markdown"]
        assert "**Question.**" in texts[0]
        assert "https://" in texts[0]
        assert any(
            re.search(r"^## (Limits|What the data is not)", text, re.MULTILINE)
            for text in texts[-2:]
        )


@pytest.mark.parametrize(
    "path", sorted(project_folder("notebooks").rglob("[0-9]*.ipynb")), ids=lambda path: path.stem
)
def test_jupyterlab_marks_no_notebook_as_unsaved_when_it_is_opened(path):
    """It does where the kernel's name in the notebook is another than that of ipykernel."""
    kernel = json.loads(path.read_text(encoding="utf-8"))["metadata"]["kernelspec"]
    stated = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    assert kernel == stated


# The parameters' cell of every notebook is tried with words above; these are run whole.
WHOLE = [path for path in NOTEBOOKS if path.stem[:2] in ("03", "04", "07")]


@pytest.mark.slow
@pytest.mark.parametrize("path", WHOLE, ids=lambda path: path.stem)
def test_plain_papermill_gives_the_same_answer_for_words_as_for_codes(path, tmp_path):
    named = {name: both for name, both in WORDS.items() if name in declared(path)}
    answers = []
    for folder, form in (("words", 0), ("codes", 1)):
        out = tmp_path / folder
        papermill.execute_notebook(
            path,
            tmp_path / f"{folder}.ipynb",
            {name: both[form] for name, both in named.items()} | {"out": str(out)},
            cwd=FIGURES.parent,
            progress_bar=False,
        )
        answers.append(json.loads((out / "answer.json").read_text(encoding="utf-8")))
    assert answers[0] == answers[1]


FOLLOWING = [
    path for path in NOTEBOOKS if path.stem != "01_learn_the_dataset"
]  # a lesson; it reproduces nothing


@pytest.mark.parametrize("path", FOLLOWING, ids=lambda path: path.stem)
def test_a_notebook_says_where_it_departs_from_each_publication_that_it_reproduces(path):
    followed = cape.findings.follows(path.stem).frame
    text = "\n".join("".join(cell["source"]) for cell in cells(path))
    assert f'cape.findings.follows("{path.stem}")' in text
    for key, rows in followed.groupby("publication"):
        assert {"unit", "period", "categories", "source"} <= set(rows["aspect"]), key
        assert cape.findings.address(key) in text, (
            f"{path.stem} does not name {key} with its address"
        )
        assert (rows["same"].fillna(False) | rows["why"].notna()).all(), (
            key
        )  # what differs says why
    asked = {key for cell in code(path) for key in judged_in("".join(cell["source"]))}
    assert {cape.findings.ledger()[key].publication for key in asked} <= set(
        followed["publication"]
    )


def judged_in(source):
    """The findings that a cell passes to `cape.findings.check`.

    Where it passes none, those with a share or difference.
    """
    if "findings.check(" not in source:
        return set()
    named = set(re.findall(r'"([a-z0-9-]+)"', source)) & set(cape.findings.ledger())
    spoken = cape.findings.check(cape.load()).frame.query(
        "value.notna() and quantity != 'minimum_count'"
    )
    return named or set(spoken["finding_id"]) - {"cape1-uzb-tjk-share"} | {
        "lemon2016-tjk-cases",
        "lemon2016-tjk-citizens",
    }


def test_every_entry_of_departures_belongs_to_a_notebook_and_a_publication():
    rows = cape.table("departures")
    assert set(rows["notebook"]) == {path.stem for path in FOLLOWING}
    for key in rows["publication"].unique():
        assert cape.findings.cite(key)


def test_every_notebook_has_its_runs():
    assert {run.notebook for run in RUNS} == set(NOTEBOOKS)


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.name)
def test_the_committed_provenance_names_the_data_and_the_files_as_they_stand(run):
    """After a change of data or figures: `make reproduce`, and commit what it draws."""
    stated = provenance_of(FIGURES / run.name)
    facts = provenance.facts(run.notebook, run.parameters)
    for name in ("notebook", "parameters", "tables_sha256"):
        assert stated[name] == facts[name], name
    assert set(stated["packages"]) == set(facts["packages"])
    # For some packages the lock file holds one version for each Python.
    locked = set(re.findall(r"^([\w.-]+)==([\w.]+)", LOCK.read_text(), re.MULTILINE))
    assert set(stated["packages"].items()) <= locked
    info = cape.load().info
    for figure in stated["figures"].values():
        assert figure["data"] == {
            "label": info.label,
            "name": info.name,
            "edition": info.edition,
            "sha256": info.sha256,
        }
    assert stated["outputs"] == committed(FIGURES / run.name)


def provenance_of(folder):
    return json.loads((folder / "provenance.json").read_text(encoding="utf-8"))


def committed(folder):
    """The checksums of the outputs that are committed."""
    names = provenance.checksums(folder)
    return {name: sha for name, sha in names.items() if not name.endswith((".png", "nance.json"))}


@pytest.mark.slow
def test_all_runs_give_the_committed_numbers_again(tmp_path):
    """SVG files move in the last digits between machines: they only have to be there."""
    figures, build = tmp_path / "figures", tmp_path / "build"
    outcomes = {
        outcome.run.name: outcome
        for outcome in runner.reproduce(RUNS, figures, build, jobs=os.cpu_count() or 1)
    }
    assert not [outcome.error for outcome in outcomes.values() if outcome.error]
    comparison.compare([outcomes[run.name] for run in RUNS], figures, build)
    made = files_below(figures)
    assert set(made) == set(files_below(FIGURES))
    for name, content in files_below(FIGURES).items():
        if name.endswith((".csv", "answer.json")):
            assert made[name] == content, name


def files_below(folder):
    """The contents of the files that are committed, by path."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".png"
    }


def test_no_folder_of_figures_is_left_over():
    folders = {
        folder.name
        for folder in FIGURES.iterdir()
        if folder.is_dir() and not folder.name.startswith(".")
    }
    assert folders == {run.name for run in RUNS} | {comparison.COMPARISONS}
    swept = {
        run.notebook.stem
        for run in RUNS
        if sum(other.notebook == run.notebook for other in RUNS) > 1
    }
    assert {folder.name for folder in (FIGURES / comparison.COMPARISONS).iterdir()} == swept


@pytest.mark.parametrize(
    "folder", sorted((FIGURES / comparison.COMPARISONS).glob("*")), ids=lambda folder: folder.name
)
def test_the_committed_comparisons_hold_what_their_runs_found(folder):
    runs = [run for run in RUNS if run.notebook.stem == folder.name]
    stated = provenance_of(folder)
    assert stated["outputs"] == committed(folder)
    assert stated["runs"] == {
        run.name: provenance.sha256(FIGURES / run.name / "provenance.json") for run in runs
    }
    text = (folder / "index.html").read_text(encoding="utf-8")
    estimates = pd.read_csv(folder / "estimates.csv")
    for run in runs:
        answer = json.loads((FIGURES / run.name / "answer.json").read_text(encoding="utf-8"))
        assert answer["answer"] in html.unescape(text)
    assert estimates["run"].nunique() == len(runs)
    for source in re.findall(r'(?:src|href)="([^"#]+)"', text):
        assert (folder / source).exists(), source


def test_the_committed_verdicts_are_those_of_capelib_run_fresh():
    """Numbers of figures and notebooks, against the functions that make them."""
    answer = json.loads(
        (FIGURES / "12_published_findings" / "answer.json").read_text(encoding="utf-8")
    )
    fresh = json.loads(json.dumps([verdict.row() for verdict in cape.findings.check(cape.load())]))
    assert answer["verdicts"] == fresh
    notebook = code(project_folder("notebooks") / "12_published_findings.ipynb")
    shown = "".join(
        "".join(output.get("data", {}).get("text/html", ""))
        for cell in notebook
        for output in cell["outputs"]
    )
    cells = html.unescape(re.sub(r"\s*<[^>]+>\s*", "|", shown)).replace("\u00a0", " ")
    for row, verdict in zip(fresh, cape.findings.check(cape.load()), strict=True):
        expected = "||".join(
            part for part in (row["published"], verdict.statement_as_read, row["here"]) if part
        )
        assert f"|{expected}|" in cells, row
    assert all(relation.sides in cells for relation in cape.findings.relations())
