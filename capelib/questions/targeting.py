"""Did one state's pursuit of its exiles grow, until when, and did it break?

The parts of notebook 03: the series, the other states, the months, the choices, the words.
"""

from capelib.questions.targeting_choices import variants
from capelib.questions.targeting_months import AroundMonth, around_month
from capelib.questions.targeting_series import Targeting, targeting
from capelib.questions.targeting_share import AgainstOthers, against_others
from capelib.questions.targeting_words import sentence, yearly

__all__ = [
    "AgainstOthers",
    "AroundMonth",
    "Targeting",
    "against_others",
    "around_month",
    "sentence",
    "targeting",
    "variants",
    "yearly",
]
