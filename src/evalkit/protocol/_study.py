"""Models of ``study.yaml``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, PrivateAttr, model_validator

from evalkit.protocol._fields import (
    EITHER,
    MORE,
    NUMBER,
    ONE,
    Citation,
    Count,
    Day,
    FileName,
    FileNames,
    FolderName,
    Harm,
    Integer,
    Model,
    Name,
    Number,
    OneOrMore,
    Programme,
    ReAim,
    Rules,
    Share,
    Sign,
    Slug,
    TableName,
    Target,
    Text,
    Told,
    Word,
    Zone,
)

# A month's entries are late by a few weeks at most; of a small programme nobody new may come for a quarter.
_USUAL, _OF_PARTICIPANTS = 31, 92
_NOT_TEXT = (
    *("participant_id", "referral_date", "intake_date", "outcome_follow_up_end"),
    *("recorded_on", "retracted_on"),
)


class Arm(Model):
    """One of the two groups that are compared."""

    value: str
    """What stands in the arms' column for this group."""
    label: Text
    """How reports name it."""
    label_in: Text = ""
    """The same inside a sentence, with what stands before it: ``in the pilot``; empty: the label in quotes."""
    definition: Text = ""
    """What it is, in one clause: reports say it once."""
    where: dict[Word, Name | Annotated[list[Name], Field(min_length=1)]] = {}
    """What else holds of its people: column of `participants`, the value or values; left out where nobody has one."""

    @property
    def conditions(self) -> dict[str, tuple[str, ...]]:
        """Columns and the values of them that belong to this group."""
        return {c: tuple(v) if isinstance(v, list) else (v,) for c, v in self.where.items()}

    @property
    def condition_words(self) -> str:
        """The same in words: ``mandate is court or other_order``."""
        return ", ".join(f"{column} is {' or '.join(values)}" for column, values in self.conditions.items())


class Arms(Model):
    """Which column splits the participants, and what its two values mean."""

    column: Word = "pathway"
    """Column of `participants`."""
    focus: Arm
    """The group the study is about."""
    comparison: Arm
    """The group it is compared with."""
    _limits: frozenset[str] = PrivateAttr(default=frozenset())

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        if self.focus.value == self.comparison.value:
            msg = "focus and comparison must have different values"
            raise ValueError(msg)
        for arm in (self.focus, self.comparison):
            if self.column in arm.where:
                msg = f"where names the arms' own column '{self.column}', whose value says it already"
                raise ValueError(msg)
        return self

    @property
    def conditions(self) -> tuple[str, ...]:
        """Columns on which being in a group depends beside the arms' own."""
        return tuple(dict.fromkeys((*self.focus.where, *self.comparison.where)))

    @property
    def limits(self) -> frozenset[str]:
        """Columns that limit both groups even while nobody has a value: a report on a part of the people."""
        return self._limits

    def limited(self, only: Mapping[str, str]) -> Arms:
        """Return the groups of those people only who have these values of columns."""
        sides = {name: getattr(self, name) for name in ("focus", "comparison")}
        parts = {name: arm.model_copy(update={"where": {**arm.where, **only}}) for name, arm in sides.items()}
        found = self.model_copy(update=parts)
        # Kept apart from `where`, whose columns limit nobody while nobody has a value in them.
        found._limits = frozenset(only)
        return found


class Covariate(Model):
    """A baseline column of `participants`."""

    name: Word
    """Column name."""
    label: Text
    """How reports name it."""
    meaning: Text = ""
    """What it is exactly, for the data dictionary; empty: the label."""
    kind: Literal["numeric", "categorical", "yes_no"] = "numeric"
    """How it enters models."""
    levels: list[Name] | None = None
    """For categorical: the levels allowed, the first one the reference."""
    minimum: Number | None = None
    """For numeric: the smallest value that can be right."""
    maximum: Number | None = None
    """For numeric: the largest value that can be right."""


