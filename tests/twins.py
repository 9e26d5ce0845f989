"""Made-up tables with the published margins of a release: recomputing is proved without it."""

from pathlib import Path

import pandas as pd

import capelib as cape


def fh_2022(before: int = 377) -> pd.DataFrame:
    """A twin of Freedom House's release of 2022: one row an incident.

    735 incidents of 2014-2021 by 36 states in 84 host states; 85 in 2021, 63 of them by
    authoritarian states on the soil of other authoritarian states, among them 22 by Belarus in
    Russia and 21 in Turkey; `before` of the 650 earlier ones likewise. 4 states act in 2021 for the
    first time; Turkey is the host of 56.
    """
    rated = (
        cape.regimes.by_year()
        .query("measure == 'fiw'")
        .pivot_table(index="iso3", columns="year", values="value", aggfunc="first")
    )
    occurring = cape.load(edition="2026-11").incidents  # 90 states: with more there are more hosts
    rated = rated[rated.index.isin({*occurring["origin"], *occurring["host"]})]
    unfree = rated.index[(rated.loc[:, 2014:2021] == "NF").all(axis=1)].tolist()
    others = rated.index[rated.loc[:, 2014:2021].isin(["PF", "F"]).all(axis=1)].tolist()
    until_2019 = rated.index[rated.loc[:, 2014:2019].isin(["PF", "F"]).all(axis=1)].tolist()
    old = [*unfree[:28], *others[:4]]  # 32 states that act before 2021
    new = [state for state in others if state not in old][:4]
    actors = [state for state in old if state in unfree]

    def pairs(n: int, origins: list[str], hosts: list[str]) -> list[tuple[str, str]]:
        usable = [(a, b) for b in hosts for a in origins if a != b and (a, b) != ("BLR", "RUS")]
        spread = sorted(
            usable, key=lambda pair: (origins.index(pair[0]) - hosts.index(pair[1])) % len(origins)
        )
        return [spread[place % len(spread)] for place in range(n)]

    now = [("BLR", "RUS")] * 22 + pairs(21, actors, ["TUR"]) + pairs(20, actors, unfree)
    now += [(new[place % 4], host) for place, host in enumerate(others[-22:])]
    rows = [(origin, host, 2021) for origin, host in now]
    rows += [(actors[place % len(actors)], "TUR", 2018 + place % 3) for place in range(35)]
    rows += [
        (*pair, 2014 + place % 7) for place, pair in enumerate(pairs(before - 35, actors, unfree))
    ]
    rows += [
        (*pair, 2014 + place % 6) for place, pair in enumerate(pairs(650 - before, old, until_2019))
    ]
    frame = pd.DataFrame(rows, columns=["origin", "host", "date"])
    kinds = [
        "detention",
        "extradition",
        "extradition_request",
    ]  # as the article names for Belarus in Russia
    others = [*kinds[:2], "deportation", "rendition", "assault", "assassination"]
    belarus = (frame["origin"] == "BLR") & (frame["host"] == "RUS") & (frame["date"] == 2021)
    frame["measure"] = [
        (kinds if own else others)[place % (3 if own else 6)] for place, own in enumerate(belarus)
    ]
    persons = (
        frame.groupby("origin").cumcount() // 2
    )  # two incidents a person: persons are not incidents
    return frame.assign(
        exile_id=[
            f"{origin}-{number:04d}"
            for origin, number in zip(frame["origin"], persons + 1, strict=True)
        ]
    )


def cape_1() -> pd.DataFrame:
    """A twin of CAPE's first edition: 125 exiles, 94 of them of Uzbekistan or Tajikistan.

    Some have two incidents or no date.
    """
    origins = ["UZB"] * 55 + ["TJK"] * 39 + ["KAZ"] * 12 + ["TKM"] * 10 + ["KGZ"] * 9
    rows = [
        (f"{origin}-{number:04d}", origin, "RUS", str(1992 + number % 25), "threat")
        for number, origin in enumerate(origins, 1)
    ]
    rows += [(*row[:3], "", "rendition") for row in rows[::3]]
    rows[::7] = [(*row[:3], "", row[4]) for row in rows[::7]]
    return pd.DataFrame(rows, columns=["exile_id", "origin", "host", "date", "measure"])


def written(frame: pd.DataFrame, folder: Path) -> Path:
    """The twin as a folder that `cape.load` reads and labels SYNTHETIC."""
    folder.mkdir(parents=True, exist_ok=True)
    frame.to_csv(folder / "incidents.csv", index=False)
    (folder / "SYNTHETIC").touch()
    return folder
