"""Rules on real history, SQLite and PostgreSQL: alarms, their log, restarts, people."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from datetime import time as clock_time
from typing import Any

import pytest

from lawang.city import City
from lawang.domain.alarm import OPEN_STATES, Alarm, AlarmEventKind, AlarmState
from lawang.domain.errors import LawangError
from lawang.domain.facts import Facts
from lawang.domain.rule import Rule, Silence, Surge
from lawang.rules.evaluate import evaluate
from lawang.rules.gather import Gatherer
from lawang.rules.panel import AlarmsPanel
from lawang.rules.watch import RuleWatch, Touched, Warden, place_of
from lawang.store.alarms import AlarmFilter, Step
from lawang.store.history import History
from lawang.store.live import LiveStore
from lawang.store.readings import ReadingFilter
from tests.conftest import build_incident
from tests.rules.desk import MEASURE, NOW, SOURCE, heard, minutes, rule
from tests.store.facts import WIB, reading

HIGH = rule()


def with_rules(city: City, *rules: Rule) -> City:
    return replace(city, rules={each.id: each for each in rules})


class Office:
    """A warden on history; the clock and the readings are the test's."""

    def __init__(self, city: City, history: History, *rules: Rule) -> None:
        self.city = with_rules(city, *(rules or (HIGH,)))
        self.history = history
        self.warden = Warden(self.city, history)

    def restart(self) -> None:
        self.warden = Warden(self.city, self.history)

    def measure(self, at: float, value: float, **changes: Any) -> None:
        """A reading of the water at gauge a."""
        made = reading(
            value,
            minutes(at),
            MEASURE,
            source_id=SOURCE,
            kecamatan="16.71.01",
            **{"fetched_at": minutes(at), **changes},
        )
        measures = {MEASURE: self.city.sources[SOURCE].measures[MEASURE]}
        self.history.settle(
            SOURCE, [], facts=Facts(readings=[made], measures=measures, zone=WIB),
            fetched_at=minutes(at), fence=1,
        )  # fmt: skip

    def look(self, at: float, **states: Any) -> int:
        now = minutes(at)
        return self.warden.take_turn(now, states.get("states") or heard(now))

    def alarms(self, *states: AlarmState) -> list[Alarm]:
        return self.history.alarms.find(AlarmFilter(states=states), 100)

    def log(self, alarm: Alarm) -> list[tuple[AlarmEventKind, str, str]]:
        return [(each.kind, each.by, each.note) for each in self.history.alarms.events(alarm.id)]


@pytest.fixture
def office(city: City, history: History) -> Office:
    return Office(city, history)


def raised(office: Office) -> Alarm:
    office.measure(0, 280)
    office.look(1)
    (alarm,) = office.alarms()
    return alarm


def test_an_alarm_is_raised_once_and_kept_with_all_that_is_known(office: Office) -> None:
    alarm = raised(office)
    assert (alarm.state, alarm.value, alarm.region) == (AlarmState.ACTIVE, 280, "16.71.01")
    assert (alarm.began_at, alarm.active_at, alarm.observed_at) == (NOW, minutes(1), NOW)
    assert alarm.simulated
    assert [office.look(at) for at in (1, 1.1, 2)] == [0, 0, 0]
    assert len(office.alarms()) == 1


def test_its_value_follows_without_an_entry_in_the_log(office: Office) -> None:
    raised(office)
    office.measure(2, 300)
    assert office.look(2) == 1
    (alarm,) = office.alarms()
    assert (alarm.value, alarm.observed_at, alarm.version) == (300, minutes(2), 2)
    assert office.log(alarm) == [(AlarmEventKind.RAISED, "", "")]


def test_its_life_is_in_the_log(office: Office) -> None:
    raised(office)
    office.look(30)
    office.measure(31, 200)
    office.look(31)
    (alarm,) = office.alarms()
    assert (alarm.state, alarm.ended_at) == (AlarmState.CLEARED, minutes(31))
    assert [kind for kind, _by, _note in office.log(alarm)] == [
        AlarmEventKind.RAISED,
        AlarmEventKind.UNKNOWN,
        AlarmEventKind.CLEARED,
    ]


