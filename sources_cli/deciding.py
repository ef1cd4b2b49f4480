"""`lawang sources findings | accept | dismiss`: what looks wrong, and what a person says to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lawang.check.plain import to_plain
from lawang.city import City, load_city
from lawang.domain.errors import LawangError, SettingsError, StoreError
from lawang.domain.finding import Finding, FindingState
from lawang.installation import find_redis
from lawang.settings import Settings
from lawang.store.engine import migrate, open_engine
from lawang.store.history import History
from lawang.store.live import LiveStore
from sources_cli.explain import explain, find_source
from sources_cli.stored import history_for_reading

_MOST = 500


@dataclass(frozen=True, slots=True)
class Decided:
    """A finding after the decision, and whether the wall was told.

    `series` counts the series whose newest value it changed.
    """

    finding: Finding
    series: int
    shown: bool


def list_findings(
    settings: Settings, source_id: str | None, *, decided: bool
) -> tuple[list[Finding], City]:
    """The open findings, or all of them, the last seen first. Raises LawangError."""
    city = load_city(settings.pack_dir, settings.data_dir, simulated=settings.demo)
    wanted = (find_source(city, source_id).id,) if source_id else ()
    states = () if decided else (FindingState.OPEN,)
    try:
        with history_for_reading(settings) as history:
            return history.findings.list(wanted, states, _MOST), city
    except StoreError as error:
        raise LawangError(explain(error.kind, error.detail)) from None


def decide(
    settings: Settings, number: int, *, accept: bool, by: str, note: str, at: datetime
) -> Decided:
    """Accept or dismiss an open finding. Raises LawangError where it cannot be decided."""
    city = load_city(settings.pack_dir, settings.data_dir, simulated=settings.demo)
    with history_for_reading(settings):
        pass  # without an installation nothing is made
    engine = open_engine(settings.sql_url)
    try:
        migrate(engine)
        history = History(engine)
        _, newest = history.readings.decide(number, accept=accept, by=by, note=note, at=at)
        finding = history.findings.get(number)
        if finding is None:
            raise LawangError(f"there is no finding {number}")
        still_open = history.findings.open_counts().get(finding.source_id, 0)
    except StoreError as error:
        raise LawangError(explain(error.kind, error.detail)) from None
    finally:
        engine.dispose()
    return Decided(finding, len(newest), _show(settings, city, finding, newest, still_open))


def _show(
    settings: Settings, city: City, finding: Finding, newest: list[Any], still_open: int
) -> bool:
    """Tell live state, so that the wall follows; history has it in either case."""
    try:
        live = LiveStore(find_redis(settings), city.slug)
    except SettingsError:
        return False
    try:
        if newest:
            live.put(readings=newest)
        live.note_findings(finding.source_id, still_open)
    except StoreError:
        return False
    finally:
        live.close()
    return True


def findings_to_json(findings: list[Finding]) -> list[dict[str, Any]]:
    """JSON-ready mappings."""
    return [to_plain(finding) for finding in findings]
