"""Imports run one way and in no circle; one list of dependencies, one version, no machine's path.

Also what a stranger meets first: the README's commands, the forms for issues, the hooks.
"""

import ast
import json
import os
import re
import tomllib
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
# Each file imports only from its own package and those before it. `capelib/__init__` is not walked.
ORDER = [
    "errors", "paths", "files", "progress", "download", "vocabulary", "display", "read", "meaning",
    "clean", "dataset", "loading", "reference", "twin", "estimators", "questions",
    "validation", "findings", "export", "figures", "notebook", "learn", "completion", "check",
    "runs", "report", "site",
    "notebook_commands", "cli", "__main__",
]  # fmt: skip


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


def floor(module: str) -> int:
    """The place of a module's package in ORDER."""
    package = module.split(".")[1]
    assert package in ORDER, f"capelib/{package}: put it into ORDER of tests/test_architecture.py"
    return ORDER.index(package)


@pytest.mark.parametrize("name", MODULES)
def test_imports_run_one_way(name):
    upward = {other for other in imports(name) if floor(other) > floor(name)}
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


NOT_OURS = {".git", ".venv", "build", "__pycache__"}
NOT_OURS |= {".pytest_cache", ".ruff_cache", ".hypothesis"}


def text_files():
    for folder, folders, names in os.walk(ROOT):
        folders[:] = set(folders) - NOT_OURS  # not entered: .venv alone has 30,000 files
        for name in names:
            if not name.endswith((".png", ".pyc")):
                yield Path(folder, name)


def test_conda_and_pip_users_get_the_same_packages():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = {
        f"python{project['requires-python']}",
        "pip",
        *project["dependencies"],
        *project["optional-dependencies"]["dev"],
    }
    text = (ROOT / "environment.yml").read_text()
    conda, _, pip = text.partition("  - pip:\n")
    by_conda = re.findall(r"^  - ([a-z].*)$", conda, re.MULTILINE)
    by_pip = re.findall(r"^      - (.*)$", pip, re.MULTILINE)
    assert {*by_conda, *by_pip} - {"conda-forge", "-e ."} == wanted
    # conda-forge has bibtexparser 1 alone, and no edtf
    assert {re.split("[<>=]", name)[0] for name in by_pip} == {"bibtexparser", "edtf", "-e ."}


def test_every_dependency_is_locked_with_hashes_and_no_address():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lock = (ROOT / "requirements.lock").read_text()
    for wanted in project["dependencies"] + project["optional-dependencies"]["dev"]:
        name = re.match(r"[a-z0-9-]+", wanted)[0]
        assert re.search(rf"^{name}==[^\n]*\\\n    --hash=sha256:", lock, re.MULTILINE), name
    assert "://" not in lock


def test_the_lock_of_the_site_holds_what_it_adds_and_the_same_versions():
    """Users of `make reproduce` and `make test` download none of it."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    lock = (ROOT / "requirements.lock").read_text()
    of_site = (ROOT / "requirements-site.lock").read_text()
    for wanted in extras["site"] + extras["browser"]:
        name = re.match(r"[a-z0-9-]+", wanted)[0]
        assert re.search(rf"^{name}==[^\n]*\\\n    --hash=sha256:", of_site, re.MULTILINE), name
        assert not re.search(rf"^{name}==", lock, re.MULTILINE), name
    pins = re.compile(r"^([a-z0-9-]+==[^ \n]+)", re.MULTILINE)
    assert set(pins.findall(lock)) <= set(pins.findall(of_site))
    assert "://" not in of_site


def test_the_readme_begins_with_the_two_commands():
    lines = [line.strip() for line in README.splitlines() if line.strip()]
    for command in ("make reproduce", "make test"):
        assert any(line.startswith(command) for line in lines[:8])


def test_every_file_that_the_readme_names_is_there():
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", README) if "://" not in link]
    assert len(links) > 5
    assert all((ROOT / link).exists() for link in links)


def test_one_version_everywhere():
    import capelib

    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert capelib.__version__ == version
    citation = (ROOT / "CITATION.cff").read_text()
    released = re.search(r"date-released: (.*)", citation)[1]
    assert f"version: {version}\n" in citation
    assert f"## [{version}] - {released}\n" in (ROOT / "CHANGELOG.md").read_text()
    for file, date in ((".zenodo.json", "publication_date"), ("codemeta.json", "datePublished")):
        entry = json.loads((ROOT / file).read_text(encoding="utf-8"))
        assert (entry["version"], entry[date]) == (version, released), file


FORMS = [*sorted(ROOT.glob(".github/**/*.yml")), ROOT / ".pre-commit-config.yaml"]


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.name)
def test_forms_workflows_and_hooks_are_yaml(path):
    yaml = pytest.importorskip("yaml")
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    if path.parent.name != "ISSUE_TEMPLATE" or path.name == "config.yml":
        return
    fields = [field for field in content["body"] if field["type"] != "markdown"]
    assert {"name", "description", "body"} <= set(content)
    assert len({field["id"] for field in fields}) == len(fields) > 0
    assert all(field["attributes"]["label"] for field in fields)


def test_every_target_that_a_document_names_is_in_the_makefile():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    workflows = [f".github/workflows/{name}.yml" for name in ("test", "publish")]
    for file in ("README.md", "CONTRIBUTING.md", ".ci/run", *workflows):
        text = (ROOT / file).read_text(encoding="utf-8")
        named = re.findall(
            r"(?:^ *|`|run: )make (?:PYTHON=\S+ )?([a-z][a-z-]*)(?=`|\s*$|\s+#)", text, re.M
        )
        assert named and set(named) <= targets, file


def test_the_recipes_name_files_that_are_there_and_no_more_than_promised():
    """For a measure, a regime measure, a notebook, an exercise, a finding, a format, a state."""
    recipes = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").split("\n## Add ")[1:]
    for recipe, most in zip(recipes, (3, 3, 4, 3, 2, 3, 3), strict=True):
        files = re.findall(r"^\d\. `([^`]+)`", recipe, re.MULTILINE)
        assert 2 <= len(files) <= most
        assert all((ROOT / file).exists() for file in files if "NEW" not in file), files


def test_no_file_names_a_folder_of_somebodys_machine():
    folder = re.compile(rb"/(?<![\w.]/)(?:home|root|Users)/\w+")
    for path in text_files():
        match = folder.search(path.read_bytes())
        assert not match, f"{path.relative_to(ROOT)}: {match[0].decode()}"
