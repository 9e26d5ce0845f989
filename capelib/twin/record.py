"""A made-up record as a Dataset, and the lists in which its persons are."""

import hashlib
from collections.abc import Mapping
from dataclasses import fields

import numpy as np
import pandas as pd

from capelib.dataset import Dataset, Info
from capelib.loading import tidy
from capelib.twin.draw import drawn
from capelib.twin.truth import Truth, require
from capelib.vocabulary.codebook import codes
from capelib.vocabulary.codebook import require as require_codes


def simulate(truth: Truth | None = None, seed: int = 0) -> Dataset:
    """A made-up record in which it is known what is true.

    Parameters
    ----------
    truth
        What is true; None for a world in which nothing happens.
    seed
        The same truth and seed give the same record.

    Returns
    -------
    Dataset
        As `cape.load` gives. `info.synthetic` is True, and each figure of it bears the stamp
        SYNTHETIC.

    Raises
    ------
    ParameterError
        For a seed that is no whole number from 0 on, and for what is no `Truth`. A truth that
        cannot be, or one of more than 500,000 expected persons, is refused when it is made.

    Notes
    -----
    Episodes of each state and year are Poisson with the mean of `Truth.expected` times a level that
    wanders as a normal AR(1) in the logarithm. An episode has one day, one host, one source and one
    or more persons; persons of one episode share them. Within each kind hosts are equally likely,
    but for the giant. After the first incident a person is taken home at a constant rate; that is
    recorded until attention ends, which is exponential. A coder then makes errors, and dates are
    coarsened. Nothing in it is about anybody.

    References
    ----------
    Morris, White and Crowther 2019, Statistics in Medicine 38, 2074-2102 (what a simulation study
    has to say). Zeger 1988, Biometrika 75, 621-629 (counts with a correlated level).

    Examples
    --------
    >>> ds = simulate(Truth(growth=1.1, persons=2.0), seed=1)
    >>> ds.info.label, int(ds.incidents["year"].min())
    ('SYNTHETIC', 2001)
    """
    truth = Truth() if truth is None else truth
    return _dataset(drawn(truth, seed), truth, seed)


def _dataset(rows: pd.DataFrame, truth: Truth, seed: int) -> Dataset:
    """The tables in our own form."""
    date = rows["date_start"].dt.strftime("%Y-%m-%d")
    date = date.mask(rows["date_start"] != rows["date_end"], rows["date_start"].dt.strftime("%Y"))
    date = date.mask(rows["date_start"].isna())
    exile = rows["origin"].astype("str") + "-" + _number(rows["exile_id"])
    incidents = pd.DataFrame(
        {
            "incident_id": "I" + _number(pd.Series(np.arange(len(rows)))),
            "exile_id": exile,
            "origin": rows["origin"],
            "host": rows["host"],
            "date": date,
            "measure": rows["measure"],
            "episode_id": ("E" + _number(rows["episode_id"].fillna(0))).mask(
                rows["episode_id"].isna()
            ),
            "source_id": "S" + _number(rows["source_id"]),
        }
    )
    exiles = pd.DataFrame(
        {"exile_id": exile, "origin": rows["origin"], "category": rows["category"]}
    )
    sources = pd.DataFrame({"source_id": incidents["source_id"].drop_duplicates()})
    frames = {
        "exiles": exiles[~exile.duplicated()],
        "sources": sources.assign(kind="human_rights_group"),
        "incidents": incidents,
    }
    values = {field.name: getattr(truth, field.name) for field in fields(truth)}
    info = Info(
        name="a made-up record",
        label="SYNTHETIC",
        title="A record drawn by chance from a known truth",
        edition="",
        licence="none needed: it is about nobody",
        sha256=hashlib.sha256(repr((values, seed)).encode()).hexdigest(),
        rows={table: len(frame) for table, frame in frames.items()},
        synthetic=True,
    )
    plain = {name: frame.astype("str").where(frame.notna()) for name, frame in frames.items()}
    return Dataset(
        **tidy({name: frame.reset_index(drop=True) for name, frame in plain.items()}), info=info
    )


def _number(numbers: pd.Series) -> pd.Series:
    """From 1 on, with four digits or more."""
    return (numbers.astype("int64") + 1).astype("str").str.zfill(4)


def lists(
    truth: Truth | None = None,
    chances: Mapping[str, float] | None = None,
    dependence: float = 0.0,
    seed: int = 0,
) -> pd.DataFrame:
    """Which kinds of source tell of each person of a made-up record, also of those in none?

    Parameters
    ----------
    truth
        Of the record, see `simulate`.
    chances
        For each source kind, the chance that it tells of an average person.
    dependence
        Standard deviation, between persons, of the logit of these chances: a well-known person is
        told of by all kinds. 0 for lists that know nothing of each other.
    seed
        The same values give the same lists.

    Returns
    -------
    DataFrame
        `exile_id`, and for each source kind True where it tells of the person. A person in no list
        is unseen: in a true record such rows are lacking.

    Raises
    ------
    ParameterError
        For an unknown source kind, or a chance that is none.

    Examples
    --------
    >>> seen = lists(chances={"news_media": 0.5, "court": 0.2}, seed=1)
    >>> list(seen), bool((~seen[["news_media", "court"]].any(axis=1)).any())
    (['exile_id', 'news_media', 'court'], True)
    """
    chances = (
        {"human_rights_group": 0.5, "news_media": 0.4, "court": 0.2} if chances is None else chances
    )
    require_codes("source kind", list(chances), codes("kind"))
    for kind, chance in chances.items():
        require(f"the chance of {kind}", chance, 0 < chance < 1, "between 0 and 1")
    require("dependence", dependence, dependence >= 0, "0 or more")
    people = simulate(truth, seed).exiles
    rng = np.random.default_rng([seed, len(people)])
    known = dependence * rng.standard_normal(len(people))
    table = {"exile_id": people["exile_id"]}
    for kind, chance in chances.items():
        logit = np.log(chance / (1 - chance)) + known
        table[kind] = rng.random(len(people)) < 1 / (1 + np.exp(-logit))
    return pd.DataFrame(table)
