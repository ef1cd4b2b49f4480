"""Positions, alerts and service requests on SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import timedelta

import pytest

from lawang.domain.alert import Alert, MessageType
from lawang.domain.position import PositionStatus
from lawang.domain.service import RequestStatus
from lawang.store.history import History
from lawang.store.records import RequestFilter
from tests.store.facts import NOW, SOURCE, alert, position, request, settle

MINUTE = timedelta(minutes=1)


def in_force(history: History, minutes: int = 0) -> list[str]:
    found = history.records.alerts(in_force_at=NOW + minutes * MINUTE)
    return sorted(each.external_id for each in found)


# --- positions ------------------------------------------------------------------------------


def test_a_position_comes_back_as_it_was_written(history: History) -> None:
    settle(history, positions=[position()])
    assert history.records.positions() == [position()]


def test_a_newer_position_replaces_an_older_one(history: History) -> None:
    settle(history, positions=[position()])
    moved = position(latitude=-2.99, observed_at=NOW + MINUTE)
    assert settle(history, positions=[moved]).positions == [moved]
    assert history.records.positions() == [moved]


def test_an_older_position_that_comes_later_is_counted_and_left_out(history: History) -> None:
    settle(history, positions=[position()])
    result = settle(history, positions=[position(latitude=-3.0, observed_at=NOW - MINUTE)])
    assert (result.positions, result.outdated) == ([], 1)


def test_the_same_position_again_changes_nothing(history: History) -> None:
    settle(history, positions=[position()])
    assert settle(history, positions=[position(fetched_at=NOW + MINUTE)]).changed == 0


def test_a_thing_without_times_changes_only_when_something_does(history: History) -> None:
    still = position(observed_estimated=True)
    settle(history, positions=[still])
    later = position(observed_estimated=True, observed_at=NOW + MINUTE, fetched_at=NOW + MINUTE)
    assert settle(history, positions=[later]).changed == 0
    off = position(observed_estimated=True, observed_at=NOW + MINUTE, status=PositionStatus.OFF)
    assert settle(history, positions=[off]).changed == 1


def test_a_message_about_the_status_alone_leaves_place_and_name(history: History) -> None:
    settle(history, positions=[position()])
    nothing = {"name": None, "latitude": None, "longitude": None, "kecamatan": None}
    off = position(status=PositionStatus.OFF, observed_at=NOW + MINUTE, **nothing)
    settle(history, positions=[off])
    assert history.records.positions() == [
        position(status=PositionStatus.OFF, observed_at=NOW + MINUTE)
    ]


# --- alerts ---------------------------------------------------------------------------------


def test_an_alert_comes_back_as_it_was_written(history: History) -> None:
    settle(history, alerts=[alert()])
    assert history.records.alerts() == [alert()]


def test_an_alert_is_in_force_until_it_expires(history: History) -> None:
    settle(history, alerts=[alert()])
    assert (in_force(history, 119), in_force(history, 120)) == (["w1"], [])


@pytest.mark.parametrize("kind", [MessageType.UPDATE, MessageType.CANCEL])
@pytest.mark.parametrize("update_first", [False, True])
def test_a_later_message_ends_an_earlier_one_whichever_comes_first(
    history: History, kind: MessageType, update_first: bool
) -> None:
    first = alert("w1")
    second = alert("w2", message_type=kind, references=("w1",), sent_at=NOW + MINUTE)
    order: list[Alert] = [second, first] if update_first else [first, second]
    for each in order:
        settle(history, alerts=[each])
    ended = next(each for each in history.records.alerts() if each.external_id == "w1")
    assert (ended.ended_at, ended.ended_by) == (NOW + MINUTE, "w2")
    assert in_force(history, 2) == (["w2"] if kind is MessageType.UPDATE else [])


def test_messages_of_one_answer_end_each_other(history: History) -> None:
    update = alert("w2", message_type=MessageType.UPDATE, references=("w1",), sent_at=NOW + MINUTE)
    result = settle(history, alerts=[update, alert("w1")])
    assert {each.external_id: each.ended_by for each in result.alerts} == {"w1": "w2", "w2": None}


def test_a_message_read_again_stays_ended(history: History) -> None:
    cancel = alert("w2", message_type=MessageType.CANCEL, references=("w1",), sent_at=NOW + MINUTE)
    settle(history, alerts=[alert("w1"), cancel])
    assert settle(history, alerts=[alert("w1"), cancel]).changed == 0
    assert in_force(history, 2) == []


def test_a_message_does_not_end_one_of_another_source(history: History) -> None:
    settle(history, alerts=[alert("w1")])
    cancel = alert(
        "w2", id="other:w2", source_id="other", message_type=MessageType.CANCEL, references=("w1",)
    )
    settle(history, alerts=[cancel], source="other")
    assert in_force(history) == ["w1"]


def test_what_a_whole_feed_lists_no_more_is_over_unless_it_says_when(history: History) -> None:
    settle(history, alerts=[alert("a", expires_at=None), alert("b", expires_at=None), alert("c")])
    ended = history.end_missing_alerts(SOURCE, [f"{SOURCE}:a"], NOW + MINUTE)
    assert [each.external_id for each in ended] == ["b"]
    assert in_force(history, 2) == ["a", "c"]


# --- service requests -----------------------------------------------------------------------


def test_a_request_comes_back_as_it_was_written(history: History) -> None:
    settle(history, requests=[request()])
    assert history.records.requests(RequestFilter(), limit=10) == [request()]


def test_an_outcome_without_a_time_keeps_the_one_it_was_first_seen_with(history: History) -> None:
    done = {"status": RequestStatus.DONE}
    settle(history, requests=[request(**done, closed_at=NOW + MINUTE)])
    settle(history, requests=[request(**done, stage="arsip", observed_at=NOW + 5 * MINUTE)])
    (found,) = history.records.requests(RequestFilter(), limit=10)
    assert (found.stage, found.closed_at) == ("arsip", NOW + MINUTE)


def test_an_older_state_of_a_request_is_left_out(history: History) -> None:
    settle(history, requests=[request(status=RequestStatus.DONE, observed_at=NOW + MINUTE)])
    assert settle(history, requests=[request()]).outdated == 1


def test_open_and_overdue_requests_are_counted(history: History) -> None:
    settle(
        history,
        requests=[
            request("a"),
            request("b", status=RequestStatus.DONE),
            request("c", due_at=None, kecamatan=None),
        ],
    )
    count = history.records.count_requests
    assert count(RequestFilter(open=True)) == (2, 1)
    assert count(RequestFilter(past_due_at=NOW + 11 * MINUTE)) == (1, 0)
    assert count(RequestFilter(past_due_at=NOW + 9 * MINUTE)) == (0, 0)
    assert count(RequestFilter(open=False)) == (1, 0)


def test_the_records_of_a_source_are_counted(history: History) -> None:
    settle(history, positions=[position()], alerts=[alert()], requests=[request(), request("s2")])
    assert history.records.counts(SOURCE) == {
        "series": 0,
        "positions": 1,
        "alerts": 1,
        "requests": 2,
    }
