"""The protocol: what a study is, typed, in YAML files that editors can complete and check.

- `Study` (``params/study.yaml``): arms, tables, rules with every number of the study's definitions.
- `Baselines` (``params/baselines.yaml``): published figures with citation and denominator.
- `Frozen` (``params/protocol/<name>.yaml``): the protocol as it was registered, and what has changed since.
- `ReportParams` (``params/<report>.yaml``): one report's own parameters.

Unknown keys and wrong types fail with file, line, key and a did-you-mean.
"""

from evalkit.protocol._fields import (
    TABLE_NAMES,
    Author,
    Citation,
    Closure,
    Harm,
    Programme,
    ReAim,
    Rules,
    Target,
    Told,
    empty_items,
)
from evalkit.protocol._files import load_baselines, load_disclosure, load_report, load_study, validate, write_table
from evalkit.protocol._frozen import (
    Change,
    Frozen,
    Planned,
    changes_since,
    decisive,
    differences,
    first_plan,
    freeze,
    load_frozen,
    unexplained,
    version_file,
)
from evalkit.protocol._private import (
    Secret,
    find_private_folder,
    find_secret,
    make_private,
    noise_secret,
    private_folder,
    private_modes,
    read_key,
    study_secret,
    write_private,
)
from evalkit.protocol._report import Baseline, Baselines, Disclosure, Override, Publication, ReportParams
from evalkit.protocol._schema import changed_defaults, schema_files, write_schemas
from evalkit.protocol._study import (
    Arm,
    Arms,
    Column,
    Comparison,
    Covariate,
    Deviation,
    Excuse,
    Study,
    Table,
)
from evalkit.protocol._yaml import YamlMapping, parse_yaml, read_yaml

__all__ = [
    "TABLE_NAMES",
    "Arm",
    "Arms",
    "Author",
    "Baseline",
    "Baselines",
    "Change",
    "Citation",
    "Closure",
    "Column",
    "Comparison",
    "Covariate",
    "Deviation",
    "Disclosure",
    "Excuse",
    "Frozen",
    "Harm",
    "Override",
    "Planned",
    "Programme",
    "Publication",
    "ReAim",
    "ReportParams",
    "Rules",
    "Secret",
    "Study",
    "Table",
    "Target",
    "Told",
    "YamlMapping",
    "changed_defaults",
    "changes_since",
    "decisive",
    "differences",
    "empty_items",
    "find_private_folder",
    "find_secret",
    "first_plan",
    "freeze",
    "load_baselines",
    "load_disclosure",
    "load_frozen",
    "load_report",
    "load_study",
    "make_private",
    "noise_secret",
    "parse_yaml",
    "private_folder",
    "private_modes",
    "read_key",
    "read_yaml",
    "schema_files",
    "study_secret",
    "unexplained",
    "validate",
    "version_file",
    "write_private",
    "write_schemas",
    "write_table",
]
