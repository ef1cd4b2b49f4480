"""The panel `clinics`: who waits where and for how long, what medicine is left, the ambulances."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from statistics import median

from lawang.board.field.facts import FieldFacts, Panel, Plain, known, moment, point, stock_ref
from lawang.city import City
from lawang.domain.field import ClinicsTable
from lawang.domain.formula import ReadingFormula
from lawang.domain.kpi import Direction, Kpi
from lawang.domain.position import PositionStatus


def clinics(facts: FieldFacts, now: datetime) -> Panel:
    """A clinic whose board is older than the pack allows is shown with its last words and as
    `old`, and counts in no total."""
    table = facts.city.field_tables.clinics
    if table is None:
        return {"sources": []}
    oldest = now - timedelta(seconds=table.old_after_s)
    waiting = facts.readings_of(table.waiting)
    minutes = facts.readings_of(table.minutes)
    entries: dict[str, Panel] = {}
    total = 0.0
    lengths: list[float] = []
    missing = 0
    for subject in sorted({*waiting, *minutes}):
        told = [each for each in (waiting.get(subject), minutes.get(subject)) if each]
        at = min((each["observed_at"] for each in told), key=moment)
        entries[subject] = known(
            n=next((each["subject_name"] for each in told if each["subject_name"]), subject),
            p=point(*told),
            k=next((each["kecamatan"] for each in told if each["kecamatan"]), None),
            waiting=(waiting.get(subject) or {}).get("value"),
            minutes=(minutes.get(subject) or {}).get("value"),
            at=at,
            old=moment(at) < oldest or None,
        )
        count, length = _young(waiting, subject, oldest), _young(minutes, subject, oldest)
        missing += count is None
        total += count or 0
        if length is not None:
            lengths.append(length)
    return known(
        sources=facts.lists["clinics"],
        clinics=entries,
        waiting=total if missing < len(entries) else None,
        median_minutes=median(lengths) if lengths else None,
        missing=missing,
        unlocated=sum("p" not in each for each in entries.values()),
        stock=_stock(facts, table, now),
        ambulances=_ambulances(facts, table, now),
    )


def _young(readings: dict[str, Plain], subject: str, oldest: datetime) -> float | None:
    reading = readings.get(subject)
    if reading is None or moment(reading["observed_at"]) < oldest:
        return None
    value: float = reading["value"]
    return value


def _stock(facts: FieldFacts, table: ClinicsTable, now: datetime) -> Panel:
    """What was counted longer ago than a medicine's indicator allows is `missing` alone."""
    if not table.stock:
        return {}
    found: Panel = {}
    for measure in facts.city.sources[table.stock].measures.values():
        every = facts.readings_of(stock_ref(table.stock, measure.id))
        kpi = _stock_kpi(facts.city, table.stock, measure.id)
        readings = {
            subject: each
            for subject, each in every.items()
            if kpi is None or now - moment(each["observed_at"]) <= kpi.stale_after
        }
        safe = _safe(kpi, facts.city, now)
        found[measure.id] = known(
            name_id=measure.name_id,
            name_en=measure.name_en,
            unit=measure.unit,
            clinics=len(readings),
            missing=len(every) - len(readings),
            low=sum(each["value"] < safe for each in readings.values())
            if safe is not None and readings
            else None,
        )
    return found


def _stock_kpi(city: City, source: str, measure: str) -> Kpi | None:
    """The city's indicator of that medicine."""
    for kpi in city.kpis.values():
        formula = kpi.formula
        if (
            isinstance(formula, ReadingFormula)
            and (formula.source, formula.measure) == (source, measure)
            and formula.factor == 1.0
            and kpi.direction is Direction.UP
            and kpi.target is not None
        ):
            return kpi
    return None


def _safe(kpi: Kpi | None, city: City, now: datetime) -> float | None:
    """The level that a medicine is held to today."""
    if kpi is None or kpi.target is None:
        return None
    return kpi.target.at(now.astimezone(city.timezone).date())


def _ambulances(facts: FieldFacts, table: ClinicsTable, now: datetime) -> dict[str, int] | None:
    """Those not heard of for long are in the total and in `old` alone."""
    if not table.ambulances:
        return None
    oldest = now - timedelta(seconds=facts.city.field_tables.vehicles.old_after_s)
    words: Counter[str] = Counter()
    for _key, plain in facts.positions_of(table.ambulances):
        words["total"] += 1
        if moment(plain["observed_at"]) < oldest:
            words["old"] += 1
        else:
            words[plain["status"]] += 1
    return {
        "active": words[PositionStatus.ACTIVE.value],
        "standby": words[PositionStatus.STANDBY.value],
        "off": words[PositionStatus.OFF.value] + words[PositionStatus.FAULTY.value],
        "unknown": words[PositionStatus.UNKNOWN.value],
        "old": words["old"],
        "total": words["total"],
    }
