"""The released-prisoners experiment of Rossi, Berk and Lenihan, as a study folder.

432 men released from Maryland prisons in the 1970s; half were given financial aid at random; the first arrest
within 52 weeks was recorded, in weeks. The data are those lifelines ships (``lifelines.datasets.load_rossi``),
as printed in Allison (1995) and Fox (2002).

References
----------
Rossi, P. H., Berk, R. A., and Lenihan, K. J. (1980). Money, Work and Crime: Some Experimental Results.
Academic Press.
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pandas as pd

from evalkit.spreadsheet import csv_text

_RELEASE = date(1972, 1, 2)  # so that the year of follow-up ends with a quarter
_WEEKS = 52

_STUDY = """\
# The released-prisoners experiment, as a study of evalkit. See README.md for the source, and for the dates.
id: rossi
title: Financial aid to released prisoners
subtitle: The experiment of Rossi, Berk and Lenihan (1980)
organisation: evalkit example, public data
locale: en-US
translations:                 # for -P language=es
  es:
    Final report: Informe final
    Quarterly report: Informe trimestral
    Financial aid to released prisoners: Ayuda económica a personas que salieron de prisión
    The experiment of Rossi, Berk and Lenihan (1980): El experimento de Rossi, Berk y Lenihan (1980)
    evalkit example, public data: ejemplo de evalkit, datos públicos
    Financial aid: Con ayuda económica
    with financial aid: con ayuda económica
    No financial aid: Sin ayuda económica
    without financial aid: sin ayuda económica
    Age at release (years): Edad al salir (años)
    Black (1) or other (0): Raza negra (1) u otra (0)
    Full-time work experience (1 yes): Experiencia de trabajo a tiempo completo (1 sí)
    Married at release (1 yes): Con matrimonio al salir (1 sí)
    Released on parole (1 yes): En libertad condicional (1 sí)
    Earlier convictions: Condenas anteriores
    arrest: arresto
    The authors of evalkit: el equipo de evalkit
    ? >-
      These records are public, without identity, and the model of them has been printed in books for decades.
    : >-
      Estos registros son públicos y sin identidad, y desde hace décadas su modelo está impreso en libros.
starts: 1972-01-02            # nominal: the data hold weeks since release, no dates

arms:
  column: fin
  focus: {value: '1', label: Financial aid, label_in: with financial aid}
  comparison: {value: '0', label: No financial aid, label_in: without financial aid}

covariates:
  - {name: age, label: Age at release (years), kind: numeric}
  - {name: race, label: Black (1) or other (0), kind: numeric}
  - {name: wexp, label: Full-time work experience (1 yes), kind: numeric}
  - {name: mar, label: Married at release (1 yes), kind: numeric}
  - {name: paro, label: Released on parole (1 yes), kind: numeric}
  - {name: prio, label: Earlier convictions, kind: numeric}

tables:
  participants: {path: participants.csv}
  outcomes: {path: outcomes.csv}

harm:
  kinds: [arrest]
  label: arrest
  origin: intake              # the day of release: nobody is referred before it
  horizons: [182, 364]
  recurrent: false            # only the first arrest is in the data

comparison:
  estimand: ate
  assignment: random          # aid was given by lot

baselines: null
disclosure: disclosure.yaml
"""

_DISCLOSURE = """\
# The usual policy, on the days of this study, with one exception: the model is shown as it was printed in the books.
minimum_count: 11
round_for_display: 1
landmarks: [91, 182, 273, 364]   # quarters of the year that they were followed
may_override: [The authors of evalkit]
overrides:
  - rule: minimum_level
    value: 1
    by: The authors of evalkit
    reason: These records are public, without identity, and the model of them has been printed in books for decades.
"""

_README = """\
# Financial aid to released prisoners

432 men released from Maryland state prisons in the 1970s, half of them given financial aid at random, followed
for 52 weeks: week of the first arrest. These are real people's records, public and without identity for decades.

- Source: Rossi, P. H., Berk, R. A., and Lenihan, K. J. (1980), *Money, Work and Crime: Some Experimental
  Results*, Academic Press; the copy used is `lifelines.datasets.load_rossi`.
- **Dates are nominal.** The data hold weeks since release and no dates. Everybody is written as released
  (referral and intake) on 1972-01-02; an arrest in week w stands 7 w days later, so weekly results carry over
  unchanged. Calendar time means nothing here. A period that shows everything: `1972Q4`.
- Participant identifiers (R001 ... R432) are the row numbers of that copy.
- There are no sessions, exits or measures: a report says so where it would need them.
"""


def write_rossi(folder: Path) -> Path:
    """Write the released-prisoners experiment as a study folder.

    Parameters
    ----------
    folder : pathlib.Path
        Made when it is not there; gets study.yaml, disclosure.yaml, participants.csv (432 rows), outcomes.csv
        (114 rows) and README.md. The same bytes every time.

    Returns
    -------
    pathlib.Path
        The ``study.yaml``.
    """
    from lifelines.datasets import load_rossi  # noqa: PLC0415 - slow to import

    folder.mkdir(parents=True, exist_ok=True)
    rossi = load_rossi()
    ids = pd.Series([f"R{k:03d}" for k in range(1, len(rossi) + 1)])
    people = pd.DataFrame(
        {
            "participant_id": ids,
            "fin": rossi["fin"],
            "referral_date": _RELEASE.isoformat(),
            "intake_date": _RELEASE.isoformat(),
            **{name: rossi[name] for name in ("age", "race", "wexp", "mar", "paro", "prio")},
            "outcome_follow_up_end": (_RELEASE + timedelta(days=7 * _WEEKS)).isoformat(),
        }
    )
    arrested = rossi["arrest"].eq(1)
    # The last day of the week: an arrest in week 52 falls on the last day of follow-up, which counts.
    days = pd.to_timedelta(7 * rossi.loc[arrested, "week"], unit="D")
    outcomes = pd.DataFrame(
        {
            "participant_id": ids[arrested],
            "outcome_date": (pd.Timestamp(_RELEASE) + days).dt.strftime("%Y-%m-%d"),
            "kind": "arrest",
            "source": "Rossi, Berk and Lenihan (1980)",
        }
    )
    for name, table in (("participants", people), ("outcomes", outcomes)):
        (folder / f"{name}.csv").write_bytes(csv_text(table).encode("utf-8"))
    (folder / "README.md").write_bytes(_README.encode("utf-8"))
    (folder / "disclosure.yaml").write_bytes(_DISCLOSURE.encode("utf-8"))
    (folder / "study.yaml").write_bytes(_STUDY.encode("utf-8"))
    return folder / "study.yaml"
