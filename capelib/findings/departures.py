"""What each notebook follows, and where it departs from it: `data/published/departures.csv`."""

from html import escape

import pandas as pd

from capelib.errors import ParameterError
from capelib.findings.bibliography import address, reference
from capelib.vocabulary.codebook import codes, unknown
from capelib.vocabulary.tables import table


class Follows:
    """The publications that a notebook follows, and what is the same and what differs; shown as tables in a notebook.

    frame: publication (key), aspect, published (what the publication does), here, same (True, or missing where it differs), why.
    """

    def __init__(self, frame: pd.DataFrame) -> None:
        self.frame = frame

    def _repr_html_(self) -> str:
        parts = []
        for key, rows in self.frame.groupby("publication", sort=False):
            link = f'<a href="{escape(address(key))}">{escape(address(key))}</a>'
            shown = pd.DataFrame(
                {
                    "aspect": rows["aspect"].astype("str").map(codes("aspect")),
                    "there": rows["published"],
                    "here": rows["here"],
                    "": ["same" if same else "differs" for same in rows["same"].fillna(False)],
                    "why": rows["why"].fillna(""),
                }
            )
            with pd.option_context("display.max_colwidth", None):
                parts.append(
                    f"<p>{escape(reference(key))}<br>{link}</p>{shown.to_html(index=False, border=0)}"
                )
        return "".join(parts)

    def __repr__(self) -> str:
        lines = []
        for key, rows in self.frame.groupby("publication", sort=False):
            lines.append(f"{reference(key)} ({address(key)})")
            lines += [
                f"  {row.aspect}: {row.published} | here: {row.here}" for row in rows.itertuples()
            ]
        return "\n".join(lines)


def follows(notebook: str) -> Follows:
    """Which publications does this notebook follow, and where does it depart from them?

    notebook: its name, such as "03_tajik_targeting". Raises ParameterError where no entry stands in departures.csv.

    >>> follows("03_tajik_targeting").frame["publication"].unique().tolist()
    ['cape2016essay', 'lemon2016thesis', 'lemon2016talk']
    """
    rows = table("departures")
    if notebook not in set(rows["notebook"]):
        message = unknown("notebook", notebook, sorted(rows["notebook"].unique()))
        raise ParameterError(f"data/published/departures.csv: {message}")
    return Follows(
        rows[rows["notebook"] == notebook].drop(columns="notebook").reset_index(drop=True)
    )
