"""Seven simulated weeks of everything that the pack's indicators are made of, in real history.

All of it is drawn from one seed: gaps, late and repeated deliveries, corrections, values that are
held back, reports that are reopened or seen first when they are over, a New Year in between.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import cycle

from lawang.city import City, Source
from lawang.domain.facts import Facts
from lawang.domain.formula import ReadingFormula, ReadingRatioFormula
from lawang.domain.incident import Incident, Status
from lawang.domain.measure import Measure, MeasureKind, Period, Reading, span
from lawang.domain.quality import Tally, bucket_of
from lawang.domain.service import RequestStatus, ServiceRequest
from lawang.store.history import History
from tests.conftest import build_incident

#: Local days with data, both included, and the moment at which all of it is known.
FIRST, LAST = date(2025, 12, 22), date(2026, 2, 9)
NOW = datetime(2026, 2, 10, 2, 30, tzinfo=UTC)
#: Sources of incidents in which help is on its way within minutes.
_QUICK = frozenset({"damkar", "psc119"})
_PLACES = ("16.71.01", "16.71.02", "16.71.03", "16.71.06", "16.71.09", None)
#: Tallies of polls are kept for about a month.
_TALLIED = timedelta(days=30)
#: How many values a day, and at what local hours, an instrument or an hourly mean has here.
_HOURS = (1, 7, 13, 19)


def fill(history: History, city: City, seed: int = 1671) -> None:
    """Write the seven weeks."""
    rng = random.Random(seed)
    for source_id, measures in sorted(_wanted(city).items()):
        _write_readings(history, city, city.sources[source_id], measures, rng)
    for source in city.sources.values():
        if "incidents" in source.yields:
            _write_incidents(history, source, rng)
        if "service_requests" in source.yields:
            _write_requests(history, city, source, rng)
        _write_tallies(history, source, rng)


def _wanted(city: City) -> dict[str, dict[str, set[str]]]:
    """By source and measure: the subjects that indicators ask for by name."""
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for kpi in city.kpis.values():
        parts: list[ReadingFormula] = []
        if isinstance(kpi.formula, ReadingFormula):
            parts = [kpi.formula]
        elif isinstance(kpi.formula, ReadingRatioFormula):
            parts = [kpi.formula.numerator, kpi.formula.denominator]
        for part in parts:
            found[part.source][part.measure].update(part.subjects)
    return found


# --- readings ------------------------------------------------------------------------------------


def _write_readings(
    history: History, city: City, source: Source, wanted: dict[str, set[str]], rng: random.Random
) -> None:
    named = sorted(set().union(*wanted.values()))
    subjects = [*named, "lain-lain"] if named else [f"s{number}" for number in range(5)]
    places = dict(zip(subjects, cycle(_PLACES), strict=False))
    rows: list[Reading] = []
    for measure_id in sorted(wanted):
        measure = source.measures[measure_id]
        for subject in subjects:
            rows += _series(city, source, measure, subject, places[subject], rng)
    late = [each for each in rows if rng.random() < 0.05]
    early = [each for each in rows if each not in late]
    corrected = [
        replace(each, value=each.value * rng.uniform(0.7, 1.2), fetched_at=NOW)
        for each in early
        if rng.random() < 0.04
    ]
    # The first half, what came late out of order, the rest, all of it again, and corrections.
    half = len(early) // 2
    rng.shuffle(late)
    for batch in (early[:half], early[half:], late, early[:half], corrected):
        facts = Facts(zone=city.timezone, measures=source.measures, readings=batch)
        history.settle(source.id, [], [], fetched_at=NOW, fence=1, facts=facts)


def _series(
    city: City,
    source: Source,
    measure: Measure,
    subject: str,
    place: str | None,
    rng: random.Random,
) -> Iterator[Reading]:
    least, top = (bound or 0.0 for bound in measure.expected)
    usual = least + (top - least) * rng.uniform(0.05, 0.3)
    if measure.kind is MeasureKind.CUMULATIVE:
        usual = top * rng.uniform(1e-5, 1e-4)
    total, year = 0.0, FIRST.year
    for at in _moments(city, measure, rng):
        begin, end = span(at, measure.period, city.timezone)
        value = round(max(least, usual * rng.uniform(0.4, 1.6)), 2)
        if measure.kind is MeasureKind.CUMULATIVE:
            if at.astimezone(city.timezone).year != year:
                total, year = 0.0, at.astimezone(city.timezone).year
            total += value
            value = round(total, 2)
        elif least <= 0 and rng.random() < 0.03:
            value = 0.0
        if rng.random() < 0.02:
            value *= 1_000  # juta printed as miliar: held back
        yield Reading(
            source_id=source.id,
            measure=measure.id,
            subject=subject,
            subject_name=None,
            value=value,
            at=begin,
            observed_at=min(end, NOW),
            observed_estimated=False,
            fetched_at=min(end + timedelta(hours=3), NOW),
            kecamatan=place,
            kelurahan=None,
            placed_by="code" if place else "",
            location_problem="" if place else "missing",
            latitude=None,
            longitude=None,
            simulated=True,
        )


def _moments(city: City, measure: Measure, rng: random.Random) -> Iterator[datetime]:
    """What the readings of a series are about, oldest first, with gaps."""
    seen: set[datetime] = set()
    for day in _days():
        for hour in _HOURS:
            local = datetime.combine(day, time(hour, rng.randrange(60)), city.timezone)
            at = local.astimezone(UTC)
            begin = span(at, measure.period, city.timezone)[0]
            is_gap = measure.period in (Period.INSTANT, Period.HOUR, Period.DAY) and (
                rng.random() < 0.12
            )
            if begin not in seen and not is_gap:
                seen.add(begin)
                yield at


def _days() -> list[date]:
    return [FIRST + timedelta(days=number) for number in range((LAST - FIRST).days + 1)]


# --- incidents -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Course:
    """What becomes of one report: its states, oldest first."""

    states: tuple[Incident, ...]


def _write_incidents(history: History, source: Source, rng: random.Random) -> None:
    courses = [
        _course(source, f"{day:%Y%m%d}-{number}", day, rng)
        for day in _days()
        for number in range(rng.randrange(4, 11))
    ]
    for step in range(5):
        told = [
            course.states[step]
            for course in courses
            if step < len(course.states) and course.states[step].observed_at <= NOW
        ]
        if told:
            history.settle(source.id, told, [], fetched_at=NOW, fence=1)
            # An answer that is told again changes nothing.
            history.settle(source.id, told[:20], [], fetched_at=NOW, fence=1)


def _course(source: Source, number: str, day: date, rng: random.Random) -> _Course:
    # Local midnight is 17:00 UTC of the day before.
    asked = datetime.combine(day, time(), UTC) + timedelta(minutes=rng.randrange(1440) - 420)
    minutes = rng.uniform(4, 25) if source.id in _QUICK else rng.uniform(30, 2_000)
    hours = rng.uniform(0.5, 2) if source.id in _QUICK else rng.uniform(2, 260)
    categories = sorted(set(source.category_map.values())) or ["lainnya"]
    report = build_incident(
        source_id=source.id,
        external_id=number,
        category=rng.choice(categories),
        kecamatan=rng.choice(_PLACES),
        kelurahan=None,
        requested_at=asked,
        due_at=asked + timedelta(hours=rng.choice((24, 72, 240))),
    )
    begun = asked + timedelta(minutes=minutes)
    ended = begun + timedelta(hours=hours)
    over = Status.REJECTED if rng.random() < 0.08 else Status.DONE
    states = [
        report,
        _later(report, Status.IN_PROGRESS, begun),
        _later(report, over, ended),
    ]
    fate = rng.random()
    if fate < 0.12:  # not finished after all
        again = ended + timedelta(hours=rng.uniform(1, 40))
        states.append(_later(report, Status.WAITING, again))
        if fate < 0.07:
            states.append(_later(report, Status.DONE, again + timedelta(hours=20)))
    elif fate < 0.2:  # first seen when it is over
        states = states[2:]
    elif fate > 0.4 and over is Status.DONE:  # confirmed by somebody else
        seen = ended + timedelta(hours=rng.uniform(1, 200))
        states.append(replace(_later(states[-1], over, seen), closed_at=ended, verified_at=seen))
    elif fate < 0.3:  # left lying
        states = states[: rng.randrange(1, 3)]
    return _Course(tuple(states))


def _later(report: Incident, status: Status, at: datetime) -> Incident:
    return replace(
        report,
        status=status,
        observed_at=at,
        fetched_at=at + timedelta(seconds=5),
        closed_at=None if status.is_open else at,
    )


# --- service requests ----------------------------------------------------------------------------

_OUTCOMES: Sequence[RequestStatus] = (
    RequestStatus.DONE, RequestStatus.DONE, RequestStatus.DONE, RequestStatus.DONE,
    RequestStatus.DONE, RequestStatus.REJECTED, RequestStatus.CANCELLED, RequestStatus.RETURNED,
    RequestStatus.PROCESSING, RequestStatus.SUBMITTED, RequestStatus.UNKNOWN,
)  # fmt: skip


def _write_requests(history: History, city: City, source: Source, rng: random.Random) -> None:
    rows = [
        _request(source, f"{day:%Y%m%d}-{number}", day, rng)
        for day in _days()
        for number in range(rng.randrange(8, 20))
    ]
    rng.shuffle(rows)
    facts = Facts(zone=city.timezone, requests=rows)
    history.settle(source.id, [], [], fetched_at=NOW, fence=1, facts=facts)


def _request(source: Source, number: str, day: date, rng: random.Random) -> ServiceRequest:
    service = source.services[rng.choice(sorted(source.services))]
    asked = datetime.combine(day, time(), UTC) + timedelta(seconds=rng.randrange(86_400) - 25_200)
    promise = service.promise or timedelta(days=service.promise_days or 1)
    ended = asked + promise * rng.choice((0.2, 0.5, 0.8, 1.0, 1.0, 1.7))
    status = rng.choice(_OUTCOMES)
    is_over = not status.is_open and ended <= NOW
    status = status if is_over or status.is_open else RequestStatus.PROCESSING
    # Some are over at a time that nobody stated.
    closed = ended if is_over and rng.random() > 0.04 else None
    return ServiceRequest(
        id=f"{source.id}:{number}",
        source_id=source.id,
        external_id=number,
        service=service.id if rng.random() > 0.03 else "tidak_diketahui",
        service_raw=service.words[0],
        status=status,
        status_raw=None,
        stage=None,
        office=None,
        kecamatan=rng.choice(_PLACES),
        kelurahan=None,
        placed_by="code",
        location_problem="",
        requested_at=asked,
        due_at=asked + promise if rng.random() > 0.05 else None,
        closed_at=closed,
        observed_at=closed or asked,
        observed_estimated=False,
        fetched_at=NOW,
        simulated=True,
    )


# --- what the polls brought ----------------------------------------------------------------------


def _write_tallies(history: History, source: Source, rng: random.Random) -> None:
    buckets: dict[datetime, Tally] = {}
    begin = datetime.combine(LAST - _TALLIED, time(), UTC)
    for quarter in range(0, _TALLIED.days * 96, 24):
        if rng.random() < 0.1:
            continue
        records = rng.randrange(0, 60)
        fillable = records * 8
        due = round(6 * 3600 / source.every_s)
        buckets[bucket_of(begin + timedelta(minutes=15 * quarter))] = Tally(
            polls=rng.randint(due // 2, due),
            failures=rng.randrange(4),
            records=records,
            unusable=min(records, rng.randrange(3)),
            unknown=rng.randrange(3) if records > 5 else 0,
            repeated=0,
            filled=fillable - min(fillable, rng.randrange(20)),
            fillable=fillable,
        )
    history.quality.add(source.id, buckets)
