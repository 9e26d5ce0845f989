"""The recipes of CONTRIBUTING.md in a copy of the project: data is added, no code is touched."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow  # each starts several processes
ROOT = Path(__file__).parent.parent
QUESTIONS = """
import capelib as cape
ds = cape.load()
joined = ds.where(origin=cape.pursuers("all").codes).joined()
who = "them"
print(cape.relatives.relatives(joined).sentence(who))
print(cape.stages.stages(joined, 1990, 2024).sentence(who))
print(cape.interpol.interpol(joined).sentence(who))
print(cape.journeys.journeys(joined, 1990, 2024).sentence(who))
print(cape.hosts.host_shares(joined, (2014, 2020), (2021, 2024)).sentence())
"""


class Copy:
    """A copy of capelib with its data and notebooks, which a recipe may change."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("capelib", "data", "notebooks"):
            ignored = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints")
            shutil.copytree(ROOT / name, folder / name, ignore=ignored)
        for name in (
            "pyproject.toml",
            "README.md",
            "tests/manifest.py",
            "tests/data_manifest.toml",
            "figures/12_published_findings/answer.json",
        ):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)

    def read(self, file: str) -> str:
        return (self.folder / file).read_text(encoding="utf-8")

    def append(self, file: str, text: str) -> None:
        (self.folder / file).write_text(f"{self.read(file)}{text}\n", encoding="utf-8")

    def repeat_entry(self, file: str, entry: str, added: str, **changed: str) -> None:
        """Add an entry to a TOML file: all lines of another one, some of them with other values."""
        lines = re.search(
            rf"^\[{re.escape(entry)}\]\n((?:.+\n)+?)(?=\[|\n|\Z)", self.read(file), re.M
        )
        body = lines[1]
        for key, value in changed.items():
            body = re.sub(rf"^{key} = .*$", f"{key} = {value}", body, flags=re.M)
        self.append(file, f"\n[{added}]\n{body}")

    def python(self, code: str, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *(["-c", code] if code else []), *words],
            cwd=self.folder,
            env=os.environ | {"PYTHONPATH": str(self.folder)},
            capture_output=True,
            text=True,
            check=False,
        )

    def prints(self, code: str, *words: str) -> list[str]:
        done = self.python(code, *words)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    def make_again(self) -> None:
        """What `make all` makes again without a kernel: the data package and the manifest."""
        self.prints("", "-m", "capelib.vocabulary.package")
        self.prints("", "tests/manifest.py")


@pytest.fixture
def copy(tmp_path):
    return Copy(tmp_path)


def test_a_measure_is_an_entry_of_the_codebook_and_words(copy):
    """Under another code each incident counts as before; a reader's table is read by the words."""
    before = copy.prints(QUESTIONS)
    copy.repeat_entry(
        "data/codebook.toml",
        "codes.measure.rendition",
        "codes.measure.abduction",
        label='"Abduction"',
    )
    copy.append("data/words/measures.csv", "spirited away,abduction,1.0,,")
    incidents = copy.read("data/incidents.csv")
    (copy.folder / "data/incidents.csv").write_text(incidents.replace(",rendition,", ",abduction,"))
    assert copy.prints(QUESTIONS) == before
    code = (
        "import pandas as pd, capelib as cape; print(*cape.load(pd.DataFrame(dict(origin=['TJK'], "
    )
    code += "exile_id=['x'], measure=['spirited away']))).incidents['measure'])"
    assert copy.prints(code) == ["abduction"]
    command = "from capelib.cli import main; main()"
    assert "Abduction, stage 3" in "\n".join(copy.prints(command, "codebook", "abduction"))
    copy.make_again()
    assert '"abduction"' in copy.read("data/datapackage.json")
    words = copy.read("data/words/measures.csv").count("\n") - 1
    assert f'[list."words/measures.csv"]\nrows = {words}\n' in copy.read("tests/data_manifest.toml")


