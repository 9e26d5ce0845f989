"""Figures: the same bytes each time, whole or not at all, labelled honestly."""

import base64
import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest
from matplotlib.markers import CARETRIGHT
from shared import slow

import capelib as cape
from capelib.errors import CapeError, ParameterError
from capelib.figures import pages, saving, style
from capelib.figures.forest import Mark, Row, forest_chart
from capelib.meaning.pursuers import Pursuers


@pytest.fixture(scope="module")
def ds():
    return cape.load()


def chart(ds, **changes):
    return cape.figures.by_measure(replace(ds, info=replace(ds.info, **changes)))


@pytest.mark.slow
def test_the_same_figure_is_the_same_bytes(ds, tmp_path):
    for folder in ("one", "two"):
        saving.save(chart(ds), "measures", tmp_path / folder, formats=("png", "pdf"))
    files = [
        {path.name: path.read_bytes() for path in (tmp_path / folder).iterdir()}
        for folder in ("one", "two")
    ]
    assert files[0] == files[1]
    names = {f"measures.{ending}" for ending in ("svg", "png", "pdf", "csv")}
    assert set(files[0]) == {*names, "provenance.json"}


def test_other_formats_are_written_on_request_and_a_wrong_one_is_named(ds, tmp_path, monkeypatch):
    saving.save(chart(ds), "measures", tmp_path)
    assert not (tmp_path / "measures.png").exists()
    with pytest.raises(ParameterError, match="unknown format 'gif': allowed are png, pdf"):
        saving.save(chart(ds), "measures", tmp_path, formats=["gif"])
    saving.save(chart(ds), "one", tmp_path, formats="pdf")
    assert (tmp_path / "one.pdf").exists()
    monkeypatch.setenv("CAPELIB_FORMATS", "png")
    saving.save(chart(ds), "measures", tmp_path)
    assert (tmp_path / "measures.png").exists()
    assert not (tmp_path / "measures.pdf").exists()


def test_the_foot_of_a_figure_names_what_was_selected(ds):
    texts = [text.get_text() for text in chart(ds, filters=("origin TJK/UZB",)).figure.texts]
    assert any(text.endswith("; origin Tajikistan/Uzbekistan") for text in texts)


def test_the_words_of_a_figure_can_be_searched_and_keep_their_spaces(ds):
    drawn = chart(ds)
    drawn.figure.text(0.5, 0.5, " beside  it")
    words = drawn.picture("svg").decode()
    assert ">What is done to exiles?</text>" in words
    assert re.search(r'<text xml:space="preserve" [^>]*> beside  it</text>', words)
    assert words.count("xml:space") < words.count("<text ")  # only where it is needed


def test_a_notebook_shows_the_picture_that_was_drawn_already(ds, tmp_path):
    drawn = chart(ds)
    assert (drawn._repr_html_(), drawn._repr_png_()[:4]) == (None, b"\x89PNG")
    saving.save(drawn, "measures", tmp_path)
    assert drawn._repr_png_() is None
    alt, content = re.match(
        r'<img alt="([^"]+)" src="data:image/svg\+xml;base64,(.+)">$', drawn._repr_html_()
    ).groups()
    assert alt == drawn.title
    assert base64.b64decode(content) == (tmp_path / "measures.svg").read_bytes()


def test_a_label_of_three_lines_stands_clear_of_its_neighbours(ds):
    rows = [Row("one line"), *(Row("three:\nlines\nhere", (Mark(0.5),)) for _ in range(3))]
    figure = forest_chart(rows, pd.DataFrame(), ds.info, "T", "S").figure
    figure.canvas.draw()
    boxes = [label.get_window_extent() for label in figure.axes[0].get_yticklabels()]
    assert all(upper.y0 > lower.y1 for upper, lower in pairwise(boxes))


def test_the_frame_behind_says_what_the_bars_show(ds):
    data = chart(ds).data.set_index("measure")["n"]
    assert data.to_dict() == ds.incidents["measure"].value_counts().loc[lambda n: n > 0].to_dict()


def test_each_figure_names_its_data_and_synthetic_is_stamped(ds):
    texts = [text.get_text() for text in chart(ds).figure.texts]
    assert any(
        text.startswith("Source: public record: capelib-public-record")
        and ds.info.sha256[:12] in text
        for text in texts
    )
    assert "SYNTHETIC" not in texts
    assert "SYNTHETIC" in [text.get_text() for text in chart(ds, synthetic=True).figure.texts]


