"""Metres for a city: degrees WGS84 laid flat around one latitude.

Equirectangular, with the lengths of a degree on the WGS84 ellipsoid. Over the 30 km of a city this
keeps distances and areas to a few parts in ten thousand, well inside what boundaries are worth.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from lawang.domain.region import Box


@dataclass(frozen=True, slots=True)
class Projection:
    """Metres per degree of longitude (x) and latitude (y)."""

    x_m: float
    y_m: float

    @classmethod
    def of(cls, bbox: Box) -> Projection:
        """The projection for a city, true at the middle of its bounding box."""
        latitude = math.radians((bbox.south + bbox.north) / 2)
        # The usual series for the lengths of a degree on WGS84.
        return cls(
            x_m=111412.84 * math.cos(latitude) - 93.5 * math.cos(3 * latitude),
            y_m=111132.92 - 559.82 * math.cos(2 * latitude) + 1.175 * math.cos(4 * latitude),
        )

    def metres(self, degrees: Any) -> Any:
        """A geometry in degrees as one in metres."""
        scale = np.array([self.x_m, self.y_m])
        return shapely.transform(degrees, lambda xy: xy * scale)

    def degrees(self, metres: Any) -> Any:
        """The inverse of `metres`."""
        scale = np.array([self.x_m, self.y_m])
        return shapely.transform(metres, lambda xy: xy / scale)

    def area_km2(self, degrees: Any) -> float:
        """The area of a geometry in degrees."""
        return float(self.metres(degrees).area) / 1e6
