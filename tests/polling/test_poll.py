"""One poll: from a department's answer over HTTP to facts in real stores."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from lawang.city.network import Network
from lawang.connector import Answer, Cursor, Options, Parsed
from lawang.domain.errors import Fenced, NeedsPerson, RetryLater
from lawang.domain.health import Health, SourceState, health
from lawang.domain.incident import Incident
from lawang.store.engine import migrate, open_engine
from lawang.store.history import History, IncidentFilter
from lawang.store.live import KEPT_AFTER_CLOSING, LiveStore
from tests.polling.conftest import Desk, Interrupted, MakeBound, file_report
from tests.simulator.conftest import HeldClock, Simulator

DeskOn = Callable[..., Desk]


def stored(history: History) -> dict[str, Incident]:
    return {item.id: item for item in history.incidents(IncidentFilter(), limit=10_000)}


def offered(simulator: Simulator, **query: str) -> set[str]:
    """The ids of all reports of two days that e-lapor itself tells of."""
    start = (simulator.clock.now - timedelta(hours=30)).isoformat()
    asked = {"start_date": start, "page_size": "1000", **query}
    answer = simulator.api.get("requests.json", params=asked).raise_for_status()
    return {f"elapor:{record['service_request_id']}" for record in answer.json()}


# --- a good poll ----------------------------------------------------------------------------


def test_a_poll_brings_every_report_of_every_page(
    desk_on: DeskOn, history: History, bind: MakeBound, simulator: Simulator
) -> None:
    state = desk_on(history).poll(bind())
    assert offered(simulator) <= stored(history).keys()
    assert state.records == len(stored(history)) > 20


def test_a_good_poll_is_fresh_and_says_what_it_saw(desk: Desk, bind: MakeBound) -> None:
    bound = bind()
    state = desk.poll(bound)
    assert (state.last_success, state.failures, state.error_kind) == (desk.clock.now, 0, "")
    assert health(state, bound.source.cadence, desk.clock.now) is Health.FRESH
    assert state.observed_at is not None
    assert state.observed_at <= desk.clock.now


def test_what_was_stored_is_live_as_well(desk: Desk, bind: MakeBound) -> None:
    desk.poll(bind())
    oldest = desk.clock.now - KEPT_AFTER_CLOSING
    wanted = {
        key: item
        for key, item in stored(desk.history).items()
        if item.closed_at is None or item.closed_at >= oldest
    }
    assert {item.id: item for item in desk.live.all_incidents()} == wanted


def test_the_state_of_the_source_is_live(desk: Desk, bind: MakeBound) -> None:
    state = desk.poll(bind())
    assert desk.live.source_states() == {"elapor": state}


def test_an_answer_that_is_marked_as_simulated_marks_its_records(
    desk: Desk, bind: MakeBound
) -> None:
    state = desk.poll(bind(simulated=False, network=Network(loopback=True)))
    assert state.simulated
    assert all(item.simulated for item in stored(desk.history).values())


def test_a_poll_that_brings_nothing_new_changes_nothing(
    desk_on: DeskOn, history: History, bind: MakeBound
) -> None:
    desk = desk_on(history)
    for _ in range(2):  # the second one sees older reports that changed lately
        first = desk.poll(bind())
    before = stored(history)
    again = desk.poll(bind(options={"page_size": 21}))
    assert again.records
    assert stored(history) == before
    assert (again.incidents, again.quarantined) == (first.incidents, first.quarantined)


def test_a_whole_reading_twice_doubles_nothing(
    desk_on: DeskOn, history: History, bind: MakeBound
) -> None:
    desk_on(history).poll(bind(options={"updated_parameter": None}))
    before = {key: len(history.events_of(key)) for key in stored(history)}
    again = desk_on(history).poll(bind(options={"updated_parameter": None, "page_size": 7}))
    assert {key: len(history.events_of(key)) for key in stored(history)} == before
    assert again.incidents == len(before)


def test_after_the_first_poll_only_changes_are_asked_for(
    desk: Desk, bind: MakeBound, simulator: Simulator
) -> None:
    first = desk.poll(bind())
    new = file_report(simulator)
    second = desk.poll(bind())
    assert second.records is not None
    assert first.records is not None
    assert 0 < second.records < first.records / 2
    assert f"elapor:{new}" in stored(desk.history)


def test_the_cursor_stands_at_the_newest_change(
    desk: Desk, bind: MakeBound, simulator: Simulator
) -> None:
    file_report(simulator)
    state = desk.poll(bind())
    assert desk.history.cursor("elapor").watermark == state.observed_at == simulator.clock.now


# --- the cursor and the commit --------------------------------------------------------------


@contextmanager
def locked(database: Path) -> Iterator[None]:
    """Another program that keeps SQLite's write lock to itself."""
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@pytest.fixture
def database(desk: Desk, tmp_path: Path) -> Path:
    return tmp_path / "history.sqlite3"


