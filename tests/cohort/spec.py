"""Studies from small tables of text, as the definitions would be drawn on paper."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from evalkit.cohort import Cohort, build
from evalkit.intake import StudyData, open_data
from evalkit.protocol import Study

START = date(2022, 1, 1)

ARMS = {
    "column": "pathway",
    "focus": {"value": "non_mandated", "label": "Pilot"},
    "comparison": {"value": "paip", "label": "PAIP"},
}
COLUMNS = {
    "participants": ["participant_id", "pathway", "referral_date", "intake_date", "outcome_follow_up_end"],
    "sessions": ["participant_id", "session_date", "kind", "status", "hours"],
    "exits": ["participant_id", "exit_date", "reason"],
    "outcomes": ["participant_id", "outcome_date", "kind"],
    "measures": ["participant_id", "measure_date", "instrument", "score"],
}
DEFAULTS = {"pathway": "non_mandated", "kind": "group", "status": "attended", "hours": "1.5"}


def day(text: str) -> str:
    """``+31`` is day 31 since 2022-01-01; anything else stays."""
    if text[:1] in "+-" and text[1:].isdigit():
        return (pd.Timestamp(START) + pd.Timedelta(days=int(text))).date().isoformat()
    return "" if text == "-" else text


def table(name: str, text: str) -> pd.DataFrame:
    """Read ``a | b`` tables; the first line is the header, ``-`` is missing, ``+n`` is a day."""
    lines = [[cell.strip() for cell in line.split("|")] for line in text.strip().splitlines() if line.strip()]
    frame = pd.DataFrame(lines[1:], columns=lines[0]).map(day)
    for column in COLUMNS[name]:
        if column not in frame:
            frame[column] = DEFAULTS.get(column, "arrest" if column == "instrument" else "")
    return frame


def make_study(folder: Path, frames: dict[str, pd.DataFrame], **changes: object) -> Study:
    """Write the tables as CSV and return a study of them."""
    content: dict[str, object] = {"id": "spec", "title": "Spec", "starts": START, "arms": ARMS}
    content["tables"] = {name: {"path": f"{name}.csv"} for name in frames}
    for name, frame in frames.items():
        frame.to_csv(folder / f"{name}.csv", index=False)
    content.update(changes)
    return Study.model_validate(content).with_path(folder / "study.yaml")


def open_frames(frames: dict[str, pd.DataFrame], **changes: object) -> StudyData:
    """Open a study of these tables."""
    with TemporaryDirectory() as folder:
        return open_data(make_study(Path(folder), frames, **changes))


def spec_data(tables: dict[str, str], **changes: object) -> StudyData:
    """Open a study of tables of text; sessions, exits and outcomes are empty where not drawn."""
    frames = {name: table(name, text) for name, text in tables.items()}
    for name in ("sessions", "exits", "outcomes"):
        if name not in frames:
            frames[name] = pd.DataFrame(columns=COLUMNS[name])
    return open_frames(frames, **changes)


def spec_cohort(tables: dict[str, str], cut: str, **changes: object) -> Cohort:
    """Build the cohort of tables of text at a cut such as ``+90``."""
    return build(spec_data(tables, **changes).at(date.fromisoformat(day(cut))))


def ends(frame: pd.DataFrame) -> str:
    """A scale's rows as text: participant, time, event, reason."""
    columns = ["participant_id", "time", "event", "reason"]
    return "; ".join(" ".join(str(v) for v in row) for row in frame[columns].itertuples(index=False))
