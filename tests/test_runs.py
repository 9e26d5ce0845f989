"""Runs: parameters refused before a kernel starts, results all or none, exit codes."""

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import manifest
import nbformat
import pandas as pd
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from shared import slow
from twins import fh_2022, written

from capelib import cli
from capelib.errors import CapeError, ParameterError
from capelib.loading import load
from capelib.notebook import check_parameters
from capelib.paths import project_folder
from capelib.runs import comparison, runner
from capelib.runs.parameters import Parameter, check, declared, label, parse, read

TAJIK = project_folder("notebooks") / "03_tajik_targeting.ipynb"
HOSTS = project_folder("notebooks") / "04_authoritarian_hosts.ipynb"


def cape(*words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from capelib.cli import main; main()", *words],
        cwd=cwd,
        capture_output=True,
        text=True,
    )


@pytest.fixture
def inside(tmp_path, monkeypatch, capsys):
    """The command without a new process, for what needs no kernel: exit code, output, errors."""

    def call(*words: str) -> subprocess.CompletedProcess[str]:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["cape", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        captured = capsys.readouterr()
        return subprocess.CompletedProcess(words, ended.value.code or 0, captured.out, captured.err)

    return call


def notebook(folder: Path, *cells: str, parameters: str = 'out: str = ""  # folder') -> Path:
    first = new_code_cell(parameters, metadata={"tags": ["parameters"]})
    path = folder / "90_made_up.ipynb"
    nb = new_notebook(
        cells=[first, *(new_code_cell(cell) for cell in cells)],
        metadata={"language_info": {"name": "python"}},
    )
    nbformat.write(nb, path)
    return path


def run_of(path: Path) -> runner.Run:
    return runner.Run(path, read(path, {}), path.stem)


@pytest.mark.parametrize(
    ("path", "given", "message"),
    [
        (TAJIK, {"orgin": "TJK"}, "unknown parameter 'orgin': did you mean origin?"),
        (TAJIK, {"origin": "TAJ"}, "unknown state 'TAJ': did you mean TJK, Tajikistan?"),
        (TAJIK, {"first_year": "soon"}, "first_year must be int, not 'soon'"),
        (
            TAJIK,
            {"first_year": "2020", "last_year": "2010"},
            "first_year 2020 must lie before last_year 2010",
        ),
        (TAJIK, {"break_year": "2023"}, "choose 2005 to 2021"),
        (TAJIK, {"break_year": "2015", "last_year": "2016"}, "choose 2005 to 2013"),
        (TAJIK, {"unit": "incidnet"}, "did you mean incident"),
        (TAJIK, {"doubtful": "maybe"}, "doubtful must be bool"),
        (TAJIK, {"dataset": "no_such_file.csv"}, "no dataset 'no_such_file.csv'"),
        (TAJIK, {"out": "x"}, "unknown parameter 'out'"),
        (HOSTS, {"stages": "2,4"}, "unknown stage '4'"),
        (HOSTS, {"stages": "2,2"}, "different stages"),
        (HOSTS, {"cutoff": "F"}, "unknown cut-off of fiw 'F'"),
        (HOSTS, {"regime_measure": "row"}, "unknown cut-off of row 'NF'"),
    ],
)
def test_a_wrong_parameter_is_refused_in_one_line(path, given, message):
    with pytest.raises(ParameterError) as error:
        check(path, read(path, given))
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_everything_that_is_wrong_is_said_at_once():
    with pytest.raises(ParameterError, match=r"unknown state.*; unknown unit"):
        check_parameters(origin="XXX", unit="person")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ({"dataset": __file__, "vintage": "FH 2022"}, {"dataset": __file__, "vintage": "fh-2022"}),
        ({"regime_measure": "vdem", "cutoff": 1}, {"regime_measure": "row", "cutoff": "1"}),
        ({"cutoff": "Not Free"}, {"cutoff": "NF"}),
        ({"origin": "all", "measure": "all"}, {"origin": "all", "measure": "all"}),
        ({"exclude_host": "", "doubtful": False}, {"exclude_host": "", "doubtful": False}),
    ],
    ids=["vintage", "number", "rating", "all", "none"],
)
def test_checked_parameters_come_back_as_codes(typed, meant):
    assert check_parameters(**typed) == meant