def test_what_nobody_can_tell_of_is_counted_without_an_alarm(office: Office) -> None:
    office.measure(0, 100)
    office.look(30)
    assert office.alarms() == []
    assert office.history.alarms.blind() == {"uji": 1}
    office.measure(31, 100)
    office.look(31)
    assert office.history.alarms.blind() == {}


def test_a_restart_in_the_middle_of_a_duration_goes_on_with_it(
    city: City, history: History
) -> None:
    office = Office(city, history, rule(for_s=600))
    office.measure(0, 280)
    office.look(0)
    office.restart()
    office.measure(9, 280)
    office.look(9)
    assert office.alarms() == []
    office.restart()
    office.look(10)
    (alarm,) = office.alarms()
    assert alarm.began_at == NOW


def test_a_restart_raises_nothing_twice(office: Office) -> None:
    alarm = raised(office)
    office.restart()
    office.look(2)
    assert office.alarms() == [alarm]


def test_two_pollers_that_hand_over_raise_it_once(office: Office) -> None:
    office.measure(0, 280)
    now = minutes(1)
    facts = Gatherer(office.history).gather([HIGH], heard(now), now)
    # Both looked before either had written.
    (change,) = evaluate([HIGH], facts, {}, place_of(office.city), now).changes
    step = Step(
        watch=change.watch, judgement=change.judgement, transitions=change.transitions,
        severity=HIGH.severity, simulated=True,
    )  # fmt: skip
    assert [office.history.alarms.apply([step], now) for _ in range(2)] == [1, 0]
    (alarm,) = office.alarms()
    assert office.log(alarm) == [(AlarmEventKind.RAISED, "", "")]


def test_a_person_who_resolves_during_an_evaluation_is_not_overruled(office: Office) -> None:
    alarm = raised(office)
    watches = office.history.alarms.watches()
    office.measure(2, 290)
    now = minutes(2)
    facts = Gatherer(office.history).gather([HIGH], heard(now), now)
    (change,) = evaluate([HIGH], facts, watches, place_of(office.city), now).changes
    office.history.alarms.resolve(alarm.id, by="Sari", note="salah ukur", at=now)
    step = Step(
        watch=change.watch, judgement=change.judgement, transitions=change.transitions,
        severity=HIGH.severity, simulated=True,
    )  # fmt: skip
    assert office.history.alarms.apply([step], now) == 0
    assert office.alarms(*OPEN_STATES) == []


def test_held_back_readings_raise_nothing(office: Office) -> None:
    office.measure(0, 100)
    office.measure(1, 5000)  # more than the gauge can measure
    office.look(1)
    assert office.alarms() == []


def test_readings_out_of_order_do_not_reopen_the_past(office: Office) -> None:
    office.measure(5, 100)
    office.measure(2, 400, fetched_at=minutes(6))
    office.look(6)
    assert office.alarms() == []


def test_a_correction_ends_an_alarm_that_was_a_mistake(office: Office) -> None:
    raised(office)
    office.measure(0, 28, fetched_at=minutes(2))
    office.look(2)
    (alarm,) = office.alarms()
    assert alarm.state is AlarmState.CLEARED


def test_alarms_of_a_rule_that_is_gone_are_retired(office: Office, city: City) -> None:
    raised(office)
    other = Office(city, office.history, rule(id="lain"))
    other.look(2)
    assert [each.state for each in office.alarms() if each.rule == "uji"] == [AlarmState.RETIRED]


