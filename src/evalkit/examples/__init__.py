"""Studies written as study folders: of public data, and the first files of one's own.

- `write_rossi`: the released-prisoners experiment (432 men, re-arrest within a year, financial aid).
- `Starter`, `starter_files`, `write_new`: the files of a new study, and how they are written over nothing.
"""

from evalkit.examples._new_files import write_new
from evalkit.examples._rossi import write_rossi
from evalkit.examples._starter import SIMULATED, Group, Starter, starter_files

__all__ = ["SIMULATED", "Group", "Starter", "starter_files", "write_new", "write_rossi"]
