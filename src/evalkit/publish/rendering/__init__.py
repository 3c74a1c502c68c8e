"""From a notebook to its files: papermill runs it, its outputs become a document, one of two publishers prints that.

It knows of no release: what is remembered of releases, and where they go, is of `evalkit.publish.release`.
"""

from evalkit.publish.rendering._machine import private_files, scratch_folder, sweep, swept_up
from evalkit.publish.rendering._notebook import parse_override
from evalkit.publish.rendering._pieces import column_headings

__all__ = ["column_headings", "parse_override", "private_files", "scratch_folder", "sweep", "swept_up"]
