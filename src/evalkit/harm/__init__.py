"""Harm: the first recorded harm, repeated harm, and harm after completing."""

from evalkit.harm._landmark import completed_by, harm_after_completion
from evalkit.harm._model import EVENTS_PER_TERM, first_harm, harm_hazards, harm_model, mean_without_harm, without_harm
from evalkit.harm._recurrent import MeanCountOf, repeated_harm

__all__ = [
    "EVENTS_PER_TERM",
    "MeanCountOf",
    "completed_by",
    "first_harm",
    "harm_after_completion",
    "harm_hazards",
    "harm_model",
    "mean_without_harm",
    "repeated_harm",
    "without_harm",
]
