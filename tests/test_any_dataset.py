"""Any table through the notebooks: what it lacks is said in a sentence, and the rest is done.

Nothing in these tables is real.
"""

import ast
import io
import json
from contextlib import redirect_stdout
from pathlib import Path

import careless
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from shared import spread

import capelib as cape
from capelib import cli
from capelib.check.files import examine
from capelib.figures import intervals
from capelib.files import cells
from capelib.paths import project_folder

CENTRAL_ASIA = ["KAZ", "KGZ", "TJK", "TKM", "UZB"]
MEASURES = [
    "detention",
    "extradition",
    "threat",
    "rendition",
    "red_notice",
    "assault",
    "deportation",
    "relatives_targeted",
]


def made_up(
    rows: int = 150, origins: list[str] = CENTRAL_ASIA, first: int = 2001, last: int = 2022
) -> pd.DataFrame:
    """Incidents drawn by chance: every state, year and measure as likely as the next."""
    draw = np.random.default_rng(7)
    origin = draw.choice(origins, rows)
    return pd.DataFrame(
        {
            "exile_id": [
                f"{state}-{number:04d}"
                for state, number in zip(origin, draw.integers(1, rows // 4 + 2, rows), strict=True)
            ],
            "origin": origin,
            "host": draw.choice(["RUS", "TUR", "UKR", "POL", "DEU"], rows),
            "date": draw.integers(first, last + 1, rows).astype(str),
            "measure": draw.choice(MEASURES, rows),
            "relatives_targeted": draw.choice(["yes", ""], rows),
            "category": draw.choice(["opposition", "religious"], rows),
        }
    )


TABLES = {
    "no_hosts": made_up().drop(columns="host"),
    "no_dates": made_up().drop(columns="date"),
    "iran": made_up(origins=["IRN"]),
    "twelve_rows": made_up(12),
    "bare": made_up()[["origin", "measure"]],
    "one_year": made_up(60, first=2015, last=2015),
    "nineties": made_up(first=1991, last=1999),
    "to_2026": made_up(60, first=2023, last=2026),
}


def ends_in(year: int) -> pd.DataFrame:
    """The rows of the first edition to this year, as a table of a reader."""
    kept = ["exile_id", "category", "origin", "host", "date", "measure", "episode_id"]
    return cape.load(edition="2026-11").where(years=(1990, year)).joined()[kept]


def run(number: str, dataset: Path | str, out: Path, **parameters: object) -> str:
    """A notebook of the collection in this process: all that it shows, as text.

    Raises what a cell raises.
    """
    (notebook,) = project_folder("notebooks").glob(f"{number}_*.ipynb")
    names: dict = {"display": print}
    out.mkdir(exist_ok=True)
    with redirect_stdout(io.StringIO()) as shown:
        for cell in cells(notebook):
            if cell["cell_type"] == "code":
                body = ast.parse("".join(cell["source"])).body
                last = (
                    ast.Expression(body.pop().value)
                    if body and isinstance(body[-1], ast.Expr)
                    else None
                )
                exec(compile(ast.Module(body, []), f"{notebook.name}", "exec"), names)
                print(eval(compile(last, notebook.name, "eval"), names) if last else "")
            if "parameters" in cell["metadata"].get("tags", []):
                names |= {"dataset": str(dataset), "out": str(out), **parameters}
    plt.close("all")
    return shown.getvalue()


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("tables")
    for name, table in TABLES.items():
        table.to_csv(folder / f"{name}.csv", index=False)
    return {name: folder / f"{name}.csv" for name in TABLES} | {
        "careless": careless.write(folder)["xlsx"]
    }


@pytest.mark.parametrize(
    ("number", "table", "sentence"),
    spread(
        [
            ("03", "careless", "against exiles pursued by Tajikistan"),
            ("04", "careless", "no incident of 2021 has a known host, year and rating"),
            ("03", "no_hosts", "against exiles pursued by Tajikistan"),
            (
                "04",
                "no_hosts",
                "No incident names a host in your file no_hosts.csv: "
                "whatever needs one stays empty below.",
            ),
            (
                "03",
                "no_dates",
                "No incident has a date in your file no_dates.csv: "
                "whatever needs one stays empty below.",
            ),
            ("04", "no_dates", "No incident has a date in your file no_dates.csv"),
            (
                "03",
                "iran",
                "No incident by Tajikistan is in the data: its pursuing states are Iran (150); "
                "choose one with `-p origin=IRN`.",
            ),
            ("08", "twelve_rows", "too few for a share"),
            ("07", "one_year", "The years end in 2015, not 2024: your file one_year.csv has no"),
            ("03", "nineties", "No year of 2001-2024 is covered: your file nineties.csv covers"),
            ("04", "nineties", "No year of 2014-2021 is covered: your file nineties.csv covers"),
            ("07", "nineties", "choose years of it with `-p first_year=1991 -p last_year=1999`"),
            ("03", "to_2026", "but your file to_2026.csv goes on to 2026: take them in with"),
            ("01", "bare", "No incident names a host in your file bare.csv"),
            ("05", "bare", "No exile has a category in your file bare.csv"),
            ("07", "bare", "nothing to compare"),
            ("09", "bare", "cannot be told"),
            (
                "12",
                "bare",
                "0 by the data at hand",
            ),
        ],
        2,
    ),
)
@pytest.mark.slow
def test_a_notebook_says_what_a_table_lacks_and_goes_on(files, tmp_path, number, table, sentence):
    assert sentence in run(number, files[table], tmp_path / "out")
    answer = json.loads((tmp_path / "out" / "answer.json").read_text())
    assert answer["label"].startswith("your file") and answer["answer"].endswith(".")


@pytest.mark.parametrize(("year", "tested"), [(2016, False), (2018, True), (2020, True)])
def test_a_series_ends_where_the_table_ends(year, tested):
    """To 2024 the years after the end would be zeros: a fall, and a break that "passes"."""
    ds = cape.load(ends_in(year)).where(origin="TJK")
    start, end = ds.covered("TJK", 2001, 2024)
    series = cape.targeting.targeting(ds.incidents, start, end, 2015)
    assert end == series.counts["year"].max() == year
    text = cape.targeting.sentence(series, "exiles pursued by Tajikistan", "episode")
    assert f"2001-{year}" in text
    assert ("Whether 2015 was a break cannot be told" in text) != tested
    assert series.rise.with_correlation.loc["per year", "low"] > 1


@pytest.mark.parametrize(
    ("number", "answers", "figure"),
    spread(
        [
            ("03", "(2001-2016, n = ", "trend"),
            ("09", "with a host on record in 19", None),
            ("05", "Within five years of the first record", None),
            ("07", "In 2001-2016", None),
            ("01", "The data holds", "years"),
        ],
        1,
    ),
)
@pytest.mark.slow
def test_every_notebook_ends_where_the_table_ends(tmp_path, number, answers, figure):
    ends_in(2016).to_csv(tmp_path / "mine.csv", index=False)
    shown = run(number, tmp_path / "mine.csv", tmp_path / "out")
    assert "The years end in 2016, not 2024: your file mine.csv has no later incident." in shown
    answer = json.loads((tmp_path / "out" / "answer.json").read_text())["answer"]
    assert answers in answer and "2024" not in answer
    if figure:
        assert pd.read_csv(tmp_path / "out" / f"{figure}.csv")["year"].max() == 2016
    assert "until 2018, CAPE's last year" not in shown


def test_a_notebook_without_years_names_the_end_of_the_table():
    ds = cape.load(ends_in(2016))
    assert cape.gaps(ds, "TJK", "date") == [
        f"{ds.info.heading} ends in 2016: nothing below is of later years."
    ]
    assert cape.gaps(cape.load(), "TJK", "date") == []


@pytest.mark.slow
def test_person_years_end_where_the_table_ends(tmp_path):
    ends_in(2016).to_csv(tmp_path / "mine.csv", index=False)
    ds = cape.load(tmp_path / "mine.csv").where(origin=cape.CENTRAL_ASIA)
    start, end = ds.covered(cape.CENTRAL_ASIA, 2001, 2024)
    hosts = cape.corridors.possible_hosts(ds.incidents, start, end)
    result = cape.corridors.cooperation(
        ds.joined(), hosts, start, 2013, end, [2, 3], "episode", "fiw", "NF"
    )
    late = result.people.set_index(["origin", "period"]).loc[("TJK", "2013-2016")]
    assert late["person_years"] == 9192 and round(float(late["per_1000"]), 2) == 2.28


@pytest.mark.slow
def test_no_choice_starts_before_the_table():
    ds = cape.load(ends_in(2016)).where(years=(2005, 2016), origin="UZB")
    choices = {
        covered_from: cape.corridors.variants(
            ds.joined(), ["RUS", "KAZ", "TUR"], 2005, 2016, [2, 3], "episode", "fiw", "NF", *given
        )["choice"]
        for covered_from, given in {1990: (), 2005: (2005,)}.items()
    }
    earlier = "from 1994, the first UNHCR counts"
    assert earlier in set(choices[1990]) and earlier not in set(choices[2005])


def test_a_chosen_break_that_cannot_be_tested_is_refused_with_those_that_can():
    covered = cape.load(ends_in(2016)).covered("TJK", 2001, 2024)
    assert cape.chosen_break(0, 2015, covered) == 2015
    with pytest.raises(cape.ParameterError, match=r"in 2001-2016, .* choose 2005 to 2013"):
        cape.chosen_break(2015, 2015, covered)
    with pytest.raises(cape.ParameterError, match=r"in 2014-2024, .* choose 2018 to 2021"):
        cape.chosen_break(2015, 2015, cape.load().covered("TUR", 2001, 2024))


@pytest.mark.slow
def test_the_default_break_gives_way_in_the_notebook(tmp_path):
    shown = run("03", "public-record", tmp_path / "out", last_year=2016)
    assert "rose (2001-2016, n = " in shown
    assert (
        "A break at 2015 cannot be tested in 2001-2016: a break needs 4 years before it and 4 from "
        "it on. Years that have them: 2005-2013." in shown
    )
    ends_in(2016).to_csv(tmp_path / "mine.csv", index=False)
    with pytest.raises(cape.ParameterError, match="choose 2005 to 2013"):
        run("03", tmp_path / "mine.csv", tmp_path / "out", break_year=2015)


def test_the_built_in_data_lacks_nothing():
    ds = cape.load()
    assert cape.gaps(ds, None, "host", "date", "category", "relatives") == []
    with pytest.raises(cape.ParameterError, match="unknown need"):
        cape.gaps(ds, None, "hosts")


def test_a_figure_without_any_estimate_says_so():
    nothing = pd.DataFrame(columns=["label", "value", "low", "high", "n"])
    chart = intervals(nothing, cape.load().info, "A question?", "Nothing to answer it.")
    assert "too few cases" in [text.get_text() for text in chart.figure.axes[0].texts]
    plt.close(chart.figure)


@pytest.mark.slow
def test_no_corridor_is_called_the_largest_where_several_are_equal():
    rows = [
        f"TJK-{n:04d},TJK,{host},{2015 + n},detention"
        for n, host in enumerate(["RUS", "TUR", "KAZ", "KGZ", "UKR", "POL"])
    ]
    joined = {
        size: cape.load(
            pd.DataFrame([row.split(",") for row in rows[:size]], columns=list(TABLES["iran"])[:5])
        )
        for size in (2, 6)
    }
    sentences = {
        size: cape.corridors.cooperation(
            ds.joined(),
            ["RUS", "TUR", "KAZ", "KGZ", "UKR", "POL"],
            2015,
            2018,
            2021,
            [2, 3],
            "incident",
            "fiw",
            "NF",
        ).sentence("Tajikistan")
        for size, ds in joined.items()
    }
    assert sentences[2] == (
        "Too few incidents of Tajikistan with a known host and year in 2015-2021 to compare "
        "(n = 2)."
    )
    assert "No corridor is the largest: several have 1 each" in sentences[6]


@pytest.mark.slow
def test_a_workbook_runs_by_the_command_and_what_was_made_of_it_lies_beside_the_figures(
    files, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["cape", "reproduce", "03", "--data", str(files["careless"])])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    captured = capsys.readouterr()
    assert ended.value.code == 1, captured.err
    assert "Set aside, and what to do" in captured.err
    (folder,) = (tmp_path / "build" / "figures").iterdir()
    ds = examine(files["careless"])
    assert len(pd.read_csv(folder / "set_aside.csv")) == len(ds.set_aside)
    assert len(pd.read_csv(folder / "changes.csv")) == len(ds.log)
    used = json.loads((folder / "provenance.json").read_text())
    assert (
        used["parameters"]["dataset"] == files["careless"].name and "rapidfuzz" in used["packages"]
    )
    persons = careless.truth()["person"]
    written = b"".join(file.read_bytes() for file in folder.iterdir()).decode(errors="replace")
    assert not [name for name in persons if name and name in written]


def test_a_run_rests_on_a_file_and_not_on_an_address():
    with pytest.raises(cape.ParameterError, match="download https://example"):
        cape.check_parameters(dataset="https://example.org/mine.csv")
