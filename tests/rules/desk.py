"""Rules and facts for tests; keywords replace fields."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from lawang.domain.alarm import AlarmSeverity, TransitionKind, Watch
from lawang.domain.health import Cadence, SourceState
from lawang.domain.rule import Condition, OfSeries, Rule, Threshold
from lawang.rules.evaluate import Change, step
from lawang.rules.facts import Facts, Sample, Series
from lawang.rules.judge import Place, judge

#: A Saturday, 10:00 WIB.
NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
SOURCE = "pengukur_air"
MEASURE = "tinggi_air"
KEY = f"{SOURCE}/{MEASURE}/a"
PLACE = Place({SOURCE: Cadence.of(60), "elapor": Cadence.of(60)}, ("16.71.01", "16.71.02"))
LEVEL = OfSeries(source=SOURCE, measure=MEASURE, vanishes_after_s=900)
HIGH = Threshold(series=LEVEL, over=270, clears_at=250)


def minutes(number: float) -> datetime:
    """So many minutes after `NOW`."""
    return NOW + timedelta(minutes=number)


def rule(condition: Condition = HIGH, **changes: Any) -> Rule:
    values: dict[str, Any] = {
        "id": "uji",
        "name_id": "Uji",
        "name_en": "Test",
        "text_id": "{value} di {subject}, {region}, sejak {since}",
        "text_en": "{value} at {subject}, {region}, since {since}",
        "severity": AlarmSeverity.MAJOR,
        "owner": "bpbd",
        "region": "",
        "for_s": 0.0,
        "steps_id": ("Periksa",),
        "steps_en": ("Check",),
        "silences": (),
        "simulated": True,
        "basis": "",
        "condition": condition,
        **changes,
    }
    return Rule(**values)


def heard(at: datetime, *sources: str, **changes: Any) -> dict[str, SourceState]:
    """Sources that answered at that moment."""
    return {
        name: SourceState(source_id=name, **{"last_success": at, **changes})
        for name in sources or (SOURCE, "elapor")
    }


def levels(*values: tuple[float, float], subject: str = "a") -> Series:
    """A series of (minutes after NOW, value)."""
    return Series(
        source=SOURCE,
        measure=MEASURE,
        subject=subject,
        subject_name="Pos A",
        kecamatan="16.71.01",
        simulated=True,
        samples=tuple(Sample(minutes(at), value, minutes(at)) for at, value in values),
    )


def facts(now: datetime, *series: Series, **changes: Any) -> Facts:
    values: dict[str, Any] = {
        "states": heard(now),
        "series": {(SOURCE, MEASURE): list(series)},
        **changes,
    }
    return Facts(**values)


def advance(
    of: Rule, watch: Watch | None, now: datetime, *values: tuple[float, float], **changes: Any
) -> Change:
    """One step of the only series by what it holds."""
    (judgement,) = judge(of, facts(now, levels(*values), **changes), PLACE, now)
    return step(of, watch, judgement, now)


def kinds(changes: Sequence[Change] | Change) -> list[TransitionKind]:
    listed = [changes] if isinstance(changes, Change) else changes
    return [each.kind for change in listed for each in change.transitions]
