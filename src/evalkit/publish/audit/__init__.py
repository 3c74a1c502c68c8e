"""The audit: the last look before anything leaves.

- `audit_cells`: every output of the executed notebook carries a valid seal of this run, and nothing lies beside it.
- `audit_document`: no text, caption, alternative text, figure, table or shown code holds what must not leave.
- `audit_files`: the finished files hold none of it either, in words, properties, structure or attachments.
"""

from evalkit.publish.audit._document import audit_document, audit_files, audit_markdown
from evalkit.publish.audit._guard import Guard, guard_for
from evalkit.publish.audit._notebook import audit_cells, counted, private_part

__all__ = [
    "Guard",
    "audit_cells",
    "audit_document",
    "audit_files",
    "audit_markdown",
    "counted",
    "guard_for",
    "private_part",
]
