"""What each measure brought, and which of its readings would be held back."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from lawang.check.findings import MeasureUse
from lawang.city import Source
from lawang.domain.finding import FindingKind
from lawang.domain.measure import Measure, Reading
from lawang.domain.privacy import mask
from lawang.domain.sanity import REMEMBERED, judge

#: Gives the accepted (at, value) pairs of a series, oldest first, by measure and subject.
Past = Callable[[str, str], Sequence[tuple[datetime, float]]]

_EXAMPLES = 3


@dataclass(slots=True)
class _Held:
    counts: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)

    def add(self, kind: str, reading: Reading, detail: str) -> None:
        self.counts[kind] += 1
        if len(self.examples) < _EXAMPLES:
            whose = f"{mask(reading.subject)}: " if reading.subject else ""
            self.examples.append(f"{whose}{detail}")


def use_measures(
    readings: Sequence[Reading], source: Source, zone: ZoneInfo, past: Past | None
) -> tuple[tuple[MeasureUse, ...], int]:
    """Every measure of the source, and how many readings would be held back in all.

    Each value is judged by what is stored of its series and by those before it in the same answer,
    as a poll would.
    """
    by_measure: dict[str, list[Reading]] = defaultdict(list)
    for reading in readings:
        by_measure[reading.measure].append(reading)
    uses = []
    total = 0
    for measure in source.measures.values():
        found = by_measure[measure.id]
        held, judged = _judge(found, measure, zone, past)
        total += held.counts.total()
        uses.append(_use(source, measure, found, held, judged))
    return tuple(uses), total


def _judge(
    readings: Sequence[Reading], measure: Measure, zone: ZoneInfo, past: Past | None
) -> tuple[_Held, int]:
    series: dict[str, dict[datetime, Reading]] = defaultdict(dict)
    for reading in readings:
        series[reading.subject][reading.at] = reading
    held = _Held()
    judged = 0
    for subject, each in series.items():
        known = list(past(measure.id, subject)) if past is not None else []
        judged += bool(known)
        for at in sorted(each):
            reading = each[at]
            if reading.held:
                held.add(FindingKind.FUTURE.value, reading, f"about {at.isoformat()}")
                continue
            others = [pair for pair in known if pair[0] != at]
            before = [pair for pair in others if pair[0] < at]
            finding = judge(reading, measure, before or others, zone)
            if finding is not None:
                held.add(finding.kind.value, reading, finding.detail)
            else:
                known = sorted([*others, (at, reading.value)])[-REMEMBERED:]
    return held, judged


def _use(
    source: Source, measure: Measure, readings: Sequence[Reading], held: _Held, judged: int
) -> MeasureUse:
    stated = source.connection.get("measures", {}).get(measure.id, {})
    values = [reading.value for reading in readings]
    return MeasureUse(
        name=measure.id,
        title=measure.name_id,
        unit=measure.unit,
        expression=stated.get("value"),
        where=stated.get("where"),
        factor=stated.get("factor"),
        aggregate=stated.get("aggregate"),
        readings=len(readings),
        subjects=len({reading.subject for reading in readings}),
        least=min(values, default=None),
        greatest=max(values, default=None),
        newest=max((reading.at for reading in readings), default=None),
        held=dict(held.counts),
        held_examples=tuple(held.examples),
        judged=judged,
    )
