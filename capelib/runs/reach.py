"""Which tables of `data/` does a notebook rest on? `provenance.json` beside figures says so.

Names are followed and nothing is run: `cape.figures.stage_odds` leads to figures/stages.py and on
to all that this file imports, but not to the other figures. A module counts as a whole; of a
package only the names that are used count. What cannot be followed (a cell that is not Python,
`cape` handed on as a whole) reaches everything.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from pathlib import Path

from capelib import _HOME, _MODULES
from capelib.paths import PACKAGE, project_folder

# A module or package, and the names below it: ("capelib", ("figures", "save")).
Use = tuple[str, tuple[str, ...]]

# The sources of capelib are read by pattern: parsing all of them would take most of the time of a
# command that finds nothing to do.
_IMPORT = re.compile(
    r"^[ \t]*((?:from|import) capelib\b[\w.]*(?: import \([^)]*\)|.*))", re.MULTILINE
)
_FOR_TYPES_ONLY = re.compile(r"^if TYPE_CHECKING:\n(?:[ \t].*\n|\n)*", re.MULTILINE)
_DOCSTRING = re.compile(r'""".*?"""', re.DOTALL)
_WORD = re.compile(r"""["']([\w./-]+)["']""")


@lru_cache(maxsize=64)
def sources(code: str) -> tuple[Path, ...]:
    """Which files of capelib does code reach?

    Parameters
    ----------
    code
        Of a notebook, its cells one below the other.

    Returns
    -------
    tuple of Path
        In order; each file counts as this process first saw it.
    """
    waiting = [file for use in uses(code) for file in _files(*use)]
    modules = {PACKAGE / "__init__.py"} if waiting else set()
    while waiting:
        file = waiting.pop()
        if file not in modules:
            modules.add(file)
            waiting += _imported(file)
    return tuple(sorted(modules))


def tables(code: str, values: Iterable[object] = ()) -> list[Path]:
    """Which files of `data/` does code reach?

    Parameters
    ----------
    code
        Of a notebook.
    values
        Of its parameters.

    Returns
    -------
    list of Path
        The files whose names stand in quotes in the code or in a module that it reaches, or are
        values of parameters.
    """
    names = _names(code).union(map(str, values))
    return sorted(
        file
        for file in project_folder("data").rglob("*.*")
        if not names.isdisjoint((file.name, file.stem))
    )


@lru_cache(maxsize=64)
def _names(code: str) -> set[str]:
    """Whatever stands in quotes; of a path the last part."""
    words = set(_WORD.findall(code))
    for file in sources(code):
        # capelib/__init__.py names modules, not tables.
        if file != PACKAGE / "__init__.py":
            words |= _words(file)
    return {word.rpartition("/")[2] for word in words}


def uses(code: str) -> set[Use]:
    """What does code take from capelib?

    Parameters
    ----------
    code
        With `import capelib as cape` and names like `cape.figures.save`, or with
        `from capelib... import`.

    Returns
    -------
    set
        Each module or package with the names below it; ("capelib", ()) for all of it.
    """
    try:
        nodes = list(ast.walk(ast.parse(code)))
    except SyntaxError:
        return {("capelib", ())}
    aliases = set()
    for node in nodes:
        for alias in node.names if isinstance(node, ast.Import) else []:
            if alias.name == "capelib" or not alias.asname:
                aliases.add(alias.asname or "capelib")
    inner = {node.value for node in nodes if isinstance(node, ast.Attribute)}
    chains = [_chain(node) for node in nodes if node not in inner]
    named = {("capelib", tuple(chain[1:])) for chain in chains if chain and chain[0] in aliases}
    imported = set(_imports(nodes)) - {("capelib", ())}
    return named | imported


def _chain(node: ast.AST) -> list[str]:
    """`cape.figures.save` as three words; nothing for what does not begin with a name."""
    if isinstance(node, ast.Name):
        return [node.id]
    before = _chain(node.value) if isinstance(node, ast.Attribute) else []
    return [*before, node.attr] if before else []


def _imports(nodes: Iterable[ast.AST]) -> Iterator[Use]:
    """What import statements take from capelib."""
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and f"{node.module}.".startswith("capelib."):
            for alias in node.names:
                yield str(node.module), (alias.name,)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if f"{alias.name}.".startswith("capelib."):
                    yield alias.name, ()


@cache
def _files(module: str, names: tuple[str, ...] = ()) -> set[Path]:
    """The files that a name leads to: a module; for a package, the module that defines the name."""
    path = PACKAGE.parent.joinpath(*module.split("."))
    if not path.is_dir():
        file = path.with_suffix(".py")
        return {file} if file.exists() else set()
    if not names or names[0] == "*":
        return set(path.rglob("*.py"))
    first, rest = names[0], names[1:]
    files = set()
    if (path / first).is_dir() or (path / f"{first}.py").exists():
        files |= _files(f"{module}.{first}", rest)
    for origin, name in _imported_names(path).get(first, set()) - {(module, first)}:
        files |= _files(origin, (name, *rest))
    return files or {path / "__init__.py"}


@cache
def _imported_names(package: Path) -> dict[str, set[tuple[str, str]]]:
    """The names that a package imports, each with the module and its name there.

    capelib itself imports its public names when they are first used; it lists them.
    """
    origins: dict[str, set[tuple[str, str]]] = {}
    if package == PACKAGE:
        origins = {name: {(module, name)} for name, module in _HOME.items()}
        for name, module in _MODULES.items():
            before, _, last = module.rpartition(".")
            origins[name] = {(before, last)}
    for node in ast.parse(_text(package / "__init__.py")).body:
        for alias in node.names if isinstance(node, ast.ImportFrom) else []:
            origin = (str(node.module), alias.name)
            origins.setdefault(alias.asname or alias.name, set()).add(origin)
    return origins


@cache
def _imported(file: Path) -> set[Path]:
    """The files that a module imports, also inside functions; not those for type checkers only."""
    statements = _IMPORT.findall(_FOR_TYPES_ONLY.sub("", _text(file)))
    files = set()
    for use in _imports(ast.parse("\n".join(statements)).body):
        files |= _files(*use)
    return files


@cache
def _words(file: Path) -> set[str]:
    """What stands in quotes in a module, outside its docstrings."""
    return set(_WORD.findall(_DOCSTRING.sub("", _text(file))))


@cache
def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8")
