"""The front page and the pages of states: each number is that of the data or of a run's answer."""

import json
import re
from html import unescape
from pathlib import Path

import pytest

import capelib as cape
from capelib.estimators.clusters import cluster_of
from capelib.runs import runner
from capelib.site import explorer_data, front_page, state_pages
from capelib.site.collection import Collection, FinishedRun

ROOT = Path(__file__).parent.parent
EDITION = "2026-12"
EMPTY = Collection(EDITION, (), ROOT / "figures")


def finished(name: str) -> FinishedRun:
    """A run of the collection with its committed figures and notebook."""
    [run] = [run for run in runner.plan([name[:2]], {}) if run.name == name]
    return FinishedRun(run, ROOT / "figures" / name, run.notebook)


@pytest.fixture(scope="module")
def ds():
    return cape.load()


@pytest.fixture(scope="module")
def joined(ds):
    rows = ds.joined()
    return rows.assign(cluster=cluster_of(rows))


# ---------------------------------------------------------------- the front page


@pytest.fixture(scope="module")
def front():
    names = ("04_authoritarian_hosts", "03_tajik_targeting")
    made = Collection(EDITION, tuple(finished(name) for name in names), ROOT / "figures")
    return front_page.pages(made)[0].text


def answer(name):
    return json.loads((ROOT / "figures" / name / "answer.json").read_text(encoding="utf-8"))


def test_the_most_quoted_number_is_answered_as_the_notebook_answers_it(front):
    run = answer("04_authoritarian_hosts")
    [verdict, *_] = [v for v in run["verdicts"] if v["finding_id"] == front_page.CLAIM]
    paragraph = front[front.index('id="claim"') : front.index("Ways in")]
    for words in (verdict["statement"], verdict["here"], verdict["verdict"]):
        assert words in paragraph
    [change] = [row for row in run["estimates"] if row["estimate"].startswith("change, late")]
    assert f"{100 * change['value']:+.0f} points" in paragraph
    assert f"n = {change['n']}" in paragraph


@pytest.mark.slow
def test_russia_left_out_is_what_the_notebooks_function_gives(front):
    rows = cape.load().where(stage=(2, 3), host_not="RUS").joined()
    change = cape.hosts.host_shares(rows, (2014, 2020), (2021, 2021)).change
    sentence = front[front.index("And without Russia?") :]
    for side in (change.group, change.others):
        percent = [round(100 * value) for value in (side.share, side.low, side.high)]
        assert f"{percent[0]} % [{percent[1]}, {percent[2]}], n = {side.n}" in sentence
    assert f"{100 * change.value:+.0f} points" in sentence
    least = (63 - 22) / (85 - 22)  # of Freedom House's own 63 of 85, were all 22 among the 63
    assert "63 of 85 incidents: without its 22" in " ".join(sentence.split())
    assert f"between {100 * least:.0f} % and 74 %" in " ".join(sentence.split())


def test_each_question_has_the_answer_of_its_run(front):
    for name in ("04_authoritarian_hosts", "03_tajik_targeting"):
        first, _, rest = answer(name)["answer"].partition(". ")
        assert f"<strong>{first}.</strong>" in front
        assert rest.replace("<", "&lt;") in front


def test_a_site_of_other_notebooks_has_a_front_page_without_them():
    made = Collection(EDITION, (finished("01_learn_the_dataset"),), ROOT / "figures")
    text = front_page.pages(made)[0].text
    assert 'id="claim"' not in text
    assert answer("01_learn_the_dataset")["answer"] in text


# ---------------------------------------------------------------- states


@pytest.fixture(scope="module")
def pages():
    return {page.path: unescape(page.text) for page in state_pages.pages(EMPTY)}


@pytest.mark.slow
def test_each_pursuing_state_and_each_host_has_a_page(joined, pages):
    states = set(joined["origin"]) | set(joined["host"].dropna())
    assert set(pages) == {"states/index.md"} | {f"states/{code}.html" for code in states}


