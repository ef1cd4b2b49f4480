"""What every screen should show, read without a running centre."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from lawang.build import build_id
from lawang.city import load_city
from lawang.city.screens import programme_reader
from lawang.domain.clock import utc_now
from lawang.domain.screen import ScreenProgramme
from lawang.screens.alarms import alarms_of
from lawang.screens.desk import ScreenDesk, ScreenNow, follow_programme, named_of
from lawang.settings import Settings
from lawang.store.engine import migrate, open_engine
from lawang.store.history import History


@dataclass(frozen=True, slots=True)
class ScreensNow:
    """All screens at a moment; `zone` is the city's."""

    at: datetime
    zone: ZoneInfo
    screens: list[ScreenNow]


def check_file(settings: Settings) -> ScreenProgramme:
    """The programme of the pack. Raises PackError with file, line and key."""
    city = load_city(settings.pack_dir, settings.data_dir, simulated=settings.demo)
    return programme_reader(settings.pack_dir, named_of(city))


def read_screens_now(settings: Settings) -> ScreensNow:
    """Every screen as the centre has it. Raises PackError and StoreError."""
    city = load_city(settings.pack_dir, settings.data_dir, simulated=settings.demo)
    engine = open_engine(settings.sql_url)
    migrate(engine)
    history = History(engine)
    try:
        desk = ScreenDesk(
            follow_programme(city, settings.pack_dir),
            history.screens,
            city.timezone,
            build_id(settings.pack_dir),
            utc_now,
            alarms_of(city, history),
        )
        at = utc_now()
        return ScreensNow(at, city.timezone, desk.screens(at))
    finally:
        history.close()


def screens_to_plain(found: ScreensNow) -> list[dict[str, Any]]:
    """All screens for JSON."""
    return [
        {
            "id": each.screen.id,
            "name": each.screen.name,
            "size": [each.screen.width, each.screen.height],
            "state": each.state.value,
            "seen_at": each.beat.seen_at.isoformat() if each.beat else None,
            "now": [
                {
                    "cell": item.cell,
                    "scene": item.scene,
                    "until": item.until.isoformat(),
                    "why": item.why.value,
                    "cause": item.cause,
                }
                for item in each.items
            ],
            "next_at": each.next_at.isoformat(),
            "next": [{"cell": item.cell, "scene": item.scene} for item in each.next_items],
        }
        for each in found.screens
    ]
