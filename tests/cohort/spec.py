"""Studies from small tables of text, as the definitions would be drawn on paper."""

from __future__ import annotations

from dataclasses import dataclass, field
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
    "outcomes": ["participant_id", "outcome_date", "kind", "source"],
    "measures": ["participant_id", "measure_date", "instrument", "score"],
    "searches": ["participant_id", "source", "searched_from", "searched_to"],
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


@dataclass(frozen=True)
class Case:
    """One drawing of a rule: rows in, a cut day, the ends expected."""

    name: str
    expect: str
    cut: str = "+200"
    participants: str = "participant_id | referral_date | intake_date\n a | +0 | +0"
    sessions: str = "participant_id | session_date"
    exits: str = "participant_id | exit_date | reason"
    outcomes: str = "participant_id | outcome_date | kind"
    rules: dict[str, object] = field(default_factory=dict)
    harm: dict[str, object] = field(default_factory=dict)
    searches: str = ""

    @property
    def terms(self) -> str:
        """Cases of the same terms can share a study; everybody in one is followed by the same sources."""
        sources = {line.split("|")[1].strip() for line in self.searches.splitlines()[1:] if line.strip()}
        return repr((self.cut, sorted(self.rules.items()), sorted(self.harm.items()), sorted(sources)))

    @property
    def drawn(self) -> tuple[str, ...]:
        """The tables."""
        return (*DRAWN, "searches") if self.searches else DRAWN

    def cohort(self) -> Cohort:
        """The cohort of the drawn rows alone."""
        rules = {**SHORT, **self.rules}
        return spec_cohort({n: getattr(self, n) for n in self.drawn}, self.cut, rules=rules, harm=self.harm)


DRAWN = ("participants", "sessions", "exits", "outcomes")


class Together:
    """Cases drawn into shared studies, one per terms: a case must not change another's answer."""

    def __init__(self, cases: list[Case]) -> None:
        self.cases = cases
        self.cohorts: dict[str, Cohort] = {}

    def cohort(self, terms: str) -> Cohort:
        if terms not in self.cohorts:
            drawn = [case for case in self.cases if case.terms == terms]
            frames = {name: pd.concat([self._rows(case, name) for case in drawn]) for name in drawn[0].drawn}
            data = open_frames(frames, rules={**SHORT, **drawn[0].rules}, harm=drawn[0].harm)
            self.cohorts[terms] = build(data.at(date.fromisoformat(day(drawn[0].cut))))
        return self.cohorts[terms]

    def _rows(self, case: Case, name: str) -> pd.DataFrame:
        rows = table(name, getattr(case, name))
        return rows.assign(participant_id=f"{self.cases.index(case)}-" + rows["participant_id"])

    def rows(self, case: Case, scale: str) -> pd.DataFrame:
        """A scale's rows (or people's) of one case."""
        cohort = self.cohort(case.terms)
        frame = cohort.people if scale == "people" else getattr(cohort, scale)()
        prefix = f"{self.cases.index(case)}-"
        own = frame[frame["participant_id"].str.startswith(prefix)]
        return own.assign(participant_id=own["participant_id"].str.removeprefix(prefix))


SHORT: dict[str, object] = {
    "dose_sessions": 3,
    "dose_hours": 4.5,
    "funnel": {"half_dose_sessions": 2},
    "completion": "either",
    "counting_kinds": ["group"],
}
"""A dose of three group sessions and 4.5 hours, so that a drawing stays small; reaching it is completing, too."""