@pytest.mark.parametrize(("role", "code"), [("origin", "TJK"), ("host", "RUS"), ("origin", "BDI")])
def test_the_numbers_of_a_state_are_those_of_the_data(ds, joined, role, code):
    part = state_pages.part_of(role, code, ds, joined)
    rows = ds.where(**{role: code}).joined()
    assert (part.n, part.exiles) == (len(rows), rows["exile_id"].nunique())
    assert part.undated == rows["year"].isna().sum()
    years = rows["year"].dropna()
    assert [line["year"] for line in part.years] == list(range(years.min(), years.max() + 1))
    assert {line["year"]: line["n"] for line in part.years if line["n"]} == dict(
        years.value_counts()
    )
    for lines in part.tables.values():
        assert sum(line.n for line in lines) == len(rows)
    measures = {line.words: (line.n, line.exiles) for line in part.tables["Measures"]}
    for measure, label in cape.codes("measure").items():
        group = rows[rows["measure"] == measure]
        expected = (len(group), group["exile_id"].nunique()) if len(group) else None
        assert measures.get(label) == expected


def test_a_share_is_given_with_an_interval_and_only_where_the_search_was_full(ds, joined):
    full = state_pages.part_of("origin", "TJK", ds, joined).ended
    n = (joined["origin"] == "TJK").sum()
    assert re.fullmatch(rf"\d+ % \[\d+, \d+\], \d+ of {n} in \d+ clusters", full)
    for role, code in (("origin", "BDI"), ("host", "RUS")):
        n = (joined[role] == code).sum()
        words = state_pages.part_of(role, code, ds, joined).ended
        assert re.match(rf"\d+ of {n}; no share", words)


@pytest.mark.slow
def test_what_is_not_safe_is_said_on_the_page(pages):
    burundi = cape.codebook()["not_safe"]["burundi"]["sentence"].split(":")[0]
    assert burundi in pages["states/BDI.html"]
    assert burundi not in pages["states/TJK.html"]
    for path, text in pages.items():
        assert path == "states/index.md" or "Reports, not\nrates" in text


def test_a_state_without_incidents_in_a_role_has_no_part(ds, joined):
    never = (set(joined["host"].dropna()) - set(joined["origin"])).pop()
    assert state_pages.part_of("origin", never, ds, joined) is None


# ---------------------------------------------------------------- what the explorer draws from


def test_the_columns_of_the_explorer_give_the_record_back(ds, joined):
    made = explorer_data.record(ds)
    rows = made["rows"]
    assert rows["id"] == joined["incident_id"].tolist()
    exiles = [made["exiles"][place] for place in rows["exile"]]
    assert exiles == joined["exile_id"].tolist()
    for facet in made["facets"]:
        [known] = [each for each in explorer_data.FACETS if each.name == facet["name"]]
        values = [facet["values"][place] for place in rows[facet["name"]]]
        column = joined[known.column].astype(object)
        if known.name == "doubtful":
            column = column.map({True: "yes", False: ""})
        assert values == column.where(column.notna(), "").astype(str).tolist()
        assert len(facet["labels"]) == len(facet["values"]) == len(set(facet["labels"]))


def test_an_earlier_edition_has_no_filter_by_edition_and_no_address():
    made = explorer_data.record(cape.load(edition="2026-11"))
    assert "edition" not in [facet["name"] for facet in made["facets"]]
    assert set(made["sources"]["address"]) == {""}


@pytest.mark.slow
def test_the_first_table_of_shares_is_the_notebooks_answer(ds):
    [first, *rest] = explorer_data.host_share_tables(ds, [])
    assert len(rest) == len(cape.regimes.definitions()) - 1
    estimates = {row["estimate"]: row for row in answer("04_authoritarian_hosts")["estimates"]}
    for name, key in (("share in 2021", "late"), ("change, late minus early", "change")):
        row = estimates[name]
        expected = [row["value"], row["low"], row["high"], row["n"]]
        assert first[key] == pytest.approx(expected, abs=1e-4)
    assert [line[0] for line in first["years"]] == list(range(2014, 2025))


def test_no_outcome_is_a_formula(ds):
    """The explorer writes the coders' words into CSV as they are."""
    assert not ds.incidents["outcome"].fillna("").str.match(r"\s*[=+\-@]").any()


def test_the_contradictions_are_as_many_as_notebook_12_counts():
    name = "12_published_findings"
    made = Collection(EDITION, (finished(name),), ROOT / "figures")
    shown = front_page.contradictions(made)
    assert f" {len(shown)} cannot hold as printed" in answer(name)["answer"]
    assert all(each["publications"] for each in shown)
