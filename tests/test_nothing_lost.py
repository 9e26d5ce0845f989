"""No file of the user's is written over or removed, and no result of another table."""

import json
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
from capelib.runs import comparison, runner
from capelib.runs.parameters import fill

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
    return runner.Run(path, fill(path, {}), path.stem)


def reproduce(path: Path, folder: Path, **how: bool) -> runner.Outcome:
    return next(runner.reproduce([run_of(path)], folder / "figs", folder / "build", **how))


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
    comparison.compare(runs, tmp_path / "figs", tmp_path / "build")
    (folder / "note.md").write_text("mine")
    (folder / "drafts").mkdir()
    (tmp_path / "figs" / "run1" / "provenance.json").write_text('{"x": 1}')
    comparison.compare(runs, tmp_path / "figs", tmp_path / "build")
    assert (folder / "note.md").exists() and (folder / "drafts").is_dir()
    stated = json.loads((folder / "provenance.json").read_text())
    assert set(stated["outputs"]) == {"index.html"}