@pytest.mark.parametrize(
    ("name", "value"), [("origin", ["UZB"]), ("unit", []), ("measure", 3), ("exclude_host", "+")]
)
def test_what_is_no_text_of_one_code_is_refused(name, value):
    with pytest.raises(ParameterError, match="unknown"):
        check_parameters(**{name: value})


def test_booleans_are_not_years():
    with pytest.raises(ParameterError, match="must be a year"):
        check_parameters(first_year=True)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("int", "2015", 2015),
        ("list[int]", "[1, 3]", [1, 3]),
        ("bool", "no", False),
        ("str", "'NF'", "NF"),
    ],
)
def test_text_is_read_in_the_declared_type(kind, text, value):
    assert parse(Parameter("x", kind, None, ""), text) == value


def test_the_tagged_cell_is_read_as_python_and_not_by_guessing(tmp_path):
    parameters = declared(
        notebook(tmp_path, parameters='colour: str = "#D55E00"  # a colour\nn: int = 3  # how many')
    )
    assert parameters["colour"] == Parameter("colour", "str", "#D55E00", "a colour")
    with pytest.raises(CapeError, match="line 1"):
        declared(notebook(tmp_path, parameters="doubtful: False"))


@pytest.mark.slow
def test_a_failed_notebook_is_kept_apart_and_leaves_the_old_results(tmp_path):
    write = "from pathlib import Path; Path(out, 'x.csv').write_text('new')"
    path = notebook(tmp_path, write, "raise ValueError('made-up trouble')")
    old = tmp_path / "figures" / path.stem / "x.csv"
    old.parent.mkdir(parents=True)
    old.write_text("old")
    outcome = next(runner.reproduce([run_of(path)], tmp_path / "figures", tmp_path / "build"))
    assert outcome.status == "failed"
    assert outcome.error.startswith(
        "In [4]: ValueError: made-up trouble (see "
    )  # papermill adds a cell of parameters
    assert old.read_text() == "old"
    assert [item.name for item in (tmp_path / "figures").iterdir()] == [path.stem]
    assert (tmp_path / "build" / "failed" / "90_made_up.ipynb").exists()


@pytest.mark.slow
def test_a_finished_run_is_not_repeated_until_something_changes(tmp_path):
    path = notebook(tmp_path, "from pathlib import Path; Path(out, 'x.csv').write_text('1')")
    figures, build = tmp_path / "figures", tmp_path / "build"

    def status(**how: bool) -> str:
        return next(runner.reproduce([run_of(path)], figures, build, **how)).status

    assert [status(), status(), status(force=True)] == ["done", "unchanged", "done"]
    (figures / path.stem / "x.csv").write_text("edited")
    assert [status(), status()] == ["done", "unchanged"]
    notebook(tmp_path, "from pathlib import Path; Path(out, 'x.csv').write_text('2')")
    assert status() == "done"


@pytest.mark.slow
def test_a_run_into_one_folder_says_nothing_of_another_folder(tmp_path):
    write = "from pathlib import Path; Path(out, 'x.csv').write_text('{}')"
    path = notebook(tmp_path, write.format(1))

    def status(folder: str) -> str:
        return next(runner.reproduce([run_of(path)], tmp_path / folder, tmp_path / "build")).status

    assert [status("a"), status("b"), status("a"), status("b")] == [
        *["done"] * 2,
        *["unchanged"] * 2,
    ]
    notebook(tmp_path, write.format(2))
    assert [status("a"), status("b")] == ["done", "done"]
    assert (tmp_path / "b" / path.stem / "x.csv").read_text() == "2"


