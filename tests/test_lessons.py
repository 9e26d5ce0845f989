"""The lessons: they run with blanks, their solutions are right, each common slip gets its hint."""

import ast
import contextlib
import io
import json
import re

import numpy as np
import pandas as pd
import pytest
from IPython.core.formatters import PlainTextFormatter
from shared import slow

import capelib as cape
from capelib.learn import compare, doubt
from capelib.learn.answers import WANTED, read, same
from capelib.learn.exercises import EXERCISES
from capelib.paths import project_folder

LESSONS = sorted((project_folder("notebooks") / "lessons").glob("*.ipynb"))
SOLUTIONS = sorted((project_folder("notebooks") / "lessons" / "solutions").glob("*.ipynb"))
DOUBT = "4"  # its way through two editions takes seconds
# Every slip on a number of its own: those of the last lesson are slow.
SLIPS = [
    pytest.param(
        number,
        place,
        id=f"{number}-{place}",
        marks=[pytest.mark.slow] if number.startswith(DOUBT) else [],
    )
    for number, exercise in EXERCISES.items()
    for place in range(len(exercise.slips))
]


def cells(path):
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


def source(cell):
    return "".join(cell["source"])


def run(path):
    """The text that each code cell shows, when they run from top to bottom in one namespace."""
    names, shown = {}, []
    for cell in cells(path):
        if cell["cell_type"] == "code":
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                value = last_value(source(cell), names)
            text = "" if value is None else PlainTextFormatter()(value)
            shown.append(printed.getvalue().strip() + text)
    return shown


def last_value(code, names):
    """The value of a cell's last line, as a notebook shows it; None where it has none."""
    *lines, last = ast.parse(code).body
    if not isinstance(last, ast.Expr):
        exec(compile(ast.parse(code), "cell", "exec"), names)
        return None
    exec(compile(ast.Module(lines, []), "cell", "exec"), names)
    return eval(compile(ast.Expression(last.value), "cell", "eval"), names)


def committed(path):
    texts = []
    for cell in cells(path):
        if cell["cell_type"] == "code":
            parts = [
                "".join(output.get("text") or output["data"]["text/plain"])
                for output in cell["outputs"]
            ]
            texts.append("".join(part.strip() if part.endswith("\n") else part for part in parts))
    return texts


@pytest.fixture(autouse=True)
def nothing_answered_yet(monkeypatch):
    monkeypatch.setattr("capelib.learn.checking._LAST", {})


BOTH = [*LESSONS, *SOLUTIONS]


@pytest.mark.parametrize(
    "path",
    [slow(path) if path.stem.startswith(DOUBT) else path for path in BOTH],
    ids=[f"{path.parent.name}-{path.stem}" for path in BOTH],
)
def test_a_lesson_runs_and_shows_what_is_committed(path):
    """After a change of data or lessons: `make notebooks`."""
    shown = run(path)
    assert shown == committed(path)
    asked = [text for text in shown if re.match(r"\d\.\d: |.*\n?.*: right\.$", text)]
    if path in SOLUTIONS:
        assert all(text.endswith(": right.") for text in asked)
        assert shown[-1].endswith("still open: none.")
    else:
        assert all("no answer yet" in text for text in asked)
        assert ": 0 of " in shown[-1]


