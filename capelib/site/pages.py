"""The kinds of pages, in the order of the site's navigation.

A new kind is a function from the `Collection` to `Page`s in a module of this package, and a name
here. What it writes goes below a folder of its own; `front_page` names the folder's index in the
navigation.
"""

from collections.abc import Callable
from functools import partial

from capelib.site import (
    about_pages,
    comparison_pages,
    data_pages,
    explorer_pages,
    figure_pages,
    front_page,
    ledger_pages,
    lesson_pages,
    method_pages,
    notebook_pages,
    reference_pages,
    state_pages,
)
from capelib.site.collection import Collection
from capelib.site.markup import Page
from capelib.site.parallel import mapped

KINDS: tuple[Callable[[Collection], list[Page]], ...] = (
    front_page.pages,
    explorer_pages.pages,
    state_pages.pages,
    ledger_pages.pages,
    notebook_pages.pages,
    lesson_pages.pages,
    figure_pages.pages,
    comparison_pages.pages,
    method_pages.pages,
    data_pages.pages,
    reference_pages.pages,
    about_pages.pages,
)


def all_pages(collection: Collection) -> list[Page]:
    """The pages of every kind, made by two processes.

    Parameters
    ----------
    collection
        From `collect`.
    """
    made = mapped(partial(_of_kind, collection), KINDS)
    return [page for pages in made for page in pages]


def _of_kind(collection: Collection, kind: Callable[[Collection], list[Page]]) -> list[Page]:
    return kind(collection)
