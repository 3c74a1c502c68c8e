"""Studies of public data, written as study folders that open like one's own.

- `write_rossi`: the released-prisoners experiment (432 men, re-arrest within a year, financial aid).
"""

from evalkit.examples._rossi import write_rossi

__all__ = ["write_rossi"]
