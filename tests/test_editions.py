"""Editions of the public record: the first comes back; what changed, and what is said of it."""

import ast
import hashlib
import json
import re
import shutil
from itertools import chain

import numpy as np
import pandas as pd
import pytest

import capelib as cape
from capelib.cli import main
from capelib.estimators.shares import wilson
from capelib.files import cells
from capelib.paths import project_folder
from capelib.runs import comparison, runner
from capelib.runs import editions as page
from capelib.runs.parameters import declared
from capelib.vocabulary import edtf
from capelib.vocabulary.codebook import codebook, columns
from capelib.vocabulary.editions import as_csv, changed, corrections, current, record
from capelib.vocabulary.tables import path_of, read_text

FIRST = "2026-11"
NOTEBOOKS = runner.notebooks()
README = " ".join((project_folder("data") / "README.md").read_text(encoding="utf-8").split())


@pytest.fixture
def data(tmp_path, monkeypatch):
    """A copy of data/ that is read in place of it."""
    folder = shutil.copytree(project_folder("data"), tmp_path / "data")
    for module in ("loading", "vocabulary.tables"):
        monkeypatch.setattr(f"capelib.{module}.project_folder", lambda _: folder)
    return folder


# ---------------------------------------------------------------- the first edition again


def test_the_first_edition_comes_back_byte_for_byte():
    shipped = codebook()["codes"]["edition"][FIRST]["sha256"]
    tables = record(FIRST)
    again = {table: hashlib.sha256(as_csv(frame)).hexdigest() for table, frame in tables.items()}
    assert again == shipped


def test_as_csv_writes_the_files_as_they_are():
    for table in ("incidents", "exiles", "sources", "changes"):
        assert as_csv(read_text(path_of(table))) == path_of(table).read_bytes(), table


def test_it_has_its_rows_columns_and_the_checksum_that_its_figures_bore():
    ds = cape.load(edition=FIRST)
    assert ds.info.rows == {"incidents": 1074, "exiles": 694, "sources": 609}
    assert (
        ds.info.edition == FIRST and f"edition {FIRST}, sha256 3bd2ae7c4a78" in ds.info.source_line
    )
    assert not {"added", "published", "name_in_address"} & {
        *ds.incidents, *ds.exiles, *ds.sources
    }  # fmt: skip
    assert "attempted_rendition" not in set(ds.incidents["measure"])


def test_the_current_edition_has_what_was_added():
    ds = cape.load()
    assert ds.info.edition == current() == codebook()["dataset"]["edition"]
    assert cape.load(edition=current()).info == ds.info
    assert set(ds.incidents["added"]) == {FIRST, current()}
    first = cape.load(edition=FIRST)
    for table, key in (("incidents", "incident_id"), ("exiles", "exile_id")):
        old = getattr(ds, table).query("added == @FIRST")
        assert old[key].tolist() == getattr(first, table)[key].tolist()  # ids never change
    assert ds.covered_until("TJK") == first.covered_until("TJK") == 2024


def test_two_editions_do_not_change_each_other():
    first = cape.load(edition=FIRST)
    first.incidents["host"] = "AAA"
    assert "AAA" not in set(cape.load().incidents["host"])
    assert "AAA" not in set(cape.load(edition=FIRST).incidents["host"])


@pytest.mark.slow
def test_a_withdrawn_entry_is_in_no_edition(data):
    key = "TJK-0012"
    (data / "withdrawn.csv").write_text(f"id,date,reason\n{key},2026-12-01,\n", encoding="utf-8")
    for edition in (FIRST, current()):
        ds = cape.load(edition=edition)
        assert key not in set(ds.exiles["exile_id"]) | set(ds.incidents["exile_id"])
        assert set(ds.sources["source_id"]) == set(ds.incidents["source_id"])
        assert ds.info.sha256 not in (cape.load(edition=FIRST).info.sha256,) or edition == FIRST
    whole = set(
        read_text(project_folder("data") / "incidents.csv").query("exile_id == @key").iloc[:, 0]
    )
    assert whole and not whole & set(corrections()["id"]) and key not in set(corrections()["id"])


