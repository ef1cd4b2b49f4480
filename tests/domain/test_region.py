"""Finding the region that a code, a spelling or a point means."""

from __future__ import annotations

import math

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from lawang.city import load_city
from lawang.domain.region import Box, Gazetteer, Level, Place, Region
from lawang.settings import ROOT

GAZETTEER = load_city(ROOT / "cities" / "palembang", env={}).gazetteer

#: Jembatan Ampera, north end: 19 Ilir in Bukit Kecil.
AMPERA = (-2.9904, 104.7623)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("16.71.01", "16.71.01"),
        ("167101", "16.71.01"),
        ("16.71.01.1001", "16.71.01.1001"),
        ("1671011001", "16.71.01.1001"),
        ("1671010", "16.71.01"),
        ("1671010.0", "16.71.01"),
        ("1671010006", "16.71.01"),
        ("16.71.011.001", "16.71.12"),
        ("Ilir Barat I", "16.71.04"),
        ("Ilir Barat Satu", "16.71.04"),
        ("ILIR BARAT 1", "16.71.04"),
        ("Kec. Ilir Barat-I", "16.71.04"),
        ("kecamatan ilirbarat ii", "16.71.01"),
        ("IB I", "16.71.04"),
        ("Ilir Timur III", "16.71.18"),
        ("SEBERANG ULU DUA", "16.71.03"),
        ("Alang Alang Lebar", "16.71.15"),
        ("Bukitkecil", "16.71.11"),
        ("3/4 Ulu", "16.71.02.1004"),
        ("3-4 ULU", "16.71.02.1004"),
        ("Kel. 9/10 Ulu", "16.71.17.1002"),
        ("26 Ilir D1", "16.71.04.1003"),
        ("26 ilir D-I", "16.71.04.1003"),
        ("26 Ilir I", "16.71.04.1003"),
        ("26 Ilir", "16.71.11.1005"),
        ("20 Ilir D IV", "16.71.05.1008"),
        ("20 ILIR DIV", "16.71.05.1008"),
        ("Sungai Buah", "16.71.06.1012"),
        ("SEI PANGERAN", "16.71.05.1010"),
        ("Lebong Gajah", "16.71.16.1003"),
        ("Srijaya", "16.71.15.1002"),
    ],
)
def test_a_code_or_spelling_finds_its_region(text: str, code: str) -> None:
    region = GAZETTEER.resolve(text)
    assert region is not None
    assert region.code == code


@pytest.mark.parametrize(
    "text", ["", " ", "-", "Talang Entah", "34 Ulu", "99.99.99", "1672010", "12", "x" * 5000]
)
def test_what_is_no_region_of_the_city_finds_none(text: str) -> None:
    assert GAZETTEER.resolve(text) is None


@pytest.mark.parametrize(
    ("text", "level", "code"),
    [
        ("Sako", None, "16.71.08"),
        ("Sako", "kecamatan", "16.71.08"),
        ("Sako", "kelurahan", "16.71.08.1002"),
        ("Kel. Sako", None, "16.71.08.1002"),
        ("Sukarami", None, "16.71.07"),
        ("Sukarami", "kelurahan", "16.71.07.1005"),
    ],
)
def test_a_name_of_both_levels_is_the_kecamatan_unless_told(
    text: str, level: Level | None, code: str
) -> None:
    region = GAZETTEER.resolve(text, level)
    assert region is not None
    assert region.code == code


def test_a_code_of_another_level_is_not_found() -> None:
    assert GAZETTEER.resolve("1671010", "kelurahan") is None


def test_every_name_and_code_finds_its_own_region() -> None:
    city = load_city(ROOT / "cities" / "palembang", env={})
    for region in (*city.kecamatan, *city.kelurahan):
        for text in (region.code, region.name, region.name.upper(), *region.variants):
            assert GAZETTEER.resolve(text, region.level) == region


def test_every_representative_point_lies_in_its_own_region() -> None:
    for region in load_city(ROOT / "cities" / "palembang", env={}).kelurahan:
        assert GAZETTEER.at(region.latitude, region.longitude) == (region.parent, region.code)


def test_both_banks_of_the_river_are_told_apart() -> None:
    north, _ = GAZETTEER.at(-2.9880, 104.7604)
    south, _ = GAZETTEER.at(-2.9982, 104.7668)
    assert (north, south) == ("16.71.11", "16.71.02")


