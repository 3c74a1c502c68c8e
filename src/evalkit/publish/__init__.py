"""From a notebook to a release: papermill runs it, Quarto or the embedded publisher makes the files.

This room knows nothing of statistics: it runs notebooks, lets out only what `evalkit.report` marked, and places
releases so that nothing half-written is ever seen and nothing published is ever lost.
"""

from evalkit.publish import _light as _light  # before anything loads nbformat
from evalkit.publish._draft import Drafted, Drafter, draft_folder
from evalkit.publish._job import (
    WAITING,
    LineProgress,
    Outcome,
    Progress,
    RenderJob,
    find_notebook,
    notebook_words,
    progress_for,
)
from evalkit.publish._render import explain, foreseen, render, render_all
from evalkit.publish._verify import Verification, archive, checked, verify
from evalkit.publish.audit._notebook import check_notebook, notebook_problems
from evalkit.publish.release._decisions import UNTOLD, approve, withdraw
from evalkit.publish.release._ingredients import digest
from evalkit.publish.release._keys import new_approver, new_key
from evalkit.publish.release._lines import Approval, Withdrawal, append_line, approvals_of
from evalkit.publish.release._manifest import planned_in, read_manifest, refuse_draft
from evalkit.publish.release._move import adopt_releases, export_private, import_private
from evalkit.publish.release._place import destination, is_waiting
from evalkit.publish.release._review import write_pack
from evalkit.publish.rendering._quarto import Tool, survey

__all__ = [
    "UNTOLD",
    "WAITING",
    "Approval",
    "Drafted",
    "Drafter",
    "LineProgress",
    "Outcome",
    "Progress",
    "RenderJob",
    "Tool",
    "Verification",
    "Withdrawal",
    "adopt_releases",
    "append_line",
    "approvals_of",
    "approve",
    "archive",
    "check_notebook",
    "checked",
    "destination",
    "digest",
    "draft_folder",
    "explain",
    "export_private",
    "find_notebook",
    "foreseen",
    "import_private",
    "is_waiting",
    "new_approver",
    "new_key",
    "notebook_problems",
    "notebook_words",
    "planned_in",
    "progress_for",
    "read_manifest",
    "refuse_draft",
    "render",
    "render_all",
    "survey",
    "verify",
    "withdraw",
    "write_pack",
]
