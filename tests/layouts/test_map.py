"""The frame of a cell's map: what its script is told, and what is left to it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from lawang.city import City
from lawang.tiles import TileFacts
from layouts.context import PageContext
from layouts.map import city_map, map_facts, map_id


def layers_of(component: Any) -> list[str]:
    """The kinds of what stands in the map, from the ground up."""
    return [type(each).__name__ for each in component.children.children]


def test_each_cell_has_a_map_of_its_own() -> None:
    assert map_id("kiri") != map_id("") == "map-whole"


def test_the_bounds_of_the_city_are_worked_out_once_for_all_maps(city: City) -> None:
    context = PageContext(city, "b")
    first, second = (city_map(cell, context).children.bounds for cell in ("kiri", "kanan"))
    assert first is second is context.bounds
    (south, west), (north, east) = first
    assert city.bbox.contains(south, west)
    assert city.bbox.contains(north, east)


def test_without_tiles_the_lines_of_the_pack_stand_alone(city: City) -> None:
    assert layers_of(city_map("", PageContext(city, "b"))) == ["Pane", "Pane"]


def test_tiles_lie_beneath_the_lines_and_come_from_our_host(city: City) -> None:
    context = PageContext(city, "b", tiles=TileFacts("© Dinas", 8, 15))
    made = city_map("", context)
    assert layers_of(made) == ["TileLayer", "Pane", "Pane"]
    assert made.children.children[0].url == "/tiles/{z}/{x}/{y}"


def test_whose_pictures_they_are_is_told_beside_whose_lines(city: City) -> None:
    context = PageContext(city, "b", tiles=TileFacts("© Dinas"))
    assert map_facts(context, "id")["credits"][-1] == "© Dinas"


def test_inhabitants_are_told_only_where_the_pack_knows_them(city: City) -> None:
    first, *others = city.kecamatan
    known = replace(city, kecamatan=(replace(first, population=70_000), *others))
    regions = map_facts(PageContext(known, "b"), "id")["regions"]
    assert regions[first.code]["i"] == 70_000
    assert all("i" not in regions[each.code] for each in others)


def test_the_shapes_of_categories_come_from_the_pack(city: City) -> None:
    marks = map_facts(PageContext(city, "b"), "id")["marks"]
    assert (marks["kebakaran"], marks["banjir"]) == ("fire", "water")
    assert "lainnya" not in marks


def test_the_facts_are_json_in_the_page(city: City) -> None:
    made = city_map("", PageContext(city, "b"), "en")
    facts = json.loads(made.to_plotly_json()["props"]["data-map-facts"])
    assert len(facts["regions"]) == len(city.kecamatan)


def test_tiles_are_never_asked_for_below_their_own_zoom(city: City) -> None:
    """A map without a size yet stands at zoom 0: it would ask for all tiles of the world."""
    layer = city_map("", PageContext(city, "b", tiles=TileFacts("", 10, 13))).children.children[0]
    assert layer.minZoom == 10
    assert "minNativeZoom" not in layer.to_plotly_json()["props"]
