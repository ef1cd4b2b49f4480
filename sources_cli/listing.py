"""All sources of the city, with their health where live state can be reached."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from connectors.registry import bind
from lawang.check.plain import to_plain
from lawang.city import City, Source, load_city
from lawang.domain.errors import PackError, SettingsError, StoreError
from lawang.domain.health import Health, SourceState, health
from lawang.domain.quality import Quality, Tally, judge
from lawang.installation import find_redis
from lawang.settings import Settings
from lawang.store.live import LiveStore
from sources_cli.stored import history_for_reading

_DAY = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Line:
    """One source. `mistake` is what its connector finds wrong with the file, "" if nothing.

    `health` and `age_s` (since the last success, in seconds) are None where they are not known, and
    so are the `quality` of the last 24 hours and how many `findings` are open.
    """

    source: Source
    opd_name: str
    mistake: str
    health: Health | None
    age_s: float | None
    quality: Quality | None = None
    findings: int | None = None

    @property
    def is_configured(self) -> bool:
        """Whether a poller can ask it."""
        return not self.source.unset and not self.mistake


@dataclass(frozen=True, slots=True)
class Listing:
    """The sources by id; `live_note` says why nothing is known of their health, "" if it is.

    `history_note` says the same of quality and findings.
    """

    lines: tuple[Line, ...]
    live_note: str
    history_note: str = ""


def read_listing(settings: Settings, now: datetime) -> Listing:
    """List the city's sources. Raises PackError; live state that is away is only noted."""
    city = load_city(settings.pack_dir, settings.data_dir, simulated=settings.demo)
    states, note = _read_states(settings, city)
    watched, history_note = _read_watched(settings, now)
    lines = [
        _line(source, city, states, watched, now, known=not note)
        for _, source in sorted(city.sources.items())
    ]
    return Listing(tuple(lines), note, history_note)


@dataclass(frozen=True, slots=True)
class _Watched:
    """What history tells of all sources: first tally and sum of the day, open findings."""

    totals: dict[str, tuple[datetime, Tally]]
    findings: dict[str, int]

    def quality(self, source: Source, now: datetime) -> Quality | None:
        found = self.totals.get(source.id)
        return None if found is None else judge(found[1], now - found[0], source.every_s)


def _read_watched(settings: Settings, now: datetime) -> tuple[_Watched | None, str]:
    try:
        with history_for_reading(settings) as history:
            totals = history.quality.totals(now - _DAY)
            return _Watched(totals, history.findings.open_counts()), ""
    except SettingsError:
        return None, "there is no history here yet"
    except StoreError:
        return None, "history does not answer"


def _read_states(settings: Settings, city: City) -> tuple[dict[str, SourceState], str]:
    try:
        live = LiveStore(find_redis(settings), city.slug)
    except SettingsError:
        return {}, f"no installation runs on {settings.data_dir}"
    try:
        return live.source_states(), ""
    except StoreError:
        return {}, "live state does not answer"
    finally:
        live.close()


def _line(
    source: Source,
    city: City,
    states: dict[str, SourceState],
    watched: _Watched | None,
    now: datetime,
    *,
    known: bool,
) -> Line:
    state = states.get(source.id) or SourceState(source_id=source.id)
    age_s = (now - state.last_success).total_seconds() if state.last_success else None
    return Line(
        source=source,
        opd_name=city.opds[source.opd].name,
        mistake=_mistake(source),
        health=health(state, source.cadence, now) if known else None,
        age_s=age_s,
        quality=watched.quality(source, now) if watched else None,
        findings=watched.findings.get(source.id, 0) if watched else None,
    )


def _mistake(source: Source) -> str:
    try:
        bind(source)
    except PackError as error:
        return str(error)
    return ""


def listing_to_plain(listing: Listing) -> dict[str, Any]:
    """A JSON-ready mapping."""
    return {
        "live_note": listing.live_note,
        "history_note": listing.history_note,
        "sources": [
            {
                "id": line.source.id,
                "name": line.source.name,
                "opd": line.source.opd,
                "connector": line.source.connector,
                "yields": list(line.source.yields),
                "every_s": line.source.every_s,
                "configured": line.is_configured,
                "unset": list(line.source.unset),
                "mistake": line.mistake,
                "simulated": line.source.simulated,
                "health": line.health,
                "age_s": None if line.age_s is None else round(line.age_s, 1),
                "quality_24h": to_plain(line.quality),
                "open_findings": line.findings,
            }
            for line in listing.lines
        ],
    }
