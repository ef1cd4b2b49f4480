"""The numbers of any past moment are those that a plain reading of every log gives."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from lawang.domain.incident import Incident, IncidentEvent, Status, derive
from lawang.store.history import Counts, History
from tests.conftest import REQUESTED_AT, build_incident

INCIDENTS = 40
MOMENTS = 60


def write_random_history(history: History, rng: random.Random) -> None:
    """Two sources, some without times, whose reports move, change, close and reopen."""
    clock = REQUESTED_AT
    known: dict[str, datetime] = {}
    for _ in range(60):
        clock += timedelta(minutes=rng.randrange(0, 90))
        page = [_observe(rng, clock, known) for _ in range(rng.randrange(1, 5))]
        for source in ("elapor", "damkar"):
            mine = [item for item in page if item.source_id == source]
            history.settle(source, mine, fetched_at=clock, fence=1)


def _observe(rng: random.Random, clock: datetime, known: dict[str, datetime]) -> Incident:
    number = rng.randrange(INCIDENTS)
    external_id = f"r{number}"
    requested_at = known.setdefault(
        external_id, clock - timedelta(minutes=rng.choice([0, 0, 7, 300, 3000]))
    )
    timeless = number % 5 == 0
    stated = clock - timedelta(minutes=rng.choice([0, 1, 30, 200]))
    return build_incident(
        source_id="damkar" if number % 3 == 0 else "elapor",
        external_id=external_id,
        status=rng.choice(list(Status)),
        description=rng.choice(["Banjir.", "Sudah surut."]),
        requested_at=requested_at,
        due_at=None if number % 7 == 0 else requested_at + timedelta(minutes=47 * number),
        observed_at=clock if timeless else max(stated, requested_at),
        observed_estimated=timeless,
        fetched_at=clock,
    )


def read_plainly(
    incidents: Sequence[Incident],
    logs: Sequence[list[IncidentEvent]],
    moment: datetime,
    day_began: datetime,
) -> Counts:
    """The same four numbers, by folding every log up to the moment."""
    then = [derive(event for event in log if event.at <= moment) for log in logs]
    still_open = [state for state in then if state is not None and state.is_open]
    done = [
        log
        for log in logs
        if any(
            event.open_delta == -1
            and event.changes["status"] is Status.DONE
            and day_began <= event.at <= moment
            for event in log
        )
    ]
    return Counts(
        new_today=sum(day_began <= item.requested_at <= moment for item in incidents),
        open=len(still_open),
        past_due=sum(state.is_past_due(moment) for state in still_open),
        done_today=len(done),
    )


@pytest.mark.parametrize("seed", range(6))
def test_counts_of_any_moment_are_those_of_the_logs(history: History, seed: int) -> None:
    rng = random.Random(seed)
    write_random_history(history, rng)
    incidents = history.live_incidents(REQUESTED_AT - timedelta(days=9))
    logs = [history.events_of(item.id) for item in incidents]
    moments = [event.at for log in logs for event in log]
    moments += [moment + timedelta(microseconds=rng.choice([-1, 1])) for moment in moments]
    moments += [item.due_at for item in incidents if item.due_at is not None]
    for moment in rng.sample(moments, MOMENTS):
        day_began = moment - timedelta(minutes=rng.randrange(0, 1440))
        expected = read_plainly(incidents, logs, moment, day_began)
        assert history.counts_at(moment, day_began) == expected


def test_an_empty_history_counts_nothing(history: History) -> None:
    counts = history.counts_at(REQUESTED_AT, REQUESTED_AT - timedelta(hours=10))
    assert counts == Counts(new_today=0, open=0, past_due=0, done_today=0)


def test_a_report_closed_twice_in_a_day_is_done_once(history: History) -> None:
    way = [Status.DONE, Status.WAITING, Status.DONE]
    for hours, status in enumerate(way, 1):
        observed_at = REQUESTED_AT + timedelta(hours=hours)
        history.settle(
            "elapor",
            [build_incident(status=status, observed_at=observed_at)],
            fetched_at=observed_at,
            fence=1,
        )
    counts = history.counts_at(REQUESTED_AT + timedelta(hours=9), REQUESTED_AT)
    assert counts == Counts(new_today=1, open=0, past_due=0, done_today=1)


def test_a_rejected_report_is_not_done(history: History) -> None:
    rejected = build_incident(status=Status.REJECTED)
    history.settle("elapor", [rejected], fetched_at=REQUESTED_AT, fence=1)
    assert history.counts_at(REQUESTED_AT, REQUESTED_AT).done_today == 0