def test_the_cursor_does_not_move_without_its_commit(
    desk: Desk, bind: MakeBound, database: Path
) -> None:
    other = sqlite3.connect(database, isolation_level=None, check_same_thread=False)

    def lock_at_the_end(number: int | None) -> None:
        if number is None:
            other.execute("BEGIN IMMEDIATE")

    with closing(other):
        state = desk.poll(bind(Interrupted(lock_at_the_end)))
    assert (state.error_kind, desk.history.cursor("elapor")) == ("store_busy", Cursor())


def test_what_was_not_acknowledged_is_read_again_and_not_doubled(
    desk: Desk, bind: MakeBound, database: Path
) -> None:
    other = sqlite3.connect(database, isolation_level=None, check_same_thread=False)

    def lock_at_the_end(number: int | None) -> None:
        if number is None:
            other.execute("BEGIN IMMEDIATE")

    with closing(other):
        desk.poll(bind(Interrupted(lock_at_the_end)))
    before = {key: len(desk.history.events_of(key)) for key in stored(desk.history)}
    state = desk.poll(bind())
    after = {key: len(desk.history.events_of(key)) for key in stored(desk.history)}
    assert (after, state.incidents, state.error_kind) == (before, len(before), "")


def test_a_locked_database_is_said_and_loses_nothing(
    desk: Desk, bind: MakeBound, database: Path, simulator: Simulator
) -> None:
    with locked(database):
        state = desk.poll(bind())
    assert (state.error_kind, state.refused, stored(desk.history)) == ("store_busy", False, {})
    assert desk.live.source_states()["elapor"].error_kind == "store_busy"
    desk.poll(bind())
    assert offered(simulator) <= stored(desk.history).keys()


def test_pages_before_a_failing_one_stay(desk: Desk, bind: MakeBound, simulator: Simulator) -> None:
    def break_down(number: int | None) -> None:
        if number == 1:
            simulator.fault("500")

    state = desk.poll(bind(Interrupted(break_down)))
    assert (state.error_kind, state.incidents) == ("bad_status", 20)
    assert len(stored(desk.history)) == len(desk.live.all_incidents()) == 20
    assert desk.history.cursor("elapor") == Cursor()


def test_after_a_broken_poll_the_next_one_completes_it(
    desk: Desk, bind: MakeBound, simulator: Simulator
) -> None:
    def break_down(number: int | None) -> None:
        if number == 1:
            simulator.fault("500")

    desk.poll(bind(Interrupted(break_down)))
    simulator.fault("none")
    state = desk.poll(bind())
    assert offered(simulator) <= stored(desk.history).keys()
    assert state.incidents == len(stored(desk.history))


# --- faults ---------------------------------------------------------------------------------

_FAULTS = [
    ("off", {}, "unreachable", False),
    ("slow", {"seconds": 60}, "timeout", False),
    ("500", {}, "bad_status", False),
    ("429", {}, "rate_limited", False),
    ("garbage", {}, "garbage", False),
    ("truncated", {}, "garbage", False),
    ("auth", {}, "refused", True),
    ("huge", {}, "too_large", True),
]


@pytest.mark.parametrize(("fault", "options", "kind", "refused"), _FAULTS)
def test_a_fault_of_the_source_has_its_own_word(
    desk: Desk,
    bind: MakeBound,
    simulator: Simulator,
    fault: str,
    options: dict[str, float],
    kind: str,
    refused: bool,
) -> None:
    bound = bind(timeout_s=0.7 if fault == "slow" else 10.0, options={"max_bytes": 2_000_000})
    desk.poll(bound)
    before = stored(desk.history)
    simulator.fault(fault, **options)
    desk.clock.forward(seconds=5)
    state = desk.poll(bound)
    assert (state.error_kind, state.refused, state.failures) == (kind, refused, 1)
    # The last good values stay, with the time they are from.
    assert stored(desk.history) == before
    assert state.last_success == desk.clock.now - timedelta(seconds=5)
    expected = Health.REFUSED if refused else Health.LATE
    assert health(state, bound.source.cadence, desk.clock.now) is expected