@pytest.mark.slow
def test_an_incident_can_be_withdrawn_from_both(data):
    (data / "withdrawn.csv").write_text("id,date,reason\nI0010,2026-12-01,\n", encoding="utf-8")
    for edition in (FIRST, current()):
        assert "I0010" not in set(cape.load(edition=edition).incidents["incident_id"])
    assert "I0010" not in set(corrections()["id"])


def test_a_correction_that_does_not_fit_is_named(data):
    path = data / "changes.csv"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("I0010,host,,KAZ", "I0010,host,,KGZ"), encoding="utf-8")
    with pytest.raises(
        cape.DataError, match=r"^data/changes\.csv, row \d+: the table does not hold"
    ):
        cape.load(edition=FIRST)


# ---------------------------------------------------------------- where an edition is asked for


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: cape.load(edition="2026-1"), "unknown edition '2026-1': did you mean"),
        (
            lambda: cape.load(pd.DataFrame({"origin": ["TJK"]}), edition=FIRST),
            "edition 2026-11 is one of the built-in public record: leave it out",
        ),
        (lambda: cape.check_parameters(edition="2026-21"), "did you mean 2026-1"),
        (
            lambda: cape.check_parameters(dataset=__file__, edition=FIRST),
            "edition 2026-11 is one of the built-in public record",
        ),
    ],
)
def test_a_wrong_edition_ends_in_one_line(call, message):
    with pytest.raises(cape.ParameterError, match=re.escape(message)):
        call()


def test_a_table_of_ones_own_takes_the_default_edition(table):
    path = table("exile_id,origin,host,date,measure", "TJK-9001,TJK,RUS,2015,detention")
    ds = cape.load(path, edition=current())  # what a notebook passes on
    assert ds.info.edition == "" and "added" not in ds.incidents
    cape.check_parameters(dataset=str(path), edition=current())


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_every_notebook_has_the_current_edition_as_its_default(name):
    parameter = declared(NOTEBOOKS[name])["edition"]
    assert (parameter.kind, parameter.default) == ("str", current())
    code = "\n".join("".join(cell["source"]) for cell in cells(NOTEBOOKS[name]) if is_code(cell))
    loads = [
        node for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "cape.load"
    ]  # fmt: skip
    assert loads and all("edition=edition" in ast.unparse(call) for call in loads)


def is_code(cell):
    return cell["cell_type"] == "code"


def test_answers_name_the_edition(tmp_path):
    answer = cape.answer("It rose.", cape.load(edition=FIRST).info, out=tmp_path)
    assert answer._repr_markdown_() == "**It rose.** *(Data: public record, edition 2026-11.)*"
    written = json.loads((tmp_path / "answer.json").read_text(encoding="utf-8"))
    assert written["edition"] == FIRST and "edition 2026-11" in written["data"]


def screen(monkeypatch, capsys, *arguments):
    monkeypatch.setattr("sys.argv", ["cape", *arguments])
    monkeypatch.setenv("COLUMNS", "150")
    with pytest.raises(SystemExit) as ended:
        main()
    out, error = capsys.readouterr()
    return ended.value.code, out, error


def test_the_command_says_what_changed(monkeypatch, capsys):
    code, out, _ = screen(monkeypatch, capsys, "info", "--changes")
    assert code == 0
    assert re.search(r"incidents\D+1074\D+741\D+0\D+1815", out)
    assert re.search(r"exiles\s+│ category\s+│ 24\s", out)
    code, out, _ = screen(monkeypatch, capsys, "info", "--changes", "--edition", current())
    assert "nothing has changed since" in out
    code, out, _ = screen(monkeypatch, capsys, "info", "--edition", FIRST)
    assert "1,074 incidents" in out
    for wrong in (["info", "--changes", "--data", "x.csv"], ["findings", "--edition", "2027"]):
        code, _, error = screen(monkeypatch, capsys, *wrong)
        assert code == 2 and error.count("\n") == 1


