"""What ships under data/: each table is registered, described, allowed, and free of names."""

import json
import re
import shutil
import tomllib
from pathlib import Path

import frictionless
import pandas as pd
import pytest

import capelib as cape
from capelib.paths import room
from capelib.vocabulary import package
from capelib.vocabulary.codebook import codebook, codes, columns
from capelib.vocabulary.tables import problems_of, read_text

DATA = room("data")
MANIFEST = tomllib.loads((Path(__file__).parent / "data_manifest.toml").read_text(encoding="utf-8"))
TABLES = codebook()["table"]
PERSONAL = (
    "incidents",
    "exiles",
    "double_coding",
    "audit",
    "withdrawn",
)  # tables whose rows are about persons
FREE_TEXT = {
    "outcome",
    "note",
    "reason",
}  # the only columns of these that hold free text; their rules stand in the codebook
NAMES = re.compile(
    r"name|alias|birth|born|passport_no|address|phone|mail|photo|face|\bage\b|gender|sex"
)
OTHER_STATE_IN_KEY = {"TKM-0014": "UZB"}  # pursued by two states; keys are stable


@pytest.fixture(scope="module")
def text() -> dict[str, pd.DataFrame]:
    return {name: read_text(DATA / entry["path"]) for name, entry in TABLES.items()}


def test_every_file_is_registered_and_every_registered_file_is_there():
    on_disk = {path.relative_to(DATA).as_posix() for path in DATA.rglob("*") if path.is_file()}
    assert on_disk == {entry["path"] for entry in TABLES.values()} | set(
        MANIFEST["documents"]
    ) | set(MANIFEST["list"])


@pytest.mark.parametrize("path", MANIFEST["list"])
def test_lists_of_names_and_words_are_the_reviewed_ones(path):
    frame = read_text(DATA / path)
    assert {"rows": len(frame), "columns": list(frame.columns)} == MANIFEST["list"][path]


def test_codebook_and_manifest_name_the_same_tables():
    assert list(MANIFEST["table"]) == list(TABLES)


@pytest.mark.parametrize("name", TABLES)
def test_rows_columns_types_and_years_are_the_reviewed_ones(name, text):
    reviewed, frame = MANIFEST["table"][name], text[name]
    assert [f"{column}: {spec['type']}" for column, spec in columns(name).items()] == reviewed[
        "columns"
    ]
    assert list(frame.columns) == list(columns(name))
    assert len(frame) == reviewed["rows"]
    dated = TABLES[name].get("year", [])
    years = [
        int(value[:4])
        for column in ([dated] if isinstance(dated, str) else dated)
        for value in frame[column].dropna()
    ]
    assert ([min(years), max(years)] if years else None) == reviewed.get("years")


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


def test_episodes_are_three_or_more_persons_in_one_action(text):
    for key, rows in text["incidents"].dropna(subset="episode_id").groupby("episode_id"):
        assert rows["exile_id"].nunique() >= 3, key
        assert (
            len(rows[["origin", "host", "date", "measure", "source_id"]].drop_duplicates()) == 1
        ), key


def test_the_codebook_names_exactly_the_vintages_of_the_ledger(text):
    assert set(codes("vintage")) == set(text["findings"]["vintage"].dropna())


def test_none_found_stands_alone(text):
    nothing = text["double_coding"].query("measure == 'none_found'")
    assert len(nothing) == 2
    assert nothing[["origin", "category", "host", "date"]].isna().all(axis=None)


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


def test_the_readme_gives_the_numbers_of_the_files(text):
    readme = " ".join((DATA / "README.md").read_text(encoding="utf-8").split())
    for name, entry in TABLES.items():
        assert f"| `{entry['path']}` | {len(text[name]):,} |" in readme, name
    ds = cape.load()
    ours = ds.incidents["origin"].isin(cape.CENTRAL_ASIA)
    rated = cape.add_regime(ds.incidents[~ours & ds.incidents["year"].notna()])
    once = rated[rated["episode_id"].isna() | ~rated.duplicated("episode_id")]
    shares = [
        (frame["host_fiw"].value_counts(normalize=True) * 100).round().astype(int)
        for frame in (rated, once)
    ]
    kinds = ds.sources["kind"].value_counts()
    wrong = [
        len(text["audit"].query(f"{column} == 'wrong'"))
        for column in ("origin", "host", "date", "measure", "category")
    ]
    assert wrong == [0, 0, 0, 3, 0]
    for sentence in (
        f"{ours.sum()} incidents are by the five Central Asian states. "
        f"The other {(~ours).sum()}, by 33 states",
        f"{ds.incidents['date'].isna().sum()} incidents have no date",
        f"marks {ds.incidents['doubtful'].sum()} incidents",
        f"before 2001 are few ({(ds.incidents[ours]['year'] < 2001).sum()})",
        f"Of its {len(rated)} dated rows {shares[0]['NF']} % took effect in Not Free",
        f"{shares[0]['PF']} % in Partly Free and {shares[0]['F']} % in Free states",
        f"it is {shares[1]['NF']}, {shares[1]['PF']} and {shares[1]['F']} %",
        f"{kinds['cape']} sources are CAPE's own pages",
        f"{kinds['interested_party']} sources are interested parties",
        f"Edition {codebook()['dataset']['edition']}",
    ):
        assert sentence in readme
    assert ds.incidents[~ours]["origin"].nunique() == 33


def test_datapackage_on_disk_is_made_from_codebook_and_files(tmp_path):
    assert (DATA / "datapackage.json").read_text(encoding="utf-8") == package.text(), (
        "run: python -m capelib.vocabulary.package"
    )
    assert (
        package.write(tmp_path / "again.json").read_bytes()
        == (DATA / "datapackage.json").read_bytes()
    )
    assert json.loads(package.text()) == package.datapackage()


def test_frictionless_finds_the_package_valid():
    report = frictionless.validate(str(DATA / "datapackage.json"))
    assert report.valid, report.flatten(["name", "rowNumber", "fieldName", "type", "note"])
    assert report.stats["tasks"] == len(TABLES)


def test_frictionless_refuses_what_the_codebook_forbids(tmp_path):
    copy = shutil.copytree(DATA, tmp_path / "data")
    bad = [
        "I9001,TJK-9999,TJK,RUS,2015,detention,,,,,,S0001,",  # no such exile
        "I9002,TJK-0067,TAJ,RUS,2015,detention,,,,,,S0001,",  # no such state
        "I9003,TJK-0067,TJK,RUS,2015,rendtion,no,,,,,S0001,",  # no such measure; "no" is not coded
        "I0001,TJK-0067,TJK,RUS,2015,detention,,,,,,S0001,",  # a key that is taken
    ]
    with (copy / "incidents.csv").open("a", encoding="utf-8") as file:
        file.write("\n".join(bad) + "\n")
    rows = MANIFEST["table"]["incidents"]["rows"]
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