@pytest.mark.parametrize("fault", ["off", "auth"])
def test_a_mended_source_is_fresh_at_once(
    desk: Desk, bind: MakeBound, simulator: Simulator, fault: str
) -> None:
    simulator.fault(fault)
    desk.poll(bind())
    simulator.fault("none")
    state = desk.poll(bind())
    assert (state.failures, state.failing_since, state.error_detail) == (0, None, "")
    assert health(state, bind().source.cadence, desk.clock.now) is Health.FRESH


def test_wrong_types_are_quarantined_beside_good_records(
    desk: Desk, bind: MakeBound, simulator: Simulator
) -> None:
    simulator.fault("wrong_types")
    state = desk.poll(bind())
    assert state.failures == 0
    assert state.records is not None
    # What lies in quarantine twice over is counted there once.
    assert 0 < state.quarantined <= state.records - state.incidents < state.incidents


def test_a_source_whose_clock_runs_ahead_is_heard_and_counted(
    desk: Desk, bind: MakeBound, simulator: Simulator
) -> None:
    simulator.fault("clock_skew", seconds=7200)
    new = file_report(simulator)
    state = desk.poll(bind())
    assert (state.failures, state.skewed > 0) == (0, True)
    assert stored(desk.history)[f"elapor:{new}"].observed_at == desk.clock.now


def test_a_clock_that_runs_ahead_does_not_push_the_cursor_past_what_comes(
    desk: Desk, bind: MakeBound, simulator: Simulator
) -> None:
    desk.poll(bind())
    before = desk.history.cursor("elapor").watermark
    simulator.fault("clock_skew", seconds=7200)
    file_report(simulator)
    desk.poll(bind())
    assert desk.history.cursor("elapor").watermark == before
    simulator.fault("none")
    after = file_report(simulator)
    desk.poll(bind())
    assert f"elapor:{after}" in stored(desk.history)


def test_times_told_by_a_clock_that_ran_ahead_are_put_right_when_it_is(
    desk: Desk, bind: MakeBound, simulator: Simulator
) -> None:
    desk.poll(bind())
    simulator.fault("clock_skew", seconds=7200)
    name = file_report(simulator)
    desk.poll(bind())
    assert stored(desk.history)[f"elapor:{name}"].requested_at > desk.clock.now
    simulator.fault("none")
    desk.poll(bind())
    assert stored(desk.history)[f"elapor:{name}"].requested_at <= desk.clock.now


def test_what_is_said_of_an_error_holds_neither_address_nor_key(
    desk: Desk, bind: MakeBound, simulator: Simulator
) -> None:
    simulator.fault("auth")
    state = desk.poll(bind(options={"api_key": "very-secret"}))
    assert "very-secret" not in repr(state)
    assert "requests.json" not in state.error_detail


def test_a_source_that_waits_for_its_settings_is_not_asked(desk: Desk, bind: MakeBound) -> None:
    bound = bind(url="http://127.0.0.1:9/", unset=("LAWANG_ELAPOR_URL",))
    state = desk.poll(bound)
    assert (state.error_kind, state.error_detail) == ("not_configured", "LAWANG_ELAPOR_URL")
    assert health(state, bound.source.cadence, desk.clock.now) is Health.NEVER


class Stumbling(Interrupted):
    """A connector with a fault of its own, over a citizen's words."""

    def __init__(self) -> None:
        super().__init__(lambda _number: None)

    def parse(self, options: Options, answer: Answer) -> Parsed:
        words = "Pak Budi, 0812-3456-7890"
        raise ZeroDivisionError(words)


def test_a_crash_over_one_source_does_not_stop_another(desk: Desk, bind: MakeBound) -> None:
    crashed = desk.poll(bind(Stumbling(), id="lain"))
    assert (crashed.error_kind, crashed.error_detail) == ("crash", "ZeroDivisionError")
    assert desk.poll(bind()).failures == 0


def test_the_log_of_a_crash_says_where_but_holds_no_word_of_a_citizen(
    desk: Desk, bind: MakeBound, logged: list[Any]
) -> None:
    desk.poll(bind(Stumbling()))
    (crash,) = (entry for entry in logged if entry["event"] == "poll crashed")
    assert (crash["error"], "in parse" in crash["trace"]) == ("ZeroDivisionError", True)
    assert "exc_info" not in crash
    assert "Budi" not in repr(logged)


