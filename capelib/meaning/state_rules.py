"""What the rules that read the names of states say, in words."""

_NAME = "the name of a state, in English or another language"
RULES = {
    "state.abbreviation": "an abbreviation",
    "state.adjective": "an adjective or a people",
    "state.city": "a city: its state of today",
    "state.code2": "a code of two letters",
    "state.code3": "the code in other letters",
    "state.english": _NAME,
    "state.hedged": "written with doubt: the state that is named",
    "state.historical": "a former name",
    "state.kazakh": _NAME,
    "state.kyrgyz": _NAME,
    "state.not_stated": "a word for not known: left blank",
    "state.official": "the official name of a state",
    "state.other_language": _NAME,
    "state.region": "a region: its state",
    "state.remark": "a state with a remark",
    "state.russian": _NAME,
    "state.spelling": "the name of a state with a typing error",
    "state.tajik": _NAME,
    "state.turkmen": _NAME,
    "state.uzbek": _NAME,
}
