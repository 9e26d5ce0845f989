"""What used to end in a traceback ends in one line, or works."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from shared import spread

from capelib import cli
from capelib.dataset import Info
from capelib.notebook import answer
from capelib.paths import PACKAGE
from capelib.runs import engine, runner

TABLE = b"exile_id,origin,host,date,measure\nTJK-0901,TJK,TUR,2015,detention\n"


def cape(*words: str | bytes, cwd: Path, **how: object) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(PACKAGE.parent)}
    code = "from capelib.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *words],
        cwd=cwd,
        stdout=how.get("stdout", subprocess.PIPE),
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )  # pyright: ignore[reportCallIssue]


@pytest.mark.parametrize(
    "command", spread([["check"], ["info", "--data"], ["reproduce", "03", "--data"]], 1)
)
def test_a_file_whose_name_is_no_utf_8_is_refused_in_a_line(tmp_path, command):
    name = b"bad\xff.csv"
    try:
        (tmp_path / os.fsdecode(name)).write_bytes(TABLE)
    except OSError:
        pytest.skip("this file system takes no such names")
    ended = cape(*command, name, cwd=tmp_path)
    assert ended.returncode == 2, ended.stderr
    assert ended.stderr == "cape: the name of bad?.csv is not UTF-8: rename the file\n"


def test_a_line_end_in_a_path_leaves_the_message_on_one_line(tmp_path):
    ended = cape("check", "no\nsuch.csv", cwd=tmp_path)
    assert ended.returncode == 2 and ended.stderr.count("\n") == 1


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_output_that_finds_no_space_ends_in_a_line(tmp_path):
    with Path("/dev/full").open("w") as full:
        ended = cape("findings", cwd=tmp_path, stdout=full)
    assert ended.returncode == 2
    assert ended.stderr == "cape: no space is left where this should be written\n"


def test_low_memory_anywhere_ends_in_a_line(monkeypatch, capsys):
    def none_left(*_: object, **__: object) -> int:
        raise MemoryError

    monkeypatch.setattr(cli, "app", none_left)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    shown = capsys.readouterr().err
    assert ended.value.code == 2 and "not enough memory" in shown and shown.count("\n") == 1


@pytest.mark.slow
def test_a_kernel_that_dies_before_its_first_answer_fails_its_run_only(tmp_path, monkeypatch):
    from test_nothing_lost import notebook, run_of

    first = notebook(tmp_path, "1", name="90_first")
    second = notebook(tmp_path, "2", name="91_second")
    ready = engine.Client.wait_for_ready
    died: list[bool] = []

    async def dies_once(self, timeout=None):
        if died:
            return await ready(self, timeout)
        died.append(True)
        raise engine.DeadKernelError("the kernel died before its first answer")

    monkeypatch.setattr(engine.Client, "wait_for_ready", dies_once)
    runs = [run_of(first), run_of(second)]
    outcomes = list(runner.reproduce(runs, tmp_path / "figs", tmp_path / "build"))
    assert sorted(outcome.status for outcome in outcomes) == ["done", "failed"]
    (failed,) = [outcome for outcome in outcomes if outcome.status == "failed"]
    assert failed.error == "the kernel died before its first cell"


@pytest.mark.slow
def test_a_long_folder_for_temporary_files_is_no_trouble(tmp_path, monkeypatch):
    import tempfile

    from test_nothing_lost import notebook, run_of

    from capelib.runs import warm

    long = tmp_path / ("t" * 60) / ("u" * 60)
    long.mkdir(parents=True)
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    monkeypatch.setattr(warm, "_warm", None)
    (outcome,) = runner.reproduce(
        [run_of(notebook(tmp_path, "1"))], tmp_path / "figs", tmp_path / "build"
    )
    assert outcome.status == "done", outcome.error


def test_a_file_that_is_called_like_markup_is_only_text_in_a_notebook():
    name = "<img src=x onerror=alert(1)>.csv"
    info = Info(name, f"your file {name}", name, "", "", "0" * 64, {}, False)
    shown = answer("p < 0.05 in <b>x</b>.", info)._repr_markdown_()
    assert "<img" not in shown and "&lt;img" in shown and "<b>" not in shown
    assert "p < 0.05" in shown
