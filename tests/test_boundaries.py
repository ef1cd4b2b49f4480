"""Boundaries: computed from the pack's figures, or imported from an official file."""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import shapely
from shapely.geometry import mapping, shape

from lawang.boundaries import build, compute, current, import_boundaries, undo
from lawang.boundaries.projection import Projection
from lawang.city import City, load_city
from lawang.domain.errors import BoundaryError, PackError
from lawang.settings import ROOT

PALEMBANG = ROOT / "cities" / "palembang"
NOON = datetime(2026, 9, 7, 5, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def city() -> City:
    return load_city(PALEMBANG, env={})


@pytest.fixture(scope="module")
def projection(city: City) -> Projection:
    return Projection.of(city.bbox)


def _shapes(collection: dict[str, Any]) -> dict[str, Any]:
    return {each["properties"]["code"]: shape(each["geometry"]) for each in collection["features"]}


@pytest.mark.parametrize("name", ["kecamatan.geojson", "kelurahan.geojson", "river.geojson"])
def test_the_committed_boundaries_are_the_computed_ones(name: str) -> None:
    committed = json.loads((PALEMBANG / "regions" / name).read_text(encoding="utf-8"))
    assert committed == compute(PALEMBANG)[name]


def test_building_again_changes_no_byte(tmp_path: Path) -> None:
    pack = Path(shutil.copytree(PALEMBANG, tmp_path / "palembang"))
    before = {file.name: file.read_bytes() for file in (pack / "regions").iterdir()}
    assert len(build(pack)) == 3
    assert {file.name: file.read_bytes() for file in (pack / "regions").iterdir()} == before


@pytest.mark.parametrize("level", ["kecamatan", "kelurahan"])
def test_regions_cover_the_outline_and_do_not_overlap(
    city: City, projection: Projection, level: str
) -> None:
    shapes = list(_shapes(getattr(city, f"{level}_geojson")).values())
    whole = projection.area_km2(shapely.union_all(shapes))
    assert sum(map(projection.area_km2, shapes)) == pytest.approx(whole, abs=0.001)
    assert whole == pytest.approx(367.5, rel=0.01)
    assert shapely.coverage_is_valid(shapes)


def test_no_region_has_a_hole_or_a_sliver(city: City, projection: Projection) -> None:
    for code, region in _shapes(city.kecamatan_geojson).items():
        parts = shapely.get_parts(region).tolist()
        assert len(parts) <= 2, code
        assert not any(part.interiors for part in parts), code
        assert min(map(projection.area_km2, parts)) > 1, code


def test_no_kelurahan_lies_on_both_banks(city: City, projection: Projection) -> None:
    # Downstream of it the line is an estimate that crosses the outline, the city's border there.
    (river,) = [
        projection.metres(shape(each["geometry"]))
        for each in city.river_geojson["features"]
        if each["properties"]["name"] == "musi_city"
    ]
    for code, region in _shapes(city.kelurahan_geojson).items():
        # Borders follow the river but for rounding to a metre.
        assert not projection.metres(region).buffer(-3).crosses(river), code


def test_coordinates_have_five_decimals(city: City) -> None:
    for region in _shapes(city.kelurahan_geojson).values():
        coordinates = shapely.get_coordinates(region)
        assert (coordinates.round(5) == coordinates).all()


def test_a_city_without_a_river_is_one_area(tmp_path: Path, projection: Projection) -> None:
    pack = Path(shutil.copytree(PALEMBANG, tmp_path / "palembang"))
    (pack / "regions/river.csv").unlink()
    collections = compute(pack)
    assert set(collections) == {"kecamatan.geojson", "kelurahan.geojson"}
    total = sum(map(projection.area_km2, _shapes(collections["kelurahan.geojson"]).values()))
    assert total == pytest.approx(367.5, rel=0.01)


def test_a_kecamatan_on_the_wrong_bank_is_refused(tmp_path: Path) -> None:
    pack = Path(shutil.copytree(PALEMBANG, tmp_path / "palembang"))
    table = pack / "regions/kecamatan.csv"
    table.write_text(table.read_text().replace("50.62,left", "50.62,right"))
    with pytest.raises(BoundaryError, match="Pulo Kerto"):
        build(pack)


def test_two_kelurahan_on_one_point_are_refused(tmp_path: Path) -> None:
    pack = Path(shutil.copytree(PALEMBANG, tmp_path / "palembang"))
    table = pack / "regions/kelurahan.csv"
    table.write_text(table.read_text().replace("-3.0003,104.7454", "-3.0052,104.7455"))
    with pytest.raises(BoundaryError, match=r"16\.71\.01\.1002 stands on the point of"):
        build(pack)


Edit = Callable[[dict[str, Any]], None]


def _official(tmp_path: Path, city: City, level: str = "kelurahan", *edits: Edit) -> Path:
    """A file as a city's planning office would export it, with everything moved by some metres."""
    source = city.kelurahan_geojson if level == "kelurahan" else city.kecamatan_geojson
    features = []
    for number, feature in enumerate(copy.deepcopy(source["features"])):
        moved = shapely.transform(shape(feature["geometry"]), lambda xy: xy + 0.0003)
        features.append(
            {
                "type": "Feature",
                "properties": {
                    "OBJECTID": number,
                    "KODE": feature["properties"]["code"],
                    "NAMOBJ": feature["properties"]["name"].upper(),
                },
                "geometry": json.loads(json.dumps(mapping(moved))),
            }
        )
    collection = {"type": "FeatureCollection", "features": features}
    for edit in edits:
        edit(collection)
    file = tmp_path / "resmi.geojson"
    file.write_text(json.dumps(collection), encoding="utf-8")
    return file


def _import(file: Path, data_dir: Path) -> Any:
    return import_boundaries(PALEMBANG, file, data_dir, clock=lambda: NOON)


def test_official_kelurahan_take_the_place_of_the_packs(tmp_path: Path, city: City) -> None:
    file = _official(tmp_path, city)
    report = _import(file, tmp_path / "data")
    assert (report.level, report.regions, report.matched_by) == ("kelurahan", 107, "KODE")
    loaded = load_city(PALEMBANG, tmp_path / "data", env={})
    assert not loaded.boundaries.approximate
    assert loaded.boundaries.note == "Batas wilayah resmi (resmi.geojson, diimpor 07-09-2026)"
    assert loaded.boundaries.imported == report
    assert loaded.kelurahan_geojson != city.kelurahan_geojson


def test_kecamatan_are_the_union_of_official_kelurahan(
    tmp_path: Path, city: City, projection: Projection
) -> None:
    _import(_official(tmp_path, city), tmp_path / "data")
    loaded = load_city(PALEMBANG, tmp_path / "data", env={})
    kelurahan = _shapes(loaded.kelurahan_geojson)
    for code, kecamatan in _shapes(loaded.kecamatan_geojson).items():
        parts = [each for key, each in kelurahan.items() if key.startswith(code)]
        off = projection.area_km2(shapely.union_all(parts).symmetric_difference(kecamatan))
        assert off < 0.001


def test_below_official_kecamatan_kelurahan_stay_approximate(
    tmp_path: Path, city: City, projection: Projection
) -> None:
    report = _import(_official(tmp_path, city, "kecamatan"), tmp_path / "data")
    assert report.level == "kecamatan"
    assert "approximate" in report.notes[0]
    loaded = load_city(PALEMBANG, tmp_path / "data", env={})
    assert not loaded.boundaries.kecamatan_approximate
    assert loaded.boundaries.kelurahan_approximate
    kecamatan = _shapes(loaded.kecamatan_geojson)
    for code, kelurahan in _shapes(loaded.kelurahan_geojson).items():
        outside = kelurahan.difference(kecamatan[code[:8]])
        assert projection.area_km2(outside) < 0.001


@pytest.mark.parametrize("spelled", ["Kecamatan {}", "KEC. {}", "{}"])
def test_features_may_be_told_by_name_alone(tmp_path: Path, city: City, spelled: str) -> None:
    def rename(collection: dict[str, Any]) -> None:
        for feature in collection["features"]:
            name = feature["properties"]["NAMOBJ"].title()
            feature["properties"] = {"WADMKC": spelled.format(name)}

    report = _import(_official(tmp_path, city, "kecamatan", rename), tmp_path / "data")
    assert (report.level, report.matched_by) == ("kecamatan", "WADMKC")


def test_features_may_be_told_by_bps_code(tmp_path: Path, city: City) -> None:
    codes = {region.code: int(region.bps_code or 0) for region in city.kecamatan}

    def recode(collection: dict[str, Any]) -> None:
        for feature in collection["features"]:
            feature["properties"] = {"idkec": codes[feature["properties"]["KODE"]]}

    report = _import(_official(tmp_path, city, "kecamatan", recode), tmp_path / "data")
    assert (report.level, report.matched_by) == ("kecamatan", "idkec")


def _properties(number: int, **values: Any) -> Edit:
    return lambda collection: collection["features"][number]["properties"].update(values)


def _geometry(number: int, change: Callable[[dict[str, Any]], Any]) -> Edit:
    def edit(collection: dict[str, Any]) -> None:
        feature = collection["features"][number]
        feature["geometry"] = change(feature["geometry"])

    return edit


def _everywhere(change: Callable[[float, float], tuple[float, float]]) -> Edit:
    def edit(collection: dict[str, Any]) -> None:
        for feature in collection["features"]:
            moved = shapely.transform(
                shape(feature["geometry"]),
                lambda x, y: change(x, y),
                interleaved=False,
            )
            feature["geometry"] = json.loads(json.dumps(mapping(moved)))

    return edit


def _drop(number: int) -> Edit:
    return lambda collection: collection["features"].pop(number)


def _crs(name: str) -> Edit:
    return lambda collection: collection.update(crs={"type": "name", "properties": {"name": name}})


BOW_TIE = {
    "type": "Polygon",
    "coordinates": [
        [[104.7, -3.0], [104.71, -2.99], [104.71, -3.0], [104.7, -2.99], [104.7, -3.0]]
    ],
}

REFUSED: list[tuple[str, list[Edit], str]] = [
    ("a region missing", [_drop(3)], r"29 Ilir \(16.71.01.1004\) is not in the file"),
    (
        "a region twice",
        [_properties(3, KODE="16.71.01.1001", NAMOBJ="35 ILIR")],
        "35 Ilir .* is there 2 times: features 1, 4",
    ),
    (
        "a name of elsewhere",
        [_properties(3, KODE="x", NAMOBJ="Talang Entah")],
        "Feature 4: KODE = 'x' is no kelurahan",
    ),
    (
        "code and name disagree",
        [_properties(0, NAMOBJ="32 ILIR"), _properties(1, NAMOBJ="35 ILIR")],
        "Feature 1: KODE means 16.71.01.1001, but NAMOBJ means 16.71.01.1002",
    ),
    ("a ring that crosses itself", [_geometry(0, lambda _: BOW_TIE)], "Feature 1: Self-inter"),
    (
        "a ring that is open",
        [_geometry(0, lambda g: g | {"coordinates": [g["coordinates"][0][:-1]]})],
        "Feature 1: a ring is not closed",
    ),
    ("a point", [_geometry(0, lambda _: {"type": "Point", "coordinates": [104.7, -3]})], "a Point"),
    ("no geometry", [_geometry(0, lambda _: None)], "Feature 1: it is a feature without geometry"),
    ("another city", [_everywhere(lambda x, y: (x + 1, y))], "reaches outside the city"),
    ("axes exchanged", [_everywhere(lambda x, y: (y, x))], "latitude and longitude exchanged"),
    ("metres", [_everywhere(lambda x, y: (x * 4500, y * 4500))], "looks projected"),
    ("another CRS", [_crs("urn:ogc:def:crs:EPSG::32748")], "EPSG::32748; export it in WGS84"),
    (
        "too small an area",
        [_everywhere(lambda x, y: (104.75 + (x - 104.75) * 0.95, y))],
        "km2; the city has 352 to 401 km2",
    ),
    (
        "regions over each other",
        [_geometry(35, lambda g: mapping(shape(g).buffer(0.012)))],
        "belong to more than one",
    ),
]


@pytest.mark.parametrize(
    ("edits", "problem"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED]
)
def test_a_file_that_does_not_fit_is_refused_and_changes_nothing(
    tmp_path: Path, city: City, edits: list[Edit], problem: str
) -> None:
    with pytest.raises(BoundaryError, match=problem):
        _import(_official(tmp_path, city, "kelurahan", *edits), tmp_path / "data")
    assert not (tmp_path / "data").exists()


def test_the_usual_ways_to_say_wgs84_are_taken(tmp_path: Path, city: City) -> None:
    file = _official(tmp_path, city, "kecamatan", _crs("urn:ogc:def:crs:OGC:1.3:CRS84"))
    assert _import(file, tmp_path / "data").regions == 18


def test_all_problems_are_told_at_once(tmp_path: Path, city: City) -> None:
    edits = [_geometry(0, lambda _: BOW_TIE), _properties(1, KODE="?", NAMOBJ="?"), _drop(9)]
    with pytest.raises(BoundaryError) as caught:
        _import(_official(tmp_path, city, "kelurahan", *edits), tmp_path / "data")
    assert len(caught.value.problems) == 4


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"{", r"not JSON \(line 1\)"),
        (b"\xff\xfe", "not JSON"),
        (b"[]", "not a GeoJSON FeatureCollection"),
        (b'{"type": "FeatureCollection", "features": []}', "no features"),
        (b'{"type": "FeatureCollection", "features": [null, 3]}', "No property"),
        (
            b'{"type": "FeatureCollection", "features": [{"geometry": {"type": "Polygon", '
            b'"coordinates": [[[1e999, 1], [9' + b"9" * 400 + b', "x"]]]}}]}',
            "something that is no position",
        ),
    ],
)
def test_a_file_that_is_no_geojson_is_refused(tmp_path: Path, content: bytes, problem: str) -> None:
    file = tmp_path / "x.geojson"
    file.write_bytes(content)
    with pytest.raises(BoundaryError, match=problem):
        _import(file, tmp_path / "data")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BoundaryError, match="cannot be read"):
        _import(tmp_path / "none.geojson", tmp_path / "data")


