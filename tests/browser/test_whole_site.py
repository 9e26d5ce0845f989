"""All pages at once, without a browser: links, names, addresses, what was withdrawn."""

import ast
import csv
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, SITE

from capelib.site import links
from capelib.vocabulary.shipped import table

FIRST = "01_learn_the_dataset"
TEXT = {".html", ".js", ".csv", ".json", ".svg", ".ipynb", ".css", ".txt"}


def files(site: Path, *without: str) -> dict[str, str]:
    """The text of every file of a site but the theme's, by its path."""
    return {
        path.relative_to(site).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(site.rglob("*"))
        if path.suffix in TEXT and "_static" not in path.parts and path.name not in without
    }


@pytest.fixture(scope="module")
def texts():
    return files(SITE, ".site.json")


def test_every_link_and_anchor_leads_somewhere():
    checked = links.check(SITE)
    assert checked.pages > 150
    assert checked.faults == []


def test_no_address_that_holds_a_name_is_on_the_site(texts):
    sources = table("sources")
    named = sources.loc[sources["name_in_address"].fillna(False), "url"]
    assert len(named) > 100
    wanted = re.compile("|".join(re.escape(address) for address in named))
    assert not [name for name, text in texts.items() if wanted.search(text)]


def made_up_names() -> set[str]:
    """The names that tests plant in tables, as their files list them."""
    names = set()
    for node in ast.parse((ROOT / "tests" / "test_planted_names.py").read_text("utf-8")).body:
        if isinstance(node, ast.Assign) and node.targets[0].id in ("FIRST", "SECOND"):
            names |= set(ast.literal_eval(node.value))
    return names


def test_no_made_up_name_of_a_test_is_on_the_site(texts):
    names = made_up_names()
    assert len(names) > 10
    names = {name.lower() for name in names}
    small = {path: text.lower() for path, text in texts.items()}
    assert not [path for path, text in small.items() if any(name in text for name in names)]


def test_every_picture_says_what_it_shows(texts):
    """By its text, or where it stands in a link by the words of that link."""
    pictures = 0
    for path, text in texts.items():
        _, _, main = text.partition("<main")
        if not path.endswith(".html") or path == "py-modindex.html":  # with Sphinx's own signs
            continue
        for tag, link in re.findall(r"(<img\b[^>]*>)(?:<span>([^<]*)</span></a>)?", main):
            [alt] = re.findall(r'alt="([^"]*)"', tag)
            words = alt or link
            assert len(words) > 10 and "_images/" not in words, (path, tag)
            pictures += 1
    assert pictures > 100


def test_no_value_is_shown_by_its_place_in_memory(texts):
    assert not [name for name, text in texts.items() if re.search(r"\bat 0x[0-9a-f]{6}", text)]


def test_no_folder_of_this_machine_is_on_the_site(texts):
    folders = re.compile("|".join(re.escape(str(each)) for each in (ROOT, SITE, Path.home())))
    assert not [name for name, text in texts.items() if folders.search(text)]
    assert not [name for name, text in texts.items() if "/.run-" in text]


def copied(folder: Path) -> Path:
    """A copy of the project with its first notebook, as it was run, and its first lesson."""
    parts = ("capelib", "data", "docs", "notebooks", f"figures/{FIRST}")
    for name in parts:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "CHANGELOG.md", "CITATION.cff", "CONTRIBUTING.md", "README.md"):
        shutil.copy(ROOT / name, folder)
    (folder / "build").mkdir()
    shutil.copy(ROOT / "build" / f"{FIRST}.ipynb", folder / "build")
    for path in (folder / "notebooks").rglob("*.ipynb"):
        if path.stem not in (FIRST, "1_look"):
            path.unlink()
        else:  # the next lesson is not there
            path.write_text(path.read_text("utf-8").replace("](2_count.ipynb)", "]"), "utf-8")
    (folder / "notebooks" / "runs.toml").write_text(f'[[run]]\nnotebook = "{FIRST}"\n')
    teaching = folder / "docs" / "teaching.md"
    lines = teaching.read_text("utf-8").splitlines(keepends=True)
    kept = [line for line in lines if not re.search(r"lessons/[2-9]_", line)]
    teaching.write_text("".join(kept), "utf-8")
    return folder


def cape(folder: Path, *arguments: str) -> tuple[int, str]:
    """The exit code of the command `cape` in a copy of the project, and its errors."""
    environment = os.environ | {"PYTHONPATH": str(folder)}
    code = "from capelib.cli import main; main()"
    command = [sys.executable, "-c", code, *arguments]
    ended = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    return ended.returncode, ended.stderr


def run_lessons(folder: Path) -> None:
    """As `make notebooks` does it."""
    command = [sys.executable, "-m", "nbconvert", "--to", "notebook", "--execute", "--inplace"]
    lessons = [str(path) for path in (folder / "notebooks" / "lessons").rglob("*.ipynb")]
    environment = os.environ | {"PYTHONPATH": str(folder)}
    subprocess.run([*command, *lessons], cwd=folder, env=environment, check=True)


def test_what_was_withdrawn_is_on_no_page(texts, tmp_path):
    """The site of runs made before is refused; that of runs made after does not hold the key."""
    incidents = table("incidents")
    [exile, *_] = incidents["exile_id"]
    keys = {exile, *incidents.loc[incidents["exile_id"] == exile, "incident_id"]}
    assert len(keys) > 1
    wanted = re.compile(rf"\b(?:{'|'.join(sorted(keys))})\b")
    assert any(wanted.search(text) for text in texts.values())
    folder = copied(tmp_path)
    with (folder / "data" / "withdrawn.csv").open("a", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerow([exile, "2026-11-28", "on request"])
    code, error = cape(folder, "site")
    assert (code, "the data has changed since" in error) == (2, True), error
    assert cape(folder, "reproduce") == (0, "")
    code, error = cape(folder, "site")
    assert (code, "lessons were run on other data" in error) == (2, True), error
    run_lessons(folder)
    code, error = cape(folder, "site")
    assert code == 0, error
    after = files(folder / "build" / "site")
    assert len(after) > 150
    assert not [name for name, text in after.items() if wanted.search(text)]
