from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from simulator.city_life import Storm, Town
from simulator.elapor.life import Life
from simulator.elapor.services import RAIN_CODES
from simulator.events import ELECTRICAL, PER_YEAR, Fires
from simulator.happenings import Happenings
from simulator.life import BACKFILL
from simulator.store import Query, Store, StoredReport
from simulator.weather import Weather
from tests.simulator.conftest import NOW

SEED = 1671
SAKO = "16.71.08"
EVERYTHING = Query(limit=1_000_000)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def quiet(town: Town) -> Town:
    """The town with nothing made to happen yet."""
    return replace(town, happenings=Happenings())


@pytest.fixture
def weather(quiet: Town) -> Weather:
    return Weather(quiet, SEED)


@pytest.fixture
def storm(weather: Weather) -> Storm:
    """The last scheduled storm before now that is alone for a day."""
    storms = weather.storms(NOW - BACKFILL, NOW - 6 * HOUR)
    return next(
        storm
        for storm in reversed(storms)
        if weather.storms(storm.start - 15 * HOUR, storm.start + 15 * HOUR) == [storm]
    )


def centre(storm: Storm) -> tuple[float, float]:
    return storm.area[0].latitude, storm.area[0].longitude


def minutes_of(storm: Storm, hours: float) -> list[datetime]:
    return [storm.start + step * MINUTE for step in range(int(hours * 60))]


def test_two_weathers_of_one_town_and_seed_agree(quiet: Town, storm: Storm) -> None:
    first, second = Weather(quiet, SEED), Weather(quiet, SEED)
    place, at = centre(storm), storm.start + 30 * MINUTE
    assert first.rain_mm_h(*place, at) == second.rain_mm_h(*place, at) > 0
    assert first.flood_cm(*place, at) == second.flood_cm(*place, at)
    assert first.river_cm(at) == second.river_cm(at)
    assert first.temperature_c(*place, at) == second.temperature_c(*place, at)
    assert first.wind(*place, at) == second.wind(*place, at)


def test_another_seed_has_other_storms(quiet: Town) -> None:
    span = (NOW - BACKFILL, NOW)
    mine, other = Weather(quiet, SEED).storms(*span), Weather(quiet, 2).storms(*span)
    assert [storm.start for storm in mine] != [storm.start for storm in other]


def test_a_zone_makes_no_difference(weather: Weather, town: Town, storm: Storm) -> None:
    at = storm.start + 20 * MINUTE
    local = at.astimezone(town.timezone)
    place = centre(storm)
    assert weather.rain_mm_h(*place, at) == weather.rain_mm_h(*place, local)
    assert weather.river_cm(at) == weather.river_cm(local)
    assert weather.temperature_c(*place, at) == weather.temperature_c(*place, local)


def test_it_rains_on_every_place_of_a_storm_while_it_lasts(weather: Weather, storm: Storm) -> None:
    middle = storm.start + (storm.end - storm.start) / 2
    for place in storm.area:
        assert weather.rain_mm_h(place.latitude, place.longitude, middle) == storm.mm_h


def test_it_is_dry_before_and_after_and_far_away(
    weather: Weather, town: Town, storm: Storm
) -> None:
    place = centre(storm)
    assert weather.rain_mm_h(*place, storm.start) == 0
    assert weather.rain_mm_h(*place, storm.end) == 0
    middle = storm.start + 30 * MINUTE
    dry = [
        other
        for other in town.neighbourhoods
        if weather.rain_mm_h(other.latitude, other.longitude, middle) == 0
    ]
    assert len(dry) > len(town.neighbourhoods) / 2


def test_the_gauge_adds_up_what_fell(weather: Weather, storm: Storm) -> None:
    place = centre(storm)
    minutes = minutes_of(storm, storm.minutes / 60 + 1)
    summed = sum(weather.rain_mm_h(*place, at + MINUTE / 2) / 60 for at in minutes)
    fallen = weather.rain_mm(*place, minutes[0], minutes[-1])
    assert fallen == pytest.approx(summed, rel=0.01)
    halves = [
        weather.rain_mm(*place, minutes[0], storm.start + 20 * MINUTE),
        weather.rain_mm(*place, storm.start + 20 * MINUTE, minutes[-1]),
    ]
    assert sum(halves) == pytest.approx(fallen)


def test_two_storms_over_one_place_are_as_hard_as_the_harder(quiet: Town) -> None:
    place = quiet.in_kecamatan(SAKO)[0]
    point = (place.latitude, place.longitude)
    quiet.happenings.rain(SAKO, NOW, mm_h=70, minutes=120)
    alone = Weather(quiet, SEED).rain_mm(*point, NOW, NOW + 3 * HOUR)
    quiet.happenings.rain(SAKO, NOW, mm_h=40, minutes=120)
    both = Weather(quiet, SEED)
    assert both.rain_mm_h(*point, NOW + HOUR) == 70
    assert both.rain_mm(*point, NOW, NOW + 3 * HOUR) == pytest.approx(alone, rel=0.01)


