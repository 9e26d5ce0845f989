"""The ledger in the browser: filters counted against pandas, addresses, keyboard, no script."""

import json
import random

import pandas as pd
import pytest
from conftest import ROOT, SITE, at

PAGE = "ledger/index.html"


@pytest.fixture(scope="module")
def rows():
    """One row a published number: publication, its verdicts, the words that its row shows."""
    text = (ROOT / "figures" / "12_published_findings" / "answer.json").read_text("utf-8")
    frame = pd.DataFrame(json.loads(text)["verdicts"])
    relations = frame["arithmetic"].where(
        frame["arithmetic"].isin(["contradiction", "different editions"])
    )
    frame = frame.assign(relation=relations)
    return frame.groupby("finding_id", sort=False).agg(
        publication=("publication", "first"),
        statement=("statement", "first"),
        verdicts=("verdict", set),
        relation=("relation", "first"),
    )


def kept(rows, publication="", verdict="", words=""):
    """How many numbers fit, counted in pandas. Words are looked for in statements alone."""
    fits = pd.Series(True, index=rows.index)
    if publication:
        fits &= rows["publication"] == publication
    if verdict:
        fits &= rows["verdicts"].map(lambda each: verdict in each) | (rows["relation"] == verdict)
    for word in words.lower().split():
        fits &= rows["statement"].str.lower().str.contains(word, regex=False)
    return int(fits.sum())


def shown(page):
    count = page.locator("#numbers > tbody > tr:not([hidden])").count()
    assert page.inner_text("#count").startswith(str(count))
    return count


def test_without_a_script_every_number_is_there(browser, rows):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(at(PAGE))
    assert page.locator("#numbers > tbody > tr").count() == len(rows)
    assert not page.locator("#filters").is_visible()
    context.close()


def test_contradictions_come_first(page, rows):
    page.goto(at(PAGE))
    keys = page.evaluate("[...document.querySelectorAll('#numbers > tbody > tr')].map(r => r.id)")
    assert sorted(keys) == sorted(rows.index)
    first = rows.loc[keys[: int((rows["relation"] == "contradiction").sum())], "relation"]
    assert (first == "contradiction").all()


def test_filters_count_as_pandas_does(page, rows):
    page.goto(at(PAGE))
    verdicts = sorted(set.union(*rows["verdicts"]) | set(rows["relation"].dropna()))
    draw = random.Random(16)
    asked = [("", verdict) for verdict in verdicts]
    asked += [
        (draw.choice(list(rows["publication"])), draw.choice(["", *verdicts])) for _ in range(30)
    ]
    for publication, verdict in asked:
        page.select_option("[name=publication]", publication)
        page.select_option("[name=verdict]", verdict)
        assert shown(page) == kept(rows, publication, verdict), (publication, verdict)


def test_words_find_every_statement_that_holds_them(page, rows):
    page.goto(at(PAGE))
    for words in ("rendition", "tajik", "percent of", "authoritarian 2021"):
        page.fill("[name=words]", words)
        rows_shown = page.locator("#numbers > tbody > tr:not([hidden])")
        visible = set(rows_shown.evaluate_all("rows => rows.map(row => row.id)"))
        fits = rows["statement"].str.lower()
        wanted = pd.Series(True, index=rows.index)
        for word in words.split():
            wanted &= fits.str.contains(word, regex=False)
        assert set(rows.index[wanted]) <= visible
        text = rows_shown.all_text_contents()
        assert all(word in each.lower() for each in text for word in words.split())


def test_the_address_keeps_the_filters(page, rows):
    page.goto(at(PAGE))
    page.select_option("[name=verdict]", "needs data")
    page.select_option("[name=publication]", "fa2022longarm")
    both = shown(page)
    assert both == kept(rows, "fa2022longarm", "needs data")
    page.go_back()
    assert shown(page) == kept(rows, verdict="needs data")
    page.go_back()
    assert shown(page) == len(rows)
    page.go_forward()
    page.go_forward()
    page.reload()
    assert shown(page) == both
    assert page.input_value("[name=publication]") == "fa2022longarm"
    page.click("button[type=reset]")
    page.wait_for_function("!location.hash")
    assert shown(page) == len(rows)


def test_an_anchor_leads_to_its_number(page, rows):
    key = rows.index[200]
    page.goto(at(f"{PAGE}#{key}"))
    assert shown(page) == len(rows)
    page.wait_for_function(
        f"(() => {{ const box = document.getElementById('{key}').getBoundingClientRect();"
        "return box.top >= 0 && box.top < innerHeight; })()"
    )


@pytest.mark.parametrize(
    "state",
    [
        "verdict=no such verdict",
        "publication=toString",
        "words=%00<img src=x onerror=alert(1)>",
        "%E0%A4%A",
        "=",
        "a=b&c",
        "nothing-of-this-name",
        "verdict=needs%20data&verdict=reproduced",
    ],
)
def test_an_odd_address_gives_a_page(page, rows, state):
    page.goto(at(f"{PAGE}#{state}"))
    assert 0 <= shown(page) <= len(rows)
    assert page.locator("#filters").is_visible()
    assert page.locator("main img[src=x]").count() == 0


def focused(page, test, most=400):
    """Press Tab until the element in focus passes a test of JavaScript."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate(f"(each => {test})(document.activeElement)"):
            return
    raise AssertionError(f"the Tab key never reaches {test}")


def test_from_the_front_page_to_verdict_method_and_notebook_by_keyboard_alone(page):
    """A number of Freedom House: its verdict, how it is computed, the method, the notebook."""
    page.goto(at("index.html"))
    focused(page, "each.textContent === 'Does a published number hold?'")
    page.keyboard.press("Enter")
    page.wait_for_selector("#filters:not([hidden])")
    focused(page, "each.name === 'words'")
    page.keyboard.type("2021 authoritarian 74 percent")
    focused(page, "each.tagName === 'SUMMARY' && each.textContent === 'How it is computed'")
    row = page.evaluate("document.activeElement.closest('tr').id")
    assert row == "fa2022-autoc-share-2021"
    assert "set by the search" in page.inner_text(f"#{row}")
    page.keyboard.press("Enter")
    focused(page, "each.textContent === 'Share of cases in clusters'")
    page.keyboard.press("Enter")
    page.wait_for_url("**/methods/clustered.html")
    focused(page, "each.closest('main') && each.textContent.startsWith('04 What share')")
    page.keyboard.press("Enter")
    page.wait_for_url("**/notebooks/04_authoritarian_hosts.html")
    assert "authoritarian" in page.inner_text("h1")


def test_a_publication_says_what_holds_of_it(page, rows):
    page.goto(at("ledger/fa2022longarm.html"))
    count = page.locator("#numbers > tbody > tr").count()
    assert count == kept(rows, "fa2022longarm")
    assert (SITE / "ledger" / "fa2022longarm.html").exists()
