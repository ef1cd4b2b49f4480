"""History on SQLite and PostgreSQL: what is written once is there once, and can be found."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.exc import StatementError

from lawang.connector import Cursor
from lawang.domain.errors import Fenced, StoreError
from lawang.domain.health import SourceState
from lawang.domain.incident import UNKNOWN_CATEGORY, EventKind, Incident, Reject, Status, derive
from lawang.store.engine import open_engine
from lawang.store.history import History, IncidentFilter, Settled
from tests.conftest import REQUESTED_AT, build_incident

EVERYTHING = IncidentFilter()


def after(**times: float) -> datetime:
    """A moment counted from `REQUESTED_AT`."""
    return REQUESTED_AT + timedelta(**times)


def report(number: int, status: Status = Status.WAITING, **changes: Any) -> Incident:
    return build_incident(external_id=f"r{number:03}", status=status, **changes)


def reject(number: int, **changes: Any) -> Reject:
    values = {"reason": "bad_time", "detail": "no time", "external_id": f"q{number}", **changes}
    return Reject(**values)


def settle(
    history: History,
    *incidents: Incident,
    source: str = "elapor",
    rejects: Iterable[Reject] = (),
    fence: int = 1,
    fetched_at: datetime = REQUESTED_AT,
) -> Settled:
    return history.settle(source, incidents, list(rejects), fetched_at=fetched_at, fence=fence)


def finish(history: History, source: str = "elapor", **given: Any) -> None:
    values: dict[str, Any] = {
        "cursor": Cursor(),
        "state": SourceState(source_id=source),
        "fence": 1,
        "now": REQUESTED_AT,
        **given,
    }
    history.finish_poll(source, values.pop("cursor"), values.pop("state"), **values)


def found(history: History, wanted: IncidentFilter = EVERYTHING) -> list[str]:
    """The numbers of the incidents that match, newest report first."""
    return [item.external_id for item in history.incidents(wanted, limit=1000)]


# --- settling ------------------------------------------------------------------------------------


def test_a_new_report_is_kept_as_it_was_seen(history: History) -> None:
    result = settle(history, report(1))
    assert result.incidents == [report(1)]
    assert (result.before, result.outdated) == ([], 0)
    assert history.incident(report(1).id) == report(1)


def test_an_incident_that_nobody_reported_is_none(history: History) -> None:
    assert history.incident("elapor:nothing") is None


def test_a_changed_report_replaces_its_state_and_adds_to_its_log(history: History) -> None:
    settle(history, report(1))
    done = report(1, Status.DONE, observed_at=after(hours=1))
    result = settle(history, done)
    assert (result.incidents, result.before) == ([done], [report(1)])
    assert history.incident(done.id) == done
    kinds = [event.kind for event in history.events_of(done.id)]
    assert kinds == [EventKind.REPORTED, EventKind.STATUS_CHANGED]


def test_the_same_page_twice_changes_nothing(history: History) -> None:
    page = [report(1), report(2, Status.IN_PROGRESS, observed_at=after(hours=1))]
    settle(history, *page)
    again = [replace(item, fetched_at=after(hours=9)) for item in page]
    assert settle(history, *again) == Settled()
    assert [history.incident(item.id) for item in page] == page


def test_an_empty_page_changes_nothing(history: History) -> None:
    assert settle(history) == Settled()


def test_a_report_that_occurs_twice_in_one_page_moves_through_both(history: History) -> None:
    done = report(1, Status.DONE, observed_at=after(hours=1))
    result = settle(history, report(1), done)
    assert (result.incidents, result.before) == ([done], [])
    assert [event.open_delta for event in history.events_of(done.id)] == [1, -1]


def test_what_comes_too_late_is_counted_and_changes_nothing(history: History) -> None:
    known = report(1, Status.DONE, observed_at=after(hours=2))
    settle(history, known)
    result = settle(history, report(1, Status.IN_PROGRESS, observed_at=after(hours=1)))
    assert result == Settled(outdated=1)
    assert history.incident(known.id) == known


def test_a_page_larger_than_one_list_of_ids_is_settled_whole(history: History) -> None:
    page = [report(number) for number in range(1201)]
    settle(history, *page)
    moved = [report(number, Status.DONE, observed_at=after(hours=1)) for number in range(1201)]
    assert len(settle(history, *moved).before) == 1201
    assert history.count_incidents(IncidentFilter(open=True)) == (0, 0)


def test_the_log_leads_to_the_state_that_is_kept(history: History) -> None:
    way = [Status.DONE, Status.WAITING, Status.REJECTED, Status.IN_PROGRESS]
    for hours, status in enumerate(way, 1):
        settle(history, report(1, status, observed_at=after(hours=hours), status_note=status.value))
    log = history.events_of(report(1).id)
    assert derive(log) == history.incident(report(1).id)
    assert len(log) == 5


def test_a_verification_is_kept_and_lost_by_a_reopening_and_any_moment_can_be_rebuilt(
    history: History,
) -> None:
    closed = {"closed_at": after(hours=1)}
    verified = {"verified_at": after(hours=2), "observed_at": after(hours=2), **closed}
    settle(history, report(1, Status.DONE, observed_at=after(hours=1)))
    settle(history, report(1, Status.DONE, **verified))
    assert history.incident(report(1).id) == derive(history.events_of(report(1).id))
    settle(history, report(1, Status.WAITING, observed_at=after(hours=3)))
    states = [history.incident_at(report(1).id, after(hours=number)) for number in (1, 2, 3)]
    assert [each and each.verified_at for each in states] == [None, after(hours=2), None]


def test_sources_with_the_same_numbers_do_not_meet(history: History) -> None:
    other = report(1, source_id="damkar", description="Kebakaran.")
    settle(history, report(1))
    settle(history, other, source="damkar")
    assert (history.incident(report(1).id), history.incident(other.id)) == (report(1), other)


def test_any_text_of_a_citizen_comes_back_as_it_was(history: History) -> None:
    words = 'Pak RT\'s "jalan" \\ rusak; DROP TABLE incident; -- 100% {x} :y 🚧 ظ\n\t<script>'
    settle(history, report(1, description=words, address=words, category_raw=words))
    settle(history, report(1, description=words * 50, observed_at=after(hours=1)))
    kept = history.incident(report(1).id)
    assert kept is not None
    assert (kept.description, kept.address) == (words * 50, "Jalan Sudirman")
    assert history.events_of(report(1).id)[0].changes["description"] == words


def test_instants_keep_their_microseconds_and_become_utc(history: History) -> None:
    moment = datetime(2026, 11, 21, 0, 30, 0, 1, tzinfo=ZoneInfo("Asia/Jakarta"))
    settle(history, report(1, requested_at=moment, due_at=moment.replace(microsecond=999_999)))
    kept = history.incident(report(1).id)
    assert kept is not None
    assert kept.requested_at.isoformat() == "2026-11-20T17:30:00.000001+00:00"
    assert kept.due_at is not None
    assert (kept.due_at.microsecond, kept.due_at.tzinfo) == (999_999, UTC)
    assert history.events_of(kept.id)[0].at == moment


def test_an_instant_without_a_zone_is_refused(history: History) -> None:
    with pytest.raises(StatementError, match="aware instants only"):
        settle(history, report(1, due_at=datetime(2026, 11, 21)))


def test_a_page_that_fails_in_the_middle_leaves_nothing(history: History) -> None:
    """States and events are written before quarantine; no database takes half a character."""
    settle(history, report(1))
    moved = report(1, Status.DONE, observed_at=after(hours=1))
    with pytest.raises((UnicodeError, StoreError)):
        settle(history, moved, report(2), rejects=[reject(1), reject(2, sample="\ud800")], fence=7)
    assert found(history) == ["r001"]
    assert history.incident(report(1).id) == report(1)
    assert len(history.events_of(report(1).id)) == 1
    assert history.quarantine_count("elapor") == 0
    assert history.highest_fence() == 1


def test_after_a_failed_page_the_next_one_is_settled(history: History) -> None:
    with pytest.raises((UnicodeError, StoreError)):
        settle(history, report(1), rejects=[reject(1, sample="\ud800")])
    assert settle(history, report(1)).incidents == [report(1)]


# --- one clock -----------------------------------------------------------------------------------


def test_a_clock_that_was_replaced_cannot_settle(history: History) -> None:
    settle(history, report(1), fence=5)
    with pytest.raises(Fenced):
        settle(history, report(2), rejects=[reject(1)], fence=4)
    assert found(history) == ["r001"]
    assert history.quarantine_count("elapor") == 0


def test_a_clock_that_was_replaced_cannot_move_the_cursor(history: History) -> None:
    finish(history, fence=5, cursor=Cursor(after(hours=2)))
    with pytest.raises(Fenced):
        finish(history, fence=4, cursor=Cursor(after(hours=1)))
    assert history.cursor("elapor") == Cursor(after(hours=2))


def test_the_clock_that_wrote_last_and_any_newer_one_may_write(history: History) -> None:
    for fence in (5, 5, 6, 9):
        settle(history, report(fence), fence=fence)
    assert history.highest_fence() == 9


def test_a_source_that_the_new_clock_has_not_polled_yet_is_not_fenced(history: History) -> None:
    settle(history, report(1), fence=5)
    settle(history, report(1, source_id="damkar"), source="damkar", fence=4)
    assert history.highest_fence() == 5


def test_before_any_clock_the_highest_number_is_zero(history: History) -> None:
    assert history.highest_fence() == 0


def test_writers_at_the_same_moment_cannot_double_an_event(database_url: str) -> None:
    steps = [Status.WAITING, Status.IN_PROGRESS, Status.DONE, Status.WAITING]
    pages = [
        [report(n, status, observed_at=after(hours=hours)) for n in range(20)]
        for hours, status in enumerate(steps)
    ]
    together = threading.Barrier(4, timeout=60)

    def write() -> None:
        own = History(open_engine(database_url))
        for page in pages:
            together.wait()
            with suppress(StoreError):
                settle(own, *page)
        own.close()

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)

    history = History(open_engine(database_url))
    logs = [history.events_of(item.id) for item in pages[0]]
    states = [history.incident(item.id) for item in pages[0]]
    history.close()
    assert [len(log) for log in logs] == [4] * 20
    assert [derive(log) for log in logs] == states


def test_of_two_clocks_at_the_same_moment_the_older_one_stops(database_url: str) -> None:
    outcomes: dict[int, list[str]] = {1: [], 2: []}
    together = threading.Barrier(2, timeout=60)

    def write(fence: int) -> None:
        own = History(open_engine(database_url))
        for number in range(10):
            together.wait()
            try:
                settle(own, report(10 * fence + number), fence=fence)
                outcomes[fence].append("written")
            except StoreError as error:
                outcomes[fence].append(error.kind)
        own.close()

    threads = [threading.Thread(target=write, args=(fence,)) for fence in outcomes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert outcomes[2] == ["written"] * 10
    assert outcomes[1][1:] == ["fenced"] * 9


# --- cursor and state ----------------------------------------------------------------------------


def test_a_source_never_finished_has_the_empty_cursor(history: History) -> None:
    settle(history, report(1))
    assert history.cursor("elapor") == history.cursor("damkar") == Cursor()
    assert history.source_state("elapor") is None


def test_only_the_end_of_a_poll_moves_the_cursor(history: History) -> None:
    finish(history, cursor=Cursor(after(hours=1), {"page": '"a"'}))
    settle(history, report(1, observed_at=after(hours=2)))
    assert history.cursor("elapor") == Cursor(after(hours=1), {"page": '"a"'})
    finish(history, cursor=Cursor(after(hours=2), {}))
    assert history.cursor("elapor") == Cursor(after(hours=2), {})


def test_the_state_of_a_source_is_kept_with_its_cursor(history: History) -> None:
    state = SourceState(source_id="elapor", last_success=after(seconds=1.5), records=7, failures=0)
    finish(history, state=state)
    assert history.source_state("elapor") == state


# --- quarantine ----------------------------------------------------------------------------------


def test_a_record_is_in_quarantine_once_however_often_it_comes(history: History) -> None:
    counts = [
        settle(history, rejects=[reject(1), reject(1)], fetched_at=after(hours=hour)).quarantined
        for hour in range(3)
    ]
    assert counts == [1, 0, 0]
    (kept,) = history.quarantined("elapor")
    assert (kept["first_seen"], kept["last_seen"]) == (after(), after(hours=2))


def test_quarantine_keeps_what_a_person_needs_to_mend_it(history: History) -> None:
    settle(history, rejects=[reject(1, sample='status: "?"')])
    (kept,) = history.quarantined("elapor")
    names = ("reason", "detail", "external_id", "sample")
    assert [kept[name] for name in names] == ["bad_time", "no time", "q1", 'status: "?"']


def test_records_that_differ_in_anything_are_kept_apart(history: History) -> None:
    one = reject(1)
    others = [
        replace(one, reason="no_id"),
        replace(one, detail="x"),
        replace(one, external_id=None),
        replace(one, sample="x"),
    ]
    assert settle(history, rejects=[one, *others]).quarantined == 5


def test_each_source_has_its_own_quarantine(history: History) -> None:
    settle(history, rejects=[reject(1)])
    settle(history, source="damkar", rejects=[reject(1), reject(2)])
    assert [history.quarantine_count(name) for name in ("elapor", "damkar", "x")] == [1, 2, 0]


def test_the_records_last_seen_come_first(history: History) -> None:
    settle(history, rejects=[reject(1), reject(2), reject(3)])
    settle(history, rejects=[reject(2)], fetched_at=after(hours=1))
    names = [row["external_id"] for row in history.quarantined("elapor", limit=2)]
    assert names == ["q2", "q3"]


def test_an_answer_of_nothing_but_bad_records_is_taken(history: History) -> None:
    many = [reject(number) for number in range(70_000)]
    assert settle(history, report(1), rejects=many).quarantined == 70_000


# --- outages -------------------------------------------------------------------------------------


def test_an_outage_lasts_from_the_first_failure_to_the_next_success(history: History) -> None:
    history.record_outage("elapor", after(), "timeout", "10 s")
    history.record_outage("elapor", after(minutes=1), "bad_status", "500")
    (running,) = history.outages("elapor")
    finish(history, now=after(minutes=2))
    (ended,) = history.outages("elapor")
    assert (running["began_at"], running["error_kind"], running["ended_at"]) == (
        after(),
        "timeout",
        None,
    )
    assert ended["ended_at"] == after(minutes=2)


def test_the_newest_outage_comes_first_and_an_ended_one_stays_ended(history: History) -> None:
    for hour in range(3):
        history.record_outage("elapor", after(hours=hour), "timeout", "")
        finish(history, now=after(hours=hour, minutes=5))
    began = [row["began_at"] for row in history.outages("elapor", limit=2)]
    assert began == [after(hours=2), after(hours=1)]
    assert [row["ended_at"] - row["began_at"] for row in history.outages("elapor")] == [
        timedelta(minutes=5)
    ] * 3


def test_the_success_of_one_source_ends_no_outage_of_another(history: History) -> None:
    history.record_outage("damkar", after(), "timeout", "")
    finish(history)
    assert history.outages("damkar")[0]["ended_at"] is None


# --- reading -------------------------------------------------------------------------------------


def test_totals_of_a_source_count_what_could_not_be_understood(history: History) -> None:
    settle(
        history,
        report(1),
        report(2, kecamatan=None, kelurahan=None, placed_by="", location_problem="missing"),
        report(3, category=UNKNOWN_CATEGORY),
        report(4, Status.UNKNOWN, category=UNKNOWN_CATEGORY),
    )
    settle(history, report(9, source_id="damkar", kecamatan=None), source="damkar")
    assert history.source_counts("elapor") == {
        "incidents": 4,
        "unlocated": 1,
        "unknown_category": 2,
        "unknown_status": 1,
    }


def test_totals_of_a_source_without_records_are_zero(history: History) -> None:
    assert set(history.source_counts("elapor").values()) == {0}


def test_live_are_the_open_ones_and_those_closed_lately(history: History) -> None:
    settle(
        history,
        report(1),
        report(2, Status.DONE, observed_at=after(hours=1)),
        report(3, Status.REJECTED, observed_at=after(hours=2)),
    )
    live = {item.external_id for item in history.live_incidents(after(hours=2))}
    assert live == {"r001", "r003"}


def test_a_past_moment_shows_what_was_true_then(history: History) -> None:
    settle(history, report(1, Status.IN_PROGRESS, observed_at=after(hours=1)))
    settle(history, report(1, Status.DONE, observed_at=after(hours=2), description="Surut."))
    settle(history, report(1, Status.WAITING, observed_at=after(hours=3), description="Lagi."))

    def then(**times: float) -> tuple[Status, bool, int] | None:
        state = history.incident_at(report(1).id, after(**times))
        return (state.status, state.is_open, state.reopened) if state else None

    assert then(seconds=-1) is None
    assert then() == (Status.WAITING, True, 0)
    assert then(hours=1) == (Status.IN_PROGRESS, True, 0)
    assert then(hours=2) == (Status.DONE, False, 0)
    assert then(hours=2, minutes=59) == (Status.DONE, False, 0)
    assert then(hours=3) == (Status.WAITING, True, 1)


def test_the_latest_events_come_by_when_they_happened_not_when_we_heard(history: History) -> None:
    settle(history, report(1, requested_at=after(hours=5)))
    settle(history, report(2, requested_at=after(hours=1)))
    settle(history, report(2, Status.DONE, requested_at=after(hours=1), observed_at=after(hours=3)))
    latest = [(state.external_id, event.at) for event, state in history.latest_events(2)]
    assert latest == [("r001", after(hours=5)), ("r002", after(hours=3))]


def test_a_late_event_carries_the_present_state_of_its_incident(history: History) -> None:
    settle(history, report(1))
    settle(history, report(1, Status.DONE, observed_at=after(hours=1)))
    assert {state.status for _event, state in history.latest_events(9)} == {Status.DONE}


def test_the_first_report_is_the_oldest_one(history: History) -> None:
    assert history.first_report_at() is None
    settle(history, report(1), report(2, requested_at=after(days=-400), observed_at=after()))
    assert history.first_report_at() == after(days=-400)


PLACES = {"kecamatan": "16.71.01", "kelurahan": "16.71.01.1001"}
NOWHERE = {"kecamatan": None, "kelurahan": None, "placed_by": "", "location_problem": "outside"}


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (IncidentFilter(), "12345"),
        (IncidentFilter(sources=["damkar"]), "5"),
        (IncidentFilter(sources=["damkar", "elapor"]), "12345"),
        (IncidentFilter(sources=["nobody"]), ""),
        (IncidentFilter(categories=["jalan", "sampah"]), "2"),
        (IncidentFilter(statuses=[Status.DONE]), "3"),
        (IncidentFilter(statuses=[Status.DONE, Status.REJECTED]), "34"),
        (IncidentFilter(kecamatan=["16.71.01"]), "2"),
        (IncidentFilter(kelurahan=["16.71.06.1009", "16.71.01.1001"]), "1235"),
        (IncidentFilter(open=True), "125"),
        (IncidentFilter(open=False), "34"),
        (IncidentFilter(past_due_at=after(hours=6)), "1"),
        (IncidentFilter(past_due_at=after(hours=2)), ""),
        (IncidentFilter(located=True), "1235"),
        (IncidentFilter(located=False), "4"),
        (IncidentFilter(requested_from=after(minutes=3)), "345"),
        (IncidentFilter(requested_to=after(minutes=3)), "12"),
        (IncidentFilter(updated_from=after(hours=3)), "4"),
        (IncidentFilter(open=True, sources=["elapor"], located=True), "12"),
        (IncidentFilter(statuses=[Status.DONE], open=True), ""),
    ],
    ids=str,
)
def test_incidents_are_narrowed_down(
    history: History, wanted: IncidentFilter, expected: str
) -> None:
    def made(number: int, status: Status = Status.WAITING, **changes: Any) -> Incident:
        times = {"requested_at": after(minutes=number), "due_at": after(days=9)}
        return report(number, status, **(times | changes))

    settle(
        history,
        made(1, due_at=after(hours=2)),
        made(2, category="jalan", **PLACES),
        made(3, Status.DONE, observed_at=after(hours=2), due_at=after(hours=1)),
        made(4, Status.REJECTED, observed_at=after(hours=3), **NOWHERE),
    )
    settle(history, made(5, source_id="damkar", category="kebakaran"), source="damkar")
    numbers = "".join(name[-1] for name in sorted(found(history, wanted)))
    assert numbers == expected
    assert history.count_incidents(wanted)[0] == len(expected)


def test_a_count_says_how_many_of_them_could_not_be_placed(history: History) -> None:
    settle(history, report(1), report(2, **NOWHERE), report(3, Status.DONE, **NOWHERE))
    assert history.count_incidents(EVERYTHING) == (3, 2)
    assert history.count_incidents(IncidentFilter(open=True)) == (2, 1)


def test_pages_stay_the_same_while_new_reports_arrive(history: History) -> None:
    # Three reports a minute, so that pages also end between reports of the same moment.
    settle(history, *(report(n, requested_at=after(minutes=n // 3)) for n in range(30)))
    expected = found(history)
    seen: list[str] = []
    before: tuple[datetime, str] | None = None
    arriving = 100
    while page := history.incidents(EVERYTHING, limit=4, before=before):
        seen += [item.external_id for item in page]
        before = (page[-1].requested_at, page[-1].id)
        settle(history, report(arriving, requested_at=after(hours=1, minutes=arriving)))
        arriving += 1
    assert seen == expected
    assert len(set(seen)) == 30


def test_a_database_that_answers_raises_nothing(history: History) -> None:
    history.ping()
