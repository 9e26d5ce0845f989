"""What results show of themselves: a sentence at a prompt, a table in a notebook, codes by Tab."""

import dataclasses
import re
from html.parser import HTMLParser
from importlib import import_module
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell

import capelib as cape
from capelib.completion import completions
from capelib.display import Result, as_html, card, in_words

PACKAGE = Path(cape.__file__).parent
# Data classes and named tuples that no public function gives to a reader.
NOT_SHOWN = {
    "AnOldCell",
    "Check",
    "Choice",
    "Confusion",
    "Estimated",
    "Headline",
    "Side",
    "Span",
    "Pursuers",
}
OURS = ("estimators", "questions", "findings")


def result_classes():
    """Every data class and named tuple of the estimators, the questions and the findings."""
    classes = {}
    for package in OURS:
        for path in sorted((PACKAGE / package).glob("*.py")):
            module = import_module(f"capelib.{package}.{path.stem}")
            for name, value in vars(module).items():
                if isinstance(value, type) and value.__module__ == module.__name__:
                    named = issubclass(value, tuple) and hasattr(value, "_fields")
                    if (dataclasses.is_dataclass(value) or named) and not name.startswith("_"):
                        classes[name] = value
    return {name: value for name, value in classes.items() if name not in NOT_SHOWN}


CLASSES = result_classes()


@pytest.mark.parametrize("name", CLASSES)
def test_every_result_shows_its_sentence_and_a_table(name):
    shown = CLASSES[name]
    assert shown.__repr__ in (Result.__repr__, in_words)
    assert shown._repr_html_ in (Result._repr_html_, as_html)


@pytest.fixture(scope="module")
def ds():
    return cape.load()


def results(ds):
    tajik = ds.where(origin="TJK").incidents
    marked = cape.shares.authoritarian_hosts(ds.where(stage=(2, 3)))
    marked = marked.assign(cluster=cape.clusters.cluster_of(marked))
    return {
        "a share": cape.shares.wilson(49, 63),
        "no case": cape.shares.NO_SHARE,
        "a difference": cape.shares.difference(cape.shares.wilson(5, 9), cape.shares.wilson(2, 9)),
        "a clustered share": cape.periods.of_period(marked, (2021, 2021)),
        "too few clusters": cape.clusters.clustered(
            pd.Series([True, False]), pd.Series(["one", "one"])
        ),
        "a change": cape.periods.change(marked, (2014, 2020), (2021, 2021)),
        "a count": cape.tallies.number(ds),
        "a share of the ledger": cape.tallies.share(ds.incidents, host=["RUS"]),
        "a verdict": cape.findings.check(ds, ["fa2022-autoc-share-2021"])[0],
        "a published number": cape.findings.published("fa2022-autoc-share-2021"),
        "a relation": cape.findings.relations()[0],
        "a model": cape.trends.trend(cape.counts.per_year(tajik, 2001, 2024)),
        "journeys": cape.journeys.journeys(tajik, 2001, 2024),
    }