def test_a_surge_is_found_among_the_incidents_of_history(city: City, history: History) -> None:
    surge = Surge(
        categories=("banjir",), sources=("elapor",), by_kecamatan=True, within_s=3600, weeks=2,
        least=3, p=0.01, least_weeks=2,
    )  # fmt: skip
    office = Office(city, history, rule(surge, id="lonjakan"))
    items = [("lama", minutes(-60 * 24 * 22), "16.71.01", "jalan")]
    items += [(f"b{n}", minutes(-n), "16.71.01", "banjir") for n in range(3)]
    items += [(f"c{n}", minutes(-n), "16.71.02", "jalan") for n in range(9)]
    history.settle(
        "elapor",
        [
            build_incident(external_id=name, requested_at=at, kecamatan=place, category=category)
            for name, at, place, category in items
        ],
        fetched_at=NOW,
        fence=1,
    )
    office.look(0)
    (alarm,) = office.alarms()
    assert (alarm.region, alarm.value, alarm.observed_at) == ("16.71.01", 3, NOW)


# --- people --------------------------------------------------------------------------------------


def test_acknowledging_is_noted_with_a_name_and_a_time(office: Office) -> None:
    alarm = raised(office)
    after = office.history.alarms.acknowledge(alarm.id, by="Sari", note="dicek", at=minutes(2))
    assert (after.acked_by, after.acked_at, after.state) == ("Sari", minutes(2), AlarmState.ACTIVE)
    assert office.log(alarm)[-1] == (AlarmEventKind.ACKNOWLEDGED, "Sari", "dicek")


def test_a_shelf_ends_by_itself_and_says_so(office: Office) -> None:
    alarm = raised(office)
    store = office.history.alarms
    store.shelve(alarm.id, until=minutes(10), by="Sari", reason="uji pompa", at=minutes(2))
    panel = AlarmsPanel(office.city, office.history)
    assert (panel(minutes(9))["alarms"], panel(minutes(9))["shelved"]) == ({}, 1)
    assert list(panel(minutes(10))["alarms"]) == [str(alarm.id)]
    office.look(10)
    assert office.log(alarm)[-1] == (AlarmEventKind.SHELF_ENDED, "", "")


def test_a_resolved_one_comes_back_with_the_next_bad_reading_only(office: Office) -> None:
    alarm = raised(office)
    office.history.alarms.resolve(alarm.id, by="Sari", note="sensor dibersihkan", at=minutes(2))
    office.look(3)
    office.restart()
    office.look(4)
    assert office.alarms(*OPEN_STATES) == []
    office.measure(5, 281)
    office.look(5)
    (again,) = office.alarms(*OPEN_STATES)
    assert again.id != alarm.id


@pytest.mark.parametrize("action", ["acknowledge", "resolve", "unshelve"])
def test_nobody_acts_on_what_is_over(office: Office, action: str) -> None:
    alarm = raised(office)
    store = office.history.alarms
    store.resolve(alarm.id, by="Sari", note="selesai", at=minutes(2))
    with pytest.raises(LawangError, match="over already"):
        getattr(store, action)(alarm.id, by="Budi", note="lagi", at=minutes(3))


def test_a_name_and_a_reason_are_asked_for(office: Office) -> None:
    alarm = raised(office)
    store = office.history.alarms
    with pytest.raises(LawangError, match="name"):
        store.acknowledge(alarm.id, by=" ", note="", at=NOW)
    with pytest.raises(LawangError, match="reason"):
        store.shelve(alarm.id, until=minutes(60), by="Sari", reason="", at=NOW)
    with pytest.raises(LawangError, match="to come"):
        store.shelve(alarm.id, until=NOW, by="Sari", reason="x", at=NOW)
    with pytest.raises(LawangError, match="note"):
        store.resolve(alarm.id, by="Sari", note="", at=NOW)


# --- what is shown -------------------------------------------------------------------------------


def test_the_panel_tells_an_alarm_in_both_languages(office: Office) -> None:
    alarm = raised(office)
    panel = AlarmsPanel(office.city, office.history)(minutes(2))
    entry = panel["alarms"][str(alarm.id)]
    assert entry["text_id"] == "280 di A, Ilir Barat II, sejak 10.00 WIB"
    assert entry["text_en"] == "280 at A, Ilir Barat II, since 10.00 WIB"
    assert (panel["worst"], panel["unknown"], panel["blind"]) == ("major", 0, {})


