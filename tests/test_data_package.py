"""What ships under data/: every table is registered, described, allowed, and free of names."""

import json
import re
import shutil

import frictionless
import manifest
import pandas as pd
import pytest

from capelib.paths import project_folder
from capelib.vocabulary import package
from capelib.vocabulary.codebook import codebook, codes, columns
from capelib.vocabulary.tables import problems_of, read_text

DATA = project_folder("data")
TABLES = codebook()["table"]
# Tables whose rows are about persons.
PERSONAL = (
    *("incidents", "exiles", "double_coding", "adjudication", "audit", "audit_2"),
    *("changes", "withdrawn"),
)
# The only columns of these that hold free text; their rules stand in the codebook.
FREE_TEXT = {"outcome", "note", "reason", "should_be", "was", "is"}
NAMES = re.compile(
    r"name|alias|birth|born|passport_no|address|phone|mail|photo|face|\bage\b|gender|sex"
)
OTHER_STATE_IN_KEY = {"TKM-0014": "UZB"}  # pursued by two states; keys are stable


@pytest.fixture(scope="module")
def text() -> dict[str, pd.DataFrame]:
    return {name: read_text(DATA / entry["path"]) for name, entry in TABLES.items()}


def test_the_manifest_and_the_readmes_state_the_numbers_of_the_files():
    """A number that changes without a reason is an error: `make manifest`, and look at the diff."""
    assert manifest.text() == manifest.MANIFEST.read_text(encoding="utf-8")
    for file in manifest.SENTENCES:
        assert manifest.readme(file) == (manifest.ROOT / file).read_text(encoding="utf-8"), file


def test_a_readme_gets_new_numbers_and_keeps_its_lines():
    lines = "a verdict on\neach of 275\npublished numbers"
    sentence = manifest.SENTENCES["README.md"][1]
    written = manifest._stated(lines, sentence, {"findings": 1276}, "README.md")
    assert written == lines.replace("275", "1,276")
    with pytest.raises(SystemExit, match=r"^README\.md: expected once, but 0 times there"):
        manifest._stated("no verdicts", sentence, {"findings": 1276}, "README.md")


def test_the_verdicts_of_the_readme_are_those_of_the_notebooks():
    """Read again without the maker of the table: verdict and number stand in both answers."""
    readme = (manifest.ROOT / "README.md").read_text(encoding="utf-8")
    table = readme.split(manifest.VERDICTS)[1].split("\n\n")[0].splitlines()
    shown = [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in table]
    for notebook in ("12_published_findings", "04_authoritarian_hosts", "03_tajik_targeting"):
        answer = json.loads((manifest.ROOT / "figures" / notebook / "answer.json").read_text())
        rows = [row for row in answer["verdicts"] if row["finding_id"] in manifest.FINDINGS]
        rows = [row for row in rows if row["here"]]
        assert len(rows) >= 2
        for row in rows:
            cells = (row["published"], row["here"], row["verdict"])
            assert cells in [(line[0], *line[2:]) for line in shown], (notebook, row["finding_id"])


def test_a_verdict_typed_by_hand_is_written_over():
    content = (manifest.ROOT / "README.md").read_text(encoding="utf-8")
    typed = content.replace("n = 115 | ", "n = 999 | agrees, ")
    assert typed != content == manifest._with_verdicts(typed)


def test_a_notebook_that_the_readme_lacks_gets_its_row():
    readme = manifest.readme("README.md")
    row = re.search(r"\| \[05\]\(notebooks/.*\n", readme)[0]
    again = manifest._with_notebooks(readme.replace(row, ""))
    assert "| [05](notebooks/05_stages.ipynb) | Who is recorded at stage 3? |\n| [06]" in again


@pytest.mark.parametrize("name", TABLES)
def test_the_codebook_allows_every_cell(name, text):
    assert problems_of(text[name], name, TABLES[name]["path"]).to_dict("records") == []


@pytest.mark.parametrize("name", TABLES)
def test_files_are_plain_utf8_with_unix_lines(name):
    content = (DATA / TABLES[name]["path"]).read_bytes()
    assert content.endswith(b"\n")
    assert b"\r" not in content and not content.startswith(b"\xef\xbb\xbf")
    content.decode("utf-8")


def test_every_reference_points_to_a_row(text):
    for name in TABLES:
        for column, spec in columns(name).items():
            if "references" in spec:
                other, key = spec["references"].split(".")
                assert set(text[name][column].dropna()) <= set(text[other][key]), (name, column)


def test_every_exile_and_source_has_an_incident(text):
    for key, table in (("exile_id", "exiles"), ("source_id", "sources")):
        assert set(text[table][key]) == set(text["incidents"][key])


