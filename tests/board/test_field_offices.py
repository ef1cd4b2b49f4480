"""Clinics and counters, counted by hand; letters and licences in a real history."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lawang.board.field.clinics import clinics
from lawang.board.field.desks import desks, read_desks
from lawang.board.field.facts import FieldFacts
from lawang.board.panels import day_began
from lawang.city import City
from lawang.domain.facts import Facts
from lawang.domain.position import PositionStatus
from lawang.domain.service import RequestStatus, ServiceRequest
from lawang.store.history import History
from tests.board.field import NOW, build_position, build_reading, put

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
QUEUE = "epuskesmas_antrean"
STOCK = "epuskesmas_obat"
TODAY = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)


def waiting(clinic: str, value: float, **changes: Any) -> Any:
    return build_reading(QUEUE, "antrean_menunggu", clinic, value, **changes)


def minutes(clinic: str, value: float, **changes: Any) -> Any:
    return build_reading(QUEUE, "waktu_tunggu", clinic, value, **changes)


# --- clinics -------------------------------------------------------------------------------------


def test_a_clinic_says_how_many_wait_and_how_long(city: City) -> None:
    panel = clinics(put(FieldFacts(city), waiting("P1", 12), minutes("P1", 35)), NOW)
    assert panel["clinics"]["P1"] == {
        "n": "Pos P1",
        "p": [104.76, -2.99],
        "k": "16.71.11",
        "waiting": 12,
        "minutes": 35,
        "at": NOW.isoformat(),
    }


def test_totals_leave_silent_clinics_out_and_say_how_many(city: City) -> None:
    old = NOW - 900 * SECOND - SECOND
    facts = put(
        FieldFacts(city),
        *(waiting("P1", 12), minutes("P1", 10), waiting("P2", 8), minutes("P2", 40)),
        *(waiting("P3", 99, at=old), minutes("P3", 300, at=old)),
        minutes("P4", 20),
    )
    panel = clinics(facts, NOW)
    told = [panel[name] for name in ("waiting", "missing", "median_minutes")]
    assert told == [20, 2, 20]
    assert panel["clinics"]["P3"]["waiting"] == 99
    assert [name for name, each in panel["clinics"].items() if "old" in each] == ["P3"]


def test_nobody_waiting_is_nought(city: City) -> None:
    panel = clinics(put(FieldFacts(city), waiting("P1", 0), minutes("P1", 0)), NOW)
    assert (panel["waiting"], panel["median_minutes"], panel["missing"]) == (0, 0, 0)


def test_when_all_boards_are_silent_no_total_is_told(city: City) -> None:
    old = NOW - timedelta(hours=1)
    panel = clinics(put(FieldFacts(city), waiting("P1", 5, at=old)), NOW)
    assert ("waiting" in panel, "median_minutes" in panel, panel["missing"]) == (False, False, 1)
    assert "waiting" not in clinics(FieldFacts(city), NOW)


def test_stock_is_low_below_the_level_of_its_indicator(city: City) -> None:
    facts = put(
        FieldFacts(city),
        *(
            build_reading(STOCK, "stok_parasetamol", name, value)
            for name, value in (("P1", 500.0), ("P2", 499.0), ("P3", 0.0))
        ),
    )
    stock = clinics(facts, NOW)["stock"]["stok_parasetamol"]
    assert (stock["clinics"], stock["low"]) == (3, 2)


def test_a_medicine_that_nobody_told_of_is_neither_low_nor_enough(city: City) -> None:
    stock = clinics(FieldFacts(city), NOW)["stock"]["stok_oralit"]
    assert (stock["clinics"], "low" in stock) == (0, False)


def test_stock_that_was_counted_long_ago_is_missing_and_neither_low_nor_enough(city: City) -> None:
    oldest = NOW - city.kpis["stok_parasetamol"].stale_after
    facts = put(
        FieldFacts(city),
        build_reading(STOCK, "stok_parasetamol", "P1", 600.0, at=oldest),
        build_reading(STOCK, "stok_parasetamol", "P2", 0.0, at=oldest - SECOND),
        build_reading(STOCK, "stok_oralit", "P2", 0.0, at=oldest - SECOND),
    )
    stock = clinics(facts, NOW)["stock"]
    paracetamol = stock["stok_parasetamol"]
    assert [paracetamol[name] for name in ("clinics", "missing", "low")] == [1, 1, 0]
    oralit = stock["stok_oralit"]
    assert (oralit["clinics"], oralit["missing"], "low" in oralit) == (0, 1, False)


def test_ambulances_are_counted_by_what_they_do(city: City) -> None:
    words = ["aktif", "siaga", "siaga", "mati", "rusak", "tidak_diketahui"]
    facts = put(
        FieldFacts(city),
        *(
            build_position("ambulans", str(n), status=PositionStatus(word))
            for n, word in enumerate(words)
        ),
        build_position("ambulans", "old", observed_at=NOW - 10 * MINUTE),
    )
    assert clinics(facts, NOW)["ambulances"] == {
        "active": 1,
        "standby": 2,
        "off": 2,
        "unknown": 1,
        "old": 1,
        "total": 7,
    }


# --- counters ------------------------------------------------------------------------------------


def day_of(measure: str, subject: str, value: float, day: datetime, kecamatan: str) -> Any:
    source = "paten" if measure in ("permohonan", "selesai", "ditolak") else "disdukcapil_layanan"
    return build_reading(source, measure, subject, value, at=day, kecamatan=kecamatan)


def test_counters_are_summed_over_the_newest_day_alone(city: City) -> None:
    before = TODAY - timedelta(days=1)
    facts = put(
        FieldFacts(city),
        day_of("permohonan", "Sako/KTP", 10, TODAY, "16.71.08"),
        day_of("permohonan", "Sako/KK", 5, TODAY, "16.71.08"),
        day_of("permohonan", "Plaju/KTP", 100, before, "16.71.14"),
        day_of("selesai", "Sako/KTP", 9, TODAY, "16.71.08"),
    )
    assert desks(facts, NOW)["paten"] == {
        "day": "2026-11-21",
        "asked": 15,
        "done": 9,
        "missing": 1,
    }


def test_identity_cards_asked_for_and_printed(city: City) -> None:
    facts = put(
        FieldFacts(city),
        day_of("ktp_diajukan", "a", 10, TODAY, "16.71.08"),
        day_of("ktp_diajukan", "b", 7, TODAY, "16.71.14"),
        day_of("ktp_dicetak", "a", 0, TODAY, "16.71.08"),
    )
    told = {"day": "2026-11-21", "asked": 17, "printed": 0, "missing": 0}
    assert desks(facts, NOW)["ektp"] == told


def test_counters_that_told_nothing_say_nothing(city: City) -> None:
    assert desks(FieldFacts(city), NOW)["ektp"] == {}


# --- letters and licences, from history ----------------------------------------------------------


def request(number: int, source: str = "ekelurahan", **changes: Any) -> ServiceRequest:
    """A letter asked for an hour ago and finished within the promise."""
    values: dict[str, Any] = {
        "service": "domisili",
        "service_raw": "SKD",
        "status": RequestStatus.DONE,
        "status_raw": "selesai",
        "stage": None,
        "office": None,
        "kecamatan": "16.71.08",
        "kelurahan": None,
        "placed_by": "code",
        "location_problem": "missing",
        "requested_at": NOW - timedelta(hours=1),
        "observed_estimated": False,
        "observed_at": NOW,
        "fetched_at": NOW,
        "simulated": True,
        **changes,
    }
    asked = values["requested_at"]
    values.setdefault("due_at", asked + 10 * MINUTE)
    values.setdefault("closed_at", asked + 5 * MINUTE if not values["status"].is_open else None)
    name = f"S-{number}"
    return ServiceRequest(id=f"{source}:{name}", source_id=source, external_id=name, **values)


def settle(city: City, history: History, *requests: ServiceRequest) -> None:
    by_source: dict[str, list[ServiceRequest]] = {}
    for each in requests:
        by_source.setdefault(each.source_id, []).append(each)
    for source, mine in by_source.items():
        facts = Facts(zone=city.timezone, requests=mine)
        history.settle(source, [], fetched_at=NOW, fence=1, facts=facts)


def letters(city: City, history: History, requests: Sequence[ServiceRequest]) -> dict[str, Any]:
    settle(city, history, *requests)
    return read_desks(city, history, day_began(city, NOW), NOW).letters


def test_letters_are_counted_by_the_citys_day(city: City, sqlite_history: History) -> None:
    yesterday = TODAY - SECOND
    found = letters(
        city,
        sqlite_history,
        [
            request(1, requested_at=TODAY),
            request(2, requested_at=yesterday),
            request(3, requested_at=yesterday, closed_at=yesterday),
        ],
    )
    assert (found["today"], found["done_today"]) == (1, 2)


def test_letters_in_time_are_counted_as_the_indicator_counts_them(
    city: City, sqlite_history: History
) -> None:
    asked = NOW - timedelta(hours=1)
    doing = RequestStatus.PROCESSING
    found = letters(
        city,
        sqlite_history,
        [
            request(1, closed_at=asked + 10 * MINUTE),
            request(2, closed_at=asked + 10 * MINUTE + SECOND),
            request(3, status=RequestStatus.REJECTED, closed_at=asked),
            request(4, status=doing),
            request(5, status=doing, requested_at=NOW - MINUTE),
            request(6, status=RequestStatus.CANCELLED),
            request(7, closed_at=None),
            request(8, due_at=None),
        ],
    )
    # 1 and 3 in time; 2 and 4 late; the others have no say.
    assert (found["in_time"], found["cohort"]) == (2, 4)
    assert (found["today"], found["open"]) == (8, 2)


def test_a_day_without_letters_has_no_share(city: City, sqlite_history: History) -> None:
    found = letters(city, sqlite_history, [])
    assert found == {"today": 0, "done_today": 0, "open": 0, "cohort": 0}


def test_licences_stand_at_their_stages(city: City, sqlite_history: History) -> None:
    late, soon = NOW - SECOND, NOW + timedelta(days=1)
    states = [
        (RequestStatus.SUBMITTED, soon),
        (RequestStatus.PROCESSING, soon),
        (RequestStatus.PROCESSING, late),
        (RequestStatus.DONE, late),
    ]
    settle(
        city,
        sqlite_history,
        *(
            request(n, "perizinan", status=status, due_at=due)
            for n, (status, due) in enumerate(states)
        ),
        request(9, status=RequestStatus.PROCESSING),
    )
    found = read_desks(city, sqlite_history, day_began(city, NOW), NOW).licences
    assert found == {
        "stages": {"diajukan": {"n": 1, "late": 0}, "diproses": {"n": 2, "late": 1}},
        "open": 3,
        "late": 1,
    }


@pytest.mark.parametrize("part", ["letters", "licences"])
def test_what_was_not_counted_yet_is_not_told(city: City, part: str) -> None:
    assert part not in desks(FieldFacts(city), NOW)