def test_an_alarm_stands_where_its_gauge_is(office: Office) -> None:
    places = {"a": (-2.98, 104.74), "b": (-3.01, 104.8)}
    for subject, (latitude, longitude) in places.items():
        office.measure(0, 280, subject=subject, latitude=latitude, longitude=longitude)
    office.look(1)
    entries = AlarmsPanel(office.city, office.history)(minutes(2))["alarms"]
    told = {alarm.subject: entries[str(alarm.id)]["p"] for alarm in office.alarms()}
    assert told == {name: [east, north] for name, (north, east) in places.items()}


def test_a_silenced_one_is_evaluated_and_logged_but_not_announced(
    city: City, history: History
) -> None:
    window = Silence(days=frozenset(range(7)), first=clock_time(9), until=clock_time(11))
    office = Office(city, history, rule(silences=(window,)))
    alarm = raised(office)
    assert office.log(alarm) == [(AlarmEventKind.RAISED, "", "silenced")]
    panel = AlarmsPanel(office.city, history)
    assert (panel(minutes(2))["alarms"], panel(minutes(2))["silenced"]) == ({}, 1)
    assert list(panel(minutes(60))["alarms"]) == [str(alarm.id)]


def test_an_announcement_touches_the_rules_that_hang_on_it(city: City) -> None:
    touched = Touched(city.rules.values())
    by_reading = touched.by(
        {"incidents": [], "source": None, "readings": [f"{SOURCE}/{MEASURE}/x/y"]}
    )
    assert by_reading == {"air_siaga", "air_awas", "air_naik_cepat", "pos_air_diam"}
    assert touched.by({"incidents": ["x"], "source": None}) == {
        "lonjakan_banjir",
        "lonjakan_kebakaran",
    }
    assert touched.by({"incidents": [], "source": "pbb"}) == set()
    assert touched.by({"incidents": [], "source": None, "alarms": True}) == set()


def test_the_worker_evaluates_at_a_change_and_tells_the_board(
    city: City, sqlite_history: History, live: LiveStore
) -> None:
    office = Office(city, sqlite_history)
    now: list[datetime] = [minutes(0)]
    worker = RuleWatch(
        office.city, sqlite_history, live, clock=lambda: now[0],
        tick_s=3600, gap_s=0.05, first_after_s=0,
    )  # fmt: skip
    heard_of = live.listen_changed()
    worker.start()
    try:
        live.put(state=heard(NOW)[SOURCE])
        office.measure(0, 280)
        made = sqlite_history.readings.latest(ReadingFilter(sources=(SOURCE,)))
        deadline = time.monotonic() + 60
        told = False
        while not told:
            assert time.monotonic() < deadline, "in vain: the board is told of an alarm"
            live.put(readings=made, state=heard(NOW)[SOURCE])
            message = heard_of.get_message(timeout=0.2)
            while message is not None and not told:
                told = b'"alarms":true' in message["data"]
                message = heard_of.get_message(timeout=0)
    finally:
        worker.stop()
        heard_of.close()
    (alarm,) = office.alarms()
    assert alarm.active_at - NOW < timedelta(minutes=1)


def test_a_stumble_while_the_cache_is_away_does_not_end_the_watch(
    city: City, sqlite_history: History
) -> None:
    office = Office(city, sqlite_history)
    asked = 0

    def clock() -> datetime:
        nonlocal asked
        asked += 1
        # The first time is asked for by starting, the second by the first turn.
        if asked == 2:
            raise ZeroDivisionError
        return minutes(0)

    with closing(LiveStore("redis://127.0.0.1:9/0", "palembang")) as away:
        worker = RuleWatch(
            office.city, sqlite_history, away, clock=clock, tick_s=0.05, first_after_s=0
        )
        worker.start()
        try:
            deadline = time.monotonic() + 60
            while asked < 4:
                assert time.monotonic() < deadline, "in vain: a turn after the stumble"
                time.sleep(0.02)
        finally:
            worker.stop()
