"""Vehicles, cameras, buses and warnings, counted by hand."""

from __future__ import annotations

import math
from datetime import timedelta

from lawang.board.field.alerts import POINTS_MAX, warnings
from lawang.board.field.facts import FIELD_PANELS, FieldFacts, feeds_of
from lawang.board.field.vehicles import cameras, transit, vehicles
from lawang.city import City
from lawang.domain.alert import MessageType
from lawang.domain.position import Position, PositionStatus
from tests.board.field import NOW, build_alert, build_position, build_reading, plain, put

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


def test_every_panel_knows_the_sources_that_feed_it(city: City) -> None:
    found = {name: feeds_of(city).sources(name) for name in FIELD_PANELS}
    assert found == {
        "water": ["pengukur_air"],
        "rain": ["pengukur_hujan"],
        "warnings": ["bmkg_gempa", "bmkg_peringatan"],
        "vehicles": ["ambulans", "armada_damkar", "pupr_alat", "transmusi", "truk_sampah"],
        "cameras": ["cctv"],
        "transit": ["transmusi", "transmusi_info", "transmusi_jadwal"],
        "clinics": ["ambulans", "epuskesmas_antrean", "epuskesmas_obat"],
        "desks": ["disdukcapil_layanan", "ekelurahan", "paten", "perizinan"],
    }


# --- vehicles ------------------------------------------------------------------------------------


def test_a_vehicle_says_where_it_is_and_what_it_does(city: City) -> None:
    bus = build_position("transmusi", "B1", kind="bus", facts={"trayek": "TM1", "label": "x"})
    assert vehicles(put(FieldFacts(city), bus), NOW)["things"] == {
        "transmusi:B1": {
            "k": "bus",
            "n": "B1",
            "p": [104.76, -2.99],
            "h": 90,
            "v": 20,
            "s": "aktif",
            "t": NOW.isoformat(),
            "f": {"trayek": "TM1"},
        }
    }


def test_a_post_is_counted_by_what_its_engines_do(city: City) -> None:
    def engine(name: str, post: str, status: PositionStatus, age: timedelta = SECOND) -> Position:
        facts = {"pos": post} if post else {}
        return build_position(
            "armada_damkar", name, kind="mobil_damkar", status=status, facts=facts,
            observed_at=NOW - age,
        )  # fmt: skip

    told = put(
        FieldFacts(city),
        engine("1", "Plaju", PositionStatus.STANDBY),
        engine("2", "Plaju", PositionStatus.ACTIVE),
        engine("3", "Plaju", PositionStatus.FAULTY),
        engine("4", "Plaju", PositionStatus.STANDBY, age=6 * MINUTE),
        engine("5", "Sako", PositionStatus.ACTIVE),
        engine("6", "", PositionStatus.STANDBY),
    )
    assert vehicles(told, NOW)["posts"] == {
        "Plaju": {"total": 4, "ready": 1, "out": 1, "old": 1},
        "Sako": {"total": 1, "ready": 0, "out": 1, "old": 0},
    }


def test_cameras_and_gauges_are_no_vehicles(city: City) -> None:
    facts = put(
        FieldFacts(city),
        build_position("cctv", "C"),
        build_position("pengukur_air", "A"),
        build_position("udara", "U"),
    )
    assert vehicles(facts, NOW)["things"] == {}


def test_one_not_heard_of_for_long_is_old_and_not_active(city: City) -> None:
    facts = put(
        FieldFacts(city),
        build_position("ambulans", "1", observed_at=NOW - 300 * SECOND),
        build_position("ambulans", "2", observed_at=NOW - 301 * SECOND),
        build_position("ambulans", "3", status=PositionStatus.STANDBY),
    )
    kinds = vehicles(facts, NOW)["kinds"]
    assert kinds == {"ambulans": {"total": 3, "active": 1, "old": 1}}


def test_a_vehicle_without_a_place_is_counted_and_still_there(city: City) -> None:
    panel = vehicles(
        put(FieldFacts(city), build_position("ambulans", "1", latitude=None, longitude=None)), NOW
    )
    assert (panel["unlocated"], "p" in panel["things"]["ambulans:1"]) == (1, False)


