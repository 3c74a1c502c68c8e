"""What can be known of a notebook's cells before they run: options, labels, names, and what publishing would refuse.

`evalkit draft` asks it of the whole notebook, JupyterLab of each cell that runs, `evalkit render` of the options.
"""

from evalkit.cells._lab import DOORS, Problem, cell_problems, notebook_problems, watch_cells
from evalkit.cells._options import KNOWN_OPTIONS, REFERENCE, SECTION, citations_in, labels_of, options_of, sections_of

__all__ = [
    "DOORS",
    "KNOWN_OPTIONS",
    "REFERENCE",
    "SECTION",
    "Problem",
    "cell_problems",
    "citations_in",
    "labels_of",
    "notebook_problems",
    "options_of",
    "sections_of",
    "watch_cells",
]
