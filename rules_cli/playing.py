"""`lawang rules test`: the work, without the printing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from lawang.city import City
from lawang.domain.alarm import Transition
from lawang.domain.clock import utc_now
from lawang.domain.errors import LawangError, StoreError
from lawang.rules.recorded import record
from lawang.rules.replay import Recording, play, read_expected, read_recording
from lawang.settings import Settings
from rules_cli.listing import read_city
from sources_cli.explain import explain
from sources_cli.stored import history_for_reading

_USUAL = timedelta(hours=6)
EXPECTED = ".expected.jsonl"


def play_file(
    settings: Settings, file: Path, rules: Sequence[str]
) -> tuple[list[Transition], City]:
    """The transitions of a recording. Raises LawangError."""
    city = read_city(settings)
    recording = read_recording(file)
    if rules:
        recording.rules = tuple(rules)
    return play(city, recording), city


def play_history(
    settings: Settings, since: datetime | None, until: datetime | None, rules: Sequence[str]
) -> tuple[list[Transition], City]:
    """The transitions of a stretch of history: the last six hours if not said. Raises LawangError.

    Times without a zone are the city's own.
    """
    city = read_city(settings)
    unknown = sorted(set(rules) - city.rules.keys())
    if unknown:
        raise LawangError(f"there is no rule {unknown[0]!r} in rules.toml")
    end = until.replace(tzinfo=city.timezone) if until else utc_now()
    begin = since.replace(tzinfo=city.timezone) if since else end - _USUAL
    if begin >= end:
        raise LawangError("--since has to be before --until")
    meant = [rule for rule in city.rules.values() if not rules or rule.id in rules]
    try:
        with history_for_reading(settings) as history:
            recording: Recording = record(city, history, meant, begin, end)
    except StoreError as error:
        raise LawangError(explain(error.kind, error.detail)) from None
    return play(city, recording), city


def find_expected(file: Path | None, given: Path | None) -> list[dict[str, Any]] | None:
    """What is expected: of the given file, or of the one beside the recording; None without."""
    if given is not None:
        return read_expected(given)
    if file is None:
        return None
    beside = file.with_name(f"{file.name.removesuffix('.jsonl')}{EXPECTED}")
    return read_expected(beside) if beside.exists() else None
