"""Pages before Sphinx sets them: what they are made of, what they refuse, and their links."""

import json
import re
import shutil
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
from typer.testing import CliRunner

import capelib as cape
from capelib.cli import app
from capelib.errors import CapeError
from capelib.files import read_json
from capelib.runs import provenance, runner
from capelib.site import (
    build,
    documents,
    filled,
    lesson_pages,
    links,
    notebook_pages,
    reference_pages,
)
from capelib.site.collection import Collection, FinishedRun, collect
from capelib.site.data_pages import downloads
from capelib.site.ledger_pages import numbers_of
from capelib.site.ledger_pages import pages as ledger_pages
from capelib.site.markup import Page
from capelib.site.method_pages import calling_tests, methods
from capelib.site.parallel import mapped
from capelib.site.tables import readable

ROOT = Path(__file__).parent.parent
EDITION = "2026-12"
INJECTED = {
    "cell_type": "code",
    "execution_count": 1,
    "metadata": {"tags": ["injected-parameters"]},
    "outputs": [],
    "source": 'out = "/somebody/figures"',
}


def finished(name: str) -> FinishedRun:
    """A run of the collection with its committed figures and its committed, executed notebook."""
    [run] = [run for run in runner.plan([name[:2]], {}) if run.name == name]
    return FinishedRun(run, ROOT / "figures" / name, run.notebook)


def collection(*names: str) -> Collection:
    return Collection(EDITION, tuple(finished(name) for name in names), ROOT / "figures")


