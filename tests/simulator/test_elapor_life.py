from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from simulator.city_life import Town, poisson, random_for, storms_between
from simulator.elapor.life import Life
from simulator.elapor.services import BY_CODE, RAIN_CODES
from simulator.happenings import Happenings
from simulator.life import BACKFILL
from simulator.lifecycle import promised
from simulator.store import Query, Quirk, Store, StoredReport
from tests.simulator.conftest import NOW

EVERYTHING = Query(limit=1_000_000)

Make = Callable[..., tuple[Store, Life]]


@pytest.fixture
def make(tmp_path: Path, town: Town) -> Iterator[Make]:
    stores: list[Store] = []

    def make(seed: int = 1671, factor: float = 1.0, file: str | None = None) -> tuple[Store, Life]:
        store = Store(tmp_path / (file or f"{len(stores)}.sqlite3"))
        stores.append(store)
        # Rain that one of them is asked for must not fall on the others.
        return store, Life(store, replace(town, happenings=Happenings()), seed, factor)

    yield make
    for store in stores:
        store.close()


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory, town: Town) -> list[StoredReport]:
    """Sixty days of an ordinary e-lapor."""
    store = Store(tmp_path_factory.mktemp("life") / "elapor.sqlite3")
    Life(store, town, 1671, 1.0).advance(NOW)
    found = store.find(EVERYTHING)
    store.close()
    return found


def test_one_seed_and_clock_give_one_life(make: Make) -> None:
    (first, life), (second, again) = make(), make()
    life.advance(NOW)
    again.advance(NOW)
    assert first.dump() == second.dump()


def test_another_seed_gives_another_life(make: Make) -> None:
    (first, life), (second, other) = make(seed=1), make(seed=2)
    life.advance(NOW)
    other.advance(NOW)
    assert first.dump() != second.dump()


def test_it_does_not_matter_in_how_many_steps_time_passes(make: Make) -> None:
    (first, leaping), (second, ticking) = make(), make()
    for life in (leaping, ticking):
        life.advance(NOW)
        life.rain("16.71.03", NOW)
    leaping.advance(NOW + timedelta(hours=30))
    for minutes in range(7, 30 * 60 + 1, 7):
        ticking.advance(NOW + timedelta(minutes=minutes))
    ticking.advance(NOW + timedelta(hours=30))
    assert first.dump() == second.dump()


def test_a_second_call_for_the_same_instant_changes_nothing(make: Make) -> None:
    store, life = make()
    life.advance(NOW)
    before = store.dump()
    life.advance(NOW)
    assert store.dump() == before


def test_a_clock_that_went_back_changes_nothing(make: Make) -> None:
    store, life = make()
    life.advance(NOW)
    before = store.dump()
    life.advance(NOW - timedelta(days=2))
    assert store.dump() == before


def test_a_later_start_fills_the_gap(make: Make) -> None:
    kept, life = make()
    life.advance(NOW)
    life.advance(NOW + timedelta(days=3))
    stopped, life = make(file="stopped.sqlite3")
    life.advance(NOW)
    stopped.close()
    resumed, life = make(file="stopped.sqlite3")
    life.advance(NOW + timedelta(days=3))
    assert resumed.dump() == kept.dump()


def test_the_past_begins_sixty_days_ago_and_ends_now(reports: list[StoredReport]) -> None:
    times = [report.requested_at for report in reports]
    assert min(times) < NOW - BACKFILL + timedelta(days=1)
    assert NOW - timedelta(hours=6) < max(times) <= NOW
    assert max(report.updated_at for report in reports) <= NOW


def test_there_are_twenty_to_forty_reports_a_day(reports: list[StoredReport]) -> None:
    assert 20 <= len(reports) / BACKFILL.days <= 40


def test_a_factor_scales_the_volume(make: Make, reports: list[StoredReport]) -> None:
    store, life = make(factor=3.0)
    life.advance(NOW)
    assert len(store.find(EVERYTHING)) == pytest.approx(3 * len(reports), rel=0.15)


def test_most_reports_come_by_day(reports: list[StoredReport], town: Town) -> None:
    hours = Counter(report.requested_at.astimezone(town.timezone).hour for report in reports)
    assert sum(hours[hour] for hour in range(7, 21)) > 0.75 * len(reports)
    assert sum(hours[hour] for hour in range(5)) < 0.06 * len(reports)


def test_sundays_are_quieter_than_mondays(make: Make, town: Town) -> None:
    store, life = make(factor=10.0)
    life.advance(NOW)
    days = Counter(
        report.requested_at.astimezone(town.timezone).weekday() for report in store.find(EVERYTHING)
    )
    assert days[6] < 0.8 * days[0]


def test_the_commonest_kinds_come_most(reports: list[StoredReport]) -> None:
    codes = Counter(report.service_code for report in reports)
    assert codes.most_common(1)[0][0] == "JLN"
    assert BY_CODE.keys() <= codes.keys()


def test_about_two_hundred_are_open_at_any_time(make: Make) -> None:
    store, life = make()
    for days in range(0, 40, 8):
        life.advance(NOW + timedelta(days=days))
        assert 130 <= len(store.find(Query(is_open=True, limit=10_000))) <= 260


def test_half_are_done_within_a_week(reports: list[StoredReport]) -> None:
    old = [report for report in reports if report.requested_at < NOW - timedelta(days=30)]
    quick = [
        report
        for report in old
        if report.closed_at and report.closed_at - report.requested_at < timedelta(days=7)
    ]
    assert len(quick) > 0.5 * len(old)