# --- the log --------------------------------------------------------------------------------


def said(logged: list[Any], *events: str) -> list[str]:
    return [entry["event"] for entry in logged if entry["event"] in events]


def test_a_failing_source_is_logged_once_and_its_recovery_once(
    desk: Desk, bind: MakeBound, simulator: Simulator, logged: list[Any]
) -> None:
    for fault in ("off", "500", "off", "none", "none"):
        simulator.fault(fault)
        desk.poll(bind())
    assert said(logged, "source fails", "source recovered") == ["source fails", "source recovered"]


def test_a_source_that_fails_anew_is_logged_anew(
    desk: Desk, bind: MakeBound, simulator: Simulator, logged: list[Any]
) -> None:
    for fault in ("500", "none", "500"):
        simulator.fault(fault)
        desk.poll(bind())
    assert said(logged, "source fails") == ["source fails"] * 2


@pytest.fixture
def unready(tmp_path: Path) -> Iterator[History]:
    """A database that answers every question with an error, until it is migrated."""
    store = History(open_engine(f"sqlite:///{tmp_path / 'unready.sqlite3'}"))
    yield store
    store.close()


def test_a_history_that_is_away_from_the_start_is_logged_once(
    desk_on: DeskOn, unready: History, bind: MakeBound, logged: list[Any], tmp_path: Path
) -> None:
    desk = desk_on(unready)
    failures = [desk.poll(bind()).failures for _ in range(3)]
    engine = open_engine(f"sqlite:///{tmp_path / 'unready.sqlite3'}")
    migrate(engine)
    engine.dispose()
    desk.poll(bind())
    assert failures == [1, 2, 3]
    assert said(logged, "source fails", "source recovered") == ["source fails", "source recovered"]


def test_an_outage_is_kept_from_its_first_failure_to_the_recovery(
    desk: Desk, bind: MakeBound, simulator: Simulator
) -> None:
    simulator.fault("500")
    began = desk.clock.now
    desk.poll(bind())
    desk.clock.forward(minutes=1)
    desk.poll(bind())
    simulator.fault("none")
    ended = desk.clock.forward(minutes=1)
    desk.poll(bind())
    (outage,) = desk.history.outages("elapor")
    assert (outage["began_at"], outage["ended_at"], outage["error_kind"]) == (
        began,
        ended,
        "bad_status",
    )


def test_another_poller_still_knows_since_when_a_source_fails(
    desk_on: DeskOn,
    sqlite_history: History,
    bind: MakeBound,
    simulator: Simulator,
    clock: HeldClock,
) -> None:
    simulator.fault("500")
    began = clock.now
    desk_on(sqlite_history).poll(bind())
    clock.forward(minutes=10)
    assert desk_on(sqlite_history).poll(bind()).failing_since == began


# --- leaving a failing source alone ---------------------------------------------------------


@pytest.mark.parametrize("chance", [0.0, 0.999])
def test_the_pause_grows_with_each_failure_up_to_six_intervals(
    desk_on: DeskOn, chance: float, sqlite_history: History
) -> None:
    poller = desk_on(sqlite_history, random_source=lambda: chance).poller
    pauses = [poller.delay_s(10, n, RetryLater("timeout")) for n in range(1, 9)]
    for pause, whole in zip(pauses, [10, 20, 40, 60, 60, 60, 60, 60], strict=True):
        assert 0.9 * whole <= pause <= 0.95 * whole


def test_the_pause_has_an_end_for_slow_sources(desk: Desk) -> None:
    assert desk.poller.delay_s(600, 9, RetryLater("timeout")) <= 900
    # A source that is asked once a day is asked once a day, failing or not.
    assert desk.poller.delay_s(86_400, 9, RetryLater("timeout")) <= 86_400


def test_sources_that_failed_together_do_not_come_back_together(desk: Desk) -> None:
    pauses = {desk.poller.delay_s(10, 3, RetryLater("timeout")) for _ in range(50)}
    assert len(pauses) > 40


@pytest.mark.parametrize("every_s", [1.0, 60.0, 86_400.0])
@pytest.mark.parametrize("wish", [None, 0.0, 5.0, 1e9])
def test_the_pause_is_never_much_shorter_than_an_interval(
    desk: Desk, every_s: float, wish: float | None
) -> None:
    for failures in (1, 2, 3, 10, 10_000):
        pause = desk.poller.delay_s(every_s, failures, RetryLater("rate_limited", "", wish))
        assert 0.9 * every_s <= pause <= max(6 * every_s, 3600)


