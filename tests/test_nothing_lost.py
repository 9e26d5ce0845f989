"""No file of the user's is written over or removed, and no result of another table."""

import errno
import json
import multiprocessing
import os
import sys
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

import capelib as cape_package
from capelib import cli
from capelib.errors import CapeError, ParameterError
from capelib.runs import comparison, folders, runner
from capelib.runs.parameters import read

HEADER = "exile_id,origin,host,date,measure"
WRITE = "from pathlib import Path; Path(out, 'x.csv').write_text('{}')"


def table_of(path: Path, state: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{HEADER}\nTJK-0901,TJK,{state},2015,detention\n")
    return path


@pytest.fixture
def cape(tmp_path, monkeypatch, capsys):
    """The command in this process: exit code, and all that it wrote on the screen."""
    monkeypatch.chdir(tmp_path)

    def call(*words: object) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["cape", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        shown = capsys.readouterr()
        return int(ended.value.code or 0), shown.out + shown.err

    return call


def notebook(folder: Path, *cells: str, name: str = "90_made_up") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    first = new_code_cell('out: str = ""  # folder', metadata={"tags": ["parameters"]})
    nb = new_notebook(
        cells=[first, *(new_code_cell(cell) for cell in cells)],
        metadata={"language_info": {"name": "python"}},
    )
    path = folder / f"{name}.ipynb"
    nbformat.write(nb, path)
    return path


def run_of(path: Path) -> runner.Run:
    return runner.Run(path, read(path, {}), path.stem)


def reproduce(path: Path, folder: Path, **how: bool) -> runner.Outcome:
    return next(runner.reproduce([run_of(path)], folder / "figs", folder / "build", **how))


@pytest.mark.slow
def test_two_tables_of_the_same_name_are_checked_into_two_folders(cape, tmp_path):
    first = table_of(tmp_path / "a" / "table.csv", "TUR")
    second = table_of(tmp_path / "b" / "table.csv", "RUS")
    for _ in range(2):  # each again into the same folder
        cape("check", first)
        cape("check", second)
    folders = sorted(path for path in Path("build/check").iterdir() if path.is_dir())
    assert len(folders) == 2 and folders[0].name == "table"
    assert ',"TUR",' in (folders[0] / "clean.csv").read_text()
    assert ',"RUS",' in (folders[1] / "clean.csv").read_text()


@pytest.mark.slow
def test_a_check_never_writes_over_its_table_or_a_file_that_it_did_not_make(cape, tmp_path):
    table = table_of(tmp_path / "x" / "clean.csv", "TUR")
    before = table.read_bytes()
    code, shown = cape("check", table, "--out", "x")
    assert code == 2 and "would be written over" in shown and shown.count("\n") == 1
    code, shown = cape("check", table_of(tmp_path / "b.csv", "RUS"), "--out", tmp_path / "x")
    assert code == 2 and "choose another folder with --out" in shown and shown.count("\n") == 1
    assert table.read_bytes() == before
    for _ in range(2):
        assert cape("check", tmp_path / "b.csv", "--out", "y")[0] == 0
    assert cape("check", table, "--out", "y")[0] == 2


@pytest.mark.parametrize("end", ["%2e%2e", "%2e", "", "%20"])
def test_the_name_at_an_address_never_leads_out_of_the_folder(end):
    from capelib.check.files import folder_of

    address = f"http://a.example/x/{end}"
    name = urlsplit(address).path.rpartition("/")[2] or "a.example"
    ds = cape_package.load()
    ds = replace(ds, info=replace(ds.info, name=name))
    folder = folder_of(address, ds)
    assert folder.parent.parts == ("build", "check") and folder.name.strip(". ")


def test_two_notebooks_of_one_name_are_refused_in_a_line(tmp_path):
    first, second = notebook(tmp_path / "n1", "1"), notebook(tmp_path / "n2", "2")
    with pytest.raises(ParameterError, match="share the name 90_made_up"):
        runner.plan([str(first), str(second)], {})


@pytest.mark.slow
def test_results_of_another_file_of_this_name_are_not_replaced(tmp_path):
    first = notebook(tmp_path / "n1", WRITE.format(1))
    second = notebook(tmp_path / "n2", WRITE.format(2))
    assert reproduce(first, tmp_path).status == "done"
    with pytest.raises(CapeError, match="holds the results of another file of this name"):
        reproduce(second, tmp_path)
    assert (tmp_path / "figs" / first.stem / "x.csv").read_text() == "1"
    assert reproduce(first, tmp_path).status == "unchanged"


@pytest.mark.slow
def test_in_a_folder_of_a_run_only_files_of_the_last_run_are_removed(tmp_path):
    path = notebook(tmp_path, WRITE.format(1), WRITE.replace("x.csv", "old.csv").format(1))
    folder = tmp_path / "figs" / path.stem
    assert reproduce(path, tmp_path).status == "done"
    (folder / "note.md").write_text("mine")
    (folder / "drafts").mkdir()
    (folder / "drafts" / "chapter.txt").write_text("mine")
    assert reproduce(path, tmp_path).status == "unchanged"  # they are not of the run
    notebook(tmp_path, WRITE.format(2))
    assert reproduce(path, tmp_path).status == "done"
    assert sorted(file.name for file in folder.iterdir() if file.name[0] != ".") == [
        *("drafts", "note.md", "provenance.json", "x.csv")
    ]
    assert (folder / "drafts" / "chapter.txt").read_text() == "mine"
    assert set(json.loads((folder / "provenance.json").read_text())["outputs"]) == {"x.csv"}


@pytest.mark.slow
def test_provenance_that_names_files_elsewhere_removes_none_of_them(tmp_path):
    path = notebook(tmp_path, WRITE.format(1))
    folder = tmp_path / "figs" / path.stem
    folder.mkdir(parents=True)
    (tmp_path / "figs" / "thesis.tex").write_text("mine")
    (folder / "provenance.json").write_text('{"outputs": {"../thesis.tex": "0"}}')
    assert reproduce(path, tmp_path).status == "done"
    assert (tmp_path / "figs" / "thesis.tex").exists()


def test_a_link_in_place_of_a_folder_of_results_is_refused(tmp_path):
    path = notebook(tmp_path, WRITE.format(1))
    thesis = tmp_path / "thesis"
    thesis.mkdir()
    (thesis / "chapter.tex").write_text("mine")
    (tmp_path / "figs").mkdir()
    (tmp_path / "figs" / path.stem).symlink_to(thesis)
    with pytest.raises(CapeError, match="is a link to another folder"):
        reproduce(path, tmp_path)
    assert [file.name for file in thesis.iterdir()] == ["chapter.tex"]


def test_a_page_of_comparison_leaves_files_that_are_not_of_it(tmp_path, monkeypatch):
    folder = tmp_path / "figs" / "comparisons" / "90_made_up"
    runs = []
    for number in (1, 2):
        path = tmp_path / "figs" / f"run{number}"
        path.mkdir(parents=True)
        (path / "provenance.json").write_text("{}")
        run = runner.Run(tmp_path / "90_made_up.ipynb", {"x": number}, f"run{number}")
        runs.append(runner.Outcome(run, "done", path))

    def write(target: Path, *_: object) -> set[str]:
        target.mkdir(parents=True, exist_ok=True)
        (target / "index.html").write_text("page")
        return {"index.html", "provenance.json"}

    monkeypatch.setattr(comparison, "_write", write)
    comparison.compare(runs, tmp_path / "figs", tmp_path / "build", plain=True)
    (folder / "note.md").write_text("mine")
    (folder / "drafts").mkdir()
    (tmp_path / "figs" / "run1" / "provenance.json").write_text('{"x": 1}')
    comparison.compare(runs, tmp_path / "figs", tmp_path / "build", plain=True)
    assert (folder / "note.md").exists() and (folder / "drafts").is_dir()
    stated = json.loads((folder / "provenance.json").read_text())
    assert set(stated["outputs"]) == {"index.html"}


@pytest.fixture
def writes(monkeypatch):
    """Runs that write these files, by name, without any kernel."""
    files: dict[str, str] = {"x.csv": "1"}

    def execute(_run, staging, *_, **__):
        for name, content in files.items():
            (staging / name).parent.mkdir(exist_ok=True)
            (staging / name).write_text(content)
        return ""

    monkeypatch.setattr(runner, "execute", execute)
    return files


@pytest.mark.usefixtures("writes")
def test_a_file_that_no_run_made_refuses_the_run_by_name_and_the_others_go_on(tmp_path):
    first, second = (notebook(tmp_path, "1", name=name) for name in ("90_first", "91_second"))
    thesis = tmp_path / "figs" / first.stem / "x.csv"
    thesis.parent.mkdir(parents=True)
    thesis.write_text("mine")
    runs = [run_of(first), run_of(second)]
    ended = runner.reproduce(runs, tmp_path / "figs", tmp_path / "build", plain=True)
    outcomes = {outcome.run.name: outcome for outcome in ended}
    assert outcomes["90_first"].error == f"{thesis} was not made by a run: move it, or rename it"
    assert outcomes["91_second"].status == "done"
    assert thesis.read_text() == "mine"


@pytest.mark.parametrize("name", ["x.csv", "sub/x.csv"])
@pytest.mark.parametrize("trouble", ["folder", "link"])
def test_a_folder_or_a_link_in_the_way_stays(tmp_path, writes, name, trouble):
    writes.clear()
    writes[name] = "1"
    path = notebook(tmp_path, "1")
    place = tmp_path / "figs" / path.stem / name.split("/")[0]
    place.parent.mkdir(parents=True)
    (tmp_path / "thesis").mkdir()
    if trouble == "link":
        place.symlink_to(tmp_path / "thesis")
    elif "/" in name:
        place.write_text("mine")
    else:
        place.mkdir()
    assert "was not made by a run" in reproduce(path, tmp_path, plain=True).error
    assert not list((tmp_path / "thesis").iterdir())
    assert [each.name for each in place.parent.iterdir()] == [place.name]


def test_a_result_that_was_edited_is_kept_beside_the_new_one(tmp_path, writes):
    path = notebook(tmp_path, "1")
    folder = tmp_path / "figs" / path.stem
    assert reproduce(path, tmp_path, plain=True).kept == []
    for text in ("first note", "second note"):
        (folder / "x.csv").write_text(text)
        (kept,) = reproduce(path, tmp_path, plain=True).kept
        assert kept.read_text() == text
    assert (folder / "x.csv").read_text() == "1"
    assert sorted(each.name for each in folder.glob("*.csv")) == [
        *("x.csv", "x.kept.csv", "x.kept2.csv")
    ]
    writes["x.csv"] = "2"
    assert reproduce(path, tmp_path, plain=True, force=True).kept == []


def test_folders_that_a_run_writes_are_its_own_and_nothing_else_in_them(tmp_path, writes):
    writes |= {"sub/a.csv": "1", "sub/b.csv": "1", ".hidden": "1"}
    path = notebook(tmp_path, "1")
    folder = tmp_path / "figs" / path.stem
    assert reproduce(path, tmp_path, plain=True).status == "done"
    (folder / "sub" / "note.md").write_text("mine")
    del writes["sub/b.csv"]
    writes["sub/a.csv"] = "2"
    assert reproduce(path, tmp_path, plain=True, force=True).status == "done"
    assert sorted(each.name for each in (folder / "sub").iterdir()) == ["a.csv", "note.md"]
    assert (folder / "sub" / "a.csv").read_text() == "2"


def test_files_that_were_half_put_in_place_are_known_as_ours(tmp_path, writes, monkeypatch):
    writes["y.csv"] = "1"
    path = notebook(tmp_path, "1")
    replace_by, moved = Path.replace, []

    def killed(self, target):
        if self.name == "y.csv":
            raise KeyboardInterrupt
        moved.append(self.name)
        return replace_by(self, target)

    monkeypatch.setattr(Path, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        reproduce(path, tmp_path, plain=True)
    assert "x.csv" in moved
    monkeypatch.setattr(Path, "replace", replace_by)
    again = reproduce(path, tmp_path, plain=True)
    assert (again.status, again.kept) == ("done", [])


def test_a_copy_of_a_notebook_of_ours_runs_under_a_name_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ours = runner.find("03")
    copy = notebook(tmp_path, "1", name=ours.stem)
    (run,) = runner.plan([copy.name], {})  # not the sets of runs.toml
    assert run.notebook.resolve() == copy and run.name == f"my_{ours.stem}"
    assert {each.notebook for each in runner.plan(["03"], {})} == {ours}
    both = runner.plan([copy.name, "03"], {})
    assert [each.name for each in both][:2] == [f"my_{ours.stem}", ours.stem]
    copy.unlink()
    assert {each.notebook for each in runner.plan([copy.name], {})} == {ours}


@pytest.mark.parametrize("name", ["comparisons", "build"])
@pytest.mark.usefixtures("writes")
def test_a_notebook_that_is_called_like_a_folder_of_ours_runs(tmp_path, name):
    path = notebook(tmp_path, "1", name=name)
    (run,) = runner.plan([str(path)], {})
    outcomes = runner.reproduce([run], tmp_path / "figs", tmp_path / "figs" / "build", plain=True)
    assert [(each.status, each.folder.name) for each in outcomes] == [("done", f"my_{name}")]


def test_a_notebook_that_is_missing_is_said_to_be():
    with pytest.raises(ParameterError, match=r"there is no notebook sub/nothere\.ipynb"):
        runner.plan(["sub/nothere.ipynb"], {})


def test_a_notebook_where_the_executed_one_goes_is_refused(tmp_path):
    path = notebook(tmp_path / "build", "1")
    before = path.read_bytes()
    with pytest.raises(CapeError, match="would be written over: choose another folder with --bui"):
        reproduce(path, tmp_path, plain=True)
    assert path.read_bytes() == before


@pytest.mark.slow
def test_an_executed_notebook_holds_the_final_paths_and_an_edited_one_is_kept(tmp_path):
    path = notebook(tmp_path, WRITE.format(1), "print(out)")
    executed = tmp_path / "build" / path.name
    assert reproduce(path, tmp_path).status == "done"
    folder = tmp_path / "figs" / path.stem
    content = executed.read_text(encoding="utf-8")
    assert f'out = \\"{folder}\\"' in content and ".run-" not in content
    assert json.loads(content)["metadata"]["papermill"]["output_path"] == str(executed)
    executed.write_text("mine")
    (executed.parent / "91_b.json").write_text('{"mine": 1}')
    assert reproduce(path, tmp_path, force=True).status == "done"
    assert (executed.parent / "90_made_up.kept.ipynb").read_text() == "mine"
    assert reproduce(notebook(tmp_path, "1", name="91_b"), tmp_path).status == "done"
    assert (executed.parent / "91_b.kept.json").read_text() == '{"mine": 1}'


@pytest.mark.usefixtures("writes")
def test_with_out_nothing_is_written_into_the_current_folder(cape, tmp_path):
    path = notebook(tmp_path / "n", "1")
    assert cape("reproduce", path, "--out", "figs", "--plain-kernels")[0] == 0
    assert cape("reproduce", path, "--build", "b", "--out", "figs2", "--plain-kernels")[0] == 0
    assert sorted(each.name for each in tmp_path.iterdir()) == ["b", "figs", "figs2", "n"]
    assert (tmp_path / "figs" / "build" / "90_made_up.json").exists()


DAMAGED = ["[1]", "{", "", '{"outputs": 5, "figures": [], "verdicts": [{}], "answer": 3}']
DAMAGED += ['{"made": 3, "executed": [], "seconds": "x", "notes": [1]}', '{"made": {"x": 1}}']


@pytest.mark.parametrize("text", DAMAGED)
@pytest.mark.parametrize("name", ["figs/90_made_up/provenance.json", "build/90_made_up.json"])
@pytest.mark.usefixtures("writes")
def test_a_damaged_record_repeats_the_run_and_harms_nothing(cape, tmp_path, text, name):
    path = notebook(tmp_path, "1")
    words = ("reproduce", path, "--out", "figs", "--build", "build", "--plain-kernels")
    assert cape(*words)[0] == 0
    (tmp_path / name).write_text(text)
    code, shown = cape(*words)
    # results of which nothing is known any more are nobody's to replace
    unknown = name.startswith("figs")
    assert (code, "was not made by a run" in shown) == ((1, True) if unknown else (0, False))
    assert "Traceback" not in shown


@pytest.mark.parametrize("text", DAMAGED)
def test_an_odd_answer_is_shown_as_none(cape, tmp_path, writes, text):
    writes["answer.json"] = text
    path = notebook(tmp_path, "1")
    for _ in range(2):
        code, shown = cape("reproduce", path, "--out", "figs", "--plain-kernels")
        assert code == 0 and "1 run: " in shown


@pytest.mark.usefixtures("writes")
def test_a_disk_without_locks_is_no_trouble_and_nothing_on_it_is_swept(
    tmp_path, monkeypatch, capsys
):
    fcntl = pytest.importorskip("fcntl")

    def flock(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", flock)
    half = tmp_path / "figs" / ".run-of-another"
    half.mkdir(parents=True)
    assert reproduce(notebook(tmp_path, "1"), tmp_path, plain=True).status == "done"
    assert half.exists() and "another" not in capsys.readouterr().err


def test_temporary_folders_that_a_kill_has_left_are_removed_and_used_ones_stay(tmp_path):
    pytest.importorskip("fcntl")
    with folders.temporary(str(tmp_path)) as used:
        left, new, other = (tmp_path / name for name in ("capelib-left", "capelib-new", "mine"))
        for folder in (left, new, other):
            folder.mkdir()
        for folder in (left, other, used):
            os.utime(folder, (0, 0))
        with folders.temporary(str(tmp_path)):
            assert not left.exists()
        assert used.exists() and new.exists() and other.exists()
    assert not used.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="forks")
def test_a_forked_process_leaves_the_temporary_folder_to_the_one_that_made_it(tmp_path):
    manager = folders.temporary(str(tmp_path))
    with manager as folder:
        leave = manager.__exit__
        forked = multiprocessing.get_context("fork").Process(target=leave, args=(None, None, None))
        forked.start()
        forked.join()
        assert forked.exitcode == 0 and folder.exists()
    assert not folder.exists()


@pytest.mark.usefixtures("writes")
def test_a_page_that_cannot_be_drawn_leaves_the_runs(cape, tmp_path, monkeypatch):
    def broken(*_: object) -> None:
        raise ValueError("no page")

    monkeypatch.setattr(comparison, "compare", broken)
    code, shown = cape("reproduce", notebook(tmp_path, "1"), "--plain-kernels")
    assert code == 1 and "90_made_up side by side: no page" in shown
    assert "1 run: 1 done, 0 unchanged, 0 failed." in shown
