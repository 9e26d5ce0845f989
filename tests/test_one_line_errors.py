"""What used to end in a traceback ends in one line, or works."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from jupyter_client.asynchronous.client import AsyncKernelClient
from shared import spread

from capelib import cli
from capelib.dataset import Info
from capelib.notebook import answer
from capelib.paths import PACKAGE
from capelib.runs import kernels, runner

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
@pytest.mark.slow
def test_a_file_whose_name_is_no_utf_8_is_refused_in_a_line(tmp_path, command):
    name = b"bad\xff.csv"
    try:
        (tmp_path / os.fsdecode(name)).write_bytes(TABLE)
    except OSError:
        pytest.skip("this file system takes no such names")
    ended = cape(*command, name, cwd=tmp_path)
    assert ended.returncode == 2, ended.stderr
    assert ended.stderr == "cape: the name of bad?.csv is not UTF-8: rename the file\n"


@pytest.mark.slow
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
@pytest.mark.parametrize("plain", [False, True])
def test_a_process_that_dies_before_its_first_answer_fails_its_run_only(
    tmp_path, monkeypatch, plain
):
    from test_nothing_lost import notebook, run_of

    runs = [run_of(notebook(tmp_path, "1", name=name)) for name in ("90_first", "91_second")]
    died: list[bool] = []
    if plain:
        ready = AsyncKernelClient._async_wait_for_ready

        async def dies_once(self, timeout=None):
            if died:
                return await ready(self, timeout)
            died.append(True)
            raise RuntimeError("Kernel died before replying to kernel_info")

        monkeypatch.setattr(AsyncKernelClient, "wait_for_ready", dies_once)
    else:
        ask = kernels.Kernel.send

        def killed_once(self, request):
            if not died:
                self.kill()
                died.append(True)
            ask(self, request)

        monkeypatch.setattr(kernels.Kernel, "send", killed_once)
    outcomes = list(runner.reproduce(runs, tmp_path / "figs", tmp_path / "build", plain=plain))
    assert sorted(outcome.status for outcome in outcomes) == ["done", "failed"]
    (failed,) = [outcome for outcome in outcomes if outcome.status == "failed"]
    assert failed.error.startswith("the kernel died ") and failed.error.count("cell") == 1


@pytest.mark.slow
def test_a_long_folder_for_temporary_files_is_no_trouble(tmp_path):
    from test_nothing_lost import notebook

    long = tmp_path / ("t" * 60) / ("u" * 60)
    long.mkdir(parents=True)
    path = notebook(tmp_path, "1")
    code = (
        "import sys; from pathlib import Path; from capelib.runs import runner\n"
        "runs = runner.plan([sys.argv[1]], {})\n"
        "(ended,) = runner.reproduce(runs, Path('figs'), Path('build'), plain=len(sys.argv) > 2)\n"
        "print(ended.status, ended.error)"
    )
    for words in ([], ["plain"]):
        done = subprocess.run(
            [sys.executable, "-c", code, str(path), *words],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(PACKAGE.parent), "TMPDIR": str(long)},
            capture_output=True,
            text=True,
        )
        assert done.stdout.strip() in ("done", "unchanged"), done.stdout + done.stderr


def test_any_exception_of_a_run_is_its_own_failure_in_one_line(tmp_path, monkeypatch):
    from test_nothing_lost import notebook, run_of

    runs = [run_of(notebook(tmp_path, "1", name=name)) for name in ("90_first", "91_second")]

    def execute(run, *_, **__):
        if run.name == "90_first":
            raise LookupError("unheard of\n" * 9)
        return ""

    monkeypatch.setattr(runner, "execute", execute)
    outcomes = list(runner.reproduce(runs, tmp_path / "figs", tmp_path / "build"))
    ended = {outcome.run.name: (outcome.status, outcome.error) for outcome in outcomes}
    assert ended == {"90_first": ("failed", "LookupError: unheard of"), "91_second": ("done", "")}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("cell", "error"),
    [
        ("open(out + '/answer.json', 'w').write('[1]')", ""),
        ("%nosuchmagic", "CellExecutionError: UsageError: Line magic function `%nosuchmagic`"),
        ("raise ValueError('x' * 5000)", f"ValueError: {'x' * 200}... (see"),
    ],
)
def test_what_an_odd_cell_gives_is_told_in_one_line(tmp_path, cell, error):
    from test_nothing_lost import notebook, run_of

    run = run_of(notebook(tmp_path, cell))
    (ended,) = runner.reproduce([run], tmp_path / "figs", tmp_path / "build")
    assert error in ended.error and "\n" not in ended.error
    assert ended.status == ("failed" if error else "done")


def test_a_file_that_is_called_like_markup_is_only_text_in_a_notebook():
    name = "<img src=x onerror=alert(1)>.csv"
    info = Info(name, f"your file {name}", name, "", "", "0" * 64, {}, False)
    shown = answer("p < 0.05 in <b>x</b>.", info)._repr_markdown_()
    assert "<img" not in shown and "&lt;img" in shown and "<b>" not in shown
    assert "p < 0.05" in shown
