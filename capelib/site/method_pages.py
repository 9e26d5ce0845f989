"""The methods: each estimator in the words of its docstring, with its formula and its tests."""

import ast
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from capelib.findings.bibliography import reference
from capelib.findings.checks import checks
from capelib.paths import PACKAGE
from capelib.site import documents
from capelib.site.collection import Collection
from capelib.site.markup import Page

TESTS = PACKAGE.parent / "tests"
_DRAWN = ("rng", "default_rng", "RandomState", "binomial", "poisson", "simulated", "coverage")


@dataclass(frozen=True)
class Method:
    """An estimator as the page of the methods shows it.

    Attributes
    ----------
    key : str
        The name of its page.
    title : str
    question : str
        What it answers, for a reader who knows no statistics.
    functions : tuple of str
        Modules and names, such as "capelib.estimators.shares.wilson".
    formula : str
        TeX.
    fails : str
        Where it fails.
    notebooks : tuple of str
        Numbers of the notebooks that use it.
    tallies : tuple of str
        Functions of checks.toml that rest on it.
    """

    key: str
    title: str
    question: str
    functions: tuple[str, ...]
    formula: str
    fails: str
    notebooks: tuple[str, ...] = ()
    tallies: tuple[str, ...] = ()


@cache
def methods() -> dict[str, Method]:
    """Which methods are there? By key, in the order of `methods.toml`."""
    path = Path(__file__).parent / "methods.toml"
    content = tomllib.loads(path.read_text(encoding="utf-8"))
    return {
        key: Method(
            key,
            **{
                name: tuple(value) if isinstance(value, list) else value
                for name, value in entry.items()
            },
        )
        for key, entry in content.items()
    }


def pages(collection: Collection) -> list[Page]:
    """Which pages show the methods? A list, one a method, how they do, the referee's questions."""
    known = methods()
    lines = [
        *_heading("Methods", "="),
        "Every estimate has an interval, a number of cases, and assumptions. Each method here is "
        "tested by simulation against a known truth, on a published example, or against a second "
        "implementation. All of them on made-up records: :doc:`validation`, and :doc:`power`. "
        "What a critical reader asked, and where it is answered: :doc:`referee`.\n",
        ".. list-table::\n   :header-rows: 1\n\n   * - Question\n     - Method",
        *(f"   * - {each.question}\n     - :doc:`{key}`" for key, each in known.items()),
        "\n.. toctree::\n   :hidden:\n",
        *(f"   {each.title} <{key}>" for key, each in known.items()),
        "   How far the estimators hold <validation>",
        "   What could have been seen <power>",
        "   What a referee asked <referee>",
        "   Reference of the package </reference/index>",
    ]
    made = [_page(each, collection) for each in known.values()]
    places = [(name, f"methods/{name}.md") for name in ("validation", "power", "referee")]
    return [
        Page("methods/index.rst", "\n".join(lines) + "\n"),
        *made,
        *(Page(place, documents.on_site(f"docs/{name}.md", place)) for name, place in places),
    ]


def _page(method: Method, collection: Collection) -> Page:
    """The page of a method."""
    lines = [
        *_heading(method.title, "="),
        f"**The question.** {method.question}\n",
        *_heading("Formula", "-"),
        ".. math::\n",
        *(f"   {line}" for line in method.formula.strip().splitlines()),
        "",
        *_heading("Where it fails", "-"),
        f"{method.fails}\n",
        *_heading("Assumptions, source, example", "-"),
        "As the code itself says it.\n",
        *(f".. autofunction:: {name}\n   :no-index:\n" for name in method.functions),
        *_heading("Where it is used", "-"),
        *_used(method, collection),
        *_heading("How it is tested", "-"),
        *_tested(method),
    ]
    return Page(f"methods/{method.key}.rst", "\n".join(lines) + "\n")


