"""Tallies, samples and findings about a whole source."""

from __future__ import annotations

from datetime import timedelta

from lawang.domain.facts import Facts
from lawang.domain.finding import FindingKind, FindingState, NewFinding
from lawang.domain.quality import Tally, bucket_of
from lawang.store.history import History
from lawang.store.quality import Sample
from tests.store.facts import NOW, SOURCE, WIB

BUCKET = bucket_of(NOW)
QUARTER = timedelta(minutes=15)


def note(history: History, seen_at: object = NOW) -> int:
    finding = NewFinding(kind=FindingKind.EMPTY_FEED, detail="the list is empty")
    facts = Facts(zone=WIB, findings=[finding])
    return history.note_findings(SOURCE, facts, seen_at=NOW)


def test_tallies_of_one_bucket_add_up(history: History) -> None:
    history.quality.add(SOURCE, {BUCKET: Tally(polls=1, records=10)})
    history.quality.add(SOURCE, {BUCKET: Tally(polls=2, failures=1)})
    assert history.quality.tallies(SOURCE, NOW - QUARTER) == {
        BUCKET: Tally(polls=3, failures=1, records=10)
    }


def test_totals_tell_since_when_a_source_is_watched(history: History) -> None:
    history.quality.add(SOURCE, {BUCKET - QUARTER: Tally(polls=1), BUCKET: Tally(polls=2)})
    history.quality.add("other", {BUCKET: Tally(failures=1)})
    assert history.quality.totals(BUCKET - QUARTER) == {
        SOURCE: (BUCKET - QUARTER, Tally(polls=3)),
        "other": (BUCKET, Tally(failures=1)),
    }


def test_old_buckets_are_dropped(history: History) -> None:
    history.quality.add(SOURCE, {BUCKET - QUARTER: Tally(polls=1), BUCKET: Tally(polls=2)})
    history.quality.prune(BUCKET)
    assert list(history.quality.tallies(SOURCE, BUCKET - QUARTER)) == [BUCKET]


def test_a_sample_comes_back_and_is_replaced(history: History) -> None:
    sample = Sample(
        source_id=SOURCE,
        taken_at=NOW,
        content_type="application/json",
        body="[]",
        shape={"id": ("number",), "lokasi.lat": ("absent", "number")},
        learned=1,
    )
    assert history.quality.sample(SOURCE) is None
    history.quality.keep_sample(sample)
    assert history.quality.sample(SOURCE) == sample


def test_a_finding_seen_again_is_the_same_one(history: History) -> None:
    assert (note(history), note(history)) == (1, 0)
    (found,) = history.findings.list()
    assert found.count == 2
    assert history.findings.open_counts() == {SOURCE: 1}


def test_a_finding_that_is_over_can_come_again(history: History) -> None:
    note(history)
    assert history.end_finding(SOURCE, FindingKind.EMPTY_FEED, NOW) == 1
    assert history.end_finding(SOURCE, FindingKind.EMPTY_FEED, NOW) == 0
    assert note(history) == 1
    states = [each.state for each in history.findings.list(states=[])]
    assert sorted(states) == [FindingState.OPEN, FindingState.OVER]