@pytest.mark.parametrize("path", BOTH, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_lesson_asks_every_exercise_of_its_number_once_in_order(path):
    text = "\n".join(source(cell) for cell in cells(path))
    numbers = [number for number in EXERCISES if number.startswith(path.stem[0])]
    assert re.findall(r'learn\.check\("([\d.]+)"', text) == numbers
    assert re.findall(r"^##+ (?:Exercise )?(\d\.\d)", text, re.MULTILINE) == numbers
    for number in numbers:
        assert EXERCISES[number].asks in text


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_has_the_parts_that_a_teacher_looks_for(path):
    texts = [source(cell) for cell in cells(path) if cell["cell_type"] == "markdown"]
    for part in ("**Time.**", "**Questions**", "**After this lesson you can**"):
        assert part in texts[0]
    assert texts[-1].startswith("## Key points")
    minutes = int(re.search(r"\*\*Time\.\*\* (\d+) minutes", texts[0])[1])
    assert 30 <= minutes <= 45
    in_exercises = sum(int(n) for n in re.findall(r"\((\d+) minutes\)", "\n".join(texts)))
    stated = int(re.search(r"(\d+) for \w+ exercises", texts[0])[1])
    assert in_exercises - (60 if path.stem.startswith(DOUBT) else 0) == stated
    hints = [text for text in texts if "### Exercise" in text]
    assert all("<details><summary>Hint</summary>" in text for text in hints)


def on_record(number):
    exercise = EXERCISES[number]
    return exercise, cape.load(edition=exercise.edition)


@pytest.mark.parametrize(("number", "place"), SLIPS)
def test_each_slip_differs_from_the_answer_and_gets_its_own_hint(number, place):
    exercise, ds = on_record(number)
    slip = exercise.slips[place]
    wrong, right = (read(exercise.wanted, way(ds)) for way in (slip.way, exercise.right))
    assert not same(wrong, right, exercise.within)
    feedback = cape.learn.check(number, slip.way(ds))
    assert not feedback.right
    assert feedback.sentence == f"{number}: not yet. {slip.look}"


def test_what_the_lessons_say_of_the_data_still_holds():
    """Sentences of the lessons that a new edition could make untrue."""
    ds = cape.load()
    kyrgyz = cape.counts.per_year(ds.where(origin="KGZ").incidents, 2014, 2020).set_index("year")
    assert kyrgyz.index[kyrgyz["n"] == 0].tolist() == [2016, 2018]
    first_six = ds.incidents.head(6)["exile_id"].value_counts()
    assert first_six["TJK-0067"] == 2
    assert compare._gap_alone(ds).low > 0 > compare._gap(ds).low
    assert compare._gap(ds).high > 0.1


@pytest.mark.slow
def test_what_the_last_lesson_says_of_the_fall_of_the_headline_still_holds():
    ds, first = cape.load(), cape.load(edition="2026-11")
    assert round(100 * doubt._change(first).value) == 27
    assert doubt._change(first).low > 0
    within = doubt._parts(first).within
    assert within.low < 0 < within.high
    six = doubt._definitions(first)
    assert six["difference"].idxmax() == six.index[six["definition"].str.contains("Free")][0]
    assert (six["difference"] < 0).any()
    now = doubt._change(ds)
    assert now.low < 0 < now.high
    assert now.high > 0.2
    assert now.value < doubt._change(first).value / 2


@pytest.mark.parametrize(
    ("number", "answer"),
    [
        ("1.1", lambda ds: np.int64(len(ds.exiles))),
        ("1.1", lambda ds: pd.Series([len(ds.exiles)], dtype="Int64")),
        ("1.1", lambda ds: float(len(ds.exiles))),
        ("1.5", lambda ds: ds.where(origin="TJK").incidents["host"].value_counts().head(3)),
        ("1.5", lambda _: {"Russia", "Türkiye", "Germany"}),
        ("1.5", lambda _: ("deu", "RU", "Turkey")),
        ("2.4", lambda ds: uzbek(ds)),
        ("2.4", lambda ds: uzbek(ds).set_index("year")),
        ("2.4", lambda ds: uzbek(ds).set_index("year")["n"].to_dict()),
        ("3.6", lambda _: np.False_),
        ("4.7", lambda _: " c "),
    ],
)
def test_an_answer_of_any_sensible_form_is_taken(number, answer):
    assert cape.learn.check(number, answer(cape.load())).right


def uzbek(ds):
    return cape.counts.per_year(ds.where(origin="UZB").incidents, 2014, 2024)


@pytest.mark.parametrize(
    ("number", "answer", "words"),
    [
        ("1.1", ..., "no answer yet"),
        ("1.1", None, "no answer yet"),
        ("1.1", "many", "one number is wanted, not a str"),
        ("1.1", True, "one number is wanted, not a bool"),
        ("1.1", [1, 2], "one number is wanted, not a list"),
        ("1.1", pd.Series([1, 2]), "one number is wanted, not a Series"),
        ("1.1", pd.DataFrame({"a": [1, 2]}), "one number is wanted, not a DataFrame"),
        ("1.1", pd.NA, "one number is wanted"),
        ("1.1", float("nan"), "a missing value"),
        ("1.1", len, "one number is wanted"),
        ("1.1", 12345, "Read the question again"),
        ("1.5", ["Germnay"], "did you mean DEU, Germany?"),
        ("1.5", 3, "states, by their codes or names"),
        ("1.6", 49.75, "divide by 100"),
        ("2.4", {1999: 3}, "The years are others"),
        ("2.4", [1, 2, 3], "a number for each year"),
        ("3.6", 0, "True or False is wanted"),
        ("4.7", "it rose", "one letter"),
        ("4.8", "too few cases", "the verdict that `cape.findings.judge` gives"),
    ],
)
def test_what_is_no_answer_gets_a_sentence_and_no_error(number, answer, words):
    feedback = cape.learn.check(number, answer)
    assert not feedback.right
    assert words in feedback.sentence
    assert repr(feedback) == feedback.sentence


def rights(number):
    exercise, ds = on_record(number)
    return exercise, ds, read(exercise.wanted, exercise.right(ds))


# Wrong answers made of the right one, by the kind of error, and words of the hint meant for it.
KINDS = [
    ("1.1", lambda right: str(int(right)), "leave the quotes out"),
    ("1.4", lambda _: "none", "write it in digits"),
    ("1.6", lambda _: 903, "divide it by the number of all"),
    ("4.7", lambda right: f"{right} it", "of several letters"),
    ("1.6", lambda right: f"{100 * right:.0f} %", "leave the quotes out"),
    ("1.1", lambda _: cape.load().exiles, "of which `len` counts the rows"),
    ("1.1", lambda right: right - 1, "one too many or too few"),
    ("1.1", lambda right: right + 1, "one too many or too few"),
    ("1.3", lambda _: len(cape.load().exiles), "the number of rows of `ds.exiles`"),
    ("1.3", lambda _: cape.load().incidents["host"].isna().mean(), "neither a share nor a mean"),
    ("1.5", lambda _: ["RUS", "TUR"], "asks for 3 states, and yours are 2"),
    ("3.1", lambda right: 1 - right, "the share of the others"),
    ("3.1", lambda right: round(right, 1), "Two decimals are wanted"),
    ("1.6", lambda _: 0, "divided with `//`"),
    ("1.6", lambda right: 1 / right, "the wrong way round"),
    ("2.1", lambda _: len(cape.load().sources), "the number of rows of `ds.sources`"),
    ("2.4", lambda right: {year: right[year] for year in range(2014, 2024)}, "2014 to 2023"),
    ("2.4", lambda right: {year + 1: n for year, n in right.items()}, "2015 to 2025"),
    ("2.4", lambda right: list(right.values()), "a number for each year"),
    ("2.4", lambda right: {year: n + 1 for year, n in right.items()}, "the counts are not"),
    ("2.6", lambda right: -right, "never below 0"),
    ("2.5", lambda right: right - 1990, "A year is asked"),
    ("3.1", lambda right: 100 * right, "divide by 100"),
    ("3.1", lambda _: 100 * compare._of_all(cape.load()), "divide by 100. Incidents without"),
    ("3.1", lambda _: compare._alone(cape.load()), "Which of its parts is asked: k, n, share"),
    ("3.5", lambda right: -right, "The sign"),
    ("3.5", lambda _: -compare._gap(cape.load()).high, "The sign"),
    ("3.6", lambda right: str(right), "leave the quotes out"),
    slow("4.2", lambda _: doubt._alone(cape.load()).low, "Edition 2026-11 is asked"),
    slow("4.5", lambda right: right / 6, "neither a share nor a mean"),
    ("4.7", lambda _: "it rose", "one letter"),
    ("4.7", lambda _: "d)", "How large a change"),
]


@pytest.mark.parametrize(("number", "wrong", "words"), KINDS)
def test_a_wrong_answer_of_each_kind_gets_the_hint_meant_for_it_and_never_the_answer(
    number, wrong, words
):
    exercise, _, right = rights(number)
    feedback = cape.learn.check(number, wrong(right))
    assert not feedback.right
    assert words in feedback.sentence
    if isinstance(right, float):
        written = {f"{right:g}", f"{right:.2f}", f"{100 * right:.0f}"}
        hint = feedback.sentence.replace(exercise.asks, "").removeprefix(number)
        assert not written & set(re.findall(r"\d+(?:\.\d+)?", hint))


def test_feedback_never_holds_the_answer():
    """No hint names the number that it leads to."""
    for number, exercise in EXERCISES.items():
        if exercise.wanted not in ("number", "fraction") or number.startswith(DOUBT):
            continue
        right = read(exercise.wanted, exercise.right(cape.load(edition=exercise.edition)))
        texts = " ".join([exercise.asks, *(slip.look for slip in exercise.slips)])
        said = {float(text) for text in re.findall(r"(?<![\w.])\d+(?:\.\d+)?(?![\w.]*\d)", texts)}
        assert number == "1.2" or right not in said, number  # 1.2 asks: 1, 2 or 3?


def test_the_last_task_refuses_a_number_of_the_ledger():
    ds = cape.load()
    known = cape.findings.check(ds, ["fa2022-autoc-share-2021"])[0]
    assert "in the ledger already" in cape.learn.check("4.8", known).sentence
    made_up = cape.findings.claim("Made up: half took place in Atlantis.", 0.5, 0.495, 0.505)
    tally = cape.tallies.share(ds.incidents, host=["RUS"])
    unsaid = cape.findings.judge(made_up, ds.info, "", tally)
    assert "how the number was computed" in cape.learn.check("4.8", unsaid).sentence
    assert cape.learn.check(
        "4.8", cape.findings.judge(made_up, ds.info, "cape.tallies.share", tally)
    ).right


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"low": 0.6}, "value must lie between low and high"),
        ({"value": 50, "low": 49, "high": 51}, "74 % is 0.74"),
        ({"quantity": "shares"}, "did you mean share?"),
        ({"statement": " "}, "statement is blank"),
    ],
)
def test_a_number_that_is_coded_wrongly_is_refused(change, words):
    given = {"statement": "Made up.", "value": 0.5, "low": 0.495, "high": 0.505} | change
    with pytest.raises(cape.ParameterError, match=re.escape(words)):
        cape.findings.claim(**given)


def test_an_answer_on_a_table_of_ones_own_is_checked_on_that_table():
    part = cape.load().where(origin="KGZ")
    assert cape.learn.check("1.1", len(part.exiles), part).right
    assert not cape.learn.check("1.1", len(part.exiles)).right


def test_every_kind_of_answer_is_described_and_unknown_exercises_are_refused():
    assert {exercise.wanted for exercise in EXERCISES.values()} == set(WANTED)
    with pytest.raises(cape.ParameterError, match=re.escape("unknown exercise '9.9'")):
        cape.learn.check("9.9", 1)


def test_the_lessons_are_run_here_and_not_by_nbval():
    makefile = (project_folder("notebooks").parent / "Makefile").read_text(encoding="utf-8")
    assert "nbval-current-env tests capelib notebooks/[0-9]*.ipynb" in makefile
    assert "notebooks/lessons/*.ipynb notebooks/lessons/solutions/*.ipynb" in makefile


def test_states_may_be_listed_in_one_text():
    for form in ("RUS, TUR, KAZ", "Russia, Turkey, Kazakhstan", ["RUS", "TUR", "KAZ"]):
        assert read("states", form) == {"RUS", "TUR", "KAZ"}
