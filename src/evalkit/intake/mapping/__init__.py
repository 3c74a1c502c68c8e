"""From an export to the protocol's lines that read it: looked through in private, proposed with reasons."""

from evalkit.intake._read import files_like
from evalkit.intake.mapping._propose import Proposal, Question, propose

__all__ = ["Proposal", "Question", "files_like", "propose"]