def test_coordinates_are_believed_before_text() -> None:
    place = GAZETTEER.place(*AMPERA, "Gandus")
    assert place == Place("16.71.11", "16.71.11.1001", "point", "", *AMPERA)


def test_swapped_coordinates_are_mended() -> None:
    place = GAZETTEER.place(AMPERA[1], AMPERA[0], None)
    assert place == Place("16.71.11", "16.71.11.1001", "point", "swapped", *AMPERA)


def test_coordinates_outside_the_city_are_left_out() -> None:
    assert GAZETTEER.place(-6.2, 106.8, None) == Place(None, None, "", "outside", None, None)


def test_inside_the_bounding_box_but_outside_the_outline_is_outside() -> None:
    assert GAZETTEER.place(-3.12, 104.88, "").problem == "outside"


@pytest.mark.parametrize(
    ("latitude", "longitude"),
    [
        (None, None),
        (None, 104.76),
        (-2.99, None),
        (0.0, 0.0),
        (math.nan, 104.76),
        (-2.99, math.inf),
    ],
)
def test_missing_coordinates_are_missing(latitude: float | None, longitude: float | None) -> None:
    assert GAZETTEER.place(latitude, longitude, None).problem == "missing"


@pytest.mark.parametrize(
    ("text", "placed_by", "kecamatan", "kelurahan"),
    [
        ("16.71.06.1012", "code", "16.71.06", "16.71.06.1012"),
        ("1671011", "bps_code", "16.71.12", None),
        ("Kel. Sei Buah", "name", "16.71.06", "16.71.06.1012"),
        ("Antah Berantah", "", None, None),
    ],
)
def test_without_coordinates_the_text_places(
    text: str, placed_by: str, kecamatan: str | None, kelurahan: str | None
) -> None:
    place = GAZETTEER.place(None, None, text)
    assert (place.placed_by, place.kecamatan, place.kelurahan) == (placed_by, kecamatan, kelurahan)


def test_text_places_what_has_useless_coordinates() -> None:
    place = GAZETTEER.place(-6.2, 106.8, "Gandus")
    assert place == Place("16.71.12", None, "name", "outside", None, None)


def _region(code: str, name: str, level: Level, parent: str | None = None) -> Region:
    return Region(
        code=code,
        name=name,
        level=level,
        parent=parent,
        bps_code=None,
        variants=(),
        latitude=0.5,
        longitude=0.5,
        area_km2=1,
    )


def test_a_name_that_two_kelurahan_share_finds_neither() -> None:
    regions = [_region(f"1.{n}", "Pasar", "kelurahan", str(n)) for n in (1, 2, 3)]
    assert Gazetteer(regions, {}, Box(0, 0, 1, 1)).resolve("Pasar") is None


def test_a_point_on_a_shared_border_always_falls_to_the_first() -> None:
    regions = [_region("1", "Satu", "kecamatan"), _region("2", "Lain", "kecamatan")]
    shapes = {"1": shapely.box(0, 0, 0.5, 1), "2": shapely.box(0.5, 0, 1, 1)}
    assert Gazetteer(regions, shapes, Box(0, 0, 1, 1)).at(0.5, 0.5) == ("1", None)


def test_a_city_without_shapes_places_nothing_by_point() -> None:
    gazetteer = Gazetteer([_region("1", "Satu", "kecamatan")], {}, Box(0, 0, 1, 1))
    assert gazetteer.at(0.5, 0.5) == (None, None)


@given(
    st.none() | st.floats(), st.none() | st.floats(), st.none() | st.text(alphabet=st.characters())
)
def test_placing_never_fails(
    latitude: float | None, longitude: float | None, text: str | None
) -> None:
    place = GAZETTEER.place(latitude, longitude, text)
    assert (place.latitude is None) == (place.placed_by != "point")


@given(st.floats(-3.13, -2.83), st.floats(104.58, 104.90))
def test_a_point_has_a_kelurahan_if_and_only_if_it_has_a_kecamatan(
    latitude: float, longitude: float
) -> None:
    kecamatan, kelurahan = GAZETTEER.at(latitude, longitude)
    assert (kecamatan is None) == (kelurahan is None)
    assert kelurahan is None or (kecamatan is not None and kelurahan.startswith(kecamatan))


@given(st.from_regex(r"[0-9][0-9.\- ]{0,14}", fullmatch=True))
def test_codes_of_any_form_never_fail(text: str) -> None:
    region = GAZETTEER.resolve(text)
    assert region is None or region.code.startswith("16.71.")
