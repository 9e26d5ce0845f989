"""The command as it is typed: help that fits, errors that name it, and what ends on one screen."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import capelib as cape
from capelib import cli, notebook_commands, report
from capelib.runs import runner
from capelib.runs.parameters import declared

COMMANDS = [command.callback.__name__ for command in cli.app.registered_commands]


@pytest.fixture
def typed(monkeypatch, capsys):
    """Runs the command with these arguments: exit code, what it prints, and its errors."""

    def run(*arguments, columns=80):
        monkeypatch.setenv("COLUMNS", str(columns))
        monkeypatch.setattr(sys, "argv", ["cape", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        shown = capsys.readouterr()
        return ended.value.code, shown.out, shown.err

    return run


@pytest.mark.parametrize("columns", [60, 80, 140])
def test_no_line_of_the_list_of_commands_is_cut(typed, columns):
    code, out, _ = typed("-h", columns=columns)
    listed = out.partition("Commands:")[2].splitlines()
    assert code == 0
    assert {line.split()[0] for line in listed if line.strip()} == set(COMMANDS)
    assert not [line for line in listed if line.rstrip().endswith("...")]
    assert all(len(line) <= columns for line in out.splitlines())


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_on_a_narrow_screen(typed, name):
    code, out, _ = typed(name, "-h", columns=60)
    assert code == 0
    assert all(len(line) <= 60 for line in out.splitlines())


def test_python_runs_the_package_as_the_command():
    shown = subprocess.run(
        [sys.executable, "-m", "capelib", "--version"], capture_output=True, text=True, check=True
    )
    assert shown.stdout.strip() == f"cape {cape.__version__}"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["check"], "cape check: Missing argument 'FILE'. (see cape check --help)"),
        (["params"], "cape params: Missing argument 'NOTEBOOK'. (see cape params --help)"),
        (["nosuch"], "cape: No such command 'nosuch'. (see cape --help)"),
        (["findings", "--verdict", "adds upp"], "'adds upp': did you mean adds up?"),
        (["findings", "--relations", "--verdict", "adds up"], "takes no KEY, --verdict"),
        (["params", "99"], "unknown notebook"),
    ],
    ids=["argument", "params", "command", "verdict", "relations", "notebook"],
)  # fmt: skip
def test_an_error_names_the_command_as_it_was_called(typed, arguments, error):
    code, out, err = typed(*arguments)
    assert (code, out) == (2, "")
    assert error in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("columns", [60, 140])
def test_params_lists_what_a_notebook_lets_you_set(typed, columns):
    code, out, _ = typed("params", "04", columns=columns)
    assert code == 0
    for name, parameter in declared(runner.find("04")).items():
        assert name in out
        assert parameter.kind in out
    assert "cape reproduce 04 -p NAME=VALUE" in out


def test_findings_shows_keys_and_takes_them(typed):
    key = "fa2022-autoc-share-2021"
    code, out, _ = typed("findings", key, columns=140)
    assert code == 0
    assert key in out
    assert "1 verdict." in out
    rows = json.loads(typed("findings", key, "--format", "json")[1])
    assert [row["finding_id"] for row in rows] == [key]


@pytest.mark.slow
def test_findings_are_chosen_by_verdict_and_publication(typed):
    chosen = ("--verdict", "set by the search", "--publication", "fa2022longarm")
    rows = json.loads(typed("findings", *chosen, "--format", "json")[1])
    assert {row["verdict"] for row in rows} == {"set by the search"}
    assert {row["publication"] for row in rows} == {"fa2022longarm"}


@pytest.mark.slow
def test_findings_as_markdown_have_as_many_cells_in_each_row(typed):
    _, out, _ = typed("findings", "--publication", "fa2022longarm", "--format", "md")
    counts = {line.replace("\\|", "").count("|") for line in out.splitlines()}
    assert len(counts) == 1


@pytest.mark.slow
def test_what_can_be_judged_comes_first(typed):
    _, out, _ = typed("findings", columns=140)
    assert out.index("fa2022-autoc-share-2021") < out.index("Published numbers that contradict")
    judged = cape.findings.check(cape.load()).frame.query("verdict != 'needs data'")["finding_id"]
    needs = out.index("needs data")
    assert all(out.index(f" {key} ") < needs for key in judged.unique())


def test_cite_without_a_key_cites_the_collection_with_its_version_and_edition(typed):
    code, out, _ = typed("cite")
    assert code == 0
    assert out.startswith("@software{capelib,")
    assert f"{{{cape.__version__}}}" in out
    assert cape.load().info.edition in out
    assert typed("cite", "capelib")[1] == out


def test_the_shell_completes_the_names_of_notebooks(monkeypatch, capsys):
    asked = {"_CAPE_COMPLETE": "complete_bash", "COMP_WORDS": "cape params 0", "COMP_CWORD": "2"}
    for name, value in asked.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "argv", ["cape"])
    with pytest.raises(SystemExit):
        cli.main()
    offered = capsys.readouterr().out.split()
    assert offered == [name for name in runner.notebooks() if name.startswith("0")]


def test_notebooks_are_copied_and_nothing_is_overwritten(typed, tmp_path):
    folder = tmp_path / "mine"
    code, out, _ = typed("notebooks", str(folder))
    assert code == 0
    assert str(folder) in out.splitlines()
    copied = {path.relative_to(folder).as_posix() for path in folder.rglob("*.ipynb")}
    assert {"04_authoritarian_hosts.ipynb", "lessons/1_look.ipynb"} <= copied
    assert "lessons/solutions/1_look.ipynb" in copied
    changed = folder / "04_authoritarian_hosts.ipynb"
    changed.write_text("mine", encoding="utf-8")
    code, _, err = typed("notebooks", str(folder))
    assert code == 2
    assert "nothing is overwritten" in err
    assert changed.read_text(encoding="utf-8") == "mine"


def test_jupyterlab_shows_notebooks_figures_and_data_and_starts_as_root(monkeypatch):
    root = notebook_commands.lab_root()
    assert {"notebooks", "figures", "data"} <= {path.name for path in root.iterdir()}
    for user, allowed in ((0, True), (1000, False)):
        monkeypatch.setattr(os, "geteuid", lambda user=user: user)
        assert ("--allow-root" in notebook_commands.lab_options(root)) == allowed
    assert f"--ServerApp.root_dir={root}" in notebook_commands.lab_options(root)


def test_jupyterlab_that_is_not_installed_is_named_with_its_remedy(typed, monkeypatch):
    monkeypatch.setattr(notebook_commands, "find_spec", lambda _: None)
    code, _, err = typed("lab")
    assert code == 2
    assert "pip install 'capelib[lab]'" in err


def outcome(name: str, verdicts: list[dict], status: str = "done") -> runner.Outcome:
    run = replace(runner.plan(["12"], {})[0], name=name)
    return runner.Outcome(
        run=run, folder=Path("figures") / name, status=status, seconds=1.0, answer="It rose. " * 60,
        error="cell 3: made up" if status == "failed" else "", verdicts=verdicts,
    )  # fmt: skip


@pytest.fixture(scope="module")
def verdicts():
    return [each.row() for each in cape.findings.check(cape.load())]


@pytest.mark.parametrize("columns", [60, 80, 140])
def test_reproduce_ends_with_what_matters_on_one_screen(verdicts, columns, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", str(columns))
    ended = [outcome("12_published_findings", verdicts), outcome("03_made_up", [], "failed")]
    report.table(ended, [])
    last = capsys.readouterr().out.partition("In short")[2].splitlines()
    limit = 24 if columns >= 80 else 34
    assert len(last) < limit
    assert any("74 % published; here" in line for line in last)
    assert "failed: 03_made_up: cell 3: made up" in last
    assert last[-1] == "2 runs: 1 done, 0 unchanged, 1 failed."


def test_quiet_shows_what_failed_and_where_the_files_are(verdicts, capsys):
    ended = [outcome("12_published_findings", verdicts), outcome("03_made_up", [], "failed")]
    report.table(ended, [], quiet=True)
    assert capsys.readouterr().out.splitlines() == [
        "failed: 03_made_up: cell 3: made up",
        "Figures and tables: figures/",
        "2 runs: 1 done, 0 unchanged, 1 failed.",
    ]


def test_lab_hands_on_what_make_is_given(typed, monkeypatch):
    started = []

    def start(command):
        started.append(command)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(notebook_commands.subprocess, "run", start)
    code, out, _ = typed("lab", ".", "--", "--no-browser", "--port=8889")
    assert code == 0 and "first start can take a minute" in out
    assert started[0][:3] == [sys.executable, "-m", "jupyterlab"]
    assert started[0][-2:] == ["--no-browser", "--port=8889"]
    assert typed("lab", ".", "--")[0] == 0
    assert typed("lab", "--", "--no-browser")[0] == 0 and started[-1][-1] == "--no-browser"
    makefile = (notebook_commands.lab_root() / "Makefile").read_text(encoding="utf-8")
    assert "cape lab . -- $(ARGS)" in makefile