def test_a_source_that_says_when_to_come_back_is_left_alone_until_then(
    desk: Desk, bind: MakeBound, simulator: Simulator
) -> None:
    simulator.fault("429", retry_after=300)
    failed_at = desk.clock.now
    desk.poll(bind())
    assert not desk.poller.is_due("elapor", failed_at + timedelta(seconds=299))
    assert desk.poller.is_due("elapor", failed_at + timedelta(seconds=300))


def test_nobody_can_ask_to_be_left_alone_for_more_than_an_hour(desk: Desk) -> None:
    assert desk.poller.delay_s(5, 1, RetryLater("rate_limited", "", 86_400)) == 3600


def test_a_refusal_is_asked_again_in_case_a_person_mended_it(desk: Desk) -> None:
    assert desk.poller.delay_s(60, 9, NeedsPerson("refused")) <= 360


def test_a_failed_source_is_left_alone_and_a_good_one_is_not(
    desk: Desk, bind: MakeBound, simulator: Simulator
) -> None:
    bound = bind(every_s=100.0)
    desk.poll(bound)
    assert desk.poller.is_due("elapor", desk.clock.now)
    simulator.fault("500")
    desk.poll(bound)
    assert not desk.poller.is_due("elapor", desk.clock.now + timedelta(seconds=89))
    assert desk.poller.is_due("elapor", desk.clock.now + timedelta(seconds=96))


def test_a_recovered_source_is_due_at_once(
    desk: Desk, bind: MakeBound, simulator: Simulator
) -> None:
    simulator.fault("500")
    desk.poll(bind())
    simulator.fault("none")
    desk.poll(bind())
    assert desk.poller.is_due("elapor", desk.clock.now)


# --- totals ---------------------------------------------------------------------------------


def assert_counted(state: SourceState, history: History) -> None:
    """The totals that were carried on from poll to poll are those of counting everything."""
    counts = history.source_counts("elapor")
    counts["quarantined"] = history.quarantine_count("elapor")
    assert {name: getattr(state, name) for name in counts} == counts


def test_totals_that_are_carried_on_are_those_of_counting_everything(
    desk_on: DeskOn, history: History, bind: MakeBound, simulator: Simulator
) -> None:
    desk = desk_on(history)
    whole = {"updated_parameter": None}
    plan = [
        ("wrong_types", {}),
        ("none", {}),
        ("none", {"category_map": {}}),
        ("none", {"status_map": {}, "note_map": {}}),
        ("wrong_types", {}),
    ]
    for fault, changes in plan:
        simulator.fault(fault)
        # Another window each time, or "not modified" would hide what another map makes of it.
        bound = bind(options=whole | {"page_size": 20 + len(changes)}, **changes)
        desk.clock.forward(seconds=5)
        assert_counted(desk.poll(bound), history)


def test_a_new_poller_begins_with_the_totals_of_history(
    desk_on: DeskOn, sqlite_history: History, bind: MakeBound
) -> None:
    first = desk_on(sqlite_history).poll(bind())
    second = desk_on(sqlite_history).poll(bind())
    assert (second.incidents, second.unlocated, second.quarantined) == (
        first.incidents,
        first.unlocated,
        first.quarantined,
    )
    assert_counted(second, sqlite_history)


# --- the cache is gone, or another clock has taken over -------------------------------------


def test_without_a_cache_facts_are_stored_and_a_refill_is_asked_for(
    desk_on: DeskOn, sqlite_history: History, bind: MakeBound, simulator: Simulator
) -> None:
    with closing(LiveStore("redis://127.0.0.1:9/0", "palembang")) as away:
        desk = desk_on(sqlite_history, away)
        state = desk.poll(bind())
    assert (state.failures, desk.lost > 0) == (0, True)
    assert offered(simulator) <= stored(sqlite_history).keys()


def test_a_poller_that_was_replaced_must_not_write(
    desk_on: DeskOn, history: History, bind: MakeBound, live: LiveStore
) -> None:
    newer, older = desk_on(history), desk_on(history)
    newer.poller.fence = 2
    newer.poll(bind())
    before = (stored(history), live.source_states())
    with pytest.raises(Fenced):
        older.poll(bind(options={"updated_parameter": None, "page_size": 7}))
    assert (stored(history), live.source_states()) == before
