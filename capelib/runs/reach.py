"""What the results of a notebook can depend on: the source files of capelib and the tables of `data/` that its code reaches.

Names are followed and nothing is run: `cape.figures.stage_odds` leads to figures/stages.py and on to all that this file imports, but
not to the other figures. A module counts as a whole; of a package only the names that are used count. What cannot be followed (a
cell that is not Python, `cape` handed on as a whole) reaches everything.
"""

import ast
import hashlib
import re
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from pathlib import Path

from capelib.paths import PACKAGE, room

Use = tuple[
    str, tuple[str, ...]
]  # a module or package, and the names below it: ("capelib", ("figures", "save"))

# The sources of capelib are read by pattern, since parsing all of them would take most of the time of a command that finds nothing to do.
_IMPORT = re.compile(
    r"^[ \t]*((?:from|import) capelib\b[\w.]*(?: import \([^)]*\)|.*))", re.MULTILINE
)
_FOR_TYPES_ONLY = re.compile(r"^if TYPE_CHECKING:\n(?:[ \t].*\n|\n)*", re.MULTILINE)
_DOCSTRING = re.compile(r'""".*?"""', re.DOTALL)
_WORD = re.compile(r"""["']([\w./-]+)["']""")


@lru_cache(maxsize=64)
def sources(code: str) -> tuple[Path, ...]:
    """The source files of capelib that code reaches, in order. Each file counts as this process first saw it."""
    waiting = [file for use in uses(code) for file in _files(*use)]
    found = {PACKAGE / "__init__.py"} if waiting else set()
    while waiting:
        file = waiting.pop()
        if file not in found:
            found.add(file)
            waiting += _imported(file)
    return tuple(sorted(found))


@lru_cache(maxsize=64)
def sha256(code: str) -> str:
    """Checksum of these files with their names."""
    digest = hashlib.sha256()
    for file in sources(code):
        digest.update(f"{file.relative_to(PACKAGE).as_posix()}\0{_text(file)}\0".encode())
    return digest.hexdigest()


def tables(code: str, values: Iterable[object] = ()) -> list[Path]:
    """The files of `data/` that code with these values of parameters, or a source file that it reaches, calls by name."""
    names = _names(code).union(map(str, values))
    return sorted(
        file for file in room("data").rglob("*.*") if not names.isdisjoint((file.name, file.stem))
    )


@lru_cache(maxsize=64)
def _names(code: str) -> set[str]:
    """Whatever stands in quotes; of a path the last part."""
    reached = [
        _words(file) for file in sources(code) if file != PACKAGE / "__init__.py"
    ]  # the face names modules, not tables
    return {word.rpartition("/")[2] for word in {*_WORD.findall(code)}.union(*reached)}


def uses(code: str) -> set[Use]:
    """What code takes from capelib: by `import capelib as cape` and `cape.figures.save`, or by `from capelib... import`."""
    try:
        nodes = list(ast.walk(ast.parse(code)))
    except SyntaxError:
        return {("capelib", ())}
    modules = [alias for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    face = {
        alias.asname or "capelib"
        for alias in modules
        if alias.name == "capelib" or not alias.asname
    }
    within = {node.value for node in nodes if isinstance(node, ast.Attribute)}
    chains = [_chain(node) for node in nodes if node not in within]
    return {("capelib", tuple(chain[1:])) for chain in chains if chain and chain[0] in face} | set(
        _imports(nodes)
    ) - {("capelib", ())}


def _chain(node: ast.AST) -> list[str]:
    """`cape.figures.save` as three words; nothing for what does not begin with a name."""
    if isinstance(node, ast.Name):
        return [node.id]
    inner = _chain(node.value) if isinstance(node, ast.Attribute) else []
    return [*inner, node.attr] if inner else []


def _imports(nodes: Iterable[ast.AST]) -> Iterator[Use]:
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and f"{node.module}.".startswith("capelib."):
            yield from ((str(node.module), (alias.name,)) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (
                (alias.name, ()) for alias in node.names if f"{alias.name}.".startswith("capelib.")
            )


@cache
def _files(module: str, names: tuple[str, ...] = ()) -> set[Path]:
    """The files that a name leads to: a module; below a package that hands on names, the module that has the name."""
    place = PACKAGE.parent.joinpath(*module.split("."))
    if not place.is_dir():
        return {file for file in [place.with_suffix(".py")] if file.exists()}
    if not names or names[0] == "*":
        return set(place.rglob("*.py"))
    first, rest = names[0], names[1:]
    found = set()
    if (place / first).is_dir() or (place / f"{first}.py").exists():
        found |= _files(f"{module}.{first}", rest)
    for home, name in _handed_on(place).get(first, set()) - {(module, first)}:
        found |= _files(home, (name, *rest))
    return found or {place / "__init__.py"}


@cache
def _handed_on(package: Path) -> dict[str, set[tuple[str, str]]]:
    """Where a package's names come from, by the imports of its `__init__`; the face of capelib lists its own for type checkers."""
    found: dict[str, set[tuple[str, str]]] = {}
    for node in ast.parse(_text(package / "__init__.py")).body:
        for each in node.body if isinstance(node, ast.If) else [node]:
            if isinstance(each, ast.ImportFrom):
                for alias in each.names:
                    found.setdefault(alias.asname or alias.name, set()).add(
                        (str(each.module), alias.name)
                    )
    return found


@cache
def _imported(file: Path) -> set[Path]:
    """The files that a source file imports, also inside functions; not those that it imports for type checkers only."""
    statements = _IMPORT.findall(_FOR_TYPES_ONLY.sub("", _text(file)))
    return {
        found for use in _imports(ast.parse("\n".join(statements)).body) for found in _files(*use)
    }


@cache
def _words(file: Path) -> set[str]:
    return set(_WORD.findall(_DOCSTRING.sub("", _text(file))))


@cache
def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8")
