"""From a source's words to the city's. Pure: no server, no store."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lawang.city import City, Source, load_city
from lawang.connector import Parsed
from lawang.domain.facts import Facts
from lawang.domain.incident import UNKNOWN_CATEGORY, Incident, Report, Status
from lawang.polling.kinds import CLOCK_TOLERANCE
from lawang.polling.settle import settle
from lawang.settings import ROOT

#: A Saturday, 19:00 WIB.
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
REPORTED = NOW - timedelta(hours=3)
PALEMBANG = load_city(
    ROOT / "cities" / "palembang",
    simulated=True,
    env={"LAWANG_SIMULATOR_URL": "http://127.0.0.1:9"},
)
ELAPOR = PALEMBANG.sources["elapor"]
#: Jembatan Ampera, north end: 19 Ilir in Bukit Kecil.
AMPERA = {"latitude": -2.9904, "longitude": 104.7623}


def report(**changes: Any) -> Report:
    values = {"external_id": "r1", "status": "open", "category": "BJR", "requested_at": REPORTED}
    return Report(**{**values, "updated_at": REPORTED, **AMPERA, **changes})


def page(*reports: Report, source: Source = ELAPOR, simulated: bool = False) -> Facts:
    return settle(Parsed(list(reports)), source, PALEMBANG, fetched_at=NOW, simulated=simulated)


def incident(source: Source = ELAPOR, **changes: Any) -> Incident:
    found = page(report(**changes), source=source)
    assert found.rejects == []
    return found.incidents[0]


# --- words ----------------------------------------------------------------------------------


def test_the_identity_names_the_source() -> None:
    settled = incident(external_id="EL-7")
    assert (settled.id, settled.source_id, settled.external_id) == ("elapor:EL-7", "elapor", "EL-7")


@pytest.mark.parametrize(("code", "category"), [("BJR", "banjir"), ("LPJ", "lampu")])
def test_a_category_goes_through_the_sources_map(code: str, category: str) -> None:
    assert incident(category=code).category == category


@pytest.mark.parametrize("code", ["XYZ", "", None, "bjr "])
def test_a_category_that_the_map_does_not_know_is_unknown(code: str | None) -> None:
    assert incident(category=code).category == UNKNOWN_CATEGORY


def test_the_sources_own_word_for_a_category_is_kept() -> None:
    assert incident(category="XYZ").category_raw == "XYZ"


def test_without_a_code_the_name_of_the_category_is_kept() -> None:
    assert incident(category=None, category_name="Kabel udara").category_raw == "Kabel udara"


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("open", Status.WAITING),
        ("closed", Status.DONE),
        ("OPEN", Status.WAITING),
        ("  Closed ", Status.DONE),
        ("acknowledged", Status.UNKNOWN),
        ("", Status.UNKNOWN),
        (None, Status.UNKNOWN),
    ],
)
def test_a_status_goes_through_the_sources_map(word: str | None, status: Status) -> None:
    assert incident(status=word).status is status


@pytest.mark.parametrize(
    ("note", "status"),
    [
        ("Koordinasi dengan Dinas PUPR", Status.COORDINATION),
        ("disposisi ke UPTD", Status.DISPOSITION),
        ("PROSES: petugas di lapangan", Status.IN_PROGRESS),
        ("Dikembalikan, alamat kurang lengkap", Status.RETURNED),
        ("Ditolak", Status.REJECTED),
        ("Dibuka kembali oleh pelapor", Status.WAITING),
        ("Sudah diproses", Status.DONE),
        ("", Status.DONE),
        (None, Status.DONE),
    ],
)
def test_the_first_words_of_a_note_say_more_than_the_status(
    note: str | None, status: Status
) -> None:
    assert incident(status="closed", status_note=note).status is status


def test_the_sources_own_word_for_a_status_is_kept() -> None:
    assert incident(status="Acknowledged").status_raw == "Acknowledged"


def test_an_unknown_status_counts_as_open() -> None:
    assert incident(status="acknowledged").closed_at is None


def test_a_finished_report_is_closed_when_it_was_observed_so() -> None:
    settled = incident(status="closed", updated_at=NOW - timedelta(hours=1))
    assert settled.closed_at == NOW - timedelta(hours=1)


# --- places ---------------------------------------------------------------------------------


def test_a_point_gives_kecamatan_and_kelurahan() -> None:
    settled = incident()
    assert (settled.kecamatan, settled.kelurahan) == ("16.71.11", "16.71.11.1001")
    assert (settled.placed_by, settled.location_problem) == ("point", "")


def test_swapped_coordinates_are_mended_and_marked() -> None:
    settled = incident(latitude=AMPERA["longitude"], longitude=AMPERA["latitude"])
    assert (settled.latitude, settled.longitude) == (AMPERA["latitude"], AMPERA["longitude"])
    assert settled.location_problem == "swapped"
    assert settled.kecamatan == incident().kecamatan


def test_a_point_outside_the_city_is_left_out_and_marked() -> None:
    settled = incident(latitude=-6.2, longitude=106.8)
    assert (settled.kecamatan, settled.latitude, settled.location_problem) == (
        None,
        None,
        "outside",
    )


@pytest.mark.parametrize("point", [(None, None), (0.0, 0.0), (float("nan"), 104.7), (-2.99, None)])
def test_missing_coordinates_are_marked(point: tuple[float | None, float | None]) -> None:
    settled = incident(latitude=point[0], longitude=point[1])
    assert (settled.kecamatan, settled.location_problem) == (None, "missing")


def test_a_regions_text_places_what_has_no_coordinates() -> None:
    settled = incident(latitude=None, longitude=None, region="Kec. ILIR BARAT SATU")
    assert (settled.kecamatan, settled.placed_by) == ("16.71.04", "name")


def test_a_regions_text_places_what_lies_outside() -> None:
    settled = incident(latitude=-6.2, longitude=106.8, region="1671010")
    assert (settled.placed_by, settled.location_problem) == ("bps_code", "outside")


# --- personal data --------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["description", "address", "status_note"])
def test_personal_data_is_masked_in_free_text(name: str) -> None:
    text = "Hubungi 0812-3456-7890 atau sari@contoh.id, NIK 1671014505900001"
    kept = getattr(incident(**{name: text}), name)
    assert kept == "Hubungi [telepon] atau [surel], NIK [NIK]"


@pytest.mark.parametrize("name", ["address", "status_note"])
def test_an_empty_text_is_left_out(name: str) -> None:
    assert getattr(incident(**{name: ""}), name) is None


def test_an_identifier_that_is_too_long_is_quarantined() -> None:
    found = page(report(external_id="x" * 121))
    assert (found.incidents, [each.reason for each in found.rejects]) == ([], ["bad_id"])


def test_a_quarantined_identifier_is_masked() -> None:
    found = page(report(external_id="sari@contoh.id " + "x" * 121))
    assert (found.rejects[0].external_id or "").startswith("[surel] xxx")


# --- times ----------------------------------------------------------------------------------


def test_the_sources_time_of_change_is_the_time_of_observation() -> None:
    settled = incident(updated_at=NOW - timedelta(minutes=5))
    assert (settled.observed_at, settled.observed_estimated) == (NOW - timedelta(minutes=5), False)


def test_without_a_time_of_change_the_fetch_stands_in() -> None:
    settled = incident(updated_at=None)
    assert (settled.observed_at, settled.observed_estimated) == (NOW, True)


def test_a_missing_time_of_report_is_that_of_its_observation() -> None:
    settled = incident(requested_at=None, updated_at=REPORTED)
    assert settled.requested_at == REPORTED


def test_a_time_a_little_ahead_is_believed() -> None:
    settled = incident(updated_at=NOW + CLOCK_TOLERANCE)
    assert (settled.observed_at, settled.observed_estimated) == (NOW + CLOCK_TOLERANCE, False)


def test_a_time_far_ahead_is_not_believed() -> None:
    settled = incident(updated_at=NOW + timedelta(hours=2))
    assert (settled.observed_at, settled.observed_estimated) == (NOW, True)


@pytest.mark.parametrize("name", ["updated_at", "requested_at"])
def test_times_ahead_of_ours_are_counted(name: str) -> None:
    ahead = report(external_id="ahead", **{name: NOW + timedelta(hours=2)})
    assert page(report(), ahead).skewed == 1


def test_a_due_time_of_the_source_is_taken() -> None:
    due = REPORTED + timedelta(days=1)
    assert incident(due_at=due).due_at == due


@pytest.mark.parametrize(
    ("reported", "due"),
    [
        # Eight working days after Tuesday the 3rd: the weekend does not count.
        ("2026-11-03T10:00:00+07:00", "2026-11-13T23:59:59+07:00"),
        # 00:30 in Palembang is still the day before in UTC.
        ("2026-11-03T00:30:00+07:00", "2026-11-13T23:59:59+07:00"),
        # A Saturday: counting begins on Monday.
        ("2026-11-07T10:00:00+07:00", "2026-11-18T23:59:59+07:00"),
        # Independence day, Monday 17 August 2026, is a holiday.
        ("2026-08-12T10:00:00+07:00", "2026-08-26T23:59:59+07:00"),
    ],
)
def test_without_a_due_time_working_days_count(reported: str, due: str) -> None:
    settled = incident(requested_at=datetime.fromisoformat(reported))
    # Maulid Nabi, 25 August 2026, is why the last one ends on the 26th.
    assert settled.due_at == datetime.fromisoformat(due)


@pytest.mark.parametrize("moment", [datetime.min, datetime.max, datetime(1700, 1, 1)])
def test_a_time_at_the_end_of_the_calendar_does_no_harm(moment: datetime) -> None:
    assert incident(requested_at=moment.replace(tzinfo=UTC)).status is Status.WAITING


# --- the simulated mark ---------------------------------------------------------------------


@pytest.mark.parametrize("simulated", [True, False])
def test_what_is_simulated_is_marked_so(simulated: bool) -> None:
    assert page(report(), simulated=simulated).incidents[0].simulated is simulated


# --- anything -------------------------------------------------------------------------------

_TEXTS = st.text(max_size=300) | st.sampled_from(["BJR", "open", "closed", "Proses", "Selesai. "])
_MOMENTS = st.datetimes(timezones=st.just(UTC)) | st.datetimes(
    min_value=datetime(2020, 1, 1), max_value=datetime(2030, 1, 1), timezones=st.just(UTC)
)
_REPORTS = st.builds(
    Report,
    external_id=st.text(min_size=1, max_size=200),
    status=st.none() | _TEXTS,
    status_note=st.none() | _TEXTS,
    category=st.none() | _TEXTS,
    category_name=st.none() | _TEXTS,
    description=_TEXTS,
    address=st.none() | _TEXTS,
    agency=st.none() | _TEXTS,
    media_url=st.none() | _TEXTS,
    latitude=st.none() | st.floats(),
    longitude=st.none() | st.floats(),
    region=st.none() | _TEXTS,
    requested_at=st.none() | _MOMENTS,
    updated_at=st.none() | _MOMENTS,
    due_at=st.none() | _MOMENTS,
)


@settings(max_examples=200, deadline=None)
@given(st.lists(_REPORTS, max_size=8))
def test_every_report_is_settled_or_quarantined(reports: list[Report]) -> None:
    found = page(*reports)
    assert len(found.incidents) + len(found.rejects) == len(reports)


@settings(max_examples=100, deadline=None)
@given(st.lists(_REPORTS, max_size=4), st.lists(_REPORTS, max_size=4))
def test_a_good_report_is_kept_beside_any_others(before: list[Report], after: list[Report]) -> None:
    good = report(external_id="good")
    assert incident(external_id="good") in page(*before, good, *after).incidents


@settings(max_examples=100, deadline=None)
@given(_REPORTS)
def test_settled_incidents_keep_to_their_own_rules(any_report: Report) -> None:
    for settled in page(any_report).incidents:
        assert (settled.closed_at is None) == settled.is_open
        assert (settled.latitude is None) == (settled.longitude is None)
        assert settled.observed_at <= NOW + CLOCK_TOLERANCE
        assert settled.fetched_at == NOW
        assert settled.category in (*PALEMBANG.categories, UNKNOWN_CATEGORY)


def test_another_sources_maps_are_its_own(elapor: Callable[..., Source], city: City) -> None:
    other = replace(elapor(), id="lain", category_map={}, status_map={"baru": Status.WAITING})
    settled = incident(other, status="Baru")
    assert (settled.source_id, settled.category, settled.status) == (
        "lain",
        UNKNOWN_CATEGORY,
        Status.WAITING,
    )


# --- closed, and verified ---------------------------------------------------------------------


def test_a_closing_that_the_source_dates_is_taken_from_it() -> None:
    closed = REPORTED + timedelta(hours=1)
    settled = incident(status="closed", updated_at=NOW, closed_at=closed)
    assert (settled.closed_at, settled.observed_at) == (closed, NOW)


def test_an_open_report_is_neither_closed_nor_verified() -> None:
    settled = incident(updated_at=NOW, closed_at=NOW, verified_at=NOW)
    assert (settled.closed_at, settled.verified_at) == (None, None)


def test_what_was_verified_had_been_closed_by_then() -> None:
    verified = REPORTED + timedelta(hours=2)
    settled = incident(status="closed", updated_at=NOW, verified_at=verified)
    assert (settled.closed_at, settled.verified_at) == (verified, verified)


def test_a_closing_after_a_verification_keeps_its_own_time() -> None:
    # Closed again since: the verification is of the closing before.
    verified, closed = REPORTED + timedelta(hours=1), REPORTED + timedelta(hours=2)
    settled = incident(status="closed", updated_at=NOW, closed_at=closed, verified_at=verified)
    assert settled.closed_at == closed


def test_a_rejection_is_not_verified() -> None:
    settled = incident(
        status="closed", status_note="Ditolak: laporan ganda", updated_at=NOW, verified_at=NOW
    )
    assert (settled.status, settled.verified_at) == (Status.REJECTED, None)


@pytest.mark.parametrize("moment", [REPORTED - timedelta(days=1), NOW + timedelta(days=1)])
def test_an_unbelievable_verification_is_none(moment: datetime) -> None:
    assert incident(status="closed", updated_at=NOW, verified_at=moment).verified_at is None