class Column(Model):
    """A column of ours that is made from one of the raw table."""

    column: str
    """The column's name in the raw table."""
    divide: Annotated[float, Field(gt=0), NUMBER] | None = None
    """Its numbers are divided by this: 60 makes hours of minutes."""
    years_to: Word | None = None
    """It holds a day of birth, which is not kept: whole years from it to this day of the same row, as referral_date."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.divide is not None and self.years_to is not None:
            msg = "says divide and years_to; leave one out"
            raise ValueError(msg)
        return self


_Skipped = Annotated[int, Field(ge=0, le=1000), NUMBER]
_Lines = Annotated[Annotated[_Skipped, ONE] | Annotated[dict[str, _Skipped], MORE], EITHER]


class Table(Model):
    """Where a raw table is, and how its columns and values are to be read."""

    path: FileNames | None = None
    """File, from the protocol's folder: .csv, .parquet, .xlsx or .duckdb; several as a list, or as ``*.csv``."""
    sheet: OneOrMore | None = None
    """Sheet of an Excel file; several as a list: their rows are put together."""
    table: str | None = None
    """Name of the table (in a database or DuckDB file) or sheet (in an Excel file)."""
    columns: dict[str, Annotated[Annotated[str, ONE] | Annotated[Column, MORE], EITHER]] = Field(default_factory=dict)
    """Our column name: the column's name in the raw table, or how ours is made from it."""
    values: dict[str, dict[str, str]] = Field(default_factory=dict)
    """Our column name: {raw value: our value}."""
    date_format: str | None = None
    """strptime format of the raw dates, when they are not ISO."""
    date_formats: dict[str, str] = Field(default_factory=dict)
    """Our column name: the format of that column alone, where it differs from date_format."""
    encoding: str = "utf-8"
    """Encoding of a CSV file."""
    delimiter: Sign | None = None
    """Delimiter of a CSV file; found out when not said."""
    skip_rows: _Lines = 0
    """Lines above the header line of a CSV or Excel file, titles and empty ones, that are no part of the table.

    Where its files or sheets differ: name of the file or sheet, and its lines; others have none."""
    skip_footer: _Lines = 0
    """Lines at the end of a CSV or Excel file, totals and notes, that are no part of it; empty ones do not count."""
    freshness_days: Annotated[int, Field(ge=0, le=36500), NUMBER] | None = None
    """How many days before a period's end the table's newest day may lie; none: 31, of participants 92."""

    @model_validator(mode="after")
    def _one_sheet_key(self) -> Self:
        if self.sheet is not None and self.table is not None:
            msg = "says sheet and table; leave table out"
            raise ValueError(msg)
        return self

    @property
    def paths(self) -> tuple[str, ...]:
        """Files and patterns, as they are written."""
        return () if self.path is None else (self.path,) if isinstance(self.path, str) else tuple(self.path)

    @property
    def sheets(self) -> tuple[str, ...]:
        """Sheets that are named."""
        return () if self.sheet is None else (self.sheet,) if isinstance(self.sheet, str) else tuple(self.sheet)

    def raw_name(self, ours: str) -> str:
        """Return what a column of ours is called in the raw table.

        Parameters
        ----------
        ours : str

        Returns
        -------
        str
        """
        said = self.columns.get(ours, ours)
        return said.column if isinstance(said, Column) else said

    def made_from(self, ours: str) -> Column | None:
        """Return how a column of ours is made from one of theirs; None where it is read as it stands.

        Parameters
        ----------
        ours : str

        Returns
        -------
        Column or None
        """
        said = self.columns.get(ours)
        return said if isinstance(said, Column) else None

    def form_of(self, ours: str) -> str | None:
        """Return the strptime format of a column of ours; None where its days are ISO.

        Parameters
        ----------
        ours : str

        Returns
        -------
        str or None
        """
        return self.date_formats.get(ours, self.date_format)


