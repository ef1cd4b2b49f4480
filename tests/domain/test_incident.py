"""The lifecycle of a report: observations make events, and the events make the state again."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lawang.domain.incident import (
    EventKind,
    Incident,
    IncidentEvent,
    Status,
    apply,
    compare,
    derive,
    from_plain,
    incident_from_plain,
    incident_id,
    incident_to_plain,
    is_outdated,
    to_plain,
)
from tests.conftest import REQUESTED_AT, build_incident

OPEN = [
    Status.WAITING,
    Status.COORDINATION,
    Status.DISPOSITION,
    Status.IN_PROGRESS,
    Status.RETURNED,
    Status.UNKNOWN,
]
CLOSED = [Status.DONE, Status.REJECTED]


def after(**times: float) -> datetime:
    """A moment counted from the report."""
    return REQUESTED_AT + timedelta(**times)


def seen(status: Status = Status.WAITING, **changes: Any) -> Incident:
    return build_incident(status=status, **changes)


def follow(*observations: Incident) -> tuple[list[IncidentEvent], Incident]:
    """The log that observations make one after the other, and the state it leads to."""
    log: list[IncidentEvent] = []
    for observation in observations:
        log += compare(derive(log), observation)
    state = derive(log)
    assert state is not None
    return log, state


def kinds(log: list[IncidentEvent]) -> list[EventKind]:
    return [event.kind for event in log]


# --- the statuses --------------------------------------------------------------------------------


@pytest.mark.parametrize("status", OPEN)
def test_somebody_still_has_to_act_in_an_open_status(status: Status) -> None:
    assert status.is_open


@pytest.mark.parametrize("status", CLOSED)
def test_nobody_has_to_act_on_a_finished_or_rejected_report(status: Status) -> None:
    assert not status.is_open


def test_every_status_is_either_open_or_closed_here() -> None:
    assert {*OPEN, *CLOSED} == set(Status)


def test_an_incident_is_past_due_only_after_its_due_time() -> None:
    incident = seen(due_at=after(hours=1))
    assert [incident.is_past_due(after(minutes=m)) for m in (59, 60, 61)] == [False, False, True]


def test_a_closed_incident_is_never_past_due() -> None:
    assert not seen(Status.DONE, due_at=after(hours=1)).is_past_due(after(days=9))


def test_an_incident_without_a_due_time_is_never_past_due() -> None:
    assert not seen(due_at=None).is_past_due(after(days=9000))


def test_two_sources_may_use_the_same_number() -> None:
    assert incident_id("elapor", "17") != incident_id("damkar", "17")


# --- first sight ---------------------------------------------------------------------------------


def test_a_new_waiting_report_makes_one_event_at_the_time_of_the_report() -> None:
    log, state = follow(seen(observed_at=after(minutes=2)))
    assert kinds(log) == [EventKind.REPORTED]
    assert (log[0].at, log[0].open_delta) == (REQUESTED_AT, 1)
    assert state == seen(observed_at=after(minutes=2))


@pytest.mark.parametrize("status", [status for status in OPEN if status is not Status.WAITING])
def test_a_report_first_seen_on_its_way_was_waiting_before(status: Status) -> None:
    log, state = follow(seen(status, observed_at=after(hours=3)))
    assert kinds(log) == [EventKind.REPORTED, EventKind.STATUS_CHANGED]
    assert apply(None, log[0]).status is Status.WAITING
    assert [event.at for event in log] == [REQUESTED_AT, after(hours=3)]
    assert [event.open_delta for event in log] == [1, 0]
    assert state == seen(status, observed_at=after(hours=3))


@pytest.mark.parametrize("status", CLOSED)
def test_a_report_first_seen_closed_was_closed_when_its_source_says(status: Status) -> None:
    log, state = follow(seen(status, observed_at=after(days=2)))
    assert [event.open_delta for event in log] == [1, -1]
    assert log[1].at == after(days=2)
    assert state.closed_at == after(days=2)


def test_a_report_first_seen_closed_at_a_source_without_times_is_no_work_of_today() -> None:
    log, state = follow(
        seen(Status.DONE, observed_at=after(days=90), observed_estimated=True, closed_at=None)
    )
    assert log[1].at == REQUESTED_AT
    assert state.closed_at == REQUESTED_AT


def test_a_report_that_its_source_changed_before_it_was_made_begins_at_the_earlier_time() -> None:
    log, _state = follow(seen(Status.IN_PROGRESS, observed_at=after(minutes=-5)))
    assert [event.at for event in log] == [after(minutes=-5)] * 2


# --- moving on -----------------------------------------------------------------------------------


def test_a_whole_life_is_told_step_by_step() -> None:
    way = [
        Status.WAITING,
        Status.COORDINATION,
        Status.DISPOSITION,
        Status.IN_PROGRESS,
        Status.DONE,
        Status.WAITING,
        Status.IN_PROGRESS,
        Status.DONE,
    ]
    log, state = follow(*(seen(s, observed_at=after(hours=h)) for h, s in enumerate(way)))
    changed, reopened = EventKind.STATUS_CHANGED, EventKind.REOPENED
    assert kinds(log) == [EventKind.REPORTED, *[changed] * 4, reopened, *[changed] * 2]
    assert [event.open_delta for event in log] == [1, 0, 0, 0, -1, 1, 0, -1]
    assert (state.status, state.closed_at, state.reopened) == (Status.DONE, after(hours=7), 1)


@pytest.mark.parametrize("closed", CLOSED)
@pytest.mark.parametrize("status", OPEN)
def test_a_closed_report_that_is_open_again_is_reopened(closed: Status, status: Status) -> None:
    log, state = follow(
        seen(closed, observed_at=after(hours=1)), seen(status, observed_at=after(hours=2))
    )
    assert (log[-1].kind, log[-1].open_delta) == (EventKind.REOPENED, 1)
    assert (state.closed_at, state.reopened) == (None, 1)


def test_every_reopening_is_counted() -> None:
    way = [Status.DONE, Status.WAITING] * 3
    _log, state = follow(*(seen(s, observed_at=after(hours=h)) for h, s in enumerate(way, 1)))
    assert state.reopened == 3


def test_a_returned_report_stays_open() -> None:
    log, state = follow(seen(), seen(Status.RETURNED, observed_at=after(hours=1)))
    assert (log[-1].kind, log[-1].open_delta) == (EventKind.STATUS_CHANGED, 0)
    assert state.closed_at is None


def test_a_status_that_its_source_newly_invented_does_not_close_a_report() -> None:
    _log, state = follow(
        seen(), seen(Status.UNKNOWN, status_raw="dialihkan", observed_at=after(hours=1))
    )
    assert state.is_open


def test_a_rejection_after_the_work_was_done_keeps_the_time_of_closing() -> None:
    log, state = follow(
        seen(Status.DONE, observed_at=after(hours=1)),
        seen(Status.REJECTED, observed_at=after(hours=2)),
    )
    assert log[-1].open_delta == 0
    assert state.closed_at == after(hours=1)


def test_a_change_of_words_amends_and_holds_nothing_but_the_change() -> None:
    log, state = follow(seen(), seen(description="Sudah surut.", observed_at=after(hours=1)))
    times = {"observed_at", "observed_estimated", "fetched_at"}
    assert log[-1].kind is EventKind.AMENDED
    assert log[-1].changes.keys() - times == {"description"}
    assert (state.description, state.observed_at) == ("Sudah surut.", after(hours=1))


@pytest.mark.parametrize(
    "changes",
    [
        {"category": "jalan"},
        {"status_note": None},
        {"agency": "Dinas PUPR"},
        {"media_url": "https://contoh.id/1.jpg"},
        {"latitude": -2.98},
        {"kecamatan": None, "kelurahan": None, "placed_by": ""},
        {"location_problem": "outside"},
        {"due_at": None},
        {"requested_at": REQUESTED_AT - timedelta(hours=1), "observed_at": REQUESTED_AT},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_any_difference_that_a_person_can_see_is_an_event(changes: dict[str, Any]) -> None:
    log, state = follow(seen(), seen(**changes, fetched_at=after(minutes=9)))
    assert kinds(log) == [EventKind.REPORTED, EventKind.AMENDED]
    assert all(
        getattr(state, name) == value for name, value in changes.items() if name != "observed_at"
    )


def test_the_same_observation_twice_is_no_event() -> None:
    first = seen(Status.IN_PROGRESS, observed_at=after(hours=1))
    log, _state = follow(first, replace(first, fetched_at=after(hours=5)))
    assert len(log) == 2


def test_a_newer_time_alone_is_no_event() -> None:
    log, _state = follow(seen(), seen(observed_at=after(hours=1)))
    assert len(log) == 1


# --- times ---------------------------------------------------------------------------------------


def test_what_is_older_than_what_is_known_changes_nothing() -> None:
    known = seen(Status.DONE, observed_at=after(hours=2))
    late = seen(Status.IN_PROGRESS, observed_at=after(hours=1))
    assert is_outdated(known, late)
    assert compare(known, late) == []


@pytest.mark.parametrize("estimated", ["known", "incoming"])
def test_a_time_that_nobody_stated_outdates_nothing(estimated: str) -> None:
    known = seen(observed_at=after(hours=2), observed_estimated=estimated == "known")
    incoming = seen(
        Status.DONE, observed_at=after(hours=1), observed_estimated=estimated == "incoming"
    )
    assert not is_outdated(known, incoming)
    assert compare(known, incoming)


def test_a_change_at_an_unchanged_time_happened_when_we_saw_it() -> None:
    log, state = follow(
        seen(observed_at=after(hours=1)),
        seen(Status.DONE, observed_at=after(hours=1), fetched_at=after(hours=4)),
    )
    assert (log[-1].at, state.closed_at) == (after(hours=4), after(hours=4))
    assert state.observed_estimated


def test_a_source_without_times_moves_when_we_see_it_move() -> None:
    def guess(status: Status, hours: float) -> Incident:
        return seen(status, observed_at=after(hours=hours), observed_estimated=True)

    log, state = follow(guess(Status.WAITING, 1), guess(Status.WAITING, 2), guess(Status.DONE, 3))
    assert [event.at for event in log] == [REQUESTED_AT, after(hours=3, seconds=5)]
    assert state.observed_estimated


def test_the_log_does_not_run_backwards_behind_a_slow_clock() -> None:
    silently = seen(Status.DONE, fetched_at=after(hours=3))
    stated = [
        seen(status, observed_at=after(hours=hours), fetched_at=after(hours=hours + 3))
        for status, hours in ((Status.WAITING, 1), (Status.DONE, 2))
    ]
    log, state = follow(seen(), silently, *stated)
    assert [event.at for event in log] == [REQUESTED_AT, *[after(hours=3)] * 3]
    assert (state.observed_at, state.observed_estimated) == (after(hours=3), True)


def test_a_stated_time_counts_again_once_it_has_caught_up() -> None:
    _log, state = follow(
        seen(),
        seen(Status.DONE, fetched_at=after(hours=3)),
        seen(Status.WAITING, observed_at=after(hours=4)),
    )
    assert (state.observed_at, state.observed_estimated) == (after(hours=4), False)


# --- the log and the state -----------------------------------------------------------------------


def test_an_empty_log_leads_to_nothing() -> None:
    assert derive([]) is None


def test_a_log_without_its_beginning_is_refused() -> None:
    log, _state = follow(seen(), seen(Status.DONE, observed_at=after(hours=1)))
    with pytest.raises(ValueError, match="the log begins with status_changed"):
        derive(log[1:])


def test_an_event_leaves_the_earlier_state_as_it_was() -> None:
    log, _state = follow(seen(), seen(Status.DONE, observed_at=after(hours=1)))
    before = apply(None, log[0])
    apply(before, log[1])
    assert before.status is Status.WAITING


@st.composite
def observations(draw: st.DrawFn) -> list[Incident]:
    """What polls may see of one report: moved or not, with stated, slow, early or no times."""
    found = []
    fetched_at = REQUESTED_AT
    requested_at = REQUESTED_AT - timedelta(minutes=draw(st.integers(0, 200)))
    for _ in range(draw(st.integers(1, 8))):
        fetched_at += timedelta(minutes=draw(st.integers(0, 30)))
        stated = draw(st.none() | st.integers(-200, 5))
        status = draw(st.sampled_from(Status))
        observed_at = fetched_at if stated is None else fetched_at + timedelta(minutes=stated)
        found.append(
            seen(
                status,
                description=draw(st.sampled_from(["Banjir.", "Banjir besar.", ""])),
                kecamatan=draw(st.sampled_from(["16.71.06", None])),
                due_at=draw(st.none() | st.just(after(days=1))),
                requested_at=requested_at,
                observed_at=observed_at,
                observed_estimated=stated is None,
                fetched_at=fetched_at,
            )
        )
    return found


def logged(seen_ones: list[Incident]) -> list[IncidentEvent]:
    return follow(*seen_ones)[0]


@given(observations())
def test_the_state_carried_along_is_the_state_derived_from_the_log(found: list[Incident]) -> None:
    log: list[IncidentEvent] = []
    state: Incident | None = None
    for observation in found:
        events = compare(state, observation)
        for event in events:
            state = apply(state, event)
        log += events
    assert state == derive(log)


@given(observations())
def test_seeing_the_last_observation_again_adds_nothing(found: list[Incident]) -> None:
    log = logged(found)
    again = replace(found[-1], fetched_at=found[-1].fetched_at + timedelta(hours=1))
    state = derive(log)
    assert compare(state, found[-1]) == compare(state, again) == []


@given(observations())
def test_the_log_never_runs_backwards(found: list[Incident]) -> None:
    assert all(one.at <= other.at for one, other in pairwise(logged(found)))


@given(observations())
def test_open_deltas_add_up_to_open_or_not_after_every_event(found: list[Incident]) -> None:
    log = logged(found)
    for length in range(1, len(log) + 1):
        state = derive(log[:length])
        assert state is not None
        assert sum(event.open_delta for event in log[:length]) == int(state.is_open)


@given(observations())
def test_a_time_of_closing_is_there_exactly_while_closed(found: list[Incident]) -> None:
    log = logged(found)
    for length in range(1, len(log) + 1):
        state = derive(log[:length])
        assert state is not None
        assert (state.closed_at is None) == state.is_open


@given(observations())
def test_what_the_newest_observation_says_is_the_state(found: list[Incident]) -> None:
    state = derive(logged(found[:-1])) if found[1:] else None
    if state is not None and is_outdated(state, found[-1]):
        return
    _log, state = follow(*found)
    for name in ("status", "description", "kecamatan", "due_at"):
        assert getattr(state, name) == getattr(found[-1], name)


# --- as plain values -----------------------------------------------------------------------------


@given(observations())
def test_a_state_survives_the_way_through_json(found: list[Incident]) -> None:
    _log, state = follow(*found)
    assert incident_from_plain(json.loads(json.dumps(incident_to_plain(state)))) == state


@given(observations())
def test_the_changes_of_an_event_survive_the_way_through_json(found: list[Incident]) -> None:
    for event in logged(found):
        assert from_plain(json.loads(json.dumps(to_plain(event.changes)))) == event.changes


def test_microseconds_survive_and_other_zones_become_utc() -> None:
    moment = datetime(2026, 11, 21, 10, 0, 0, 123456, tzinfo=UTC)
    plain = {"observed_at": "2026-11-21T17:00:00.123456+07:00", "due_at": None}
    assert from_plain(plain) == {"observed_at": moment, "due_at": None}


def test_an_instant_in_a_citizens_words_stays_text() -> None:
    words = {"description": "2026-11-21T17:00:00+07:00"}
    assert from_plain(to_plain(words)) == words


# --- verified closings ---------------------------------------------------------------------------


def done(closed: datetime, *, changed: datetime | None = None, **changes: Any) -> Incident:
    """A finished report that last changed at `changed`."""
    return seen(Status.DONE, closed_at=closed, observed_at=changed or closed, **changes)


def test_a_verification_is_an_event_of_its_own_time() -> None:
    at = after(days=3)
    log, state = follow(
        seen(), done(after(days=1)), done(after(days=1), changed=after(days=4), verified_at=at)
    )
    assert kinds(log)[-1] is EventKind.VERIFIED
    assert (log[-1].at, state.verified_at, state.closed_at) == (at, at, after(days=1))


def test_a_verification_changes_no_count_of_open_reports() -> None:
    log, _ = follow(seen(), done(after(days=1)), done(after(days=1), verified_at=after(days=2)))
    assert [event.open_delta for event in log] == [1, -1, 0]


def test_before_its_verification_a_past_moment_knows_of_none() -> None:
    log, _ = follow(seen(), done(after(days=1), changed=after(days=4), verified_at=after(days=3)))
    states = [
        derive(event for event in log if event.at <= after(days=number)) for number in range(4)
    ]
    assert [each and each.is_open for each in states] == [True, False, False, False]
    assert [each and each.verified_at for each in states] == [None, None, None, after(days=3)]


def test_a_first_sight_of_a_verified_report_tells_all_three() -> None:
    log, state = follow(done(after(days=1), changed=after(days=5), verified_at=after(days=3)))
    assert [(event.kind, event.at) for event in log] == [
        (EventKind.REPORTED, after()),
        (EventKind.STATUS_CHANGED, after(days=1)),
        (EventKind.VERIFIED, after(days=3)),
    ]
    assert (state.closed_at, state.observed_at) == (after(days=1), after(days=5))


def test_the_same_verification_again_is_no_news() -> None:
    one = done(after(days=1), changed=after(days=3), verified_at=after(days=3))
    _, state = follow(seen(), one)
    assert compare(state, one) == []


def test_a_reopened_report_loses_its_verification() -> None:
    log, state = follow(
        done(after(days=1), changed=after(days=2), verified_at=after(days=2)),
        seen(observed_at=after(days=3)),
    )
    assert kinds(log)[-1] is EventKind.REOPENED
    assert (state.verified_at, state.closed_at, state.reopened) == (None, None, 1)


def test_the_verification_of_an_earlier_closing_says_nothing_of_the_next_one() -> None:
    old = after(days=2)
    _, state = follow(
        done(after(days=1), changed=old, verified_at=old),
        seen(observed_at=after(days=3)),
        done(after(days=5), verified_at=old),
        done(after(days=5), changed=after(days=6), verified_at=old, description="lagi"),
    )
    assert state.verified_at is None
    _, state = follow(
        done(after(days=1), changed=old, verified_at=old),
        seen(observed_at=after(days=3)),
        done(after(days=5), verified_at=old),
        done(after(days=5), changed=after(days=7), verified_at=after(days=7)),
    )
    assert state.verified_at == after(days=7)


def test_a_closing_dated_before_the_reopening_is_not_the_next_one() -> None:
    # Many sources go on naming the first closing: what is closed again was not closed by then.
    _, state = follow(
        done(after(days=1)),
        seen(observed_at=after(days=3)),
        done(after(days=1), changed=after(days=5)),
    )
    assert (state.closed_at, state.reopened) == (after(days=5), 1)


def test_a_verification_that_is_taken_back_is_gone() -> None:
    log, state = follow(
        done(after(days=1), changed=after(days=2), verified_at=after(days=2)),
        done(after(days=1), changed=after(days=3)),
    )
    assert (kinds(log)[-1], state.verified_at) == (EventKind.AMENDED, None)


def test_a_log_from_before_verifications_is_still_read() -> None:
    plain = incident_to_plain(seen())
    del plain["verified_at"]
    assert incident_from_plain(plain) == seen()