def test_a_regime_measure_is_an_entry_of_the_codebook_and_spells(copy):
    """A second Freedom in the World under another code gives the same shares."""
    copy.repeat_entry(
        "data/codebook.toml",
        "codes.regime_measure.fiw",
        "codes.regime_measure.twin",
        label='"Twin"',
    )
    spells = re.findall(r"^.*,fiw,.*$", copy.read("data/reference/regimes.csv"), re.M)
    copy.append("data/reference/regimes.csv", "\n".join(spells).replace(",fiw,", ",twin,"))
    code = """
import capelib as cape
cape.check_parameters(regime_measure="twin", cutoff="NF")
joined, periods = cape.load().joined(), ((2014, 2020), (2021, 2024))
for measure in ("fiw", "twin"):
    print(cape.hosts.host_shares(joined, *periods, measure, "NF").sentence())
print(*cape.hosts.by_definition(joined, *periods)["regime_measure"].unique())
"""
    first, second, measures = copy.prints(code)
    assert second.replace("Twin", "Freedom in the World") == first
    assert "twin" in measures
    copy.make_again()


def test_a_sixth_pursuing_state_is_an_entry_of_the_codebook_and_its_displaced(copy):
    path = copy.folder / "data/codebook.toml"
    book = copy.read("data/codebook.toml")
    states = '["KAZ", "KGZ", "TJK", "TKM", "UZB"'
    assert states in book
    book = book.replace(states, f'{states}, "AZE"').replace(
        "\nUZB = 1990", "\nUZB = 1990\nAZE = 2014"
    )
    path.write_text(book.replace("the five Central Asian states", "six states"), encoding="utf-8")
    years = re.findall(r"^TJK,.*$", copy.read("data/reference/displaced.csv"), re.M)
    copy.append("data/reference/displaced.csv", "\n".join(years).replace("TJK,", "AZE,"))
    code = QUESTIONS + "print(len(set(joined['origin'])), cape.pursuers('all').words)"
    code += "\nchart = cape.figures.by_origin_and_year(ds, 1990, 2024)"
    code += "\nprint(chart.data['origin'].nunique(), 'AZE' in cape.figures.ORIGIN_COLOURS)"
    code += "\nprint(cape.displaced.of('AZE', 2016))"
    *_, pursuing, drawn, displaced = copy.prints(code)
    assert (pursuing, drawn, displaced) == ("6 six states", "6 True", "4130")
    copy.make_again()
    assert "incidents are by six states. The other" in copy.read("data/README.md")


def test_a_finding_is_a_row_and_its_check(copy):
    rows = copy.read("data/published/findings.csv").splitlines()
    (row,) = [row for row in rows if row.startswith("fa2022-autoc-share-2021,")]
    copy.append("data/published/findings.csv", row.replace("fa2022-autoc-share-2021", "again"))
    code = "import capelib as cape; print(cape.findings.check(cape.load(), '{}')[0].verdict)"
    assert copy.prints(code.format("again")) == ["needs data"]
    copy.repeat_entry("data/published/checks.toml", "check.fa2022-autoc-share-2021", "check.again")
    assert copy.prints(code.format("again")) == ["set by the search"]
    copy.make_again()
    for file in ("tests/data_manifest.toml", "README.md", "data/README.md"):
        assert "386" in copy.read(file), file


UNCHECKED = "again,fa2022longarm,unheard,,x,count,1,1,1,x,,,,,,,primary,https://example.org,"


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("checks.toml", "[check.nobody]", "checks.toml: no finding 'nobody'"),
        ("checks.toml", "[check.fh2021-total]", "checks.toml: Cannot declare"),
        ("findings.csv", UNCHECKED, "checks.toml: finding 'again' needs an entry 'unheard'"),
    ],
)
def test_a_finding_without_its_other_file_is_an_error_that_names_it(copy, file, text, message):
    copy.append(f"data/published/{file}", text)
    done = copy.python("import capelib as cape; cape.findings.check(cape.load())")
    assert message in done.stderr.splitlines()[-1]


def test_a_notebook_without_departures_is_an_error_that_names_their_file():
    import capelib as cape

    with pytest.raises(cape.ParameterError, match=r"departures\.csv"):
        cape.findings.follows("13_categories")