class Comparison(Model):
    """How the arms are compared, and when a comparison cannot be trusted."""

    estimand: Literal["att", "ate", "overlap"] = "att"
    """Target population of adjusted figures; att: the focus arm."""
    assignment: Literal["mandate", "random", "other"] = "mandate"
    """How people came to be in one arm or the other: by a court's mandate or without, by lot, or otherwise."""
    # Austin 2009; the preference score and its range: Walker et al. 2013.
    max_smd: Annotated[float, Field(gt=0), NUMBER] = 0.1
    """Largest standardised mean difference that still counts as balanced."""
    min_equipoise: Share = 0.2
    """Smallest share of participants inside the preference-score range."""
    preference_low: Share = 0.3
    """Lower end of that range."""
    preference_high: Share = 0.7
    """Upper end of that range."""
    min_effective_sample_size: Count = 30
    """Smallest effective sample size after weighting."""
    max_e_value_note: Annotated[float, Field(ge=1), NUMBER] = 1.5
    """E-values below this are called fragile."""

    @model_validator(mode="after")
    def _range_rises(self) -> Self:
        if self.preference_low >= self.preference_high:
            msg = "comparison.preference_low must be below preference_high"
            raise ValueError(msg)
        return self


class Excuse(Model):
    """One rule that a table may break for a time: reports, manifests and review packs say so."""

    table: TableName
    """The table."""
    rule: Annotated[str, Field(pattern=r"^[a-z_]{1,40}$")]
    """Short name of the rule, as `evalkit validate` writes it in brackets."""
    column: str = ""
    """The column, where only one may break the rule; empty: all columns of the table."""
    reason: Annotated[Text, Field(min_length=15)]
    """Why, in a sentence. It is published."""
    by: Annotated[Text, Field(min_length=1)]
    """Who decided it. It is published."""
    until: Day
    """Last day on which it holds."""


class Deviation(Model):
    """Why a value of the protocol is not what it was frozen as: reports print it."""

    key: Annotated[Text, Field(pattern=r"^[a-z][\w.-]*$")]
    """Where the value stands: ``rules.landmark_day``; of several, where they have in common."""
    what: Told = Told()
    """What it means, in plain words."""
    since: Day
    """From which day the new value holds."""
    why: Told
    """Why, in a sentence."""

    @model_validator(mode="after")
    def _has_a_reason(self) -> Self:
        if not self.why.en:
            msg = "why: write why, in a sentence"
            raise ValueError(msg)
        return self


