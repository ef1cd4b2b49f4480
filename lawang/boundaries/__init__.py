"""A city's boundaries: computed approximately from its figures, or imported from an official file.

`build` writes the pack's own GeoJSON; `import_boundaries`, `current` and `undo` put an official
file in its place, outside of the pack.
"""

from lawang.boundaries.approximate import build, compute
from lawang.boundaries.official import import_boundaries
from lawang.boundaries.shelf import current, undo
from lawang.city.imported import ImportReport

__all__ = ["ImportReport", "build", "compute", "current", "import_boundaries", "undo"]