def test_provenance_says_where_figures_come_from_and_the_record_what_decides_a_repeat(tmp_path):
    figures, build = tmp_path / "figures", tmp_path / "build"
    (outcome,) = runner.reproduce(swept(tmp_path, (2,)), figures, build)
    stated = json.loads((outcome.folder / "provenance.json").read_text())
    facts = {"notebook", "parameters", "tables_sha256", "licences", "python", "packages"}
    assert set(stated) == facts | {"figures", "outputs"}
    assert stated["parameters"] == {"dataset": "public-record", "x": 2}
    assert stated["figures"]["measures"]["data"]["sha256"] == load().info.sha256
    assert {"incidents.csv", "exiles.csv", "sources.csv"} < set(stated["tables_sha256"])
    assert set(stated["outputs"]) == {"answer.json", "measures.csv", "measures.svg"}
    assert not (outcome.folder / "measures.png").exists()
    (made,) = json.loads((build / f"{outcome.run.name}.json").read_text())["made"].values()
    assert set(made["inputs"]) == {"facts", "code_sha256", "capelib_sha256", "formats"}


def test_pictures_that_a_notebook_writes_by_itself_are_its_outputs(tmp_path):
    write = "open(out + '/plot.png', 'w').write(__import__('os').urandom(4).hex())"
    run = run_of(notebook(tmp_path, write))
    for _ in range(2):  # the second replaces what the first made
        (outcome,) = runner.reproduce([run], tmp_path / "figures", tmp_path / "build", force=True)
        assert (outcome.status, outcome.kept) == ("done", [])
    stated = json.loads((outcome.folder / "provenance.json").read_text())
    assert set(stated["outputs"]) == {"plot.png"}


def test_figures_come_in_other_formats_too_until_they_are_no_longer_asked_for(
    tmp_path, monkeypatch
):
    figures, build, runs = tmp_path / "figures", tmp_path / "build", swept(tmp_path, (2,))
    picture = figures / runs[0].name / "measures.pdf"
    for asked, status in (("pdf", "done"), ("pdf", "unchanged"), ("", "done")):
        monkeypatch.setenv("CAPELIB_FORMATS", asked)
        (outcome,) = runner.reproduce(runs, figures, build)
        assert (outcome.status, picture.exists()) == (status, bool(asked))
        stated = json.loads((outcome.folder / "provenance.json").read_text())
        assert set(stated["outputs"]) == {"answer.json", "measures.csv", "measures.svg"}


