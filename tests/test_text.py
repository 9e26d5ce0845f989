"""What users rely on where texts are compared: one folding for a text alone and for a column."""

import subprocess
import sys

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from capelib.vocabulary.text import bare, bare_cells, near, plain, plain_cells, visible, words

AS_WRITTEN = "  RÉSUMÉ\u200b of\u00a0the Приём_(2)\n"


@settings(deadline=None)
@given(st.text(max_size=60))
def test_a_column_is_folded_as_each_of_its_texts(text):
    assert plain_cells(pd.Series([text], dtype="str")).tolist() == [plain(text)]


def test_each_strength_leaves_what_its_table_says():
    assert visible(AS_WRITTEN) == "RÉSUMÉ of the Приём_(2)"
    assert plain(AS_WRITTEN) == "résumé of the прием_(2)"
    assert words(plain(AS_WRITTEN)) == "résumé of the прием 2"
    assert bare(AS_WRITTEN) == "resume of the прием 2"


def test_names_of_persons_are_one_whatever_their_capitals_accents_and_signs():
    names = ["Jiří Příklad", "JIRI-PRIKLAD", "jiri  priklad.", "Анна Й.", None]
    series = pd.Series(names, dtype="str", index=[3, 1, 4, 5, 9])
    folded = bare_cells(series)
    assert folded.index.equals(series.index)
    assert folded.dropna().tolist() == [bare(name) for name in names[:4]]
    assert folded.nunique() == 2 and pd.isna(folded.loc[9])


def test_the_three_measures_of_nearness_give_the_nearest_first():
    known = ["deportation", "detention", "retention"]
    assert near("detentoin", known, "edits", 2) == [("detention", 1), ("retention", 2)]
    assert near("detentoin", known, "ratio", 80)[0][0] == "detention"
    assert near("detentoin", known, "blocks", 0.8)[0][0] == "detention"


def test_the_codebook_costs_no_heavy_import():
    code = (
        "import sys, capelib.vocabulary.codebook;"
        "print(sorted({'pandas', 'rapidfuzz', 'pyarrow'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