def test_corrections_are_counted_by_column():
    rows = changed().set_index(["table", "column"])
    assert rows["corrected"].sum() == len(corrections()) == len(read_text(path_of("changes")))
    assert rows.loc[("incidents", "(rows)"), ["before", "added", "now"]].tolist() == [
        1074,
        741,
        1815,
    ]
    wording = corrections().query("found_by == 'wording'")
    assert set(wording["column"]) == {"outcome"}
    told = wording["was"].str.replace("not in excerpt", "not in the report's opening")
    assert (told == wording["is"]).all()
    assert not cape.load().incidents["outcome"].str.contains("not in excerpt").any()


# ---------------------------------------------------------------- the tables of the edition


def test_no_date_begins_after_its_report_was_published():
    ds = cape.load()
    end = edtf.bounds(ds.sources["published"])["date_end"]
    until = ds.incidents["source_id"].map(pd.Series(end.array, index=ds.sources["source_id"]))
    late = ds.incidents.loc[ds.incidents["date_start"] > until, "incident_id"]
    assert late.tolist() == []
    assert until.notna().sum() > 600


def test_v_dem_has_a_file_and_a_licence_of_its_own():
    assert set(cape.table("regimes_row")["measure"]) == {"row"}
    assert "row" not in set(cape.table("regimes")["measure"])
    package = json.loads((project_folder("data") / "datapackage.json").read_text(encoding="utf-8"))
    (resource,) = [each for each in package["resources"] if each["name"] == "regimes_row"]
    assert [licence["name"] for licence in resource["licenses"]] == ["CC-BY-SA-4.0"]
    assert cape.regimes.of("RUS", 2021, "row") == "1" and cape.regimes.of("RUS", 2021) == "NF"
    assert len(cape.table("regimes_row")) + len(cape.table("regimes")) == 1533


def test_every_committed_table_made_of_v_dems_ratings_names_their_licence():
    figures = project_folder("figures")
    marks = ("Regimes of the World", "regime_measure row")
    made_of_them = set()
    for path in figures.rglob("*.csv"):
        about = json.loads((path.parent / "provenance.json").read_text(encoding="utf-8"))
        named = about["figures"][path.stem].get("licence", "").startswith("CC-BY-SA-4.0")
        text = path.read_text(encoding="utf-8")
        assert named == any(mark in text for mark in marks), path
        if named:
            made_of_them.add(path.parent.name.partition("--")[0])
        if "regime_measure=row" in path.parent.name:
            assert about["licences"]["reference/regimes_row.csv"] == "CC-BY-SA-4.0"
    assert {"04_authoritarian_hosts", "06_relatives"} <= made_of_them


def test_displaced_by_host_adds_up():
    hosts = cape.table("displaced_by_host").groupby(["origin", "year"])
    sums = hosts[["refugees", "asylum_seekers"]].sum()
    assert sums.equals(
        cape.table("displaced").set_index(["origin", "year"])[list(sums)].sort_index()
    )


def test_columns_of_later_editions_are_not_asked_of_readers():
    since = [name for name, spec in columns("sources").items() if "since" in spec]
    assert since == ["published", "name_in_address", "added"]


# ---------------------------------------------------------------- what data/README.md says


def coded(number):
    """The second coder's rows of a round, and the first coder's of the same exiles and reports."""
    rounds = dict(list(read_text(path_of("double_coding")).groupby("round")))
    rows = rounds[number].fillna("")
    second = rows[~rows["measure"].isin(["none_found", "source_not_found"])]
    pairs = rows[rows["measure"] != "source_not_found"][["exile_id", "source_id"]].drop_duplicates()
    first = record(FIRST)["incidents"].fillna("").merge(pairs, on=["exile_id", "source_id"])
    return first, second, pairs