def test_nothing_is_in_force_before_the_first_import(tmp_path: Path) -> None:
    assert current(tmp_path, "palembang") is None


def test_undo_without_an_import_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BoundaryError, match="Nothing was imported"):
        undo(tmp_path, "palembang")


def test_undo_returns_to_the_import_before_and_then_to_the_pack(tmp_path: Path, city: City) -> None:
    data = tmp_path / "data"
    first = _import(_official(tmp_path, city, "kecamatan"), data)
    second = _import(_official(tmp_path, city, "kelurahan"), data)
    assert current(data, "palembang") == second
    assert undo(data, "palembang") == first
    assert current(data, "palembang") == first
    assert load_city(PALEMBANG, data, env={}).boundaries.imported == first
    assert undo(data, "palembang") is None
    assert load_city(PALEMBANG, data, env={}).boundaries.approximate


def test_a_refused_file_leaves_the_import_before_in_force(tmp_path: Path, city: City) -> None:
    data = tmp_path / "data"
    first = _import(_official(tmp_path, city), data)
    with pytest.raises(BoundaryError):
        _import(_official(tmp_path, city, "kelurahan", _drop(0)), data)
    assert current(data, "palembang") == first


def test_a_failure_while_writing_leaves_the_import_before_in_force(
    tmp_path: Path, city: City
) -> None:
    data = tmp_path / "data"
    first = _import(_official(tmp_path, city), data)
    # The step that puts a version in force cannot be taken.
    (data / "boundaries/palembang/current.json.new").mkdir()
    with pytest.raises(OSError, match=r"current\.json\.new"):
        _import(_official(tmp_path, city, "kecamatan"), data)
    assert current(data, "palembang") == first
    assert not (data / "boundaries/palembang/0002").exists()


@pytest.mark.parametrize("name", ["current.json", "0001/report.json", "0001/kelurahan.geojson"])
def test_damaged_boundaries_stop_the_start_and_undo_leads_out(
    tmp_path: Path, city: City, name: str
) -> None:
    data = tmp_path / "data"
    _import(_official(tmp_path, city), data)
    (data / "boundaries/palembang" / name).write_text("{")
    with pytest.raises(PackError):
        load_city(PALEMBANG, data, env={})
    assert undo(data, "palembang") is None
    assert load_city(PALEMBANG, data, env={}).boundaries.approximate