def test_no_street_is_deeper_than_people_are_tall(quiet: Town) -> None:
    for code in {place.kecamatan for place in quiet.neighbourhoods}:
        quiet.happenings.rain(code, NOW, mm_h=200, minutes=300)
    weather = Weather(quiet, SEED)
    depths = [
        weather.flood_cm(place.latitude, place.longitude, NOW + 4 * HOUR)
        for place in quiet.neighbourhoods
    ]
    assert 60 < min(depths) < max(depths) <= 120


def test_streets_fill_after_the_rain_and_drain_again(weather: Weather, storm: Storm) -> None:
    place = centre(storm)
    times = minutes_of(storm, 14)
    depths = [weather.flood_cm(*place, at) for at in times]
    deepest = times[depths.index(max(depths))]
    rain = [weather.rain_mm_h(*place, at) for at in times]
    hardest = times[rain.index(max(rain))]
    assert max(depths) > 1
    assert deepest > hardest + 10 * MINUTE
    assert weather.flood_cm(*place, storm.start) == 0
    assert weather.flood_cm(*place, storm.start + 14 * HOUR) < 0.1 * max(depths)


def test_a_dry_place_has_no_water_in_its_streets(weather: Weather, storm: Storm) -> None:
    at = storm.end
    far = weather._town.around(storm.area[0], 107)[-1]
    assert weather.flood_cm(far.latitude, far.longitude, at) == 0


def test_the_river_has_two_tides_a_day(weather: Weather) -> None:
    start = datetime(2026, 8, 1, tzinfo=UTC)
    levels = [weather.river_cm(start + step * 10 * MINUTE) for step in range(30 * 144)]
    tops = [
        step
        for step in range(1, len(levels) - 1)
        if levels[step - 1] < levels[step] >= levels[step + 1]
    ]
    assert 55 <= len(tops) <= 62
    assert max(levels) - min(levels) > 100


def test_rain_reaches_the_river_hours_later(quiet: Town) -> None:
    dry, wet_town = Weather(quiet, SEED), replace(quiet, happenings=Happenings())
    for code in {place.kecamatan for place in quiet.neighbourhoods}:
        wet_town.happenings.rain(code, NOW, mm_h=60, minutes=120)
    wet = Weather(wet_town, SEED)
    rises = [
        wet.river_cm(NOW + hour * HOUR) - dry.river_cm(NOW + hour * HOUR) for hour in range(40)
    ]
    assert rises[0] == 0
    assert 4 <= rises.index(max(rises)) <= 9
    assert max(rises) > 30
    assert rises[-1] < 0.2 * max(rises)


def test_a_tide_that_was_made_raises_the_river_while_it_lasts(quiet: Town) -> None:
    before = Weather(quiet, SEED).river_cm(NOW + HOUR)
    quiet.happenings.tide(NOW, cm=80, minutes=120)
    assert Weather(quiet, SEED).river_cm(NOW + HOUR) == pytest.approx(before + 80)
    assert Weather(quiet, SEED).river_cm(NOW + 3 * HOUR) == Weather(
        replace(quiet, happenings=Happenings()), SEED
    ).river_cm(NOW + 3 * HOUR)


def test_streets_drain_more_slowly_while_the_river_is_high(quiet: Town) -> None:
    place = quiet.in_kecamatan(SAKO)[0]
    quiet.happenings.rain(SAKO, NOW, mm_h=70, minutes=90)
    at = NOW + 5 * HOUR
    low = Weather(quiet, SEED).flood_cm(place.latitude, place.longitude, at)
    quiet.happenings.tide(NOW, cm=250, minutes=900)
    assert Weather(quiet, SEED).flood_cm(place.latitude, place.longitude, at) > 1.3 * low > 0


def test_afternoons_are_warm_and_rain_cools(weather: Weather, storm: Storm, town: Town) -> None:
    place = centre(storm)
    noon = datetime(2026, 8, 3, 14, tzinfo=town.timezone)
    assert weather.temperature_c(*place, noon) > 30
    assert weather.temperature_c(*place, noon - 9 * HOUR) < 27
    before, after = storm.start, storm.start + 40 * MINUTE
    assert weather.temperature_c(*place, after) < weather.temperature_c(*place, before) - 2
    assert weather.humidity(*place, after) > weather.humidity(*place, before)
    assert 45 <= weather.humidity(*place, noon) <= 99


def test_wind_rises_in_a_storm(weather: Weather, storm: Storm) -> None:
    place = centre(storm)
    calm, gusty = weather.wind(*place, storm.start), weather.wind(*place, storm.start + 25 * MINUTE)
    assert gusty.speed_kmh > calm.speed_kmh + 5
    assert 0 <= gusty.direction_deg < 360


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "elapor.sqlite3")
    yield store
    store.close()


