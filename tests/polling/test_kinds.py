"""Readings, positions, service requests and alerts, from a source's words to the city's. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lawang.city import Source, load_city
from lawang.connector import Parsed
from lawang.domain.alert import Alert, Bulletin
from lawang.domain.facts import Facts
from lawang.domain.finding import FindingKind
from lawang.domain.measure import Measure, Measurement, Period, Reading
from lawang.domain.position import Fix, Position, PositionStatus
from lawang.domain.service import (
    UNKNOWN_SERVICE,
    Application,
    RequestStatus,
    Service,
    ServiceRequest,
)
from lawang.mapping import RowOptions, map_rows
from lawang.polling.kinds import CLOCK_TOLERANCE
from lawang.polling.settle import settle
from lawang.settings import ROOT

#: A Saturday, 19:00 WIB.
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
PALEMBANG = load_city(
    ROOT / "cities" / "palembang",
    simulated=True,
    env={"LAWANG_SIMULATOR_URL": "http://127.0.0.1:9"},
)
#: Jembatan Ampera, north end: 19 Ilir in Bukit Kecil.
AMPERA: dict[str, Any] = {"latitude": -2.9904, "longitude": 104.7623}
BUKIT_KECIL = "16.71.11"
ALL_KECAMATAN = tuple(sorted(region.code for region in PALEMBANG.kecamatan))
NIK, TELEPHONE = "1671014107850001", "0812-3456-7890"


def measure(name: str, period: Period = Period.INSTANT, **changes: Any) -> Measure:
    return Measure(id=name, name_id=name, name_en=name, unit="orang", period=period, **changes)


SOURCE: Source = replace(
    PALEMBANG.sources["elapor"],
    id="uji",
    status_map={"jalan": "aktif", "parkir": "siaga", "ok": "selesai", "baru": "diajukan"},
    kind_map={"ambl": "ambulans"},
    region_map={"p01": "16.71.11.1001", "p02": "Seberang Ulu I"},
    measures={
        each.id: each
        for each in (
            measure("tinggi"),
            measure("harian", Period.DAY),
            measure("bulanan", Period.MONTH),
            measure("ramalan", forecast=True),
        )
    },
    services={
        "domisili": Service(
            id="domisili",
            name_id="Surat domisili",
            name_en="Domicile letter",
            words=("skd", "surat keterangan domisili"),
            promise=timedelta(minutes=10),
        ),
        "izin": Service(
            id="izin", name_id="Izin", name_en="Licence", words=("izin",), promise_days=3
        ),
        "lain": Service(id="lain", name_id="Lain", name_en="Other", words=("lain",)),
    },
)


def settled(source: Source = SOURCE, *, delivery: str | None = None, **kinds: Any) -> Facts:
    return settle(
        Parsed(**kinds), source, PALEMBANG, fetched_at=NOW, simulated=False, delivery=delivery
    )


def measured(value: float = 7.0, name: str = "tinggi", **changes: Any) -> Measurement:
    return Measurement(measure=name, value=value, **{"at": NOW - timedelta(hours=1), **changes})


def read(source: Source = SOURCE, **changes: Any) -> Reading:
    facts = settled(source, measurements=[measured(**changes)])
    assert facts.rejects == []
    return facts.readings[0]


def fixed(source: Source = SOURCE, **changes: Any) -> Position:
    values = {"external_id": "a1", "observed_at": NOW - timedelta(minutes=1), **AMPERA, **changes}
    facts = settled(source, fixes=[Fix(**values)])
    assert facts.rejects == []
    return facts.positions[0]


def application(**changes: Any) -> Application:
    values = {
        "external_id": "s1",
        "service": "SKD",
        "status": "baru",
        "requested_at": NOW - timedelta(hours=2),
        "updated_at": NOW - timedelta(hours=1),
        "region": "Bukit Kecil",
        **changes,
    }
    return Application(**values)


def asked(**changes: Any) -> ServiceRequest:
    facts = settled(applications=[application(**changes)])
    assert facts.rejects == []
    return facts.requests[0]


def warned(**changes: Any) -> Alert:
    values = {"external_id": "w1", "sent_at": NOW, "event": "Hujan lebat", **changes}
    facts = settled(bulletins=[Bulletin(**values)])
    assert facts.rejects == []
    return facts.alerts[0]


# --- readings: about when -------------------------------------------------------------------


def test_a_reading_of_a_day_is_about_its_start_in_local_time() -> None:
    found = read(name="harian", at=datetime(2026, 11, 19, 20, 0, tzinfo=UTC))
    assert found.at == datetime(2026, 11, 19, 17, 0, tzinfo=UTC)  # the 20th in Palembang


def test_a_reading_of_a_month_is_about_its_first_day() -> None:
    found = read(name="bulanan", at=datetime(2026, 10, 31, 16, 59, tzinfo=UTC))
    assert found.at == datetime(2026, 9, 30, 17, 0, tzinfo=UTC)


def test_a_past_period_was_true_at_its_end() -> None:
    found = read(name="harian", at=datetime(2026, 11, 19, 3, 0, tzinfo=UTC))
    assert found.observed_at == datetime(2026, 11, 19, 17, 0, tzinfo=UTC)


@pytest.mark.parametrize("name", ["harian", "bulanan"])
def test_a_period_that_still_runs_is_as_of_now(name: str) -> None:
    assert read(name=name, at=NOW - timedelta(hours=1)).observed_at == NOW


def test_a_moment_was_true_at_that_moment() -> None:
    assert read(at=NOW - timedelta(minutes=7)).observed_at == NOW - timedelta(minutes=7)


def test_when_a_source_says_when_it_looked_that_holds() -> None:
    looked = NOW - timedelta(minutes=30)
    found = read(name="harian", at=NOW, observed_at=looked)
    assert (found.observed_at, found.observed_estimated) == (looked, False)


def test_a_time_of_looking_that_has_not_come_is_estimated_and_counted() -> None:
    facts = settled(
        measurements=[measured(observed_at=NOW + CLOCK_TOLERANCE + timedelta(seconds=1))]
    )
    (found,) = facts.readings
    assert (found.observed_at, found.observed_estimated) == (NOW - timedelta(hours=1), True)
    assert facts.skewed == 1


def test_a_clock_that_is_a_little_ahead_is_believed() -> None:
    facts = settled(measurements=[measured(at=NOW + CLOCK_TOLERANCE)])
    assert (facts.readings[0].held, facts.findings) == ("", [])


def test_a_reading_about_the_future_is_held_and_told() -> None:
    facts = settled(measurements=[measured(at=NOW + timedelta(days=1))])
    assert facts.readings[0].held == "future"
    assert [each.kind for each in facts.findings] == [FindingKind.FUTURE]


def test_a_forecast_is_about_the_future_and_not_held() -> None:
    facts = settled(measurements=[measured(name="ramalan", at=NOW + timedelta(days=1))])
    assert (facts.readings[0].held, facts.findings) == ("", [])


def test_a_forecast_was_true_when_it_was_read() -> None:
    assert read(name="ramalan", at=NOW + timedelta(days=1)).observed_at == NOW


def test_the_period_that_runs_is_not_the_future() -> None:
    assert read(name="bulanan", at=NOW + timedelta(hours=1)).held == ""


# --- readings: of what and where --------------------------------------------------------------


def test_a_measure_that_the_file_does_not_declare_is_rejected_by_name() -> None:
    facts = settled(measurements=[measured(name="suhu")])
    assert facts.readings == []
    assert [(each.reason, each.detail) for each in facts.rejects] == [
        ("unknown_measure", "suhu is not under [measures] of uji.toml")
    ]


def test_one_bad_reading_does_not_cost_the_others() -> None:
    facts = settled(measurements=[measured(name="suhu"), measured()])
    assert len(facts.readings) == 1


@pytest.mark.parametrize(
    ("text", "code"),
    [("P01", BUKIT_KECIL), (" p02 ", "16.71.03"), ("Bukitkecil", BUKIT_KECIL), ("P99", None)],
)
def test_a_code_of_the_source_leads_through_its_own_map_to_the_region(
    text: str, code: str | None
) -> None:
    expected = code and PALEMBANG.gazetteer.resolve("Seberang Ulu I")
    wanted = code if code != "16.71.03" else expected.code if expected else None
    assert read(region=text).kecamatan == wanted


def test_a_reading_with_a_point_is_placed_by_it() -> None:
    found = read(region="P02", **AMPERA)
    assert (found.kecamatan, found.placed_by) == (BUKIT_KECIL, "point")


def test_the_whole_city_has_no_subject_and_no_region() -> None:
    found = read()
    assert (found.subject, found.kecamatan, found.kelurahan) == ("", None, None)


def test_a_reading_carries_the_name_of_its_delivery() -> None:
    facts = settled(measurements=[measured()], delivery="paten-2026-11-20.csv")
    assert facts.readings[0].delivery == facts.delivery == "paten-2026-11-20.csv"


def test_a_name_of_a_subject_that_holds_a_number_of_a_person_is_masked() -> None:
    found = read(subject="k1", subject_name=f"Klinik {TELEPHONE}")
    assert found.subject_name == "Klinik [telepon]"


def test_juta_are_multiplied_out_before_a_reading_is_settled() -> None:
    options = RowOptions.model_validate(
        {
            "yields": ("readings",),
            "fields": {"observed_at": "tgl"},
            "measures": {"harian": {"value": "juta", "factor": 1_000_000}},
        }
    )
    parsed = map_rows([{"tgl": "2026-11-20", "juta": 12.5}], options)
    facts = settle(parsed, SOURCE, PALEMBANG, fetched_at=NOW, simulated=False)
    assert [each.value for each in facts.readings] == [12_500_000.0]


# --- positions ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("JALAN", PositionStatus.ACTIVE),
        (" Parkir ", PositionStatus.STANDBY),
        ("rusak", PositionStatus.FAULTY),
        ("Mati", PositionStatus.OFF),
        ("terbang", PositionStatus.UNKNOWN),
        ("selesai", PositionStatus.UNKNOWN),
        (None, PositionStatus.UNKNOWN),
    ],
)
def test_the_status_of_a_thing_goes_through_the_map_or_is_ours(
    word: str | None, status: PositionStatus
) -> None:
    assert fixed(status=word).status is status


def test_a_word_of_a_status_that_nobody_knows_is_kept_and_counted() -> None:
    facts = settled(fixes=[Fix(external_id="a1", status="Terbang", **AMPERA)])
    assert (facts.positions[0].status_raw, facts.unknown) == ("Terbang", 1)


def test_a_thing_that_says_no_status_is_not_counted_as_unknown() -> None:
    assert settled(fixes=[Fix(external_id="a1", **AMPERA)]).unknown == 0


@pytest.mark.parametrize(
    ("word", "kind"), [("AMBL", "ambulans"), ("Truk", "truk"), ("", "lainnya"), (None, "lainnya")]
)
def test_a_kind_goes_through_the_map_in_lower_case(word: str | None, kind: str) -> None:
    assert fixed(kind=word).kind == kind


@pytest.mark.parametrize("ahead", [timedelta(hours=2), timedelta(days=9999)])
def test_a_position_of_a_clock_that_runs_ahead_is_of_now_and_counted(ahead: timedelta) -> None:
    facts = settled(fixes=[Fix(external_id="a1", observed_at=NOW + ahead, **AMPERA)])
    (found,) = facts.positions
    assert (found.observed_at, found.observed_estimated, facts.skewed) == (NOW, True, 1)


def test_a_position_without_a_time_is_of_now_but_no_clock_was_wrong() -> None:
    facts = settled(fixes=[Fix(external_id="a1", **AMPERA)])
    (found,) = facts.positions
    assert (found.observed_at, found.observed_estimated, facts.skewed) == (NOW, True, 0)


@pytest.mark.parametrize(
    ("point", "problem"),
    [((None, None), "missing"), ((0.0, 0.0), "missing"), ((-6.2, 106.8), "outside")],
)
def test_a_thing_without_a_usable_place_is_known_all_the_same(
    point: tuple[float | None, float | None], problem: str
) -> None:
    found = fixed(latitude=point[0], longitude=point[1])
    assert (found.id, found.latitude, found.longitude) == ("uji:a1", None, None)
    assert found.location_problem == problem


def test_a_thing_without_coordinates_is_placed_by_its_region() -> None:
    found = fixed(latitude=None, longitude=None, region="P01")
    assert (found.kecamatan, found.kelurahan) == (BUKIT_KECIL, "16.71.11.1001")


@pytest.mark.parametrize("name", ["name", "owner"])
def test_a_telephone_in_a_name_of_a_thing_is_masked(name: str) -> None:
    assert getattr(fixed(SOURCE, **{name: f"Bus {TELEPHONE}"}), name) == "Bus [telepon]"


# --- service requests ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "service"),
    [
        ({"service": "skd"}, "domisili"),
        ({"service": None, "service_name": "Surat Keterangan DOMISILI "}, "domisili"),
        ({"service": "99", "service_name": "izin"}, "izin"),
        ({"service": "SKTM"}, UNKNOWN_SERVICE),
        ({"service": None}, UNKNOWN_SERVICE),
    ],
)
def test_a_service_is_found_by_its_code_or_its_name(words: dict[str, Any], service: str) -> None:
    assert asked(**words).service == service


def test_the_offices_own_word_for_a_service_is_kept() -> None:
    assert asked(service="SKTM").service_raw == "SKTM"


def test_a_promise_in_minutes_runs_from_the_asking() -> None:
    assert asked().due_at == NOW - timedelta(hours=2) + timedelta(minutes=10)


def test_a_promise_in_working_days_ends_with_the_last_of_them() -> None:
    # Asked on a Saturday: Monday, Tuesday and Wednesday are left, until midnight WIB.
    assert asked(service="izin").due_at == datetime(2026, 11, 25, 16, 59, 59, tzinfo=UTC)


def test_what_the_office_itself_promises_holds() -> None:
    due_at = NOW + timedelta(days=9)
    assert asked(due_at=due_at).due_at == due_at


@pytest.mark.parametrize("service", ["lain", "SKTM"])
def test_without_a_promise_nothing_is_due(service: str) -> None:
    assert asked(service=service).due_at is None


def test_a_request_that_is_open_has_no_end_whatever_it_says() -> None:
    assert asked(status="baru", closed_at=NOW - timedelta(hours=1)).closed_at is None


def test_a_request_ended_when_its_office_says() -> None:
    at = NOW - timedelta(minutes=90)
    assert asked(status="ok", closed_at=at).closed_at == at


def test_without_a_word_on_its_end_a_request_ended_with_its_last_change() -> None:
    assert asked(status="ok").closed_at == NOW - timedelta(hours=1)


def test_an_outcome_whose_time_nobody_stated_has_none() -> None:
    found = asked(status="ok", updated_at=None)
    assert (found.closed_at, found.duration) == (None, None)


def test_an_end_that_has_not_come_is_not_believed() -> None:
    facts = settled(applications=[application(status="ok", closed_at=NOW + timedelta(days=300))])
    assert facts.requests[0].closed_at == NOW - timedelta(hours=1)
    assert facts.skewed == 1


def test_an_office_whose_clock_runs_ahead_ends_nothing_in_the_future() -> None:
    ahead = NOW + timedelta(hours=2)
    found = asked(status="ok", updated_at=ahead, closed_at=ahead)
    assert (found.closed_at, found.observed_at, found.observed_estimated) == (None, NOW, True)


@pytest.mark.parametrize(
    ("changes", "unknown"),
    [
        ({}, 0),
        ({"service": "SKTM"}, 1),
        ({"status": "melayang"}, 1),
        ({"status": None}, 1),
        ({"region": "Jakarta"}, 1),
        ({"region": "Jakarta", "service": "SKTM", "status": "melayang"}, 1),
    ],
)
def test_a_request_with_an_unknown_word_is_counted_once(
    changes: dict[str, Any], unknown: int
) -> None:
    assert settled(applications=[application(**changes)]).unknown == unknown


def test_a_request_of_an_unknown_status_is_owed_an_outcome() -> None:
    found = asked(status="melayang")
    assert (found.status, found.is_open, found.closed_at) == (RequestStatus.UNKNOWN, True, None)


@pytest.mark.parametrize("name", ["stage", "office"])
def test_a_number_of_a_person_at_the_office_is_masked(name: str) -> None:
    assert getattr(asked(**{name: f"Meja {NIK}"}), name) == "Meja [NIK]"


# --- alerts ---------------------------------------------------------------------------------------


def test_names_of_kecamatan_are_the_regions_of_an_alert() -> None:
    found = warned(areas=("Kec. ILIR BARAT SATU", "Bukitkecil"))
    assert {BUKIT_KECIL} < set(found.regions)
    assert (len(found.regions), found.areas_not_found, found.touches_city) == (2, (), True)


def test_a_kelurahan_stands_for_its_kecamatan() -> None:
    assert warned(areas=("16.71.11.1001",)).regions == (BUKIT_KECIL,)


@pytest.mark.parametrize("name", ["Palembang", "KOTA PALEMBANG", "16.71", "1671", " palembang "])
def test_the_name_of_the_city_means_all_of_it(name: str) -> None:
    found = warned(areas=(name,))
    assert (found.regions, found.areas_not_found) == (ALL_KECAMATAN, ())


def test_an_alert_for_everywhere_means_the_whole_city() -> None:
    assert warned(areas=("Sumatera Selatan",), everywhere=True).regions == ALL_KECAMATAN


def test_names_that_lead_nowhere_are_kept_and_named() -> None:
    found = warned(areas=("Banyuasin", "Bukit Kecil"))
    assert (found.areas_not_found, found.regions) == (("Banyuasin",), (BUKIT_KECIL,))


def test_an_alert_for_elsewhere_does_not_touch_the_city() -> None:
    found = warned(areas=("Banyuasin",))
    assert (found.regions, found.touches_city) == ((), False)


def _square(west: float, south: float, east: float, north: float) -> dict[str, Any]:
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def test_an_area_touches_the_kecamatan_that_it_overlaps() -> None:
    around = _square(104.762, -2.991, 104.763, -2.990)
    found = warned(geometry=around)
    assert BUKIT_KECIL in found.regions
    assert len(found.regions) < len(ALL_KECAMATAN)


def test_an_area_over_the_whole_city_touches_all_of_it() -> None:
    assert warned(geometry=_square(104, -4, 106, -2)).regions == ALL_KECAMATAN


def test_an_area_elsewhere_touches_nothing() -> None:
    assert not warned(geometry=_square(106, -7, 107, -6)).touches_city


def test_names_and_area_add_up() -> None:
    found = warned(areas=("Sukarami",), geometry=_square(104.762, -2.991, 104.763, -2.990))
    assert {BUKIT_KECIL, *warned(areas=("Sukarami",)).regions} <= set(found.regions)


@pytest.mark.parametrize(
    "geometry",
    [
        {},
        {"type": "Polygon"},
        {"type": "Polygon", "coordinates": []},
        {"type": "Polygon", "coordinates": [[[104.7, -2.9], [104.8, -2.9]]]},
        {"type": "Polygon", "coordinates": "104.7,-2.9"},
        {"type": "Polygon", "coordinates": [[["a", "b"], ["c", "d"], ["e", "f"], ["a", "b"]]]},
        {"type": "Segitiga", "coordinates": [1, 2]},
        {"type": "Point", "coordinates": [float("nan"), float("nan")]},
        {"type": "Polygon", "coordinates": [[[None, None]] * 4]},
        {"type": "GeometryCollection", "geometries": [None]},
    ],
)
def test_a_bad_area_does_not_cost_the_alert_its_names(geometry: dict[str, Any]) -> None:
    assert warned(areas=("Bukit Kecil",), geometry=geometry).regions == (BUKIT_KECIL,)


def test_an_area_that_crosses_itself_is_mended() -> None:
    crossed = [[104.6, -3.1], [104.9, -2.8], [104.9, -3.1], [104.6, -2.8], [104.6, -3.1]]
    assert warned(geometry={"type": "Polygon", "coordinates": [crossed]}).touches_city


def test_an_alert_sent_in_the_future_is_of_now_and_counted() -> None:
    late = Bulletin(external_id="w1", sent_at=NOW + timedelta(hours=3), event="Hujan")
    facts = settled(bulletins=[late])
    assert (facts.alerts[0].sent_at, facts.skewed) == (NOW, 1)


def test_an_endless_identifier_of_an_alert_is_rejected() -> None:
    facts = settled(bulletins=[Bulletin(external_id="w" * 221, sent_at=NOW, event="Hujan")])
    assert (facts.alerts, [each.reason for each in facts.rejects]) == ([], ["bad_id"])


# --- identities that are a person's ------------------------------------------------------------

KINDS: dict[str, Callable[[str], Any]] = {
    "measurements": lambda name: measured(subject=name),
    "fixes": lambda name: Fix(external_id=name),
    "applications": lambda name: application(external_id=name),
}


def told(kind: str, name: str, source: Source = SOURCE) -> Facts:
    """One record of a kind, under this identity."""
    records: dict[str, Any] = {kind: [KINDS[kind](name)]}
    return settled(source, **records)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", [NIK, "1671 0141 0785 0001", TELEPHONE, "a@b.example"])
def test_what_looks_like_a_persons_number_names_no_record(kind: str, name: str) -> None:
    facts = told(kind, name)
    assert (facts.readings, facts.positions, facts.requests) == ([], [], [])
    assert [each.reason for each in facts.rejects] == ["personal_id"]
    assert name not in repr(facts)


@pytest.mark.parametrize("kind", KINDS)
def test_a_source_may_say_that_such_numbers_are_no_persons(kind: str) -> None:
    facts = told(kind, NIK, replace(SOURCE, keeps_ids=True))
    assert facts.rejects == []
    assert len(facts.readings + facts.positions + facts.requests) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_an_endless_identity_is_rejected_and_not_repeated(kind: str) -> None:
    facts = told(kind, "x" * 5000)
    assert [each.reason for each in facts.rejects] == ["bad_id"]
    assert len(repr(facts)) < 5000