def _used(method: Method, collection: Collection) -> list[str]:
    """The notebooks that use a method, and the published numbers that are computed by it."""
    lines = [
        f"* Notebook :doc:`{runs[0].heading} </notebooks/{runs[0].name}>`"
        for runs in collection.by_notebook.values()
        if runs[0].heading[:2] in method.notebooks
    ]
    numbers = published_by(method.tallies, collection)
    for key, words in numbers.items():
        claim = collection.published[key]
        place = f"`{claim.text} <../ledger/index.html#{key}>`__"
        lines.append(f"* {place} ({_escaped(reference(claim.publication))}): {words}")
    return [*(lines or ["Not used by a notebook of this site."]), ""]


def published_by(tallies: Sequence[str], collection: Collection) -> dict[str, str]:
    """Which published numbers are computed by these functions, and with which verdict?

    Parameters
    ----------
    tallies
        Names of functions of checks.toml, such as "tallies.share".
    collection
        From `collect`.
    """
    wanted = {key for key, hows in checks().items() if any(how.function in tallies for how in hows)}
    return {
        each.finding_id: each.verdict
        for each in collection.verdicts
        if each.finding_id in wanted and each.made_by.startswith(tuple(tallies))
    }


def _tested(method: Method) -> list[str]:
    """The tests that call a method, those that draw data with a known truth first."""
    rows = calling_tests(method.functions)
    if not rows:
        return ["No test names it.\n"]
    lines = []
    for test in sorted(rows, key=lambda test: not test.draws):
        kind = "simulation: " if test.draws else ""
        lines.append(f"* {kind}{_escaped(test.words)} (``{test.file}``)")
    return [*lines, ""]


@dataclass(frozen=True)
class CallingTest:
    """A test that calls an estimator.

    Attributes
    ----------
    file : str
    words : str
        Its docstring's first line, or its name in words.
    draws : bool
        Does it draw data, so that the truth is known?
    """

    file: str
    words: str
    draws: bool


def calling_tests(functions: Sequence[str]) -> list[CallingTest]:
    """Which tests of the project call these functions?

    Parameters
    ----------
    functions
        With their modules. A test counts where its file names the module, and the test calls the
        function, by itself or by a function of the same file.
    """
    names = {name.rpartition(".")[2] for name in functions}
    modules = {name.rpartition(".")[0].rpartition(".")[2] for name in functions}
    made = []
    for path, words in _test_files().items():
        if not (modules & words and names & words):
            continue
        inner = {name: function.names for name, function in _functions(path).items()}
        calling = names | {name for name, used in inner.items() if names & used}
        for name, function in _functions(path).items():
            if name.startswith("test_") and calling & function.names:
                text = function.words or name.removeprefix("test_").replace("_", " ")
                reached = function.names.union(
                    *(inner[each] for each in function.names & set(inner))
                )
                draws = bool(reached & set(_DRAWN))
                made.append(CallingTest(f"tests/{path.name}", text, draws))
    return made


@dataclass(frozen=True)
class _Function:
    """A function of a test file: the first line of its docstring, and all names in it."""

    words: str
    names: frozenset[str]


@cache
def _test_files() -> dict[Path, set[str]]:
    """All words in each test file."""
    return {
        path: set(re.findall(r"\w+", path.read_text(encoding="utf-8")))
        for path in sorted(TESTS.glob("test_*.py"))
    }


@cache
def _functions(path: Path) -> dict[str, _Function]:
    """The functions of a test file by name."""
    return {
        node.name: _Function((ast.get_docstring(node) or "").partition("\n")[0], _names(node))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
    }


def _names(node: ast.AST) -> frozenset[str]:
    """All names and attributes in a piece of code."""
    inner = list(ast.walk(node))
    names = {each.id for each in inner if isinstance(each, ast.Name)}
    return frozenset(names | {each.attr for each in inner if isinstance(each, ast.Attribute)})


def _heading(words: str, line: str) -> list[str]:
    return [words, line * len(words) + "\n"]


def _escaped(text: str) -> str:
    return re.sub(r"([\\`*_|])", r"\\\1", text)