@pytest.fixture
def run_of_01(tmp_path):
    """Folders of figures and executed notebooks as `cape reproduce 01` leaves them."""
    name = "01_learn_the_dataset"
    shutil.copytree(ROOT / "figures" / name, tmp_path / "figures" / name)
    notebook = json.loads((ROOT / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8"))
    notebook["cells"].insert(2, INJECTED)
    (tmp_path / "build").mkdir()
    (tmp_path / "build" / f"{name}.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    return tmp_path


def collected(folder: Path) -> Collection:
    return collect(EDITION, folder / "figures", folder / "build", ("01",))


def test_a_run_is_shown_as_it_was_made(run_of_01):
    made = collected(run_of_01)
    [run] = made.runs
    assert run.answer["edition"] == EDITION
    [_, page] = notebook_pages.pages(made)
    assert "/somebody" not in page.text


def test_a_missing_run_is_named_with_the_command_that_makes_it(tmp_path):
    with pytest.raises(CapeError, match=r"01_learn_the_dataset \(not made yet\).*reproduce 01"):
        collected(tmp_path)


def test_an_earlier_edition_is_asked_for_by_its_command(tmp_path):
    with pytest.raises(CapeError, match="reproduce 01 -p edition=2026-11 --out "):
        collect("2026-11", tmp_path, tmp_path, ("01",))


def test_a_run_on_other_data_is_not_shown(run_of_01):
    """A row may have been withdrawn since."""
    file = run_of_01 / "figures" / "01_learn_the_dataset" / "provenance.json"
    stated = read_json(file)
    stated["tables_sha256"]["withdrawn.csv"] = "0" * 64
    file.write_text(json.dumps(stated), encoding="utf-8")
    with pytest.raises(CapeError, match="the data has changed since"):
        collected(run_of_01)


def test_a_run_of_another_notebook_is_not_shown(run_of_01):
    file = run_of_01 / "build" / "01_learn_the_dataset.ipynb"
    file.write_text(file.read_text(encoding="utf-8").replace("import capelib", "import  capelib"))
    with pytest.raises(CapeError, match="the notebook has changed since"):
        collected(run_of_01)


def test_a_figure_that_was_changed_by_hand_is_not_shown(run_of_01):
    [figure, *_] = (run_of_01 / "figures" / "01_learn_the_dataset").glob("*.svg")
    figure.write_text(figure.read_text(encoding="utf-8") + "<!-- -->", encoding="utf-8")
    with pytest.raises(CapeError, match="not those that it wrote"):
        collected(run_of_01)


def test_an_executed_notebook_with_another_answer_is_not_shown(run_of_01):
    folder = run_of_01 / "figures" / "01_learn_the_dataset"
    answer = read_json(folder / "answer.json") | {"answer": "Something else."}
    (folder / "answer.json").write_text(json.dumps(answer), encoding="utf-8")
    provenance.state(folder, read_json(folder / "provenance.json"))
    with pytest.raises(CapeError, match="differ"):
        collected(run_of_01)


def test_a_withdrawn_key_in_a_sentence_or_a_file_is_named():
    keys = {"XXX-0007", "I9999"}
    build.require_nothing_withdrawn([Page("a.md", "see XXX-00071")], keys)
    build.require_nothing_withdrawn([Page("a.md", "see I9999")], set())
    with pytest.raises(CapeError, match=r"a\.md names i9999, which was withdrawn"):
        build.require_nothing_withdrawn([Page("a.md", "see i9999.")], keys)
    with pytest.raises(CapeError, match=r"a\.html names i9999, which was withdrawn"):
        build.require_nothing_withdrawn([Page("a.html", "", title="Of i9999")], keys)
    beside = Page("a.md", "", {"downloads/b.csv": b"1,XXX-0007"})
    with pytest.raises(CapeError, match=r"downloads/b\.csv names XXX-0007"):
        build.require_nothing_withdrawn([beside], keys)


def test_a_notebook_to_download_has_no_outputs():
    [_, page] = notebook_pages.pages(collection("01_learn_the_dataset"))
    document = json.loads(page.files["downloads/01_learn_the_dataset.ipynb"])
    committed = json.loads((ROOT / "notebooks" / "01_learn_the_dataset.ipynb").read_text("utf-8"))
    sources = [[cell["source"] for cell in each["cells"]] for each in (document, committed)]
    assert sources[0] == sources[1]
    code = [cell for cell in document["cells"] if cell["cell_type"] == "code"]
    assert {cell["execution_count"] for cell in code} == {None}
    assert not any(cell["outputs"] for cell in code)


def test_a_function_whose_results_are_kept_is_documented_as_a_function():
    cached = [
        (name, member)
        for name in cape.__all__
        if isinstance(module := getattr(cape, name), ModuleType)
        for member, value in vars(module).items()
        if hasattr(value, "cache_info") and member in getattr(module, "__all__", ())
    ]
    pages = {page.path: page.text for page in reference_pages.pages(collection())}
    assert cached
    for name, member in cached:
        assert f".{member}\n" in pages[f"reference/{name}.rst"]
    assert not [path for path, text in pages.items() if re.search(r"\bat 0x[0-9a-f]{6}", text)]


def test_pages_are_made_in_the_order_of_their_kinds_and_errors_come_through():
    assert mapped(str, range(40), 7) == [str(each) for each in range(40)]
    with pytest.raises(ValueError, match="invalid literal"):
        mapped(int, ["1", "x"])


def test_every_figure_says_title_and_answer():
    [_, page] = notebook_pages.pages(collection("03_tajik_targeting"))
    run = finished("03_tajik_targeting")
    shown = "".join(
        "".join(output["data"]["text/html"])
        for cell in json.loads(page.text)["cells"]
        for output in cell.get("outputs", [])
        if "text/html" in output.get("data", {})
    )
    texts = re.findall(r'<img [^>]*alt="([^"]+)"', shown)
    assert len(texts) == len(run.figures)
    for title in run.figures.values():
        assert any(text.startswith(title) and "% a year" in text for text in texts)
    assert "image/png" not in page.text


def test_code_is_folded_and_prose_is_that_of_the_notebook():
    [_, page] = notebook_pages.pages(collection("03_tajik_targeting"))
    cells = json.loads(page.text)["cells"]
    assert all(
        cell["metadata"]["tags"] == ["hide-input"] for cell in cells if cell["cell_type"] == "code"
    )
    assert cells[0]["source"].startswith("# 03 Did the targeting of Tajik exiles rise")


def test_tables_stand_in_a_box_and_have_no_head_cell_without_words():
    shown = readable(
        "<style scoped>.a { b }</style><table border='1' class=\"dataframe\"><thead>"
        '<tr style="text-align: right;"><th></th><th>n</th></tr></thead></table><h1>Deep</h1>'
    )
    assert "<style" not in shown
    assert "text-align" not in shown
    assert "<th></th>" not in shown
    assert shown.startswith('<div class="scroll" tabindex="0" role="group" aria-label="Table: n">')
    assert shown.endswith("<h3>Deep</h3>")


def test_the_ledger_holds_every_number_once_with_all_readings():
    made = collection("12_published_findings")
    numbers = numbers_of(made)
    assert len(numbers) == len({number.key for number in numbers}) == len(made.published)
    assert sum(len(number.readings) for number in numbers) == len(made.verdicts)
    fits = [number.fit == "contradiction" for number in numbers]
    assert fits == sorted(fits, reverse=True)
    assert any(fits)


def test_the_ledger_says_how_a_number_is_computed():
    [number] = [
        number
        for number in numbers_of(collection("12_published_findings"))
        if number.key == "fa2022-autoc-share-2021"
    ]
    how = number.readings[0].how.unescape()
    assert "What share of a period's incidents did authoritarian states commit" in how
    assert '<a href="../methods/clustered.html">' in how
    assert '<svg width="150"' in number.readings[0].plot


def test_each_publication_has_a_page():
    made = collection("12_published_findings")
    paths = {page.path for page in ledger_pages(made)}
    keys = {verdict.publication for verdict in made.verdicts}
    assert paths == {"ledger/index.md", *(f"ledger/{key}.html" for key in keys)}


LESSON = ROOT / "notebooks" / "lessons" / "2_count.ipynb"


def test_a_lesson_shows_its_code_and_no_answer():
    made = {page.path: page for page in lesson_pages.pages(collection())}
    cells = json.loads(made["lessons/2_count.ipynb"].text)["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert not any(cell["metadata"] for cell in code)
    asked = [cell for cell in code if "answer = ..." in cell["source"]]
    assert len(asked) == 6
    assert not any(cell["outputs"] for cell in asked)
    assert any("<table" in json.dumps(cell["outputs"]) for cell in code)
    assert "lessons/solutions/2_count.ipynb" in made
    assert "[Solutions](solutions/2_count.ipynb)" in made["lessons/2_count.ipynb"].text


def test_an_earlier_edition_has_no_lessons():
    assert lesson_pages.pages(Collection("2026-11", (), ROOT / "figures")) == []


def test_a_lesson_that_was_run_on_other_data_is_not_shown():
    lesson_pages.require_fresh([LESSON], cape.load().info.sha256)
    with pytest.raises(CapeError, match=r"2_count\.ipynb the first: make notebooks"):
        lesson_pages.require_fresh([LESSON], "0" * 64)


def test_downloads_hold_no_address_with_a_name():
    ds = cape.load()
    files = downloads(ds)
    named = ds.sources.loc[ds.sources["name_in_address"].fillna(False), "url"]
    text = files["downloads/sources.csv"].decode()
    assert len(named) > 0
    assert not [address for address in named if address in text]
    assert text.count("\n") == len(ds.sources) + 1
    assert files["downloads/incidents.csv"].decode().count("\n") == len(ds.incidents) + 1


def test_an_earlier_edition_hands_on_no_address():
    """It does not mark those that hold a name."""
    text = downloads(cape.load(edition="2026-11"))["downloads/sources.csv"].decode()
    assert "://" not in text


@pytest.mark.parametrize("key", methods())
def test_a_method_names_functions_notebooks_and_tests_that_are_there(key):
    method = methods()[key]
    for function in method.functions:
        module, _, name = function.rpartition(".")
        assert callable(getattr(import_module(module), name))
    known = {name[:2] for name in runner.notebooks()}
    assert set(method.notebooks) <= known
    assert calling_tests(method.functions), "no test calls it"


def test_every_public_estimator_module_has_a_method():
    shown = {name.rpartition(".")[0] for method in methods().values() for name in method.functions}
    # counts makes series, many_counts draws them, periods calls clusters: none is a method itself.
    helpers = {"counts", "many_counts", "periods"}
    modules = {path.stem for path in (ROOT / "capelib" / "estimators").glob("[a-z]*.py")} - helpers
    assert {name.rpartition(".")[2] for name in shown} == modules


def test_links_of_documents_lead_to_pages():
    text = documents.linked(
        "[a](../docs/editions.md#what-changed) [b](https://example.org) [c](../LICENSE)",
        "data/README.md",
        "data/record.md",
    )
    assert text == "[a](editions.md#what-changed) [b](https://example.org) c (`LICENSE`)"


def write(folder: Path, **pages: str) -> Path:
    for name, body in pages.items():
        (folder / f"{name}.html").write_text(f"<body>{body}</body>", encoding="utf-8")
    return folder


def test_filled_pages_take_the_place_of_their_frame(tmp_path):
    """Titles are escaped, and a block may hold the words that stand for the title."""
    pytest.importorskip("docutils")
    block = "<p>TitleOfThePage \\1</p>"
    pages = [Page("a/b.html", block, title="It's A & B"), Page("c/d.html", "<p>", title="D")]
    assert [page.path for page in filled.frames(pages)] == ["a/frame.md", "c/frame.md"]
    for frame in filled.frames(pages):
        title, content = (re.search(rf"\b{word}\w*", frame.text)[0] for word in ("Title", "Block"))
        place = tmp_path / frame.path.replace(".md", ".html")
        place.parent.mkdir()
        name = frame.path.removesuffix(".md")
        place.write_text(f"{name} <h1 id={title.lower()}>{title}</h1>{content}", encoding="utf-8")
    filled.fill(pages, tmp_path)
    made = {path.name: path.read_text("utf-8") for path in tmp_path.rglob("*.html")}
    assert made == {
        "b.html": f"a/b <h1 id=it-s-a-b>It’s A &amp; B</h1>{block}",
        "d.html": "c/d <h1 id=d>D</h1><p>",
    }


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ('<a href="other.html#here">x</a>', ""),
        ('<a href="#top">x</a><p id="top">', ""),
        ('<a href="other.html#origin=TJK">x</a>', ""),
        ('<a href="https://example.org">x</a>', ""),
        ('<a href="gone.html">x</a>', "no such file"),
        ('<a href="other.html#gone">x</a>', "no such anchor"),
        ('<a href="/other.html">x</a>', "works on no other machine"),
        ('<img src="https://example.org/a.png">', "loads from another host"),
        ('<script src="//example.org/a.js"></script>', "loads from another host"),
        ('<p id="two"></p><p id="two"></p>', "anchor twice"),
        ("<a title=\"a > b\" href='gone.html'>x</a>", "no such file"),
        ("<IMG SRC=https://example.org/a.png>", "loads from another host"),
        ('<a data-href="gone.html" href="other.html?a=1&amp;b=2">x</a>', ""),
        ('<!-- <a href="gone.html"> --><script>"<a href=gone.html>"</script>', ""),
    ],
)
def test_links_are_checked(tmp_path, body, fault):
    site = write(tmp_path, index=body, other='<p id="here"></p>')
    faults = links.check(site).faults
    assert len(faults) == bool(fault)
    assert all(fault in each for each in faults)


def test_links_are_checked_from_the_folder_beside(tmp_path, monkeypatch):
    """As `cape site` does it: the site's folder is named from where one stands."""
    (tmp_path / "site").mkdir()
    write(tmp_path / "site", index='<a href="other.html#gone">x</a>', other="")
    monkeypatch.chdir(tmp_path)
    assert len(links.check(Path("site")).faults) == 1


@pytest.mark.parametrize(
    ("options", "figures", "executed"),
    [([], "figures", "build"), (["--figures", "editions"], "editions", "editions/build")],
)
def test_runs_are_looked_for_where_reproduce_leaves_them(monkeypatch, options, figures, executed):
    """`cape reproduce --out editions` puts the executed notebooks into editions/build."""
    asked = []
    monkeypatch.setattr(
        build, "build", lambda *each: asked.append(each) or {"pages": 1, "links": 1}
    )
    result = CliRunner().invoke(app, ["site", *options])
    assert result.exit_code == 0
    assert [each[1:3] for each in asked] == [(Path(figures), Path(executed))]


def test_a_folder_that_holds_other_files_is_left_alone(tmp_path):
    (tmp_path / "letter.txt").write_text("mine")
    with pytest.raises(CapeError, match="holds other files"):
        build.require_free(tmp_path)
    assert (tmp_path / "letter.txt").read_text() == "mine"


def test_a_second_site_removes_only_files_of_the_first(tmp_path):
    out = tmp_path / "site"
    for names in (("a.html", "b.html"), ("a.html",)):
        made = tmp_path / "made"
        made.mkdir()
        for name in names:
            (made / name).write_text(name)
        build._move(made, out)
        shutil.rmtree(made)
        (out / "notes.txt").write_text("mine")
    build.require_free(out)
    assert sorted(path.name for path in out.iterdir()) == [".site.json", "a.html", "notes.txt"]
