"""Making, listing and revoking the keys of walls, straight in history."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lawang.city import load_city
from lawang.domain.clock import utc_now
from lawang.domain.errors import SettingsError
from lawang.settings import Settings
from lawang.store.engine import migrate, open_engine
from lawang.store.history import History
from lawang.store.screens import ScreenStore, ScreenToken

_LONGEST = 120


@contextmanager
def open_store(settings: Settings) -> Iterator[ScreenStore]:
    """The screens' tables of an installation, running or not. Raises StoreError."""
    engine = open_engine(settings.sql_url)
    migrate(engine)
    history = History(engine)
    try:
        yield history.screens
    finally:
        history.close()


def make(settings: Settings, name: str, by: str, screen_id: str | None) -> tuple[ScreenToken, str]:
    """A new key. Raises SettingsError for a screen that is not in the pack, or an empty name."""
    for what, text in (("a name", name), ("--by with a name", by)):
        if not text.strip() or len(text) > _LONGEST or not text.isprintable():
            raise SettingsError(f"give {what} of 1 to {_LONGEST} printable characters")
    if screen_id is not None:
        city = load_city(settings.pack_dir, settings.data_dir, simulated=settings.demo)
        if screen_id not in city.screens.screens:
            names = ", ".join(city.screens.screens) or "none"
            raise SettingsError(f"there is no screen {screen_id!r} in screens.toml: {names}")
    with open_store(settings) as store:
        return store.make_token(name.strip(), by.strip(), utc_now(), screen_id)


def known(settings: Settings) -> list[ScreenToken]:
    """All keys, without the keys themselves."""
    with open_store(settings) as store:
        return store.tokens()


def revoke(settings: Settings, number: int) -> None:
    """Make a key worthless. Raises SettingsError where no valid one has this number."""
    with open_store(settings) as store:
        if not store.revoke_token(number, utc_now()):
            raise SettingsError(
                f"there is no valid key {number}: `lawang screens token list` shows them"
            )


def to_plain(token: ScreenToken) -> dict[str, Any]:
    """A key's facts for JSON."""

    def text(at: Any) -> str | None:
        return at.isoformat() if at else None

    return {
        "id": token.id,
        "name": token.name,
        "screen": token.screen_id,
        "made_by": token.made_by,
        "made_at": text(token.made_at),
        "revoked_at": text(token.revoked_at),
        "last_used": text(token.last_used),
    }