class Tags(HTMLParser):
    """The tags of a piece of HTML, each closed."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.open = set(), []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        del attrs
        self.tags.add(tag)
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_results_are_one_line_of_text_and_a_table_that_jupyterlab_leaves_as_it_is(ds):
    for name, result in results(ds).items():
        line = repr(result)
        assert "\n" not in line, name
        assert not re.search(r"DataFrame|Series|<|np\.", line), name
        html = Tags(result._repr_html_())
        assert not html.open, name
        assert html.tags <= {"div", "table", "tr", "th", "td", "strong"}, name


@pytest.mark.parametrize(
    ("result", "line"),
    [
        (cape.shares.wilson(49, 63), "78 % [66, 86], 49 of 63"),
        (cape.shares.NO_SHARE, "no cases"),
        (cape.shares.Estimate(0.2, 0.1, 0.3), "0.200 [0.100, 0.300]"),
        (cape.tallies.Tally(1815, None, None, 1815), "1,815, n = 1,815"),
        (cape.tallies.Tally(0.59, 0.43, 0.74, 115), "0.59 [0.43, 0.74], n = 115"),
        (
            cape.tallies.Tally(0.5, None, None, 2, "one cluster"),
            "0.5 (no interval: one cluster), n = 2",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_line_of_a_number_holds_its_interval_and_n(result, line):
    assert repr(result) == line


def test_a_dataset_says_in_a_notebook_what_it_is_and_what_it_is_not(ds):
    html = ds.where(origin="TJK", stage=3)._repr_html_()
    for text in ("public record, edition", "origin TJK, stages 3", "no rates", "cape cite capelib"):
        assert text in html
    assert html.count("<tr>") + html.count("<tr ") < 20  # the first rows only
    assert "I0001" in html


def test_a_dataset_of_a_file_shows_no_markup_of_the_file(table):
    path = table("exile_id,origin,host,date,measure", "TJK-0001,TJK,RUS,2015,detention")
    odd = path.rename(path.with_name("<img src=x>.csv"))
    html = cape.load(odd)._repr_html_()
    assert "<img" not in html
    assert "&lt;img" in html


def test_a_card_escapes_names_and_texts():
    assert card({"<b>": "<i>", "blank": ""}).count("&lt;") == 2


def test_an_error_in_a_notebook_shows_the_readers_line_and_none_of_ours():
    with pytest.raises(cape.ParameterError) as caught:
        cape.load().where(origin="TAJ")
    lines = caught.value._render_traceback_()
    assert lines[-1] == (
        "ParameterError: unknown state for origin 'TAJ': did you mean TJK, Tajikistan?"
    )
    assert len(lines) == 2
    assert lines[0].endswith('cape.load().where(origin="TAJ")')


@pytest.mark.parametrize("name", cape._MODULES)
def test_a_public_module_offers_its_own_names_alone(name):
    module = getattr(cape, name)
    assert isinstance(module, ModuleType)
    assert dir(module) == sorted(module.__all__)
    for public in module.__all__:
        value = getattr(module, public)
        assert not isinstance(value, ModuleType), public
        assert value is not np


@pytest.mark.parametrize(
    ("text", "some", "none"),
    [
        ('ds.where(origin="T', ["TJK", "TKM", "TUR"], ["UZB", "THX"]),
        ("ds.where(origin=['TJK', 'U", ["UZB"], ["TJK"]),
        ('ds.where(host_not="RU', ["RUS"], ["TUR"]),
        ('ds.where(measure="re', ["red_notice", "rendition"], ["detention"]),
        ('ds.where(\n    host="ru', ["RUS"], []),
        ('cape.counts.per_year(rows, 2001, 2024, unit="', ["episode"], ["TJK"]),
        ('cape.load(edition="', ["2026-11"], ["TJK"]),
        ('cape.hosts.host_shares(rows, regime_measure="', ["fiw", "row"], ["NF"]),
        ('ds.where(origin="Taj', ["Tajikistan"], ["TJK", "Thailand"]),
        ('cape.regimes.of("Fran', ["France"], ["FRA"]),
        ('cape.describe("rend', ["rendition"], ["red_notice"]),
        ('cape.findings.check(ds, ["fa2022-autoc', ["fa2022-autoc-share-2021"], ["fa2022longarm"]),
        ('cape.findings.published("fa2022-autoc', ["fa2022-autoc-share-2021"], []),
        ('cape.findings.cite("fa2022', ["fa2022longarm"], ["fa2022-autoc-share-2021"]),
        ('cape.learn.check("2.', ["2.1", "2.6"], ["1.1"]),
    ],
    ids=[
        *("origin", "list", "not", "measure", "lines", "unit", "edition", "regimes", "name"),
        *("state", "word", "finding", "published", "publication", "exercise"),
    ],
)
def test_codes_are_offered_inside_the_quotes_of_an_argument(text, some, none):
    offered, _ = completions(text)
    assert set(some) <= set(offered)
    assert not set(none) & set(offered)


@pytest.mark.parametrize(
    "text",
    [
        'open(origin="T',
        'describe(rows)["T',
        'check("2.',
        'ds.where(other="T',
        "ds.where(origin=T",
        'ds.where(origin="TJK")',
    ],
)
def test_nothing_is_offered_where_nothing_of_ours_is_asked(text):
    assert completions(text)[0] == []


def test_ipython_asks_for_them():
    shell = InteractiveShell()
    shell.run_cell("import capelib.completion")
    matchers = shell.Completer.custom_matchers
    matchers.append(import_module("capelib.completion")._matcher())
    text = 'ds.where(origin="TJ'
    with provisionalcompleter():
        offered = [each.text for each in shell.Completer.completions(text, len(text))]
    assert offered == ["TJK"]
