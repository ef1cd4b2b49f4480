"""What pages need to know of the installation, given once by the web door at start."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from lawang.city import City
from lawang.domain.clock import Clock
from lawang.domain.health import SourceState
from lawang.domain.screen import ScreenProgramme
from lawang.overview.read import OverviewReader
from lawang.store.history import History
from lawang.tiles import TileFacts
from layouts.shell import PageFacts


@dataclass(frozen=True, slots=True)
class PageStores:
    """What pages with callbacks read, in threads of their own: history blocks.

    `states` tells how the sources are heard, as the board said it last.
    """

    reader: OverviewReader
    history: History
    states: Callable[[], Mapping[str, SourceState]]
    clock: Clock


@dataclass(frozen=True)
class PageContext:
    """The city and the build of this program; the same for every page and viewer.

    `stores` is None where only the frames of pages are wanted. `screens` tells the programme of the
    screens in force now; without it, it is the one that the pack was read with.
    `tiles` are the facts of the pictures beneath the map, None where there are none.
    """

    city: City
    build: str
    stores: PageStores | None = None
    screens: Callable[[], ScreenProgramme] | None = None
    tiles: TileFacts | None = None

    def programme(self) -> ScreenProgramme:
        """The screens and scenes as `screens.toml` has them now."""
        return self.screens() if self.screens else self.city.screens

    @cached_property
    def bounds(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """(south, west), (north, east) of the regions themselves, without the pack's margin."""
        corners = [
            point
            for feature in self.city.kecamatan_geojson["features"]
            for point in _points(feature["geometry"]["coordinates"])
        ]
        longitudes = [longitude for longitude, _latitude in corners]
        latitudes = [latitude for _longitude, latitude in corners]
        return (min(latitudes), min(longitudes)), (max(latitudes), max(longitudes))

    def facts(
        self,
        panels: Sequence[str],
        names: bool = False,
        refresh_s: int | None = None,
        extra: Mapping[str, object] | None = None,
    ) -> PageFacts:
        """The facts for a page's script; `names` adds those of regions, categories, departments.

        `extra` is what this page alone has to know. `refresh_s` is after how long the page loads
        itself anew; None is never.
        """
        extra = {"refresh_s": refresh_s, **(extra or {})}
        if names:
            extra["regions"] = {
                region.code: region.name for region in (*self.city.kecamatan, *self.city.kelurahan)
            }
            extra["categories"] = {
                category.id: {"id": category.name_id, "en": category.name_en}
                for category in self.city.categories.values()
            }
            extra["departments"] = {each.id: each.opd for each in self.city.sources.values()}
            extra["opds"] = {opd.id: opd.name for opd in self.city.opds.values()}
        return PageFacts(
            build=self.build,
            city_name=self.city.name,
            panels=panels,
            timezone=str(self.city.timezone),
            extra=extra,
        )


def _points(coordinates: list) -> list[tuple[float, float]]:  # type: ignore[type-arg]
    if coordinates and isinstance(coordinates[0], (int, float)):
        return [(coordinates[0], coordinates[1])]
    return [point for part in coordinates for point in _points(part)]


_context: PageContext | None = None


def set_page_context(context: PageContext) -> None:
    """Called once by the web door before the first page is asked for."""
    global _context
    _context = context


def page_context() -> PageContext:
    """The context; RuntimeError if a page is asked for without the web door."""
    if _context is None:
        raise RuntimeError("the web door has not set the page context")
    return _context