def test_a_standing_vehicle_is_told_anew_once_a_minute(city: City) -> None:
    facts = put(FieldFacts(city), build_position("ambulans", "1"))
    first = vehicles(facts, NOW)["things"]["ambulans:1"]
    put(facts, build_position("ambulans", "1", observed_at=NOW + 59 * SECOND))
    assert vehicles(facts, NOW)["things"]["ambulans:1"] is first
    put(facts, build_position("ambulans", "1", observed_at=NOW + 60 * SECOND))
    later = vehicles(facts, NOW)["things"]["ambulans:1"]
    assert later["t"] == (NOW + 60 * SECOND).isoformat()


def test_a_standing_vehicle_that_still_reports_never_grows_old(city: City) -> None:
    facts = put(FieldFacts(city), build_position("ambulans", "1"))
    vehicles(facts, NOW)
    put(facts, build_position("ambulans", "1", observed_at=NOW + 50 * SECOND))
    later = vehicles(facts, NOW + 340 * SECOND)
    assert later["kinds"]["ambulans"]["old"] == 0


def test_a_moving_vehicle_is_told_at_once(city: City) -> None:
    facts = put(FieldFacts(city), build_position("ambulans", "1"))
    vehicles(facts, NOW)
    put(facts, build_position("ambulans", "1", latitude=-2.98, observed_at=NOW + SECOND))
    moved = vehicles(facts, NOW)["things"]["ambulans:1"]
    assert (moved["p"], moved["t"]) == ([104.76, -2.98], (NOW + SECOND).isoformat())


def test_a_vehicle_that_is_gone_leaves_the_panel(city: City) -> None:
    facts = put(FieldFacts(city), build_position("ambulans", "1"), build_position("ambulans", "2"))
    vehicles(facts, NOW)
    del facts.positions["ambulans:1"]
    assert list(vehicles(facts, NOW)["things"]) == ["ambulans:2"]
    assert list(facts.things) == ["ambulans:2"]


# --- cameras -------------------------------------------------------------------------------------


def test_a_cameras_link_is_not_told_only_that_there_is_one(city: City) -> None:
    secret = "https://cctv.example/stream?key=abc"
    facts = put(FieldFacts(city), build_position("cctv", "1", link=secret, owner="Dishub"))
    panel = cameras(facts, NOW)
    assert secret not in str(panel)
    assert panel["cameras"]["cctv:1"]["link"] is True


def test_cameras_are_counted_and_those_that_live(city: City) -> None:
    facts = put(
        FieldFacts(city),
        *(build_position("cctv", status.value, status=status) for status in PositionStatus),
    )
    panel = cameras(facts, NOW)
    assert (panel["total"], panel["live"]) == (5, 1)


# --- transit -------------------------------------------------------------------------------------


def test_a_route_has_its_buses_and_its_delay(city: City) -> None:
    facts = put(
        FieldFacts(city),
        build_position("transmusi", "1", facts={"trayek": "TM1"}),
        build_position("transmusi", "2", facts={"trayek": "TM1"}, speed_kmh=0.0),
        build_position("transmusi", "3", facts={"trayek": "TM1"}, observed_at=NOW - 10 * MINUTE),
        build_position("transmusi", "4"),
        build_reading("transmusi_jadwal", "keterlambatan", "TM1", 123.0, subject_name="Koridor 1"),
    )
    panel = transit(facts, NOW)
    told = {"n": "Koridor 1", "delay_s": 123.0, "at": NOW.isoformat(), "buses": 2, "moving": 1}
    assert (panel["routes"], panel["off_route"]) == ({"TM1": told}, 1)


def test_a_route_whose_delay_nobody_told_has_none(city: City) -> None:
    facts = put(FieldFacts(city), build_position("transmusi", "1", facts={"trayek": "TM1"}))
    assert transit(facts, NOW)["routes"] == {"TM1": {"n": "TM1", "buses": 1, "moving": 1}}


def test_a_delay_that_is_not_of_now_is_not_told_its_route_is(city: City) -> None:
    """Buses rest at night, and the delays of the evening must not stand until the morning."""
    oldest = NOW - city.sources["transmusi_jadwal"].cadence.stale_after_s * SECOND
    facts = put(
        FieldFacts(city),
        *(
            build_reading(
                "transmusi_jadwal", "keterlambatan", route, 600.0, subject_name=route, at=at
            )
            for route, at in (("TM1", oldest), ("TM2", oldest - SECOND))
        ),
    )
    assert transit(facts, NOW)["routes"] == {
        "TM1": {"n": "TM1", "buses": 0, "moving": 0, "delay_s": 600.0, "at": oldest.isoformat()},
        "TM2": {"n": "TM2", "buses": 0, "moving": 0},
    }


