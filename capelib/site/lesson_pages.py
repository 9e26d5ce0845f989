"""The lessons and their solutions as pages, and the page for teachers."""

from pathlib import Path
from typing import Any

import capelib as cape
from capelib.errors import CapeError
from capelib.files import cells
from capelib.paths import project_folder
from capelib.site import documents
from capelib.site.collection import Collection
from capelib.site.markup import Page, contents, plain
from capelib.site.notebook_pages import as_document, prose, shown_output

TEACHING = "docs/teaching.md"


def pages(collection: Collection) -> list[Page]:
    """Which pages teach? A list, one a lesson, one a solution, and one for teachers.

    Parameters
    ----------
    collection
        From `collect`. The lessons speak of the current edition: an earlier one has none.

    Raises
    ------
    CapeError
        A lesson was run on other data: a row that was withdrawn since could stand in it.
    """
    folder = project_folder("notebooks") / "lessons"
    lessons = sorted(folder.glob("*.ipynb"))
    if not lessons or not collection.is_current:
        return []
    solutions = sorted((folder / "solutions").glob("*.ipynb"))
    require_fresh([*lessons, *solutions], cape.load().info.sha256)
    teaching = documents.on_site(TEACHING, "lessons/teaching.md")
    return [
        _index(lessons, solutions),
        *(_page(path, f"lessons/{path.name}") for path in lessons),
        *(_page(path, f"lessons/solutions/{path.name}") for path in solutions),
        Page("lessons/teaching.md", teaching),
    ]


def require_fresh(notebooks: list[Path], sha256: str) -> None:
    """Raises CapeError for lessons that were run on other data.

    Parameters
    ----------
    notebooks
        Executed; each shows the dataset, whose citation holds the first digits of its checksum.
    sha256
        Of the data as it is now.
    """
    stale = [path.name for path in notebooks if sha256[:12] not in path.read_text("utf-8")]
    if stale:
        raise CapeError(
            f"{len(stale)} lessons were run on other data, {stale[0]} the first: "
            "make notebooks runs them again"
        )


def _index(lessons: list[Path], solutions: list[Path]) -> Page:
    """The list of lessons."""
    text = (
        "# Lessons\n\nFrom a first look at the data to a verdict on a published number. No "
        "statistics are needed to begin, and an hour with any introduction to Python is enough.\n\n"
        "Read them here, and do them in JupyterLab: there each exercise says whether an answer is "
        "right, or where to look again. With a copy of the project `make lab` opens them in "
        "`notebooks/lessons`; with the package, `cape notebooks FOLDER` copies them out.\n\n"
    )
    text += "".join(f"- [{plain(title(path))}]({path.name}): {aims(path)}\n" for path in lessons)
    text += "\nOne way to each answer, and why, for afterwards:"
    text += ",".join(f" [{path.stem[0]}](solutions/{path.name})" for path in solutions)
    text += ". To teach them: [for teachers](teaching.md).\n"
    entries = [f"{title(path)} <{path.stem}>" for path in lessons]
    entries += [f"{title(path)} <solutions/{path.stem}>" for path in solutions]
    return Page("lessons/index.md", text + contents(*entries, "teaching"))


def title(lesson: Path) -> str:
    """The first line of a lesson, such as "Lesson 2: count"."""
    return "".join(cells(lesson)[0]["source"]).splitlines()[0].lstrip("# ")


def aims(lesson: Path) -> str:
    """What a student can do after a lesson, in one sentence: its own list, joined."""
    _, _, text = "".join(cells(lesson)[0]["source"]).partition("**After this lesson you can**")
    lines = [line.removeprefix("- ").rstrip(";.") for line in text.splitlines() if line[:2] == "- "]
    return "; ".join(lines) + "."


def _page(path: Path, place: str) -> Page:
    """A lesson as it was run. Its code is what it teaches, so that it is not folded."""
    source_of_links = path.relative_to(project_folder("notebooks").parent).as_posix()
    shown = []
    for cell in cells(path):
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            shown.append(prose(documents.linked(source, source_of_links, place)))
        elif cell["cell_type"] == "code":
            shown.append(_code(source, cell))
    return Page(place, as_document(shown), {f"downloads/{place}": path})


def _code(source: str, cell: dict[str, Any]) -> dict[str, Any]:
    """A code cell. An exercise without an answer only repeats its question: it is left out."""
    is_open = "exercise" in cell["metadata"].get("tags", []) and "answer = ..." in source
    outputs = [] if is_open else [shown_output(each) for each in cell.get("outputs", [])]
    return {
        "cell_type": "code",
        "execution_count": None,
        "metadata": {},
        "outputs": outputs,
        "source": source,
    }
