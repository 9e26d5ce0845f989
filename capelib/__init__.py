"""capelib: reproducible research on transnational repression. `import capelib as cape`.

    ds = cape.load()                                    incidents, exiles and sources, clean and checked
    ds.where(origin="TJK", years=(2001, 2018))          the part of it that a question needs
    cape.counts.per_year(ds.incidents, 2001, 2018)      an analysis: frame in, frame out
    cape.regimes.of("RUS", 2021)                        what is known about the states
    cape.figures.trend(...)                             a figure; cape.figures.save writes it with its data

Everything but the error classes is imported when first used, so that `import capelib` stays fast.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from capelib.errors import CapeError, DataError, ParameterError

if TYPE_CHECKING:
    from capelib import figures, findings
    from capelib.analysis import corridors, counts, hosts, interpol, journeys, relatives, shares, stages, tallies, targeting, trends
    from capelib.dataset.codebook import codebook, codes, describe
    from capelib.dataset.dataset import CENTRAL_ASIA, Dataset, load
    from capelib.dataset.gaps import gaps
    from capelib.dataset.tables import states, table
    from capelib.reference import displaced, memberships, regimes
    from capelib.reference.regimes import add_regime
    from capelib.runs.parameters import check_parameters
    from capelib.runs.results import answer

__version__ = "0.1.0"

_HOME = {
    "load": "capelib.dataset.dataset",
    "Dataset": "capelib.dataset.dataset",
    "CENTRAL_ASIA": "capelib.dataset.dataset",
    "table": "capelib.dataset.tables",
    "states": "capelib.dataset.tables",
    "codebook": "capelib.dataset.codebook",
    "codes": "capelib.dataset.codebook",
    "describe": "capelib.dataset.codebook",
    "gaps": "capelib.dataset.gaps",
    "add_regime": "capelib.reference.regimes",
    "check_parameters": "capelib.runs.parameters",
    "answer": "capelib.runs.results",
}
_MODULES = {
    "regimes": "capelib.reference.regimes",
    "memberships": "capelib.reference.memberships",
    "displaced": "capelib.reference.displaced",
    "corridors": "capelib.analysis.corridors",
    "counts": "capelib.analysis.counts",
    "hosts": "capelib.analysis.hosts",
    "interpol": "capelib.analysis.interpol",
    "journeys": "capelib.analysis.journeys",
    "relatives": "capelib.analysis.relatives",
    "shares": "capelib.analysis.shares",
    "stages": "capelib.analysis.stages",
    "tallies": "capelib.analysis.tallies",
    "targeting": "capelib.analysis.targeting",
    "trends": "capelib.analysis.trends",
    "findings": "capelib.findings",
    "figures": "capelib.figures",
}

__all__ = [
    "CENTRAL_ASIA",
    "CapeError",
    "DataError",
    "Dataset",
    "ParameterError",
    "add_regime",
    "answer",
    "check_parameters",
    "codebook",
    "codes",
    "corridors",
    "counts",
    "describe",
    "displaced",
    "figures",
    "findings",
    "gaps",
    "hosts",
    "interpol",
    "journeys",
    "load",
    "memberships",
    "regimes",
    "relatives",
    "shares",
    "stages",
    "states",
    "table",
    "tallies",
    "targeting",
    "trends",
]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(_MODULES[name])
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module 'capelib' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
