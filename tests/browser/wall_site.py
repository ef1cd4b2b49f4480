"""A wall on facts that a test sets: the real web process and board, with alarms held in the hand.

Rules, pollers and a demonstration would raise the alarms of a test too late and not alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr

from lawang.board.worker import BoardWorker
from lawang.build import build_id
from lawang.city import City
from lawang.domain.clock import utc_now
from lawang.domain.health import SourceState
from lawang.installation import Installation
from lawang.screens.desk import ScreenDesk, still_programme
from lawang.screens.panel import ScreenPanels
from lawang.settings import Settings
from lawang.store.engine import open_engine
from lawang.store.history import History
from lawang.store.live import LiveStore
from tests.browser.mayor import serve
from tests.installation.running import free_ports, wait_until


@dataclass
class WallSite:
    """An installation whose open alarms are what `raise_alarm` and `change_alarm` made them."""

    installation: Installation
    live: LiveStore
    port: int
    alarms: dict[str, dict[str, Any]] = field(default_factory=dict)
    _server: ExitStack = field(default_factory=ExitStack)

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def panel(self, _now: datetime) -> dict[str, Any]:
        """The board's panel, as `lawang.rules.panel` would make it."""
        return {
            "sources": [], "alarms": self.alarms, "unknown": 0, "shelved": 0, "silenced": 0,
            "blind": {}, "rules": 1,
        }  # fmt: skip

    def raise_alarm(self, name: str, severity: str, age: timedelta = timedelta(0)) -> None:
        """An alarm of that severity that became active so long ago; the board tells it."""
        at = (utc_now() - age).isoformat()
        entry = {
            "rule": "uji", "severity": severity, "state": "active", "owner": "", "began_at": at,
            "active_at": at, "acked": False, "simulated": True, "subject": "Uji",
            "region_name": "", "name_id": f"Uji {name}", "name_en": f"Test {name}",
            "text_id": "Uji", "text_en": "Test",
        }  # fmt: skip
        self.alarms = {**self.alarms, name: entry}
        self.live.note_alarms()

    def change_alarm(self, name: str, **changes: Any) -> None:
        """Another state of a known alarm."""
        self.alarms = {**self.alarms, name: {**self.alarms[name], **changes}}
        self.live.note_alarms()

    def clear(self) -> None:
        """No alarm is open."""
        self.alarms = {}
        self.live.note_alarms()

    def start(self) -> None:
        """Begin to serve."""
        self._server.enter_context(serve(self.installation, self.port))
        wait_until(lambda: self.get("/healthz"), 60, "the wall's site")

    def stop(self) -> None:
        """End the web process; browsers find nobody at the address."""
        self._server.close()

    def get(self, path: str) -> dict[str, Any]:
        answer = httpx.get(f"{self.url}{path}", timeout=20, trust_env=False).raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def screen(self, screen_id: str) -> dict[str, Any]:
        """A screen as `GET /api/v1/screens/{id}` tells it."""
        return self.get(f"/api/v1/screens/{screen_id}")

    def tell(self, screen_id: str, kind: str, **more: Any) -> None:
        """Give a wall a command, as an operator does."""
        httpx.post(
            f"{self.url}/api/v1/screens/{screen_id}/commands",
            json={"kind": kind, "by": "Uji", **more},
            timeout=20,
            trust_env=False,
        ).raise_for_status()


@contextmanager
def open_wall_site(
    city: City, valkey_url: str, database: Path, folder: Path, tiles: str = ""
) -> Iterator[WallSite]:
    """A site on an own copy of `database`, a migrated empty one, with the city's own screens."""
    path = folder / "history.sqlite3"
    path.write_bytes(database.read_bytes())
    port = free_ports()
    own = replace(city, slug=f"wall-{port}")
    settings = Settings(data_dir=folder, simulator_url="http://127.0.0.1:9", tiles=SecretStr(tiles))
    with closing(History(open_engine(f"sqlite:///{path}"))) as history:
        installation = Installation(settings, own, history, valkey_url)
        with closing(installation.open_live()) as live:
            for source_id in own.sources:
                live.put(state=SourceState(source_id=source_id, last_success=utc_now(), records=1))
            site = WallSite(installation, live, port)
            board = BoardWorker(
                own,
                history,
                live,
                clock=utc_now,
                alarms=site.panel,
                screens=_panels(own, history, settings.pack_dir),
            )
            board.start()
            try:
                site.start()
                yield site
            finally:
                site.stop()
                board.stop()


def _panels(city: City, history: History, pack: Path) -> ScreenPanels:
    states: Mapping[str, SourceState] = {}
    desk = ScreenDesk(
        still_programme(city, utc_now), history.screens, city.timezone, build_id(pack), utc_now
    )
    return ScreenPanels(city, desk, lambda: states, lambda _at: None)
