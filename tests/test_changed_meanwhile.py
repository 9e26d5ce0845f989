"""A table that changes while it is read or while its runs go on is noticed, and nothing kept."""

from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from shared import spread

from capelib.errors import DataError
from capelib.loading import load
from capelib.runs import provenance, runner

HEADER = "exile_id,origin,host,date,measure\n"
BEFORE = HEADER + "TJK-0901,TJK,TUR,2015,detention\n"
AFTER = HEADER + "TJK-0901,TJK,RUS,2015,detention\n"
PARAMETERS = 'dataset: str = "public-record"  # data\nout: str = ""  # folder'
SHOW = (
    "import capelib as cape\n"
    "ds = cape.load(dataset)\n"
    "cape.figures.save(cape.figures.by_measure(ds), 'measures', out)\n"
)
ANSWER = "import capelib as cape\ncape.answer('It is so.', cape.load(dataset).info, [], out)\n"


def save(text: str) -> str:
    return f"import pathlib; pathlib.Path(dataset).write_text({text!r})"


def outcome(folder: Path, *cells: str) -> runner.Outcome:
    table = folder / "mine.csv"
    table.write_text(BEFORE)
    first = new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]})
    nb = new_notebook(
        cells=[first, *(new_code_cell(cell) for cell in cells)],
        metadata={"language_info": {"name": "python"}},
    )
    nbformat.write(nb, folder / "90_made_up.ipynb")
    runs = runner.plan([str(folder / "90_made_up.ipynb")], {"dataset": str(table)})
    (ended,) = runner.reproduce(runs, folder / "figs", folder / "build")
    return ended


@pytest.mark.slow
def test_a_table_that_stays_as_it_is_gives_results(tmp_path):
    assert outcome(tmp_path, SHOW, ANSWER).status == "done"


@pytest.mark.parametrize("cell", spread([SHOW, ANSWER], 1))
@pytest.mark.slow
def test_a_table_that_was_another_one_while_it_was_loaded_fails_its_run(tmp_path, cell):
    ended = outcome(tmp_path, save(AFTER), cell, save(BEFORE))
    assert ended.status == "failed"
    assert ended.error == (
        "the table that it loaded changed while it ran: nothing was kept, run it again"
    )
    assert not ended.folder.exists()


@pytest.mark.slow
@pytest.mark.parametrize("change", [save(AFTER), "import pathlib; pathlib.Path(dataset).unlink()"])
def test_a_table_that_is_another_one_after_the_run_fails_it(tmp_path, change):
    ended = outcome(tmp_path, SHOW, change)
    assert ended.status == "failed"
    assert ended.error.startswith("the table, the data or the code changed while it ran")


def test_code_that_changed_while_runs_went_on_is_noticed(monkeypatch):
    run = runner.plan(["01"], {})[0]
    expected = provenance.inputs(run.notebook, run.parameters)
    assert provenance.is_as_expected(run.notebook, run.parameters, expected)
    monkeypatch.setattr(provenance, "package_sha256", lambda: "another")
    assert not provenance.is_as_expected(run.notebook, run.parameters, expected)


def test_a_table_that_changes_while_it_is_read_is_refused(tmp_path, monkeypatch):
    import capelib.clean.folder  # noqa: F401 (imported later, it would keep what stands in)
    from capelib.read import files

    table = tmp_path / "Zorvan.csv"
    table.write_text("name,origin,measure\nZorvan Quxley,TJK,threat\n")
    read = files.read

    def while_it_is_saved(*arguments: object, **how: object) -> object:
        sheets = read(*arguments, **how)  # pyright: ignore[reportArgumentType]
        table.write_text(AFTER)
        return sheets

    monkeypatch.setattr(files, "read", while_it_is_saved)
    with pytest.raises(DataError, match=r"^\*\*\*\.csv changed while it was read"):
        load(table)
