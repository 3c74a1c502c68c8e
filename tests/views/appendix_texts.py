"""The texts of reports that stand beside no number, whole: appendix, programme, RE-AIM; in English and Spanish.

``PYTHONPATH=tests .venv/bin/python -m views.appendix_texts`` writes them anew, for what is to be said otherwise; read the diff.
"""

from __future__ import annotations

import re
from pathlib import Path

from evalkit.markup import markdown
from evalkit.protocol import Programme, ReAim
from evalkit.views import appendix, programme_text, re_aim_text
from evalkit.views import appendix as written
from evalkit.words import speaking

FILE = Path(__file__).with_name("appendix_texts.md")
TABLES = frozenset({"sessions", "exits", "outcomes", "measures", "recurrent"})


def places(*texts: object) -> dict[str, str]:
    """A value that says its own name for every place of some texts."""
    return {name: f"<{name}>" for name in re.findall(r"\{(\w+)\}", str(texts))}


def whole(language: str) -> str:
    """Every text, with the names of its places where the protocol's own numbers would stand."""
    with speaking(language):
        trial = places(written.TARGET_TRIAL)
        parts = {f"target trial, {how}": appendix.target_trial(trial, TABLES, how) for how in written.ASSIGNED}
        for without in written.TRIAL_WITHOUT:
            parts[f"target trial, no {without}"] = appendix.target_trial(trial, TABLES - {without})
        said = places(written.STATISTICS)
        parts |= {
            "statistics": appendix.statistics(said, TABLES),
            "statistics, few tables": appendix.statistics(said, frozenset()),
        }
        said = places(written.TERMS)
        parts |= {"terms": appendix.glossary_of_terms(said, TABLES | {"PAIP"}), "checklist": appendix.checklist()}
        parts["terms, few tables"] = appendix.glossary_of_terms(said, frozenset())
        parts["programme"] = programme_text(
            Programme.model_validate({name: f"<{name}>" for name in Programme.model_fields})
        )
        parts["re-aim"] = re_aim_text(ReAim.model_validate({name: f"<{name}>" for name in ReAim.model_fields}))
    return "".join(f"## {language}: {name}\n\n{markdown(text).strip()}\n\n" for name, text in parts.items())


def main() -> None:
    """Write the texts."""
    FILE.write_text(whole("en-US") + whole("es-US"), encoding="utf-8")


if __name__ == "__main__":
    main()