class Study(Model):
    """A study: ``params/study.yaml``."""

    id: Slug
    """Short name: the release folder's first part."""
    title: Text
    """Title of the programme, as reports print it."""
    subtitle: Text = ""
    """One line below the title."""
    organisation: Text = ""
    """Who publishes the reports."""
    citation: Citation = Citation()
    """How releases are cited, and their licence."""
    locale: Literal["en-US", "es-US", "es"] = "en-US"
    """Language and number style of reports."""
    translations: dict[Literal["es"], dict[str, Text]] = {}
    """Titles, labels, levels and definitions in other languages: English as reports print it, translation."""
    synthetic: bool = False
    """True when the data are synthetic; found out from the data too."""
    starts: Day
    """First day a referral belongs to the study."""
    # Not UTC: there every evening session would count on the next day, without a word (ADR 11).
    time_zone: Zone = "America/Chicago"
    """Where the study's days begin: the day of a time that comes with a zone or offset is the day it was there."""
    fiscal_year_start_month: Annotated[int, Field(ge=1, le=12), NUMBER] = 1
    """First month of the fiscal year; 1 makes quarters calendar quarters."""
    arms: Arms
    """The two groups."""
    covariates: list[Covariate] = []
    """Baseline columns used in models and tables."""
    sites: list[Name] | None = None
    """Sites allowed; none: any."""
    community_areas: list[Name] | None = None
    """Community areas allowed; none: any."""
    community_area_tiles: dict[Name, tuple[Integer, Integer]] = Field(default_factory=dict)
    """Where each community area lies on a schematic map: column and row of its tile, from the top left."""
    referral_sources: list[Name] | None = None
    """Referral sources allowed; none: any."""
    database: str | None = None
    """Database URL Ibis speaks; ${NAME} is taken from the environment. None: files."""
    tables: dict[TableName, Table]
    """The raw tables; only participants is required."""
    ignore: dict[TableName, dict[str, list[str]]] = {}
    """Values to keep out, by table and column: rows that hold one are not there; of participants, the value is not."""
    excuses: list[Excuse] = []
    """Rules that tables may break for a time."""
    fall_of_rows: Literal["warning", "error"] = "warning"
    """What it is when a month has fewer than half of the sessions that are usual; error: no report is made."""
    programme: Programme = Programme()
    """What the programme is, by the items of TIDieR: the final report prints what is not empty."""
    re_aim: ReAim = ReAim()
    """Reach, effectiveness, adoption, implementation and maintenance in words; printed by the final report."""
    targets: list[Target] = []
    """What indicators are meant to reach; frozen with the protocol."""
    deviations: list[Deviation] = []
    """When and why values are not what they were frozen as (`evalkit protocol freeze`)."""
    rules: Rules = Rules()
    """Definitions with numbers."""
    harm: Harm = Harm()
    """The harm outcome."""
    comparison: Comparison = Comparison()
    """Rules of comparison."""
    baselines: FileName | None = "baselines.yaml"
    """File of published baselines, from the protocol's folder; none: no comparison with them."""
    disclosure: FileName | None = None
    """File of the disclosure policy, from the protocol's folder; none: the defaults."""
    private: FolderName | None = None
    """Folder of private folders, from the protocol's folder; none: .evalkit beside it. EVALKIT_PRIVATE goes before."""
    notify: Text | None = None
    """Whom to tell what was published, waits for approval or stopped: a command that reads JSON, or an address that it
    is sent to; ${NAME} is taken from the environment. None: nobody. EVALKIT_NOTIFY goes before."""
    # The day on which the pilot was announced; any number would do, as long as it stays.
    seed: Annotated[int, Field(ge=0), NUMBER] = 20211118
    """Seed of everything random."""

    _path: Path = PrivateAttr(default=Path("study.yaml"))

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if "participants" not in self.tables:
            msg = "tables.participants is required"
            raise ValueError(msg)
        # Without sessions nobody asks what completing is.
        without = "sessions" in self.tables and "exits" not in self.tables
        if without and "completion" not in self.rules.model_fields_set:  # nothing else can be meant
            self.__dict__["rules"] = self.rules.model_copy(update={"completion": "dose"})  # frozen from here on
        if without and self.rules.completion == "recorded":
            msg = "rules.completion: recorded needs the table exits; a study without it has completion: dose"
            raise ValueError(msg)
        unknown = [c.site for c in self.rules.closures if c.site is not None and c.site not in (self.sites or [c.site])]
        if unknown:
            msg = f"rules.closures: '{unknown[0]}' is none of the sites"
            raise ValueError(msg)
        if "searches" in self.tables and "outcomes" not in self.tables:
            msg = "tables.searches says where outcomes were searched, and needs the table outcomes"
            raise ValueError(msg)
        texts = {c.name for c in self.covariates if c.kind != "categorical"}
        wrong = [c for c in self.arms.conditions if c in texts or c in _NOT_TEXT]
        if wrong:
            msg = f"arms: where names '{wrong[0]}', which is no column of words"
            raise ValueError(msg)
        names = [c.name for c in self.covariates]
        if len(set(names)) < len(names):
            msg = "covariates: a name stands twice"
            raise ValueError(msg)
        return self

    def freshness_of(self, table: str) -> int:
        """Return how many days before a period's end a table's newest day may lie.

        Parameters
        ----------
        table : str

        Returns
        -------
        int
        """
        asked = self.tables[table].freshness_days  # type: ignore[index]
        return asked if asked is not None else _OF_PARTICIPANTS if table == "participants" else _USUAL

    def target(self, indicator: str) -> Target | None:
        """Return what an indicator is meant to reach, or None.

        Parameters
        ----------
        indicator : str
            As ``engaged``.

        Returns
        -------
        Target or None
        """
        return next((target for target in self.targets if target.indicator == indicator), None)

    @property
    def days_until_due(self) -> int:
        """For how many days a quarter has to be over until its report is due: as long as its tables may be late."""
        # Of participants few come, so that a newest day of long ago says little of when the table comes.
        return max((self.freshness_of(name) for name in self.tables if name != "participants"), default=_USUAL)

    @property
    def path(self) -> Path:
        """The file this study was read from."""
        return self._path

    @property
    def folder(self) -> Path:
        """The folder that relative paths start from."""
        return self._path.parent

    def with_path(self, path: Path) -> Study:
        """Return this study as read from a file."""
        copy = self.model_copy()
        copy._path = path
        return copy
