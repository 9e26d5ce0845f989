"""capelib: reproducible research on transnational repression. `import capelib as cape`.

    ds = cape.load()                                incidents, exiles, sources: clean and checked
    ds.where(origin="TJK", years=(2001, 2018))      the part of it that a question needs
    cape.counts.per_year(ds.incidents, 2001, 2018)  an analysis: frame in, frame out
    cape.regimes.of("RUS", 2021)                    what is known about the states
    cape.figures.by_measure(ds)                     a figure; cape.figures.save writes it

Everything but the error classes is imported when first used, so that `import capelib` stays fast.
"""

from importlib import import_module
from typing import Any

from capelib.completion import register
from capelib.errors import CapeError, DataError, ParameterError

__version__ = "0.2.0"

# Each public name stands once: functions and classes below their module, modules with their place.
_FROM = {
    "capelib.dataset": ["CENTRAL_ASIA", "Dataset"],
    "capelib.loading": ["load"],
    "capelib.notebook": ["answer", "check_parameters", "gaps", "chosen_break"],
    "capelib.reference.regimes": ["add_regime"],
    "capelib.twin": ["Truth", "simulate"],
    "capelib.vocabulary.codebook": ["codebook", "codes"],
    "capelib.meaning.arguments": ["describe"],
    "capelib.meaning.pursuers": ["pursuers"],
    "capelib.vocabulary.shipped": ["table"],
    "capelib.vocabulary.tables": ["states"],
}
_MODULES = {
    "agreement": "capelib.estimators.agreement",
    "clusters": "capelib.estimators.clusters",
    "corridors": "capelib.questions.corridors",
    "counts": "capelib.estimators.counts",
    "data_quality": "capelib.questions.data_quality",
    "decomposition": "capelib.estimators.decomposition",
    "displaced": "capelib.reference.displaced",
    "figures": "capelib.figures",
    "findings": "capelib.findings",
    "hosts": "capelib.questions.hosts",
    "interpol": "capelib.questions.interpol",
    "journeys": "capelib.questions.journeys",
    "learn": "capelib.learn",
    "memberships": "capelib.reference.memberships",
    "misclassified": "capelib.estimators.misclassified",
    "misclassified_shares": "capelib.estimators.misclassified_shares",
    "new_year": "capelib.estimators.new_year",
    "periods": "capelib.estimators.periods",
    "published_hosts": "capelib.findings.published_hosts",
    "regimes": "capelib.reference.regimes",
    "relatives": "capelib.questions.relatives",
    "shares": "capelib.estimators.shares",
    "simex": "capelib.estimators.simex",
    "specifications": "capelib.questions.specifications",
    "stages": "capelib.questions.stages",
    "tallies": "capelib.questions.ledger_numbers",
    "targeting": "capelib.questions.targeting",
    "trends": "capelib.estimators.yearly_counts",
}
_HOME = {name: module for module, names in _FROM.items() for name in names}
_ERRORS = [error.__name__ for error in (CapeError, DataError, ParameterError)]

__all__ = sorted([*_ERRORS, *_HOME, *_MODULES])  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        module = import_module(_MODULES[name])
        # What the Tab key offers: the names that are the module's own, not numpy and pandas.
        module.__dict__.setdefault("__dir__", lambda: list(module.__all__))
        return module
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module 'capelib' has no attribute {name!r}")


def __dir__() -> list[str]:
    return ["__version__", *__all__]


register()
