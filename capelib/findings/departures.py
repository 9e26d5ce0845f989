"""What each notebook follows, and where it departs from it: `data/published/departures.csv`."""

from html import escape

import pandas as pd

from capelib.errors import ParameterError
from capelib.findings.bibliography import address, reference
from capelib.vocabulary.codebook import codes, unknown
from capelib.vocabulary.shipped import table


class Follows:
    """Which publications does a notebook follow, what is the same and what differs?

    A notebook shows it as tables.

    Attributes
    ----------
    frame : pandas.DataFrame
        One row an aspect: `publication` (key), `aspect`, `published` (what the publication does),
        `here`, `same` (True, or missing where it differs), `why`.
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
                rows_as_html = shown.to_html(index=False, border=0)
            parts.append(f"<p>{escape(reference(key))}<br>{link}</p>{rows_as_html}")
        return "".join(parts)

    def __repr__(self) -> str:
        lines = []
        for key, rows in self.frame.groupby("publication", sort=False):
            lines.append(f"{reference(key)} ({address(key)})")
            for row in rows.itertuples():
                lines.append(f"  {row.aspect}: {row.published} | here: {row.here}")
        return "\n".join(lines)


def follows(notebook: str) -> Follows:
    """Which publications does this notebook follow, and where does it depart from them?

    Parameters
    ----------
    notebook
        Its name, such as "03_tajik_targeting".

    Returns
    -------
    Follows

    Raises
    ------
    ParameterError
        Where departures.csv has no row for it.

    Examples
    --------
    >>> follows("03_tajik_targeting").frame["publication"].unique().tolist()
    ['cape2016essay', 'lemon2016thesis', 'lemon2016talk']
    """
    rows = table("departures")
    if notebook not in set(rows["notebook"]):
        message = unknown("notebook", notebook, sorted(rows["notebook"].unique()))
        raise ParameterError(f"{message} (rows of data/published/departures.csv)")
    chosen = rows[rows["notebook"] == notebook].drop(columns="notebook")
    return Follows(chosen.reset_index(drop=True))
