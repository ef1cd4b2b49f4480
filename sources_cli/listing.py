"""All sources of the city, with their health where live state can be reached."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connectors.registry import bind
from lawang.city import City, Source, load_city
from lawang.domain.errors import PackError, SettingsError, StoreError
from lawang.domain.health import Health, SourceState, health
from lawang.installation import find_redis
from lawang.settings import Settings
from lawang.store.live import LiveStore


@dataclass(frozen=True, slots=True)
class Line:
    """One source. `mistake` is what its connector finds wrong with the file, "" if nothing.

    `health` and `age_s` (since the last success, in seconds) are None where they are not known.
    """

    source: Source
    opd_name: str
    mistake: str
    health: Health | None
    age_s: float | None

    @property
    def is_configured(self) -> bool:
        """Whether a poller can ask it."""
        return not self.source.unset and not self.mistake


@dataclass(frozen=True, slots=True)
class Listing:
    """The sources by id; `live_note` says why nothing is known of their health, "" if it is."""

    lines: tuple[Line, ...]
    live_note: str


def read_listing(settings: Settings, now: datetime) -> Listing:
    """List the city's sources. Raises PackError; live state that is away is only noted."""
    city = load_city(settings.pack_dir, settings.data_dir, simulated=settings.demo)
    states, note = _read_states(settings, city)
    lines = [
        _line(source, city, states, now, known=not note)
        for _, source in sorted(city.sources.items())
    ]
    return Listing(tuple(lines), note)


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
    source: Source, city: City, states: dict[str, SourceState], now: datetime, *, known: bool
) -> Line:
    state = states.get(source.id) or SourceState(source_id=source.id)
    age_s = (now - state.last_success).total_seconds() if state.last_success else None
    return Line(
        source=source,
        opd_name=city.opds[source.opd].name,
        mistake=_mistake(source),
        health=health(state, source.cadence, now) if known else None,
        age_s=age_s,
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
        "sources": [
            {
                "id": line.source.id,
                "name": line.source.name,
                "opd": line.source.opd,
                "connector": line.source.connector,
                "every_s": line.source.every_s,
                "configured": line.is_configured,
                "unset": list(line.source.unset),
                "mistake": line.mistake,
                "simulated": line.source.simulated,
                "health": line.health,
                "age_s": None if line.age_s is None else round(line.age_s, 1),
            }
            for line in listing.lines
        ],
    }