def matched(first, second):
    """Pairs of rows with the same exile, report and measure; those most alike first."""
    both = first.reset_index().merge(
        second.reset_index(), on=["exile_id", "source_id", "measure"], suffixes=("", "_2")
    )
    same_year = both["date"].str[:4] == both["date_2"].str[:4]
    alike = (
        same_year.astype(int) + (both["host"] == both["host_2"]) + (both["date"] == both["date_2"])
    )
    pairs, left, right = [], set(), set()
    for place in alike.sort_values(ascending=False, kind="stable").index:
        row = both.loc[place]
        if row["index"] not in left and row["index_2"] not in right:
            left.add(row["index"])
            right.add(row["index_2"])
            pairs.append(row)
    return pd.DataFrame(pairs)


def kappa(one, other):
    """Cohen's."""
    one, other = np.array(one, dtype=object), np.array(other, dtype=object)
    expected = sum((one == code).mean() * (other == code).mean() for code in set(one) | set(other))
    return ((one == other).mean() - expected) / (1 - expected)


@pytest.mark.parametrize(
    ("round_", "same", "only_first", "only_second", "exiles", "reports"),
    [("1", 136, 7, 46, 80, 109), ("2", 60, 2, 22, 48, 48)],
)
def test_the_readme_says_what_the_second_coder_saw(
    round_, same, only_first, only_second, exiles, reports
):
    first, second, pairs = coded(round_)
    both = matched(first, second)
    assert (len(both), len(first) - len(both), len(second) - len(both)) == (
        same, only_first, only_second
    )  # fmt: skip
    assert (pairs["exile_id"].nunique(), len(pairs)) == (exiles, reports)
    assert f"{exiles}, {reports}" in README
    for column, name in (("host", "host: kappa"), ("date", "year (blank is a value): kappa")):
        one, other = both[column].str[:4], both[f"{column}_2"].str[:4]
        cell = row_of(name)[int(round_)]
        assert cell.startswith(f"{kappa(one, other):.2f} ["), (name, cell)
    one, other = categories(round_)
    agreed = f"{(one == other).mean():.0%}".replace("%", " %")
    assert row_of("category: agreement, kappa")[int(round_)].startswith(
        f"{agreed}, {kappa(one, other):.2f} ["
    )
    judged = read_text(path_of("adjudication")).query("round == @round_")["verdict"].value_counts()
    lacked = judged["accepted"] + judged["in_new_rows"]
    seen = len(second) - judged["rejected"]
    share = wilson(int(lacked), int(seen))
    low, high = round(100 * share.low), round(100 * share.high)
    assert (
        f"{lacked} of {seen} in round {round_} ({share.share:.0%} [{low}, {high}])".replace(
            "% [", " % ["
        )
        in README
    )


def categories(number):
    """The category of each exile of a round, by the first and by the second coder."""
    rounds = dict(list(read_text(path_of("double_coding")).groupby("round")))
    rows = rounds[number].dropna(subset="category")
    second = rows.groupby("exile_id")["category"].first()
    first = record(FIRST)["exiles"].set_index("exile_id")["category"]
    return first.reindex(second.index), second


def row_of(name):
    """The cells of a row of a table in data/README.md."""
    text = (project_folder("data") / "README.md").read_text(encoding="utf-8")
    (line,) = [line for line in text.splitlines() if line.startswith(f"| {name} |")]
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_the_readme_shows_the_confusion_of_categories():
    order = [
        "opposition",
        "religious",
        "journalist_civil_society",
        "former_regime_insider",
        "unknown",
    ]
    names = dict(zip(order, ["opposition", "religious", "journalist, civil society",
                             "former insider", "unknown"], strict=True))  # fmt: skip
    counts = [pd.crosstab(*categories(round_)).reindex(index=order, columns=order, fill_value=0)
              for round_ in "12"]  # fmt: skip
    for first in order:
        cells_ = [(counts[0].loc[first, second], counts[1].loc[first, second]) for second in order]
        told = ["0" if not sum(pair) else f"{pair[0]} + {pair[1]}" for pair in cells_]
        assert row_of_table("first coder", names[first]) == told, first
    unknown = sum(count.loc["religious", "unknown"] for count in counts)
    religious = sum(count.loc["religious"].sum() for count in counts)
    assert f"{unknown} of {religious} religious exiles were unknown to the second coder" in README


