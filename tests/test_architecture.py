"""Imports run one way and in no circle; the two commands, one list of dependencies, one version, no path of a machine."""

import ast
import re
import tomllib
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent
# Each file imports only from its own package and those before it. `capelib/__init__` hands names on and is not walked.
ORDER = [
    "errors",
    "paths",
    "files",
    "download",
    "vocabulary",
    "read",
    "meaning",
    "clean",
    "dataset",
    "reference",
    "estimators",
    "questions",
    "findings",
    "figures",
    "notebook",
    "check",
    "report",
    "runs",
    "cli",
]


def modules() -> dict[str, ast.Module]:
    """Every module of capelib by its dotted name, parsed."""
    trees = {}
    for path in sorted((ROOT / "capelib").rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        if name != "capelib":
            trees[name] = ast.parse(path.read_text(encoding="utf-8"))
    return trees


MODULES = modules()


def imports(name: str) -> set[str]:
    """The modules of capelib that a module imports: inside functions and for types too."""
    edges = set()
    for node in ast.walk(MODULES[name]):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                edges.add(inner if inner in MODULES else node.module)
        elif isinstance(node, ast.Import):
            edges |= {alias.name for alias in node.names}
    return (edges & set(MODULES)) - {name}


def top(module: str) -> str:
    return module.split(".")[1]


@pytest.mark.parametrize("name", MODULES)
def test_imports_run_one_way(name):
    upward = {other for other in imports(name) if ORDER.index(top(other)) > ORDER.index(top(name))}
    assert not upward, f"{name} imports from above: {sorted(upward)}"


def test_no_module_reaches_itself():
    reach = {name: imports(name) for name in MODULES}
    for middle in MODULES:
        for others in reach.values():
            if middle in others:
                others |= reach[middle]
    assert not sorted(name for name, others in reach.items() if name in others)


@pytest.mark.parametrize("package", ["capelib", "capelib.figures"])
def test_no_module_has_the_name_of_a_public_function(package):
    """`cape.figures.corridors` is a function: a module of that name would take its place."""
    public = import_module(package)
    functions = {
        name for name in public.__all__ if not isinstance(getattr(public, name), ModuleType)
    }
    files = (ROOT / package.replace(".", "/")).iterdir()
    assert not functions & {path.stem for path in files if not path.stem.startswith("_")}


def text_files():
    skipped = {
        ".git",
        ".venv",
        "build",
        ".pytest_cache",
        ".ruff_cache",
        ".hypothesis",
        "__pycache__",
    }
    for path in ROOT.rglob("*"):
        if (
            path.is_file()
            and not skipped & set(path.relative_to(ROOT).parts)
            and path.suffix not in (".png", ".pyc")
        ):
            yield path


def test_conda_and_pip_users_get_the_same_packages():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = {
        f"python{project['requires-python']}",
        "pip",
        *project["dependencies"],
        *project["optional-dependencies"]["dev"],
    }
    listed = re.findall(r"^  - ([a-z].*)$", (ROOT / "environment.yml").read_text(), re.MULTILINE)
    assert set(listed) - {"conda-forge"} == wanted


def test_every_dependency_is_locked_with_hashes_and_no_address():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lock = (ROOT / "requirements.lock").read_text()
    for wanted in project["dependencies"] + project["optional-dependencies"]["dev"]:
        name = re.match(r"[a-z0-9-]+", wanted)[0]
        assert re.search(rf"^{name}==[^\n]*\\\n    --hash=sha256:", lock, re.MULTILINE), name
    assert "://" not in lock


def test_the_readme_begins_with_the_two_commands():
    lines = [
        line.strip()
        for line in (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
        if line.strip()
    ]
    assert any(line.startswith("make reproduce") for line in lines[:8])
    assert any(line.startswith("make test") for line in lines[:8])


def test_every_file_that_the_readme_names_is_there():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", readme) if "://" not in link]
    assert len(links) > 5
    assert all((ROOT / link).exists() for link in links)


def test_one_version_everywhere():
    import capelib

    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert capelib.__version__ == version
    assert f"version: {version}\n" in (ROOT / "CITATION.cff").read_text()
    assert f"## {version} " in (ROOT / "CHANGELOG.md").read_text()


def test_no_file_names_a_folder_of_somebodys_machine():
    for path in text_files():
        text = path.read_text(encoding="utf-8", errors="replace")
        found = re.search(r"(?<![\w.])/(?:home|root|Users)/\w+", text)
        assert not found, f"{path.relative_to(ROOT)}: {found[0]}"