def test_notices_of_buses_name_their_routes_and_are_no_warnings(city: City) -> None:
    notice = build_alert("n1", "transmusi_info", facts={"trayek": "TM1, TM2"}, headline="Dialihkan")
    assert warnings(put(FieldFacts(city), notice), NOW)["warnings"] == {}
    panel = transit(put(FieldFacts(city), notice, build_alert("rain")), NOW)
    assert panel["notices"] == {
        "transmusi_info:n1": {"headline": "Dialihkan", "routes": ["TM1", "TM2"]}
    }


# --- warnings ------------------------------------------------------------------------------------


def test_only_what_is_in_force_and_touches_the_city_is_told(city: City) -> None:
    facts = put(
        FieldFacts(city),
        build_alert("now"),
        build_alert("expired", expires_at=NOW),
        build_alert("ended", ended_at=NOW - SECOND),
        build_alert("cancel", message_type=MessageType.CANCEL),
        build_alert("elsewhere", touches_city=False),
    )
    panel = warnings(facts, NOW)
    assert (list(panel["warnings"]), panel["elsewhere"]) == (["bmkg_peringatan:now"], 1)


def test_a_warning_is_over_when_its_time_is(city: City) -> None:
    facts = put(FieldFacts(city), build_alert("soon", expires_at=NOW + SECOND))
    assert len(warnings(facts, NOW)["warnings"]) == 1
    assert warnings(facts, NOW + SECOND)["warnings"] == {}


def test_an_outline_of_thousands_of_points_is_thinned_out(city: City) -> None:
    ring = [
        [104.7 + math.cos(n / 500) * (0.1 + n % 2 / 900), -2.9 + math.sin(n / 500) * 0.1]
        for n in range(3000)
    ]
    outline = {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}
    panel = warnings(put(FieldFacts(city), build_alert("w", geometry=outline)), NOW)
    (found,) = panel["warnings"]["bmkg_peringatan:w"]["polygon"]["coordinates"][:1]
    assert 8 < len(found) <= POINTS_MAX
    west = min(x for x, _y in found)
    assert abs(west - 104.6) < 0.01


def test_an_outline_that_cannot_be_drawn_is_left_out(city: City) -> None:
    for broken in (
        {"type": "Polygon", "coordinates": [[["a", "b"]]]},
        {"type": "Polygon"},
        {"type": "Kubus", "coordinates": []},
        {"type": "Polygon", "coordinates": []},
    ):
        facts = FieldFacts(city, alerts={"bmkg_peringatan:w": plain(build_alert("w"))})
        facts.alerts["bmkg_peringatan:w"]["geometry"] = broken
        assert "polygon" not in warnings(facts, NOW)["warnings"]["bmkg_peringatan:w"]


def test_outlines_within_outlines_are_told_as_they_are(city: City) -> None:
    square = {"type": "Polygon", "coordinates": [[[104, -3], [105, -3], [105, -2], [104, -3]]]}
    inner = {"type": "GeometryCollection", "geometries": [square]}
    alert = build_alert("w", geometry={"type": "GeometryCollection", "geometries": [inner, square]})
    found = warnings(put(FieldFacts(city), alert), NOW)["warnings"]["bmkg_peringatan:w"]["polygon"]
    assert found == {"type": "GeometryCollection", "geometries": [inner, square]}


def test_a_quake_has_a_place_in_the_stead_of_an_outline(city: City) -> None:
    quake = build_alert("g", "bmkg_gempa", geometry={"type": "Point", "coordinates": [104.1, -3.2]})
    found = warnings(put(FieldFacts(city), quake), NOW)["warnings"]["bmkg_gempa:g"]
    assert (found["p"], "polygon" in found) == ([104.1, -3.2], False)


def test_long_texts_of_others_are_cut(city: City) -> None:
    long = build_alert("w", description="kata " * 400, headline="kata " * 100)
    found = warnings(put(FieldFacts(city), long), NOW)["warnings"]["bmkg_peringatan:w"]
    assert (len(found["description"]) <= 600, len(found["headline"]) <= 200) == (True, True)