def row_of_table(head, name):
    text = (project_folder("data") / "README.md").read_text(encoding="utf-8")
    table = text[text.index(f"| {head} |") :].split("\n\n")[0]
    (line,) = [line for line in table.splitlines() if line.startswith(f"| {name} |")]
    return [cell.strip() for cell in line.strip("|").split("|")][1:]


def test_the_readme_says_what_the_second_audit_saw():
    """The first 60 rows are the random ones."""
    audit = read_text(path_of("audit_2"))
    table = pd.crosstab(
        *(audit[name] for name in ("incident_id", "field")), audit["verdict"], aggfunc="first"
    )
    ids = list(dict.fromkeys(audit["incident_id"]))
    assert len(ids) == 64
    random = table.loc[ids[:60]]
    names = {"origin": "origin", "host": "host", "date": "date", "measure": "measure or unit",
             "category": "category", "attribution": "attribution", "doubtful": "doubtful",
             "episode": "episode"}  # fmt: skip
    for field, name in names.items():
        told = random[field][random[field] != "cannot_tell"]
        wrong = int((told == "wrong").sum())
        cells_ = row_of_table("field | wrong | share, 95 %", name)
        assert cells_[0] == f"{wrong} of {len(told)}", field
        share = wilson(wrong, len(told))
        expected = f"{share.share:.0%} ({100 * share.low:.0f}-{100 * share.high:.0f})"
        assert cells_[1].startswith(expected.replace("%", " %")), (field, expected)
    assert f"{(random['date'] == 'coarser').sum()}" == "6"
    lost = int((random["source"] == "cannot_tell").sum())
    assert (
        row_of_table("field | wrong | share, 95 %", "source not found again")[0] == f"{lost} of 60"
    )
    every = int((random == "wrong").any(axis=1).sum())
    main_ = int((random[["origin", "host", "date", "measure"]] == "wrong").any(axis=1).sum())
    assert f"wrong in {every} of 60 rows" in README
    assert f"in origin, host, date or measure in {main_}, 12 % (6-22)" in README


def test_the_readmes_count_the_names_in_addresses():
    named, sources = int(cape.load().sources["name_in_address"].sum()), len(cape.load().sources)
    count = f"{named} of {sources:,}"
    ethics = README[README.index("## Ethics") :]
    assert f"({count} hold one, marked `name_in_address`)" in ethics
    readme = (project_folder("notebooks").parent / "README.md").read_text(encoding="utf-8")
    assert f"({count} hold one, marked `name_in_address`)" in readme


def test_judgments_are_counted_as_the_readme_says():
    joined = cape.load().joined()
    new = joined[joined["origin"].isin(cape.CENTRAL_ASIA) & (joined["added"] == current())]
    assert f"{(new['source_kind'] == 'court').mean():.0%} of".replace("%", " %") in README
    requests = joined[joined["measure"] == "extradition_request"]
    assert f"77 of {len(requests)} were checked against judgments" in README
    assert len(requests) - 77 == 137


# ---------------------------------------------------------------- what is not safe


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_says_what_it_uses_that_is_not_safe(name):
    every = cells(NOTEBOOKS[name])
    code = "\n".join("".join(cell["source"]) for cell in every if is_code(cell))
    text = " ".join(
        " ".join("".join(cell["source"]) for cell in every if not is_code(cell)).split()
    )
    used = {
        key: entry["sentence"]
        for key, entry in codebook()["not_safe"].items()
        if any(re.search(pattern, code) for pattern in entry["in_code"])
    }
    assert used
    assert {key for key, sentence in used.items() if sentence not in text} == set()
    assert "../data/README.md" in text


