"""What a screen shows at a moment: known answers, and what holds at every moment."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lawang.domain.alarm import AlarmSeverity
from lawang.domain.screen import ScheduleEntry
from lawang.domain.status import SeenAlarm
from lawang.screens.programme import Item, Manual, Why, following, shown
from tests.screens.values import MONDAY, WIB, alarm, entry, interrupt, programme, wib

S = timedelta(seconds=1)
NIGHT = entry("malam", "malam", "22:00", "05:00")


def only(items: tuple[Item, ...]) -> Item:
    (item,) = items
    return item


# --- the rotation --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("after_s", "scene", "left_s"),
    [(0, "kota", 30), (29, "kota", 1), (30, "kejadian", 20), (50, "sumber", 10), (60, "kota", 30)],
)
def test_the_place_in_a_playlist_follows_from_the_time(
    after_s: int, scene: str, left_s: int
) -> None:
    # 10:00 is a whole number of rounds of 60 s after midnight.
    at = MONDAY + after_s * S
    item = only(shown(programme(), "satu", at, WIB))
    assert (item.scene, item.until - at, item.why) == (scene, left_s * S, Why.PLAYLIST)


def test_a_playlist_begins_anew_at_the_citys_midnight() -> None:
    # The alarm held the screen for 70 s, so that the rounds do not end at midnight by themselves.
    playing = programme(interrupts=(interrupt(),))
    alarms = [alarm(wib("23 23:50:00"), wib("23 23:51:10"))]
    before = only(shown(playing, "satu", wib("23 23:59:55"), WIB, alarms))
    after = only(shown(playing, "satu", wib("24 00:00:00"), WIB, alarms))
    assert (before.scene, before.until) == ("kejadian", wib("24 00:00:00"))
    assert (after.scene, after.until) == ("kota", wib("24 00:00:30"))


def test_the_change_of_the_hour_changes_nothing() -> None:
    item = only(shown(programme(), "satu", wib("23 10:59:50"), WIB))
    assert (item.scene, item.until) == ("sumber", wib("23 11:00:00"))


def test_a_wall_shows_its_cells_side_by_side() -> None:
    items = shown(programme(), "dinding", MONDAY, WIB)
    assert [(each.cell, each.scene) for each in items] == [("kiri", "kota"), ("kanan", "kota")]


# --- the schedule --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "why"),
    [
        ("23 21:59:59", Why.PLAYLIST),
        ("23 22:00:00", Why.SCHEDULE),
        ("24 00:00:00", Why.SCHEDULE),
        ("24 04:59:59", Why.SCHEDULE),
        ("24 05:00:00", Why.PLAYLIST),
    ],
)
def test_a_night_programme_goes_over_midnight_to_the_second(at: str, why: Why) -> None:
    assert only(shown(programme(NIGHT), "satu", wib(at), WIB)).why is why


def test_a_night_programme_is_not_begun_anew_at_midnight() -> None:
    # Two hours and 50 s after 22:00 in rounds of 90 s: 50 s into the 81st.
    item = only(shown(programme(NIGHT), "satu", wib("24 00:00:50"), WIB))
    assert (item.scene, item.until) == ("bencana", wib("24 00:01:30"))


def test_an_entry_belongs_to_the_day_on_which_it_begins() -> None:
    fridays = programme(entry("malam", "malam", "22:00", "05:00", days=[4]))
    assert only(shown(fridays, "satu", wib("28 04:00:00"), WIB)).why is Why.SCHEDULE
    assert only(shown(fridays, "satu", wib("27 04:00:00"), WIB)).why is Why.PLAYLIST


def test_the_scene_ends_with_its_entry() -> None:
    item = only(shown(programme(NIGHT), "satu", wib("23 21:59:55"), WIB))
    assert item.until == wib("23 22:00:00")


def test_the_first_entry_that_holds_is_followed() -> None:
    early = entry("apel", "siang", "04:00", "06:00")
    assert only(shown(programme(early, NIGHT), "satu", wib("24 04:30:00"), WIB)).cause == "apel"


def test_an_entry_for_one_cell_leaves_the_others_alone() -> None:
    playing = programme(entry("x", "malam", "09:00", "11:00", targets=["dinding/kiri"]))
    left, right = shown(playing, "dinding", MONDAY, WIB)
    assert (left.cause, right.cause) == ("x", "malam")


def test_an_entry_for_the_whole_screen_takes_all_of_its_cells() -> None:
    playing = programme(
        entry("sel", "malam", "09:00", "11:00", targets=["dinding/kiri"]),
        entry("x", "siang", "09:30", "10:30", targets=["dinding"]),
    )
    item = only(shown(playing, "dinding", MONDAY, WIB))
    assert (item.cell, item.cause) == ("", "x")


# --- interrupts ----------------------------------------------------------------------------------


def at_with(alarms: list[SeenAlarm], at: datetime, **given: object) -> Item:
    playing = programme(interrupts=(interrupt(**given),))
    return only(shown(playing, "satu", at, WIB, alarms))


def test_a_severe_alarm_takes_the_screen_and_shows_its_place() -> None:
    item = at_with([alarm(MONDAY, region="16.71.06.1009", categories=("banjir",))], MONDAY + 10 * S)
    assert (item.why, item.scene, item.cause) == (Why.INTERRUPT, "bencana", "1")
    assert (item.filters.kecamatan, item.filters.category) == (("16.71.06",), ("banjir",))
    assert item.until == MONDAY + timedelta(minutes=5)


def test_the_rotation_resumes_where_it_was() -> None:
    # Taken 40 s into a round, 10 s into `kejadian`; given back after two minutes and a half.
    taken, given_back = MONDAY + 40 * S, MONDAY + 190 * S
    item = at_with([alarm(taken, given_back)], given_back)
    assert (item.scene, item.until - given_back) == ("kejadian", 10 * S)


def test_an_alarm_holds_the_screen_for_the_least_time_even_if_it_is_over() -> None:
    over = [alarm(MONDAY, MONDAY + 5 * S)]
    assert at_with(over, MONDAY + 59 * S).why is Why.INTERRUPT
    assert at_with(over, MONDAY + 60 * S).why is Why.PLAYLIST


def test_an_alarm_holds_the_screen_no_longer_than_the_most() -> None:
    assert at_with([alarm(MONDAY)], MONDAY + 299 * S).why is Why.INTERRUPT
    assert at_with([alarm(MONDAY)], MONDAY + 300 * S).why is Why.PLAYLIST


def test_two_alarms_at_once_pause_the_rotation_once() -> None:
    both = [
        alarm(MONDAY, MONDAY + 90 * S),
        alarm(MONDAY + 60 * S, MONDAY + 150 * S, id="2"),
    ]
    item = at_with(both, MONDAY + 150 * S)
    assert (item.scene, item.until) == ("kota", MONDAY + 180 * S)


def test_the_severest_alarm_is_shown_and_of_equals_the_newest() -> None:
    alarms = [
        alarm(MONDAY, id="berat", severity=AlarmSeverity.CRITICAL),
        alarm(MONDAY + 5 * S, id="baru"),
    ]
    assert at_with(alarms, MONDAY + 10 * S).cause == "berat"
    equal = [alarm(MONDAY, id="lama"), alarm(MONDAY + 5 * S, id="baru")]
    assert at_with(equal, MONDAY + 10 * S).cause == "baru"


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        ({}, {"severity": AlarmSeverity.MINOR}),
        ({}, {"silent": True}),
        ({"categories": ("banjir",)}, {"categories": ("jalan",)}),
        ({"rules": ("air_awas",)}, {"rule": "bus_terlambat"}),
        ({"regions": ("16.71.01",)}, {"region": "16.71.011"}),
        ({"regions": ("16.71.01",)}, {"region": ""}),
        ({"screens": ("dua",)}, {}),
    ],
)
def test_an_alarm_that_the_rule_does_not_mean_takes_nothing(
    rule: dict[str, object], changes: dict[str, object]
) -> None:
    assert at_with([alarm(MONDAY, **changes)], MONDAY + S, **rule).why is Why.PLAYLIST


def test_an_alarm_takes_all_of_a_wall_of_cells() -> None:
    playing = programme(interrupts=(interrupt(),))
    assert only(shown(playing, "dinding", MONDAY, WIB, [alarm(MONDAY)])).cell == ""


# --- by hand -------------------------------------------------------------------------------------

HAND = Manual(
    screen_id="satu", scene="sumber", by="Sari", since=MONDAY, until=MONDAY + timedelta(minutes=10)
)


def test_a_person_sends_a_scene_to_one_screen_for_a_while() -> None:
    there = only(shown(programme(), "satu", MONDAY, WIB, (), HAND))
    assert (there.scene, there.why, there.cause, there.until) == (
        "sumber", Why.MANUAL, "Sari", HAND.until,
    )  # fmt: skip
    assert only(shown(programme(), "dua", MONDAY, WIB, (), HAND)).why is Why.PLAYLIST
    assert only(shown(programme(), "satu", HAND.until, WIB, (), HAND)).why is Why.PLAYLIST


@pytest.mark.parametrize(("since_s", "why"), [(-30, Why.MANUAL), (30, Why.INTERRUPT)])
def test_of_a_person_and_an_alarm_the_later_is_followed(since_s: int, why: Why) -> None:
    playing = programme(interrupts=(interrupt(),))
    alarms = [alarm(MONDAY + since_s * S)]
    assert only(shown(playing, "satu", MONDAY + 60 * S, WIB, alarms, HAND)).why is why


# --- at every moment -----------------------------------------------------------------------------

ZONES = [WIB, ZoneInfo("Europe/Berlin"), ZoneInfo("America/St_Johns")]
#: Days around the changes of the clocks in Europe and in America, and the turn of a year.
MOMENTS = st.one_of(
    st.datetimes(datetime(2026, 3, 27), datetime(2026, 3, 31)),
    st.datetimes(datetime(2026, 10, 23), datetime(2026, 11, 3)),
    st.datetimes(datetime(2026, 12, 30), datetime(2027, 1, 2)),
).map(lambda at: at.replace(tzinfo=UTC, microsecond=0))
MINUTES = st.integers(0, 1439).map(lambda n: time(n // 60, n % 60))


@st.composite
def entries(draw: st.DrawFn) -> ScheduleEntry:
    start = draw(MINUTES)
    end = draw(st.one_of(st.none(), MINUTES.filter(lambda each: each != start)))
    return ScheduleEntry(
        id=f"e{draw(st.integers(0, 99))}",
        playlist=draw(st.sampled_from(["siang", "malam"])),
        days=frozenset(draw(st.sets(st.integers(0, 6), min_size=1))),
        start=start,
        end=end,
        targets=draw(st.sampled_from([(), ("satu",), ("dinding",), ("dinding/kiri",)])),
    )


@st.composite
def alarms_before(draw: st.DrawFn, at: datetime) -> list[SeenAlarm]:
    found = []
    for number in range(draw(st.integers(0, 4))):
        since = at - timedelta(seconds=draw(st.integers(0, 3000)))
        lasted = draw(st.one_of(st.none(), st.integers(0, 3000)))
        ended = None if lasted is None else min(since + lasted * S, at)
        found.append(
            alarm(since, ended, id=str(number), severity=draw(st.sampled_from(AlarmSeverity)))
        )
    return found


@settings(max_examples=120, deadline=None)
@given(data=st.data(), at=MOMENTS, zone=st.sampled_from(ZONES), schedule=st.lists(entries()))
def test_what_is_shown_stays_until_the_time_it_names(
    data: st.DataObject, at: datetime, zone: ZoneInfo, schedule: list[ScheduleEntry]
) -> None:
    playing = programme(*schedule, interrupts=(interrupt(),))
    alarms = data.draw(alarms_before(at))
    name = data.draw(st.sampled_from(["satu", "dinding"]))
    for item in shown(playing, name, at, zone, alarms):
        assert item.until > at
        share = data.draw(st.floats(0, 0.999))
        then = at + (item.until - at) * share
        again = {each.cell: each for each in shown(playing, name, then, zone, alarms)}
        # A neighbour may have been taken by the whole; until then nothing moves.
        assert again[item.cell] == item


@settings(max_examples=80, deadline=None)
@given(data=st.data(), at=MOMENTS, zone=st.sampled_from(ZONES), schedule=st.lists(entries()))
def test_two_screens_with_one_programme_show_the_same(
    data: st.DataObject, at: datetime, zone: ZoneInfo, schedule: list[ScheduleEntry]
) -> None:
    everywhere = [each for each in schedule if not each.targets]
    playing = programme(*everywhere, interrupts=(interrupt(),))
    alarms = data.draw(alarms_before(at))
    assert shown(playing, "satu", at, zone, alarms) == shown(playing, "dua", at, zone, alarms)


@settings(max_examples=80, deadline=None)
@given(at=MOMENTS, zone=st.sampled_from(ZONES), lasted=st.integers(0, 900), seed=st.integers(0, 59))
def test_an_interrupt_moves_the_rotation_by_exactly_its_own_length(
    at: datetime, zone: ZoneInfo, lasted: int, seed: int
) -> None:
    playing = programme(interrupts=(interrupt(),))
    held = min(max(lasted * S, timedelta(minutes=1)), timedelta(minutes=5))
    after = at + held + seed * S
    if after.astimezone(zone).date() != at.astimezone(zone).date():
        return
    with_alarm = only(shown(playing, "satu", after, zone, [alarm(at, at + lasted * S)]))
    without = only(shown(playing, "satu", after - held, zone))
    assert with_alarm.scene == without.scene


@settings(max_examples=60, deadline=None)
@given(at=MOMENTS, zone=st.sampled_from(ZONES), schedule=st.lists(entries(), max_size=4))
def test_following_what_comes_next_never_stands_still(
    at: datetime, zone: ZoneInfo, schedule: list[ScheduleEntry]
) -> None:
    playing = programme(*schedule)
    for _ in range(20):
        then, items = following(playing, "dinding", at, zone)
        assert then > at
        assert items == shown(playing, "dinding", then, zone)
        at = then