def test_a_kernel_that_dies_fails_its_run_only(tmp_path):
    path = notebook(tmp_path, "import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    outcome = next(runner.reproduce([run_of(path)], tmp_path / "figures", tmp_path / "build"))
    assert (outcome.status, outcome.error[:39]) == (
        "failed",
        "the kernel died in its code cell 3: imp",
    )


@pytest.mark.slow
def test_raw_papermill_runs_a_notebook_from_any_folder(tmp_path):
    words = [
        "papermill",
        str(TAJIK),
        "out.ipynb",
        "-p",
        "origin",
        "UZB",
        "-p",
        "out",
        "here",
        "-k",
        "python3",
    ]
    done = subprocess.run(
        [sys.executable, "-m", *words], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads((tmp_path / "here" / "answer.json").read_text())
    assert "exiles pursued by Uzbekistan" in answer["answer"]
    assert answer["label"] == "public record"


@pytest.mark.slow
def test_a_users_file_runs_and_what_cannot_be_used_lies_beside_the_figures(tmp_path):
    rows = ["exile_id,origin,host,date,measure,name"]
    rows += [f"TJK-{n:04d},TJK,RUS,{2004 + n % 18},rendition,Example Person" for n in range(1, 90)]
    (tmp_path / "mine.csv").write_text(
        "\n".join([*rows, "TJK-0100,TAJ,RUS,2015,rendition,Example Person"]), encoding="utf-8"
    )
    done = cape("reproduce", "03", "--data", "mine.csv", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    assert re.search(r"origin +1 row \(row 91\): unknown state; did you mean TJK", done.stderr)
    (folder,) = (tmp_path / "build" / "figures").iterdir()
    set_aside = (folder / "set_aside.csv").read_text()
    assert '"91"' in set_aside or ",91," in set_aside
    assert "TAJ" not in set_aside
    assert "your file mine.csv" in (folder / "answer.json").read_text()
    assert not any(b"Example Person" in file.read_bytes() for file in folder.iterdir())
    assert not (tmp_path / "figures").exists()


LACKING = """ID,Country of origin,Host country,Stage 1,Stage 2,Stage 3,Year
a,Tajikistan,Russia,threat,no,no,2015
b,Tajikistan,Russia,threat,yes,yes,2016
"""  # of the second exile a stage 3 without its measure


@pytest.mark.parametrize("words", [("info",), *map(slow, [("findings",), ("reproduce", "01")])])
@pytest.mark.slow
def test_an_event_that_lacks_its_measure_is_named_and_ends_with_1(tmp_path, words):
    (tmp_path / "mine.csv").write_text(LACKING, encoding="utf-8")
    done = cape(*words, "--data", "mine.csv", cwd=tmp_path)
    assert done.returncode == 1
    assert "Left out: events of which the measure is not known: Stage 3 (1)." in " ".join(
        done.stderr.split()
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("reproduce", "03", "-p", "origin=TAJ"), "did you mean TJK"),
        (("reproduce", "99"), "unknown notebook '99'"),
        (("reproduce", "03", "-p", "origin"), "NAME=VALUE"),
        (("reproduce", "03", "--out", "a_file/x"), "cannot write to"),
        (("reproduce", "--data", "missing.csv"), "no file missing.csv"),
        (("info", "--data", "missing.csv"), "missing.csv"),
        (("codebook", "rendtion"), "did you mean rendition"),
        (("reproduce", "03", "--sweep", "origin=TJK,TAJ"), "did you mean TJK"),
        (("reproduce", "03", "--sweep", "origin="), "--sweep takes NAME=VALUE"),
        (
            ("reproduce", "03", "--sweep", "origin=TJK", "--sweep", "origin=UZB"),
            "names origin twice",
        ),
        (("findings", "--format", "xml"), "unknown format 'xml'"),
        (("findings", "--vintage", "fh-2022"), "not a published release"),
        (("findings", "--data", "a_file", "--vintage", "fh22"), "unknown vintage 'fh22'"),
        (("cite", "fa2022"), "did you mean"),
        (("reproduce", "--colour"), "No such option"),
    ],
)
def test_what_cannot_start_ends_in_one_line_and_exit_code_2(words, message, tmp_path, inside):
    (tmp_path / "a_file").write_text("")
    done = inside(*words)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.startswith(("cape: ", "cape reproduce: "))
    assert done.stderr.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["a_file"]


def test_a_sweep_is_every_combination_and_each_run_is_made_once():
    names = [
        run.name
        for run in runner.plan(
            ["03"], {"last_year": "2020"}, {"origin": ["TJK", "UZB"], "unit": ["exile", "episode"]}
        )
    ]
    assert names == [
        "03_tajik_targeting--last_year=2020--unit=exile",
        "03_tajik_targeting--last_year=2020",
        "03_tajik_targeting--last_year=2020--origin=UZB--unit=exile",
        "03_tajik_targeting--last_year=2020--origin=UZB",
    ]
    assert len(runner.plan(["03", "03"], {}, {"origin": ["TJK", "TJK", "UZB"]})) == 2
    assert [
        run.parameters["stages"] for run in runner.plan(["04"], {}, {"stages": ["2+3", "3"]})
    ] == [[2, 3], [3]]


def test_a_sweep_over_a_parameter_that_only_some_notebooks_have_leaves_the_others_alone():
    names = {run.name for run in runner.plan([], {}, {"break_year": ["2010", "2015"]})}
    swept_names = {f"03_tajik_targeting--break_year={year}" for year in (2010, 2015)}
    assert swept_names <= names
    assert {"04_authoritarian_hosts--cutoff=PF", "12_published_findings"} <= names  # their own sets


@pytest.mark.parametrize(
    ("sweep", "message"),
    [
        ({"orgin": ["TJK"]}, "did you mean origin"),
        ({"origin": ["TJK", "TAJ"]}, "did you mean TJK"),
        ({"origin": ["TJK", ""]}, "unknown state ''"),
    ],
)
def test_every_value_of_a_sweep_is_checked_before_anything_runs(sweep, message, tmp_path):
    with pytest.raises(ParameterError, match=message):
        runs = runner.plan(["03"], {}, sweep)
        list(runner.reproduce(runs, tmp_path / "figures", tmp_path / "build"))
    assert not list(tmp_path.iterdir())


def broken_links(page: Path) -> list[str]:
    """The files and anchors that a page leads to and that are not there."""
    text = page.read_text(encoding="utf-8")
    anchors = {f"#{name}" for name in re.findall(r'id="([^"]+)"', text)}
    targets = re.findall(r'(?:src|href)="([^"]+)"', text)
    return [to for to in targets if to not in anchors and not (page.parent / to).exists()]


def swept(folder: Path, values: tuple[int, ...] = (1, 2)) -> list[runner.Run]:
    write = (
        "import capelib as cape, pandas as pd\n"
        "rows = pd.DataFrame({'estimate': ['twice'], 'value': [2.0 * x], 'low': [1.0],"
        " 'high': [9.0], 'n': [x], 'unit': ['ratio']})\n"
        "ds = cape.load()\n"
        "cape.figures.save(cape.figures.by_measure(ds.where(stage=x)), 'measures', out)\n"
        "cape.answer(f'Twice {x} <b> is {2 * x}.', ds.info, [], out, rows)"
    )
    parameters = (
        'dataset: str = "public-record"  # data\nx: int = 1  # a number\nout: str = ""  # folder'
    )
    path = notebook(folder, write, parameters=parameters)
    return runner.plan([str(path)], {}, {"x": [str(value) for value in values]})


def test_runs_of_one_notebook_are_put_side_by_side(tmp_path):
    figures, build = tmp_path / "figures", tmp_path / "build"
    outcomes = list(runner.reproduce(swept(tmp_path), figures, build))
    assert [outcome.status for outcome in outcomes] == ["done", "done"]
    (page,) = comparison.compare(outcomes, figures, build)
    text = page.read_text(encoding="utf-8")
    assert page == figures / "comparisons" / "90_made_up" / "index.html"
    assert "Twice 2 &lt;b&gt; is 4." in text and "2 runs that differ in x" in text
    assert not broken_links(page)
    estimates = pd.read_csv(page.parent / "estimates.csv")
    assert estimates[["run", "estimate", "value", "n"]].to_numpy().tolist() == [
        ["x 1", "twice", 2.0, 1],
        ["x 2", "twice", 4.0, 2],
    ]
    before = {
        path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in page.parent.iterdir()
    }
    comparison.compare(outcomes, figures, build)  # nothing changed: nothing is written
    assert {
        path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in page.parent.iterdir()
    } == before
    own = comparison.compare(outcomes, figures, build, own=True)
    assert own == [figures / "comparisons" / "90_made_up--x" / "index.html"]
    assert (own[0].parent / "estimates.svg").read_bytes() == (
        page.parent / "estimates.svg"
    ).read_bytes()


def test_a_failed_run_does_not_stand_in_a_comparison(tmp_path):
    outcomes = list(
        runner.reproduce(swept(tmp_path, (1, 9)), tmp_path / "figures", tmp_path / "build")
    )
    assert [outcome.status for outcome in outcomes] == ["done", "failed"]  # there is no stage 9
    assert comparison.compare(outcomes, tmp_path / "figures", tmp_path / "build") == []


@pytest.mark.slow
def test_findings_speak_to_people_and_to_machines(tmp_path, inside, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    twin = written(fh_2022(), tmp_path / "twin")
    done = inside("findings", "--data", str(twin), "--vintage", "fh-2022", "--format", "csv")
    assert done.returncode == 0, done.stderr
    rows = pd.read_csv(io.StringIO(done.stdout)).set_index("finding_id")
    assert (rows["verdict"] == "reproduced").sum() == 11
    assert rows.loc["fh2022-total", "label"] == "SYNTHETIC"
    answer = json.loads(inside("findings", "--format", "json").stdout)
    assert {row["finding_id"]: row["verdict"] for row in answer}[
        "fa2022-autoc-share-2021"
    ] == "set by the search"
    shown = inside("findings").stdout
    assert "150 + 353 = 503" in shown
    assert "Lemon: Governing Islam and Security" in shown
    assert re.search(r"pattern\b[^\n]*(\n[^\n]*)?agrees", shown)  # a narrow column has two lines
    assert (
        len(pd.read_csv(io.StringIO(inside("findings", "--relations", "--format", "csv").stdout)))
        == manifest.rows()["relations"]
    )
    assert inside("cite", "fa2022longarm").stdout.startswith("@article{fa2022longarm,\n")


def test_a_read_only_folder_ends_in_one_line(tmp_path, monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(
        CapeError, match=r"cannot write to .*Permission denied; choose another folder with --out"
    ):
        next(runner.reproduce([run_of(TAJIK)], tmp_path / "figures", tmp_path / "build"))


@pytest.fixture
def small_disk(tmp_path):
    """A disk of one megabyte."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], capture_output=True
    ).returncode:
        pytest.skip("only root may mount a small disk")
    yield disk
    subprocess.run(["umount", disk], check=True)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("cell", "place"),
    [
        ("print('x' * 2_000_000)", "build"),
        ("open(out + '/big.csv', 'w').write('x' * 2_000_000)", "build/failed"),
    ],
)
def test_a_full_disk_ends_in_one_line_and_leaves_nothing_half_written(small_disk, cell, place):
    notebook(small_disk, cell)
    done = cape("reproduce", "90_made_up.ipynb", cwd=small_disk)
    assert (done.returncode, done.stderr) == (
        2,
        f"cape: cannot write to {place}: No space left on device; choose another folder\n",
    )
    assert not [
        path for path in small_disk.rglob("*") if path.is_file() and path.suffix != ".ipynb"
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_ends_in_one_line_and_leaves_no_half_written_file(tmp_path, number, code):
    folder = tmp_path / "temporary"
    folder.mkdir()
    if signal.getsignal(number) == signal.SIG_IGN:
        pytest.skip("these tests run where this signal is ignored, as below nohup")
    words = [sys.executable, "-c", "from capelib.cli import main; main()", "reproduce", "04"]
    process = subprocess.Popen(
        words,
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=os.environ | {"TMPDIR": str(folder)},
    )
    until = time.monotonic() + 60
    while not list(tmp_path.glob("figures/.run-*/answer.json")) and time.monotonic() < until:
        time.sleep(0.05)
    if number == signal.SIGINT:
        os.killpg(process.pid, number)  # as a terminal does
    else:
        process.send_signal(number)
    _, message = process.communicate(timeout=60)
    assert process.returncode == code
    assert list(folder.iterdir()) == []
    assert message == "cape: interrupted; what was finished is in place, nothing else was changed\n"
    assert list(tmp_path.glob("figures/.run-*")) == []
    for folder in (tmp_path / "figures").iterdir():  # a run that had ended just before is whole
        record = json.loads((folder / "provenance.json").read_text())
        names = {path.name for path in folder.iterdir() if path.suffix != ".png"}
        assert set(record["outputs"]) == names - {"provenance.json"}


def test_info_and_codebook_answer(inside):
    rows = ", ".join(
        f"{manifest.rows()[name]:,} {name}" for name in ("incidents", "exiles", "sources")
    )
    assert rows in inside("info").stdout
    assert "stage 3" in inside("codebook", "rendition").stdout


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"origin": "Uzbekistan"}, "--origin=UZB"),
        ({"origin": "uz"}, "--origin=UZB"),
        ({"exclude_host": "Russia"}, "--exclude_host=RUS"),
        ({"exclude_host": "Russia+tur", "origin": "all"}, "--exclude_host=RUS+TUR--origin=all"),
        ({"measure": "kidnapping"}, "--measure=rendition"),
        ({"unit": "Incidents"}, "--unit=incident"),
        ({"unit": "exiles"}, "--unit=exile"),
        ({"model": "Negative binomial"}, "--model=negative_binomial"),
        ({"edition": "First edition"}, "--edition=2026-11"),
    ],
)
def test_a_word_for_a_code_gives_the_run_that_the_code_gives(given, named):
    assert label(read(TAJIK, given), declared(TAJIK)) == named


def test_a_rating_in_words_gives_the_run_of_the_cut_off():
    assert label(read(HOSTS, {"cutoff": "Partly Free"}), declared(HOSTS)) == "--cutoff=PF"
