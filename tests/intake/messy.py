"""A simulated study as a case-management system would hand it over: other names, words, days, units, sheets and totals."""

from __future__ import annotations

import csv
from datetime import date, timedelta
from pathlib import Path

import openpyxl
import pandas as pd

WORDS = {
    "pathway": {"non_mandated": "Non-Mandated Pilot", "paip": "PAIP"},
    "mandate": {"court": "Court ordered", "other_order": "Probation", "none": "Voluntary"},
    "referral_source": {
        "self": "Self-referral", "partner_agency": "Partner Agency", "health_provider": "Health Provider",
        "community_outreach": "Community Outreach", "court": "Court",
    },
    "gender": {"man": "Male", "woman": "Female", "another": "Other"},
    "race_ethnicity": {
        "black": "Black or African American", "latino": "Hispanic or Latino", "white": "White", "another": "Other",
    },
    "employment": {"yes": "Employed", "no": "Unemployed"},
    "alcohol_use": {"yes": "Yes", "no": "No"},
    "kind": {"group": "Group Session", "individual": "One-on-One", "case_management": "Case Management"},
    "status": {"attended": "Present", "absent": "No Show", "excused": "Excused Absence", "cancelled": "Canceled"},
    "reason": {
        "completed": "Successful Completion", "dropped_out": "Dropped Out", "terminated": "Terminated",
        "transferred": "Transferred", "moved": "Moved Away", "deceased": "Deceased", "administrative": "Administrative",
    },
}  # fmt: skip
NAMES = {
    "participants": {
        "participant_id": "Contact_ID__c", "pathway": "Program__c", "mandate": "Court_Mandate__c",
        "referral_date": "Referral_Date__c", "referral_source": "Referral_Source__c", "intake_date": "Intake_Date__c",
        "site": "Service_Site__c", "community_area": "Community_Area__c", "gender": "Gender_Identity__c",
        "race_ethnicity": "Race_Ethnicity__c", "employment": "Employment_Status__c",
        "prior_dv_arrests": "Prior_DV_Arrests__c", "alcohol_use": "Alcohol_Problem__c",
        "outcome_follow_up_end": "Records_Searched_Through__c", "recorded_on": "CreatedDate",
        "retracted_on": "Deleted_Date__c",
    },
    "sessions": {
        "participant_id": "Contact_ID__c", "session_date": "Session_Date__c", "kind": "Session_Type__c",
        "status": "Attendance__c", "hours": "Duration_Minutes__c", "recorded_on": "CreatedDate",
        "retracted_on": "Deleted_Date__c",
    },
    "exits": {
        "participant_id": "Contact_ID__c", "exit_date": "Discharge_Date__c", "reason": "Discharge_Reason__c",
        "recorded_on": "CreatedDate", "retracted_on": "Deleted_Date__c",
    },
}  # fmt: skip


def month_first(day: pd.Timestamp | None) -> str | None:
    return None if pd.isna(day) else day.strftime("%m/%d/%Y")


def born(referral: pd.Timestamp, age: float, place: int) -> str | None:
    """Return a day of birth that makes somebody that old on that day: some had a birthday on it, some have one the day after."""
    if pd.isna(age):
        return None
    on = date(referral.year - int(age), referral.month, min(referral.day, 28))
    return (on - timedelta(days=[0, 200, 364 - 4][place % 3])).strftime("%m/%d/%Y")


def theirs(name: str, table: pd.DataFrame) -> pd.DataFrame:
    """Return a table as the system shows it: all text, but numbers."""
    made = pd.DataFrame(index=table.index)
    for ours, other in NAMES[name].items():
        values = table[ours]
        if pd.api.types.is_datetime64_any_dtype(values):
            made[other] = [month_first(day) for day in values]
        elif ours == "hours":
            made[other] = [None if pd.isna(v) else round(float(v) * 60) for v in values]
        else:
            made[other] = [None if pd.isna(v) else WORDS.get(ours, {}).get(v, v) for v in values]
    if name == "participants":
        rows = zip(table["referral_date"], table["age"], strict=True)
        made.insert(3, "Birthdate", [born(day, age, place) for place, (day, age) in enumerate(rows)])
        made["Phone"] = [f"312-555-{n % 10000:04d}" for n in range(len(made))]
    return made


def _sheet(book: openpyxl.Workbook, title: str, table: pd.DataFrame) -> None:
    sheet = book.create_sheet(title)
    sheet.append(["Referrals, all programs"])
    sheet.append(["Generated on 01/08/2024 by the reporting service"])
    sheet.append([])
    sheet.append(list(table.columns))
    for row in table.itertuples(index=False):
        sheet.append([None if cell is None or pd.isna(cell) else cell for cell in row])
    sheet.append(["Total", len(table)])


def _csv(file: Path, table: pd.DataFrame, *, total: bool) -> None:
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(table.columns)
        writer.writerows(
            ["" if cell is None or pd.isna(cell) else cell for cell in row] for row in table.itertuples(index=False)
        )
        if total:
            writer.writerow(["Total", len(table)])


def write_messy(tables: dict[str, pd.DataFrame], folder: Path) -> None:
    """Write an export: participants in a workbook of two sheets, sessions in two files, exits in one; the rest as it is."""
    folder.mkdir(parents=True, exist_ok=True)
    people = theirs("participants", tables["participants"])
    early = tables["participants"]["referral_date"] < "2023-01-01"
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    _sheet(book, "2021-2022", people[early])
    _sheet(book, "2023", people[~early])
    book.create_sheet("About").append(["Exported by the reporting service"])
    book.save(folder / "referrals.xlsx")
    sessions = theirs("sessions", tables["sessions"])
    early = tables["sessions"]["session_date"] < "2023-01-01"
    _csv(folder / "sessions-2022.csv", sessions[early], total=True)
    _csv(folder / "sessions-2023.csv", sessions[~early], total=True)
    _csv(folder / "exits.csv", theirs("exits", tables["exits"]), total=False)
    for name in ("outcomes", "measures", "searches"):
        tables[name].to_csv(folder / f"{name}.csv", index=False, date_format="%Y-%m-%d")