# What is not safe, and the row of a table in which the answer stands without it.
WITHOUT = {
    "religious_unknown": "religious and unknown as one level",
    "extradition_dates": "without extradition requests",
    "burundi": "without Burundi",
    "comparison_hosts": "five Central Asian states",
    "doubtful_insiders": "without doubtful cases",
    "hosts_of_other": "without the measure `?other`?",
}
# Where the answer does not rest on it: categories in 06, other origins than the five in 09.
NOT_IN_THE_ANSWER = {("06", "religious_unknown"), ("09", "comparison_hosts")}


@pytest.mark.parametrize(
    "name", [name for name in NOTEBOOKS if name[:2] not in ("01", "02", "10", "12")]
)
def test_a_notebook_shows_the_answer_without_what_is_not_safe(name):
    """01 has no answer that rests on such a thing, 12 judges what 03 and 04 show; 02 and 10 give
    answers of others under many exclusions and choices.
    """
    code, shown = "", ""
    for cell in filter(is_code, cells(NOTEBOOKS[name])):
        code += "".join(cell["source"]) + "\n"
        tables = [part["data"].get("text/html", []) for part in cell["outputs"] if "data" in part]
        shown += "".join(chain.from_iterable(tables))
    for key, entry in codebook()["not_safe"].items():
        used = any(re.search(pattern, code) for pattern in entry["in_code"])
        if used and (name[:2], key) not in NOT_IN_THE_ANSWER:
            assert re.search(rf"<th>{WITHOUT[key]}</th>", shown), key


def test_what_is_not_safe_names_columns_that_there_are():
    for entry in codebook()["not_safe"].values():
        for name in entry["columns"]:
            table, column = name.split(".")
            assert column in columns(table)


# ---------------------------------------------------------------- the page


def test_the_page_sets_both_editions_side_by_side():
    estimate = {"estimate": "share", "value": 0.5, "low": 0.4, "high": 0.6, "n": 9, "unit": "share"}
    verdict = {"finding_id": "x", "reading": "", "verdict": "pattern agrees", "here": "50 %",
               "statement": "Half.", "published": "50 %"}  # fmt: skip
    first = {"answer": "Half.", "estimates": [estimate], "verdicts": [verdict]}
    second = {
        "answer": "Less | than half.",
        "estimates": [estimate | {"value": 0.25, "low": None, "high": None}],
        "verdicts": [verdict | {"verdict": "pattern differs", "here": "25 %"}],
    }
    text = page.page({"12_published_findings": [first, second]})
    assert "| share | 50 % [40, 60], n = 9 | 25 %, n = 9 |" in text
    assert "| `x` | Half. | 50 % | pattern agrees: 50 % | pattern differs: 25 % |" in text
    assert "| incidents | 1074 | 741 | 0 | 1815 |" in text


def test_the_committed_page_counts_what_the_tables_hold():
    committed = (project_folder("docs") / "editions.md").read_text(encoding="utf-8")
    head = page.page({}).split("## Which answers moved")[0]
    assert committed.startswith(head), "run: python -m capelib.runs.editions"


@pytest.mark.slow
def test_the_committed_page_is_made_again(tmp_path):
    answers = page.made(tmp_path / "figures", tmp_path / "build", 2)
    committed = (project_folder("docs") / "editions.md").read_text(encoding="utf-8")
    assert page.page(answers) == committed


def test_a_comparison_of_editions_names_both():
    (notebook,) = [path for name, path in NOTEBOOKS.items() if name.startswith("01")]
    runs = runner.plan([str(notebook)], {}, {"edition": [FIRST, current()]})
    outcomes = [runner.Outcome(run, "done", notebook.parent) for run in runs]
    info = comparison._info(outcomes)
    assert info.edition == "2026-11 and 2026-12" and info.name == "capelib-public-record"
    assert [run.name for run in runs] == [f"{notebook.stem}--edition={FIRST}", notebook.stem]
