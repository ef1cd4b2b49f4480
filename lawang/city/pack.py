"""A city as the rest of the program knows it, read from its pack."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from lawang.city.board import FILE_NAME as BOARD_FILE
from lawang.city.board import read_field_tables
from lawang.city.imported import ImportReport, current_version, read_report
from lawang.city.kpis import read_kpis
from lawang.city.programme import read_programme
from lawang.city.regions import Regions, read_points, read_regions
from lawang.city.rules import check_screens, read_rules
from lawang.city.screens import FILE_NAME, Named, read_screens
from lawang.city.shapes import read_geojson, read_shapes
from lawang.city.source import Source, read_source
from lawang.city.toml import Model, first_mistake, mistake, read_model, read_toml
from lawang.domain.errors import PackError
from lawang.domain.field import FieldTables
from lawang.domain.incident import UNKNOWN_CATEGORY
from lawang.domain.kpi import Curve, Dimension, Kpi
from lawang.domain.programme import Programme
from lawang.domain.region import Box, Gazetteer, Region
from lawang.domain.rule import Rule
from lawang.domain.screen import ScreenProgramme


@dataclass(frozen=True, slots=True)
class Opd:
    """A department of the city. `full_name` is empty where no certain one is known."""

    id: str
    name: str
    full_name: str


#: The shapes that reports have on the map.
Mark = Literal["fire", "water", "tree", "road", "medical", "other"]


@dataclass(frozen=True, slots=True)
class Category:
    """What a report is about, in both languages of the interface, and the shape of its marks."""

    id: str
    name_id: str
    name_en: str
    mark: Mark = "other"


@dataclass(frozen=True, slots=True)
class Landmark:
    """A place people know, in degrees WGS84."""

    name: str
    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class Boundaries:
    """How far the lines on the map can be trusted; `note` is the sentence that goes beside them.

    `imported` describes the official file in force, or is None while the pack's own lines are.
    """

    kecamatan_approximate: bool
    kelurahan_approximate: bool
    note: str
    imported: ImportReport | None = None
    note_en: str = ""

    def note_in(self, language: str) -> str:
        """The note for people of a language; the pack's own where it has none in it."""
        return self.note_en or self.note if language == "en" else self.note

    @property
    def approximate(self) -> bool:
        """Whether any of the lines are approximate."""
        return self.kecamatan_approximate or self.kelurahan_approximate


@dataclass(frozen=True, slots=True, kw_only=True)
class City:
    """One city. Mappings are by id; GeoJSON is in degrees WGS84, its features carry `code`.

    `sla_working_days` is how many working days a report may take; `area_km2` the least and the
    most that published figures give; `credits` name where the data comes from and must be shown
    (`credits_en` the same in English, where the pack has them).
    """

    slug: str
    name: str
    short_name: str
    code: str
    timezone: ZoneInfo
    bbox: Box
    area_km2: tuple[float, float]
    population: int
    sla_working_days: int
    kecamatan: tuple[Region, ...]
    kelurahan: tuple[Region, ...]
    gazetteer: Gazetteer
    opds: dict[str, Opd]
    categories: dict[str, Category]
    sources: dict[str, Source]
    boundaries: Boundaries
    kecamatan_geojson: dict[str, Any]
    kelurahan_geojson: dict[str, Any]
    river_geojson: dict[str, Any]
    roads_geojson: dict[str, Any]
    landmarks: tuple[Landmark, ...]
    credits: tuple[str, ...]
    dimensions: dict[str, Dimension]
    curves: dict[str, Curve]
    kpis: dict[str, Kpi]
    programme: Programme = field(default_factory=Programme)
    credits_en: tuple[str, ...] = ()
    screens: ScreenProgramme = field(default_factory=ScreenProgramme)
    rules: dict[str, Rule] = field(default_factory=dict)
    field_tables: FieldTables = field(default_factory=FieldTables)

    def credits_in(self, language: str) -> tuple[str, ...]:
        """The credits for people of a language; the pack's own where it has none in it."""
        return self.credits_en if language == "en" and self.credits_en else self.credits


