"""Writes the small study of the golden frames, and its people as plain columns. Run once; what it wrote is committed.

    PYTHONPATH=tests .venv/bin/python -m golden.make_study

The study is simulated, then made awkward: people who come again, rows entered late or withdrawn, sites that close.
The plain columns have unequal groups and causes, times that tie, late entry, and weights that are not whole.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from evalkit.simulate import simulate

HERE = Path(__file__).parent
EXTRACT = pd.Timestamp("2023-06-30")  # a quarter after the cut


def study() -> None:
    """Write the raw tables of 70 and 110 people."""
    with TemporaryDirectory() as folder:
        simulate("benefit", seed=31, n_focus=70, n_comparison=110, ends=EXTRACT.date()).write(Path(folder))
        tables = {p.stem: pd.read_csv(p, dtype=str, keep_default_na=False) for p in Path(folder).glob("*.csv")}
    # Rows that only this file knows: entered after the cut, withdrawn before it, a second referral, a kind with a limit.
    people, sessions, exits = tables["participants"], tables["sessions"], tables["exits"]
    again = people.iloc[[5, 40]].assign(referral_date="2022-10-03", intake_date="2022-10-10", recorded_on="2022-10-11")
    tables["participants"] = pd.concat([people, again], ignore_index=True)
    sessions.loc[sessions.index % 9 == 4, "kind"] = "individual"
    sessions.loc[sessions.index % 23 == 7, "status"] = "absent"
    sessions.loc[sessions.index % 31 == 3, "recorded_on"] = "2023-04-20"
    sessions.loc[sessions.index % 37 == 5, "retracted_on"] = "2022-11-30"
    exits.loc[exits.index % 11 == 2, "recorded_on"] = "2023-05-02"
    for name, table in tables.items():
        table.drop(columns=["synthetic"], errors="ignore").to_csv(HERE / "study" / f"{name}.csv", index=False)


def columns() -> None:
    """Write 61 people's times: 22 of the pilot, 39 of PAIP; and their repeated events."""
    rng = np.random.default_rng(20220517)
    n = 61
    arm = np.where(np.arange(n) % 14 < 5, "pilot", "paip")
    age = rng.integers(19, 64, n)
    z = rng.choice(["north", "south", "west"], n, p=[0.5, 0.3, 0.2])
    rate = np.exp(-3.1 + 0.5 * (arm == "paip") + 0.01 * (age - 40))
    one, two = rng.exponential(1 / rate), rng.exponential(1 / (0.6 * rate))
    gone = np.minimum(rng.integers(6, 60, n), 40)  # the cut: day 40
    time = np.maximum(np.ceil(np.minimum(np.minimum(one, two), gone)), 1).astype(int)
    cause = np.where(np.minimum(one, two) > gone, 0, np.where(one < two, 1, 2))
    entry = np.where(rng.random(n) < 0.25, np.minimum(rng.integers(1, 8, n), time - 1), 0)
    frame = pd.DataFrame({
        "id": np.arange(n), "arm": arm, "time": time, "cause": cause, "event": (cause == 1).astype(int), "entry": entry,
        "w": np.round(rng.uniform(0.35, 2.6, n), 3), "age": age, "z": z, "x": (rng.random(n) < 0.4).astype(int),
        "pair": np.arange(n) // 2, "treated": (arm == "pilot").astype(int),
    })  # fmt: skip
    frame.loc[[4, 17, 33, 50], "age"] = np.nan
    frame.to_csv(HERE / "sets" / "frames_missing.csv", index=False)
    frame["age"] = age
    frame.to_csv(HERE / "sets" / "frames.csv", index=False)
    rows = []
    for who in range(24):
        group, end = ("pilot" if who % 3 == 0 else "paip"), int(rng.integers(15, 41))
        days = sorted(set(rng.integers(2, 40, rng.poisson(1.3 if group == "paip" else 0.8)).tolist()))
        rows += [(who, group, day, 1) for day in days if day < end] + [(who, group, end, 0)]
    pd.DataFrame(rows, columns=["person", "arm", "time", "event"]).to_csv(
        HERE / "sets" / "frames_recurrent.csv", index=False
    )


if __name__ == "__main__":
    study()
    columns()