def test_persons_are_keys_and_no_column_could_hold_a_name(text):
    assert text["exiles"]["exile_id"].str.fullmatch(r"[A-Z]{3}-\d{4}").all()
    prefixes = text["exiles"].set_index("exile_id")["origin"]
    assert prefixes[prefixes != prefixes.index.str[:3]].to_dict() == OTHER_STATE_IN_KEY
    for name in PERSONAL:
        assert [column for column in text[name] if NAMES.search(column)] == []
        assert {
            column for column, spec in columns(name).items() if spec["type"] == "text"
        } <= FREE_TEXT


def test_addresses_stand_in_sources_and_findings_only(text):
    for name in set(TABLES) - {"sources", "findings"}:
        assert not re.search(r"https?:|www\.", text[name].to_csv()), name
    assert text["sources"]["url"].isna().sum() == 1  # withheld: it names a minor


def test_episodes_are_persons_in_one_action(text):
    """Two on one day, whatever the source; three where the date is less exact, of one source."""
    several_sources = 0
    for key, rows in text["incidents"].dropna(subset="episode_id").groupby("episode_id"):
        assert len(rows[["origin", "host", "date", "measure"]].drop_duplicates()) == 1, key
        is_day = re.fullmatch(r"\d{4}-\d\d-\d\d", str(rows["date"].iloc[0]))
        assert rows["exile_id"].nunique() >= (2 if is_day else 3), key
        sources = len(set(rows["source_id"]))
        assert is_day or sources == 1, key
        several_sources += sources > 1
    assert several_sources > 10


def test_the_codebook_names_exactly_the_vintages_of_the_ledger(text):
    assert set(codes("vintage")) == set(text["findings"]["vintage"].dropna())


def test_none_found_stands_alone(text):
    nothing = text["double_coding"].query("measure in ('none_found', 'source_not_found')")
    assert nothing.groupby("round")["measure"].unique().map(list).to_dict() == {
        "1": ["none_found"],
        "2": ["source_not_found"],
    }
    assert len(nothing) == 4
    assert nothing[["category", "host", "date"]].isna().all(axis=None)


def test_findings_departures_and_bibliography_name_the_same_publications(text):
    keys = re.findall(
        r"^@\w+\{([^,]+),",
        (DATA / "published" / "publications.bib").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    assert len(keys) == len(set(keys))
    assert set(text["findings"]["publication"]) | set(text["departures"]["publication"]) == set(
        keys
    )


def test_the_audit_found_what_the_readme_says(text):
    fields = ("origin", "host", "date", "measure", "category")
    assert [text["audit"][field].eq("wrong").sum() for field in fields] == [0, 0, 0, 3, 0]


def test_datapackage_on_disk_is_made_from_codebook_and_files(tmp_path):
    assert (DATA / "datapackage.json").read_text(encoding="utf-8") == package.text(), (
        "run: python -m capelib.vocabulary.package"
    )
    assert (
        package.write(tmp_path / "again.json").read_bytes()
        == (DATA / "datapackage.json").read_bytes()
    )
    assert json.loads(package.text()) == package.datapackage()


@pytest.mark.slow
def test_frictionless_finds_the_package_valid():
    report = frictionless.validate(str(DATA / "datapackage.json"))
    assert report.valid, report.flatten(["name", "rowNumber", "fieldName", "type", "note"])
    assert report.stats["tasks"] == len(TABLES)


@pytest.mark.slow
def test_frictionless_refuses_what_the_codebook_forbids(tmp_path):
    copy = shutil.copytree(DATA, tmp_path / "data")
    bad = [
        "I9001,TJK-9999,TJK,RUS,2015,detention,,,,,,S0001,,2026-12",  # no such exile
        "I9002,TJK-0067,TAJ,RUS,2015,detention,,,,,,S0001,,2026-12",  # no such state
        "I9003,TJK-0067,TJK,RUS,2015,rendtion,no,,,,,S0001,,2026-12",  # not coded
        "I0001,TJK-0067,TJK,RUS,2015,detention,,,,,,S0001,,2026-12",  # a key that is taken
    ]
    with (copy / "incidents.csv").open("a", encoding="utf-8") as file:
        file.write("\n".join(bad) + "\n")
    rows = manifest.rows()["incidents"]
    errors = frictionless.validate(str(copy / "datapackage.json")).flatten(
        ["rowNumber", "type", "fieldName"]
    )
    assert {((row or 0) and row - rows - 1, kind, column) for row, kind, column in errors} == {
        (0, "hash-count", None),
        (0, "byte-count", None),
        (1, "foreign-key", None),
        (2, "foreign-key", None),
        (3, "constraint-error", "measure"),
        (3, "constraint-error", "relatives_targeted"),
        (4, "primary-key", None),
        (4, "unique-error", "incident_id"),
    }
