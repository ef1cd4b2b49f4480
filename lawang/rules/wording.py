"""The sentences of an alarm, from its rule's templates, in both languages of the interface.

What a department wrote (names of gauges, headlines) goes into them as it is: whoever shows a
sentence escapes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from lawang.city import City
from lawang.domain.alarm import Alarm
from lawang.domain.rule import Rule

_MISSING = "–"


@dataclass(frozen=True, slots=True)
class Wording:
    """Name, sentence and steps of an alarm in one language."""

    name: str
    text: str
    steps: tuple[str, ...]


def word(alarm: Alarm, rule: Rule, city: City, language: str) -> Wording:
    """An alarm in one language, "id" or "en"."""
    is_english = language == "en"
    template = rule.text_en if is_english else rule.text_id
    text = template.format(
        value=write_number(alarm.value, language),
        subject=name_subject(alarm, city),
        region=name_region(alarm.region, city),
        since=write_time(alarm.began_at, alarm.active_at, city),
    )
    return Wording(
        name=rule.name_en if is_english else rule.name_id,
        text=text,
        steps=rule.steps_en if is_english else rule.steps_id,
    )


def name_subject(alarm: Alarm, city: City) -> str:
    """What it is about: the name its source gives it, a source's own, or its identity."""
    if alarm.subject_name:
        return alarm.subject_name
    source = city.sources.get(alarm.subject)
    return source.name if source is not None else alarm.subject or _MISSING


def name_region(code: str, city: City) -> str:
    """A kecamatan's name; the city's for an alarm of no single one."""
    region = city.gazetteer.get(code) if code else None
    return region.name if region is not None else city.short_name


def write_number(value: float | None, language: str) -> str:
    """A number with one decimal at most, as the language writes it."""
    if value is None:
        return _MISSING
    text = f"{value:,.1f}".removesuffix(".0")
    return text if language == "en" else text.translate(str.maketrans(",.", ".,"))


def write_time(at: datetime, today: datetime, city: City) -> str:
    """A moment in the city's own time; with its date where that is another one than `today`'s."""
    local, then = at.astimezone(city.timezone), today.astimezone(city.timezone)
    shown = "%H.%M" if local.date() == then.date() else "%d-%m-%Y %H.%M"
    return f"{local.strftime(shown)} {local.tzname()}"