@pytest.mark.slow
def test_a_failed_save_leaves_what_was_there(ds, tmp_path, monkeypatch):
    saving.save(chart(ds), "measures", tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    whole = Path.write_bytes

    def full(path: Path, content: bytes) -> int:
        if "csv" in path.name:
            whole(path, content[:10])
            raise OSError(28, "No space left on device")
        return whole(path, content)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(CapeError, match="No space left on device"):
        saving.save(chart(ds.where(origin="TJK")), "measures", tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_new_pursuing_state_gets_a_colour_and_the_first_five_keep_theirs(monkeypatch):
    states = ("AZE", "KAZ", "KGZ", "TJK", "TKM", "UZB")
    monkeypatch.setattr(style, "pursuers", lambda _: Pursuers(states, "the six states"))
    colours = style._origin_colours()
    assert set(colours) == {*states, "all"} and len(set(colours.values())) == 7
    assert colours["AZE"] == style.FURTHER_COLOURS[0]
    assert cape.figures.ORIGIN_COLOURS.items() <= colours.items()


@pytest.mark.parametrize("unit", ["share", "difference", "ratio", "rate", "count"])
def test_one_vague_estimate_does_not_hide_the_others(ds, unit):
    rows = [Row("sure", (Mark(0.5, 0.4, 0.6),)), Row("vague", (Mark(0.5, 1e-9, 1e9),))]
    axis = forest_chart(rows, pd.DataFrame(), ds.info, "", "", unit).figure.axes[0]
    assert [label.get_text() for label in axis.get_yticklabels()] == ["sure", "vague"]
    if unit in ("ratio", "rate"):
        left, right = axis.get_xlim()
        assert 0.01 < left < 0.4 and 0.6 < right < 50
        assert [line.get_marker() for line in axis.lines].count(CARETRIGHT) == 1
        assert 2 <= len(axis.get_xticks()) <= 10


def test_no_label_of_a_row_begins_outside_the_figure(ds):
    words = "a definition that nobody can say in fewer words than these, and some more (<= 2)"
    rows = [Row(words[:length].strip(), (Mark(0.5, 0.4, 0.6),)) for length in (20, 52, 57, 80)]
    figure = forest_chart(rows, pd.DataFrame(), ds.info, "", "").figure
    figure.canvas.draw()
    for label, row in zip(figure.axes[0].get_yticklabels(), rows, strict=True):
        assert label.get_text().replace("\n", " ") == row.label
        assert label.get_window_extent().x0 >= 0
        assert len(row.label) < 80 or label.get_text().endswith("\n(<= 2)")


def test_pages_escape_what_they_show():
    page = cape.figures.Page("a & <b>", pages.render("relations", **evil_relations()))
    assert "<title>a &amp; &lt;b&gt;</title>" in page.document()
    assert "<script>" not in page.document() and "&lt;script&gt;" in page.document()


def evil_relations():
    relation = replace(cape.findings.relations()[0], why="<script>alert(1)</script>")
    tools = {"colours": {}, "ink": "", "sources_in_doubt": lambda _: ["<script>"], "unbroken": str}
    return {"relations": [relation], **tools}


def test_without_a_folder_nothing_is_written(ds, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    saving.save(chart(ds), "measures", "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["", "../up", "With Space", "a.svg"])
def test_a_name_that_is_no_name_is_refused(ds, name, tmp_path):
    with pytest.raises(ParameterError):
        saving.save(chart(ds), name, tmp_path)


def test_settings_of_the_reader_stay_as_they_were(ds):
    import matplotlib as mpl

    watched = [
        name for name in mpl.rcParams if name.startswith(("font", "axes", "svg", "text", "savefig"))
    ]
    before = {name: mpl.rcParams[name] for name in watched}
    chart(ds).picture("svg")
    assert {name: mpl.rcParams[name] for name in watched} == before


@pytest.mark.parametrize("origin", ["VEN", *map(slow, ("TJK", "KGZ", "TUR"))])
def test_the_figures_of_03_are_drawn_for_many_cases_and_for_too_few(ds, origin):
    part = ds.where(origin=origin)
    result = cape.targeting.targeting(part.incidents, ds.covered_from(origin), 2024, 2018)
    assert cape.figures.targeting(result, part.info, origin, "episode").picture("png")
    assert cape.figures.break_scan(result, part.info, origin).picture("png")
    others = cape.targeting.against_others(ds.incidents, (origin,), 2014, 2024)
    assert cape.figures.against_others(others, part.info, origin).picture("png")


@pytest.mark.parametrize("origin", ["TJK", "VEN"])
def test_the_figures_of_04_are_drawn_for_many_cases_and_for_too_few(ds, origin):
    part = ds.where(origin=origin)
    result = cape.hosts.host_shares(part.joined(), (2014, 2020), (2021, 2021))
    for draw in (cape.figures.left_out, cape.figures.definitions):
        assert draw(result, part.info, None).picture("png")
    assert cape.figures.host_shares(result, part.info, {}).picture("png")
    assert cape.figures.host_years(result, part.info).picture("png")


@pytest.mark.slow
def test_published_shares_stand_beside_ours_only_for_the_same_periods(ds):
    claims = {"2021": cape.findings.published("fa2022-autoc-share-2021")}
    same = cape.figures.host_shares(
        cape.hosts.host_shares(ds.joined(), (2014, 2020), (2021, 2021)), ds.info, claims
    ).data
    other = cape.figures.host_shares(
        cape.hosts.host_shares(ds.joined(), (2014, 2019), (2020, 2021)), ds.info, claims
    ).data
    assert (int(same["published"].sum()), int(other["published"].sum())) == (1, 0)
    assert isinstance(same, pd.DataFrame)
