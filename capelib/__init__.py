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
    from capelib.dataset import CENTRAL_ASIA, Dataset
    from capelib.estimators import counts, shares
    from capelib.estimators import yearly_counts as trends
    from capelib.loading import load
    from capelib.notebook import answer, check_parameters, gaps
    from capelib.questions import corridors, hosts, interpol, journeys, relatives, stages, targeting
    from capelib.questions import ledger_numbers as tallies
    from capelib.reference import displaced, memberships, regimes
    from capelib.reference.regimes import add_regime
    from capelib.vocabulary.codebook import codebook, codes, describe
    from capelib.vocabulary.pursuers import pursuers
    from capelib.vocabulary.tables import states, table

__version__ = "0.1.0"

_HOME = {
    "load": "capelib.loading",
    "Dataset": "capelib.dataset",
    "CENTRAL_ASIA": "capelib.dataset",
    "table": "capelib.vocabulary.tables",
    "states": "capelib.vocabulary.tables",
    "codebook": "capelib.vocabulary.codebook",
    "codes": "capelib.vocabulary.codebook",
    "describe": "capelib.vocabulary.codebook",
    "gaps": "capelib.notebook",
    "pursuers": "capelib.vocabulary.pursuers",
    "add_regime": "capelib.reference.regimes",
    "check_parameters": "capelib.notebook",
    "answer": "capelib.notebook",
}
_MODULES = {
    "regimes": "capelib.reference.regimes",
    "memberships": "capelib.reference.memberships",
    "displaced": "capelib.reference.displaced",
    "corridors": "capelib.questions.corridors",
    "counts": "capelib.estimators.counts",
    "hosts": "capelib.questions.hosts",
    "interpol": "capelib.questions.interpol",
    "journeys": "capelib.questions.journeys",
    "relatives": "capelib.questions.relatives",
    "shares": "capelib.estimators.shares",
    "stages": "capelib.questions.stages",
    "tallies": "capelib.questions.ledger_numbers",
    "targeting": "capelib.questions.targeting",
    "trends": "capelib.estimators.yearly_counts",
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
    "pursuers",
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
