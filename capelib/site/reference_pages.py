"""The reference of what `import capelib as cape` offers, from the docstrings."""

import inspect
from types import ModuleType
from typing import Any

import capelib as cape
from capelib.site.collection import Collection
from capelib.site.markup import Page


def pages(_: Collection) -> list[Page]:
    """Which pages make the reference? One a public module, one for the rest, and a list."""
    public = {name: getattr(cape, name) for name in cape.__all__}
    modules = {name: value for name, value in public.items() if isinstance(value, ModuleType)}
    others = {name: value for name, value in public.items() if name not in modules}
    documented = {module.__name__ for module in modules.values()}
    made = [_page(name, module) for name, module in modules.items()]
    lines = [
        *_title("Reference", "="),
        "What ``import capelib as cape`` offers, in the words of the code itself.\n",
        *_title("Load, select, answer", "-"),
        *(
            _documented(name, value, getattr(value, "__module__", "") in documented)
            for name, value in sorted(others.items(), key=_kind)
        ),
        *_title("Modules", "-"),
        ".. list-table::\n",
        *(
            f"   * - :doc:`cape.{name} <{name}>`\n     - {_first_line(module)}"
            for name, module in modules.items()
        ),
        "\n.. toctree::\n   :hidden:\n",
        *(f"   cape.{name} <{name}>" for name in modules),
    ]
    return [Page("reference/index.rst", "\n".join(lines) + "\n"), *made]


def _kind(item: tuple[str, Any]) -> tuple[int, str]:
    """Functions first, then classes, then the rest."""
    name, value = item
    return (2 - _is_function(value) * 2 - inspect.isclass(value), name)


def _page(name: str, module: ModuleType) -> Page:
    """The page of a module: each of its public functions and classes."""
    members = public_members(module)
    lines = [
        *_title(f"cape.{name}", "="),
        f".. automodule:: {module.__name__}\n",
        *(_documented(member, value) for member, value in members.items()),
    ]
    return Page(f"reference/{name}.rst", "\n".join(lines))


def public_members(module: ModuleType) -> dict[str, Any]:
    """Which functions and classes does a module offer? Those of `__all__`, or those written in it.

    Parameters
    ----------
    module
        Of capelib.
    """
    if names := getattr(module, "__all__", None):
        return {name: getattr(module, name) for name in names}
    return {
        name: value
        for name, value in vars(module).items()
        if not name.startswith("_")
        and (_is_function(value) or inspect.isclass(value))
        and value.__module__ == module.__name__
    }


def _documented(name: str, value: Any, elsewhere: bool = False) -> str:
    """The directive that sets the docstring of a function or class; a constant by its value.

    elsewhere: it has its place on another page, to which the index leads.
    """
    once = "   :no-index:\n" if elsewhere else ""
    if inspect.isclass(value):
        place = f"{value.__module__}.{value.__qualname__}"
        fields = ", ".join(getattr(value, "_fields", ()))
        hidden = f"__init__, __new__{', ' * bool(fields)}{fields}"
        return f".. autoclass:: {place}\n   :members:\n   :exclude-members: {hidden}\n{once}"
    if _is_function(value):
        return f".. autofunction:: {value.__module__}.{value.__qualname__}\n{once}"
    return f".. py:data:: {name}\n   :value: {value!r}\n"


def _is_function(value: Any) -> bool:
    """Is it a function, or one whose results are kept (`functools.cache`)?"""
    return callable(value) and inspect.isfunction(inspect.unwrap(value))


def _title(words: str, line: str) -> list[str]:
    return [words, line * len(words) + "\n"]


def _first_line(value: Any) -> str:
    return (inspect.getdoc(value) or "").partition("\n")[0]