_Text = Annotated[str, Field(min_length=1)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _Bbox(_Table):
    south: float = Field(ge=-90, le=90)
    west: float = Field(ge=-180, le=180)
    north: float = Field(ge=-90, le=90)
    east: float = Field(ge=-180, le=180)

    @model_validator(mode="after")
    def _is_a_box(self) -> _Bbox:
        if self.south >= self.north or self.west >= self.east:
            raise ValueError("south must be below north, and west must be left of east")
        return self


class _Published(_Table):
    km2: float = Field(gt=0)
    source: _Text


class _Area(_Table):
    min_km2: float = Field(gt=0)
    max_km2: float = Field(gt=0)
    published: list[_Published] = Field(default_factory=list)

    @model_validator(mode="after")
    def _is_a_range(self) -> _Area:
        if self.min_km2 > self.max_km2:
            raise ValueError("min_km2 must not be more than max_km2")
        return self


class _Population(_Table):
    count: int = Field(gt=0)
    year: int
    source: _Text


class _Sla(_Table):
    working_days: int = Field(gt=0)


class _BoundariesTable(_Table):
    approximate: bool
    note: _Text
    note_en: str = ""


def _zone(name: Any) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, TypeError, LookupError):
        raise ValueError("is not a time zone of the IANA database") from None