def test_seven_of_ten_closings_are_verified_within_weeks(reports: list[StoredReport]) -> None:
    old = NOW - timedelta(days=20)
    done = [each for each in reports if each.stage == "Selesai" and each.closed_at < old]  # type: ignore[operator]
    verified = [each for each in done if each.verified_at is not None]
    assert 0.65 < len(verified) / len(done) < 0.8


def test_a_verification_comes_after_its_closing_and_changes_the_record(
    reports: list[StoredReport],
) -> None:
    verified = [each for each in reports if each.verified_at is not None]
    assert all(each.closed_at < each.verified_at == each.updated_at for each in verified)  # type: ignore[operator]


def test_only_what_is_done_is_verified(reports: list[StoredReport]) -> None:
    assert {each.stage for each in reports if each.verified_at is not None} == {"Selesai"}


def test_a_database_of_an_older_simulator_is_carried_on(tmp_path: Path) -> None:
    path = tmp_path / "old.sqlite3"
    Store(path).close()
    with sqlite3.connect(path) as old:
        old.execute("ALTER TABLE reports DROP COLUMN verified_at")
        old.execute("ALTER TABLE reports DROP COLUMN closed_at")
    old.close()
    store = Store(path)
    store.live([], NOW)
    assert store.find(EVERYTHING) == []
    store.close()


def test_a_share_is_past_its_promised_date(reports: list[StoredReport]) -> None:
    still_open = [report for report in reports if report.is_open]
    late = [report for report in still_open if (report.expected_at or NOW) < NOW]
    assert 0.05 * len(still_open) < len(late) < 0.5 * len(still_open)


def test_every_stage_of_the_lifecycle_occurs(make: Make) -> None:
    store, life = make(factor=4.0)
    life.advance(NOW)
    assert {report.stage for report in store.find(EVERYTHING)} == {
        "Menunggu",
        "Koordinasi",
        "Disposisi",
        "Proses",
        "Selesai",
        "Dikembalikan",
        "Ditolak",
        "Dibuka kembali",
    }


def test_closed_are_those_done_or_rejected(reports: list[StoredReport]) -> None:
    for report in reports:
        assert report.is_open == (report.stage not in ("Selesai", "Ditolak"))


def test_points_lie_in_the_kelurahan_of_their_address(
    reports: list[StoredReport], town: Town
) -> None:
    checked = 0
    for report in reports:
        assert report.latitude is not None
        assert report.longitude is not None
        place = town.by_code[town.at(report.latitude, report.longitude)[1] or ""]
        if report.address is not None:
            assert f"Kel. {place.name}, Kec. {place.kecamatan_name}" in report.address
            checked += 1
    assert checked > 0.9 * len(reports)


def test_some_kelurahan_report_far_more_than_others(make: Make, town: Town) -> None:
    store, life = make(factor=5.0)
    life.advance(NOW)
    counts = Counter(
        town.at(report.latitude or 0, report.longitude or 0)[1] for report in store.find(EVERYTHING)
    )
    ranked = sorted(counts.values())
    assert ranked[-1] > 5 * ranked[len(ranked) // 4]


def test_the_oddities_of_real_feeds_occur_and_are_rare(make: Make) -> None:
    store, life = make(factor=4.0)
    life.advance(NOW)
    found = store.find(EVERYTHING)
    quirks = Counter(report.quirk for report in found)
    assert quirks.keys() == set(Quirk)
    assert quirks[Quirk.NONE] > 0.9 * len(found)


def test_rain_multiplies_flooding_and_fallen_trees_in_its_area(
    reports: list[StoredReport], town: Town
) -> None:
    storms = [
        storm
        for storm in storms_between(town, 1671, NOW - BACKFILL, NOW)
        if NOW - BACKFILL < storm.start < NOW - timedelta(hours=2)
    ]
    wet = 0
    usual = 0.0
    for storm in storms:
        area = {place.code for place in storm.area}
        here = [
            report.requested_at
            for report in reports
            if report.service_code in RAIN_CODES
            and town.at(report.latitude or 0, report.longitude or 0)[1] in area
        ]
        wet += sum(storm.start < at <= storm.start + timedelta(hours=1) for at in here)
        usual += len(here) / (24 * BACKFILL.days)
    assert len(storms) > 10
    assert wet > 3 * usual
    assert wet > 2 * len(storms)


def test_rain_on_demand_falls_on_the_kecamatan_asked_for(make: Make, town: Town) -> None:
    (wet, life), (dry, other) = make(), make()
    life.advance(NOW)
    other.advance(NOW)
    life.rain("16.71.03", NOW)
    life.advance(NOW + timedelta(hours=1))
    other.advance(NOW + timedelta(hours=1))
    without = {report.id for report in dry.find(EVERYTHING)}
    extra = [report for report in wet.find(EVERYTHING) if report.id not in without]
    assert len(extra) >= 3
    assert {town.at(r.latitude or 0, r.longitude or 0)[0] for r in extra} == {"16.71.03"}


def test_the_promise_leaves_weekends_out(town: Town) -> None:
    friday = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
    assert promised(friday, town.timezone) == datetime(2026, 12, 2, 3, 0, tzinfo=UTC)


def test_chance_keeps_to_its_mean_even_when_that_is_large() -> None:
    rng = random_for(1, "poisson")
    draws = [poisson(rng, 900.0) for _ in range(50)]
    assert sum(draws) / 50 == pytest.approx(900, rel=0.03)


def test_another_seed_on_old_data_does_not_fail(make: Make) -> None:
    store, life = make(seed=1, file="old.sqlite3")
    life.advance(NOW)
    store.close()
    store, life = make(seed=2, file="old.sqlite3")
    life.advance(NOW + timedelta(minutes=50))
    assert store.advanced_to() == NOW + timedelta(minutes=50)
