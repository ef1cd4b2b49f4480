"""Screens and their keys as tables for a person at a terminal. Times are the city's."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from rich.text import Text

from lawang.domain.screen import ScreenProgramme, ScreenState
from lawang.screens.programme import Item
from lawang.store.screens import ScreenToken
from screens_cli.listing import ScreensNow
from sources_cli.tables import console, say, table

_STYLES = {
    ScreenState.ALIVE: "green",
    ScreenState.OLD_BUILD: "yellow",
    ScreenState.FROZEN: "bold red",
    ScreenState.DARK: "bold red",
    ScreenState.NEVER: "dim",
}


def print_screens(found: ScreensNow) -> None:
    """Print every screen, one a row."""
    shown = table(None, "screen", "state", "heard", "shows", "why", "until", "next")
    for each in found.screens:
        heard = _time(each.beat.seen_at, found.zone) if each.beat else ""
        shown.add_row(
            Text(each.screen.id, style="bold"),
            Text(each.state.value, style=_STYLES[each.state]),
            heard,
            Text(_scenes(each.items)),
            Text(", ".join(dict.fromkeys(f"{item.why}: {item.cause}" for item in each.items))),
            f"{each.next_at.astimezone(found.zone):%H:%M:%S}",
            Text(_scenes(each.next_items)),
        )
    screen = console()
    screen.print(shown)
    say(screen, f"{len(found.screens)} screens, {_time(found.at, found.zone)}.", "dim")


def print_programme(programme: ScreenProgramme) -> None:
    """Print the playlists with their length, and when the schedule plays them."""
    shown = table(None, "playlist", "items", "one round", "scheduled")
    for playlist in programme.playlists.values():
        entries = [each.id for each in programme.schedule if each.playlist == playlist.id]
        shown.add_row(
            Text(playlist.id, style="bold"),
            Text(" ".join(each.scene for each in playlist.turns)),
            f"{playlist.length.total_seconds():g} s",
            Text(", ".join(entries)),
        )
    screen = console()
    screen.print(shown)
    say(
        screen,
        f"The file is right: {len(programme.screens)} screens, {len(programme.scenes)} scenes, "
        f"{len(programme.interrupts)} interrupts, {len(programme.status.levels)} status levels.",
        "dim",
    )


def print_tokens(tokens: Iterable[ScreenToken]) -> None:
    """Print keys, one a row; times are UTC."""
    shown = table(None, "number", "name", "opens", "made", "by", "last used", "revoked")
    for each in tokens:
        shown.add_row(
            str(each.id),
            Text(each.name),
            Text(each.screen_id or "every screen"),
            _utc(each.made_at),
            Text(each.made_by),
            _utc(each.last_used) or "never",
            _utc(each.revoked_at),
        )
    console().print(shown)


def _scenes(items: Iterable[Item]) -> str:
    return " | ".join(f"{each.cell}: {each.scene}" if each.cell else each.scene for each in items)


def _time(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%d-%m %H:%M:%S %Z}"


def _utc(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC" if at else ""
