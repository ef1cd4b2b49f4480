"""The city pack: everything that differs between two cities, as data in `cities/<slug>/`.

A mistake in a pack raises `PackError` with file, line and key, before anything is started.
"""

from lawang.city.pack import Boundaries, Category, City, Landmark, Opd, load_city
from lawang.city.source import Source
from lawang.city.toml import locate

__all__ = [
    "Boundaries",
    "Category",
    "City",
    "Landmark",
    "Opd",
    "Source",
    "load_city",
    "locate",
]
