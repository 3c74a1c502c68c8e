"""From a notebook to a release: papermill runs it, Quarto or the embedded publisher makes the files.

This room knows nothing of statistics: it runs notebooks, lets out only what `evalkit.display` marked, and places
releases so that nothing half-written is ever seen and nothing published is ever lost.
"""

from evalkit.publish._batch import render_all
from evalkit.publish._job import RenderJob, find_notebook
from evalkit.publish._progress import LineProgress, Progress, progress_for
from evalkit.publish._render import explain, render
from evalkit.publish._tools import Tool, survey

__all__ = [
    "LineProgress",
    "Progress",
    "RenderJob",
    "Tool",
    "explain",
    "find_notebook",
    "progress_for",
    "render",
    "render_all",
    "survey",
]