def here(report: StoredReport, town: Town) -> tuple[str | None, str | None]:
    return town.at(report.latitude or 0, report.longitude or 0)


def test_what_storms_bring_to_elapor_is_where_it_rained(
    store: Store, quiet: Town, weather: Weather
) -> None:
    Life(store, quiet, SEED, 1.0).advance(NOW)
    found = [report for report in store.find(EVERYTHING) if "-R" in report.id]
    assert len(found) > 50
    for report in found:
        assert report.latitude is not None
        assert report.longitude is not None
        at = report.requested_at
        fallen = weather.rain_mm(report.latitude, report.longitude, at - 3 * HOUR, at)
        assert fallen > 0, report.id


def test_rain_asked_of_elapor_falls_into_the_gauges(
    store: Store, quiet: Town, weather: Weather
) -> None:
    place = quiet.in_kecamatan(SAKO)[0]
    before = weather.rain_mm(place.latitude, place.longitude, NOW, NOW + HOUR)
    Life(store, quiet, SEED, 1.0).rain(SAKO, NOW)
    after = weather.rain_mm(place.latitude, place.longitude, NOW, NOW + HOUR)
    assert after > before + 30


def test_long_rain_brings_reports_as_long_as_it_lasts(store: Store, quiet: Town) -> None:
    life = Life(store, quiet, SEED, 1.0)
    life.advance(NOW)
    quiet.happenings.rain(SAKO, NOW, mm_h=70, minutes=300)
    life.advance(NOW + 8 * HOUR)
    wet = [report for report in store.find(EVERYTHING) if "-M" in report.id]
    assert len(wet) > 15
    assert {here(report, quiet)[0] for report in wet} == {SAKO}
    assert {report.service_code for report in wet} <= {*RAIN_CODES, "WFI"}
    assert max(report.requested_at for report in wet) > NOW + 3 * HOUR


def test_happenings_are_remembered(tmp_path: Path) -> None:
    file = tmp_path / "simulator" / "happenings.jsonl"
    made = Happenings(file)
    made.rain(SAKO, NOW, 60, 60)
    made.tide(NOW, 80, 60)
    made.blaze(SAKO, NOW, "besar")
    with file.open("a") as half_written:
        half_written.write('{"what": "rain", "number": 2')
    again = Happenings(file)
    assert (again.rains, again.tides, again.blazes) == (made.rains, made.tides, made.blazes)
    assert again.rain(SAKO, NOW, 60, 60).number == 2


def test_a_year_has_about_as_many_fires_as_were_counted(quiet: Town) -> None:
    year = timedelta(days=365)
    fires = [
        fire for seed in range(5) for fire in Fires(quiet, seed).fires_between(NOW - year, NOW)
    ]
    assert len(fires) / 5 == pytest.approx(PER_YEAR, rel=0.1)
    electrical = sum(fire.cause == "listrik" for fire in fires)
    assert electrical / len(fires) == pytest.approx(ELECTRICAL / PER_YEAR, abs=0.05)
    houses = sum(fire.kind == "rumah" for fire in fires)
    assert houses / len(fires) == pytest.approx(92 / 277, abs=0.05)
    assert all(not fire.made for fire in fires)


def test_fires_do_not_depend_on_how_they_are_asked_for(quiet: Town) -> None:
    week = Fires(quiet, SEED).fires_between(NOW - timedelta(days=30), NOW)
    days = [
        fire
        for day in range(30, 0, -1)
        for fire in Fires(quiet, SEED).fires_between(
            NOW - timedelta(days=day), NOW - timedelta(days=day - 1)
        )
    ]
    assert days == week != []


def test_a_fire_burns_from_its_start_to_its_end(quiet: Town) -> None:
    quiet.happenings.blaze(SAKO, NOW, "besar")
    fires = Fires(quiet, SEED)
    (fire,) = [fire for fire in fires.fires_between(NOW - MINUTE, NOW) if fire.made]
    assert quiet.at(fire.latitude, fire.longitude) == (SAKO, fire.place.code)
    assert fire in fires.burning(NOW + HOUR)
    assert fire not in fires.burning(fire.end)
    assert fire not in fires.burning(NOW - MINUTE)


def test_smoke_is_reported_from_the_kelurahan_of_the_fire(store: Store, quiet: Town) -> None:
    life = Life(store, quiet, SEED, 1.0)
    life.advance(NOW)
    quiet.happenings.blaze(SAKO, NOW, "besar")
    life.advance(NOW + 2 * HOUR)
    (fire,) = [fire for fire in Fires(quiet, SEED).fires_between(NOW - MINUTE, NOW) if fire.made]
    smoke = [report for report in store.find(EVERYTHING) if "-A" in report.id]
    assert len(smoke) == 7
    assert {here(report, quiet) for report in smoke} == {(SAKO, fire.place.code)}
    assert all(NOW < report.requested_at <= NOW + HOUR for report in smoke)