class CityFile(_Table):
    """What `city.toml` may hold."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    slug: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    name: _Text
    short_name: _Text
    code: str = Field(pattern=r"^\d\d\.\d\d$")
    timezone: Annotated[ZoneInfo, BeforeValidator(_zone)]
    credits: list[_Text] = Field(min_length=1)
    credits_en: list[_Text] = Field(default_factory=list)
    bbox: _Bbox
    area: _Area
    population: _Population
    sla: _Sla
    boundaries: _BoundariesTable

    @property
    def box(self) -> Box:
        """The bounding box as a value."""
        return Box(self.bbox.south, self.bbox.west, self.bbox.north, self.bbox.east)


class _OpdTable(_Table):
    name: _Text
    full_name: str = ""


class _CategoryTable(_Table):
    name_id: _Text
    name_en: _Text
    mark: Mark = "other"


def read_city_file(pack_dir: Path) -> CityFile:
    """`city.toml` of a pack. Raises PackError."""
    if not pack_dir.is_dir():
        raise PackError(pack_dir, "", "there is no such city pack")
    return read_model(pack_dir / "city.toml", CityFile)


def read_pack_regions(pack_dir: Path, city: CityFile) -> Regions:
    """The tables of regions of a pack. Raises PackError."""
    return read_regions(pack_dir / "regions", city.code, city.box)


def load_city(
    pack_dir: Path,
    data_dir: Path | None = None,
    env: Mapping[str, str] = os.environ,
    simulated: bool = False,
) -> City:
    """Read and validate a pack.

    Boundaries imported into `data_dir` take the place of the pack's. With `simulated`, sources are
    those of the simulated departments. Raises PackError for the first mistake, and SettingsError
    for a variable whose NAME_FILE cannot be read.
    """
    city = read_city_file(pack_dir)
    regions = read_pack_regions(pack_dir, city)
    opds = _opds(pack_dir / "opd.toml")
    categories = _categories(pack_dir / "categories.toml")
    folder, boundaries = _boundaries(pack_dir, data_dir, city)
    kecamatan_geojson = read_geojson(folder / "kecamatan.geojson")
    kelurahan_geojson = read_geojson(folder / "kelurahan.geojson")
    shapes = {
        **read_shapes(folder / "kecamatan.geojson", kecamatan_geojson, regions.kecamatan, city.box),
        **read_shapes(folder / "kelurahan.geojson", kelurahan_geojson, regions.kelurahan, city.box),
    }
    sources = {
        source.id: source
        for file in sorted((pack_dir / "sources").glob("*.toml"))
        for source in [read_source(file, opds, categories, env, simulated)]
    }
    indicators = read_kpis(pack_dir / "kpi.toml", sources, categories, opds)
    programme = read_programme(pack_dir / "mayor.toml", indicators, sources, opds)
    kecamatan = {region.code for region in regions.kecamatan}
    rules = read_rules(pack_dir / "rules.toml", sources, categories, opds, kecamatan)
    named = Named(
        kecamatan=[each.code for each in regions.kecamatan],
        opds=opds,
        categories=categories,
        rules=rules,
    )
    screens = read_screens(pack_dir / FILE_NAME, named)
    check_screens(pack_dir / "rules.toml", rules, screens.screens)
    return City(
        slug=city.slug,
        name=city.name,
        short_name=city.short_name,
        code=city.code,
        timezone=city.timezone,
        bbox=city.box,
        area_km2=(city.area.min_km2, city.area.max_km2),
        population=city.population.count,
        sla_working_days=city.sla.working_days,
        kecamatan=regions.kecamatan,
        kelurahan=regions.kelurahan,
        gazetteer=Gazetteer((*regions.kecamatan, *regions.kelurahan), shapes, city.box),
        opds=opds,
        categories=categories,
        sources=sources,
        boundaries=boundaries,
        kecamatan_geojson=kecamatan_geojson,
        kelurahan_geojson=kelurahan_geojson,
        river_geojson=_lines(pack_dir / "regions" / "river.geojson"),
        roads_geojson=_lines(pack_dir / "regions" / "roads.geojson"),
        landmarks=tuple(
            Landmark(*each)
            for each in read_points(pack_dir / "regions" / "landmarks.csv", city.box, "name")
        ),
        credits=tuple(city.credits),
        credits_en=tuple(city.credits_en),
        dimensions=indicators.dimensions,
        curves=indicators.curves,
        kpis=indicators.kpis,
        programme=programme,
        screens=screens,
        rules=rules,
        field_tables=read_field_tables(pack_dir / BOARD_FILE, sources, indicators.kpis),
    )


def _opds(file: Path) -> dict[str, Opd]:
    tables = _tables(file, _OpdTable)
    return {key: Opd(key, table.name, table.full_name) for key, table in tables.items()}


def _categories(file: Path) -> dict[str, Category]:
    tables = _tables(file, _CategoryTable)
    if UNKNOWN_CATEGORY in tables:
        raise mistake(file, (UNKNOWN_CATEGORY,), "is reserved for categories that are not known")
    return {
        key: Category(key, table.name_id, table.name_en, table.mark)
        for key, table in tables.items()
    }


def _tables(file: Path, model: type[Model]) -> dict[str, Model]:
    tables = {}
    for key, values in read_toml(file).items():
        try:
            tables[key] = model.model_validate(values)
        except ValidationError as error:
            path, problem = first_mistake(error)
            raise mistake(file, (key, *path), problem) from error
    if not tables:
        raise PackError(file, "", "is empty")
    return tables


def _boundaries(pack_dir: Path, data_dir: Path | None, city: CityFile) -> tuple[Path, Boundaries]:
    """The folder of the GeoJSON in force, and how far it can be trusted."""
    version = current_version(data_dir, city.slug) if data_dir is not None else None
    if version is None:
        given = city.boundaries
        lines = Boundaries(given.approximate, given.approximate, given.note, note_en=given.note_en)
        return pack_dir / "regions", lines
    report = read_report(version)
    day = report.imported_at.astimezone(city.timezone).strftime("%d-%m-%Y")
    origin, origin_en = f"{report.file}, diimpor {day}", f"{report.file}, imported {day}"
    if report.level == "kelurahan":
        note = f"Batas wilayah resmi ({origin})"
        return version, Boundaries(False, False, note, report, f"Official boundaries ({origin_en})")
    note = f"Batas kecamatan resmi ({origin}); batas kelurahan perkiraan"
    note_en = f"Official kecamatan boundaries ({origin_en}); those of kelurahan approximate"
    return version, Boundaries(False, True, note, report, note_en)


def _lines(file: Path) -> dict[str, Any]:
    """The lines of a file that a pack may have; none where it has not."""
    if not file.exists():
        return {"type": "FeatureCollection", "features": []}
    return read_geojson(file)
