"""How far does the pursuit of each exile go? The highest stage on record, its odds, its time.

CAPE's authors name three stages: "on notice, detained, then rendered or assassinated" (Furstenberg,
Lemon and Heathershaw 2021). Which measure belongs to which stage is our reading (`cape.codebook`).
All of this describes what was recorded: it is not a risk.
"""

from capelib.questions.escalation import (
    AT_RISK,
    BLURRED,
    FOLLOWED,
    ORDERS,
    SCENARIOS,
    YEAR,
    escalation,
    interval_censored,
    waiting,
)
from capelib.questions.exiles import FEWEST, SOURCES, people, within
from capelib.questions.odds import FACTORS, Odds, odds
from capelib.questions.stage_bounds import Reach, curves, reach, readings
from capelib.questions.stage_choices import variants
from capelib.questions.stage_reached import Stages, composition, stages
from capelib.questions.stage_tests import StepTests, coders, second_coding, step_tests

__all__ = [
    "AT_RISK",
    "BLURRED",
    "FACTORS",
    "FEWEST",
    "FOLLOWED",
    "ORDERS",
    "SCENARIOS",
    "SOURCES",
    "YEAR",
    "Odds",
    "Reach",
    "Stages",
    "StepTests",
    "coders",
    "composition",
    "curves",
    "escalation",
    "interval_censored",
    "odds",
    "people",
    "reach",
    "readings",
    "second_coding",
    "stages",
    "step_tests",
    "variants",
    "waiting",
    "within",
]  # fmt: skip
