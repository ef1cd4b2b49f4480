"""The mayor's pages on facts that are known: the real web process and board, in threads of a test.

Four months of daily facts of every indicator of the pack are written as the indicators' worker
would, so that no test has to wait until a demonstration has worked them out.
"""

from __future__ import annotations

import gc
import math
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import uvicorn

from app import create_web
from lawang.board.worker import BoardWorker
from lawang.city import City
from lawang.domain.clock import utc_now
from lawang.domain.formula import IncidentFormula
from lawang.domain.health import SourceState
from lawang.domain.incident import Status
from lawang.domain.kpi import Combine, Daily, Kpi
from lawang.installation import Installation
from lawang.kpi.cells import day_start, last_complete_day
from lawang.overview.panel import OverviewPanels
from lawang.settings import Settings
from lawang.store.engine import open_engine
from lawang.store.history import History
from lawang.store.live import LiveStore
from tests.conftest import build_incident
from tests.installation.running import free_ports, wait_until

DAYS = 120
WIB = ZoneInfo("Asia/Jakarta")
#: Markup in the words of a department: it is to be read, not to be run.
HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script> & \"Dinas\" 'Uji'"
_PATIENCE_S = 60.0


@dataclass
class MayorSite:
    """An installation whose web process can be ended and begun again at the same address."""

    installation: Installation
    live: LiveStore
    board: BoardWorker
    port: int
    last: date
    _server: ExitStack = field(default_factory=ExitStack)

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def history(self) -> History:
        return self.installation.history

    def start(self, history: History | None = None) -> None:
        """Begin to serve, from other records where some are given."""
        installation = replace(self.installation, history=history or self.history)
        self._server.enter_context(serve(installation, self.port))
        wait_until(self._answers, _PATIENCE_S, "the mayor's site")

    def stop(self) -> None:
        self._server.close()

    @contextmanager
    def records_away(self) -> Iterator[None]:
        """The same web process, but that its history cannot be read."""
        self.stop()
        nowhere = f"sqlite:///{self.installation.settings.data_dir}/nowhere/history.sqlite3"
        with closing(History(open_engine(nowhere))) as broken:
            self.start(broken)
            try:
                yield
            finally:
                self.stop()
        self.start()

    def _answers(self) -> bool:
        answer = httpx.get(f"{self.url}/healthz", timeout=20, trust_env=False)
        return answer.status_code == 200

    def change(self, factor: float) -> None:
        """Another fact on the last complete day: what the departments did, times that factor."""
        for kpi in list(self.installation.city.kpis.values())[:20]:
            fact = _fact(kpi, "", self.last, factor)
            if fact is not None:
                self.history.kpis.replace(kpi.id, self.last, self.last, [fact])
        self.board.reread_indicators()


@contextmanager
def open_site(city: City, valkey_url: str, database: Path, folder: Path) -> Iterator[MayorSite]:
    """A site on an own copy of `database`, a migrated empty one."""
    path = folder / "history.sqlite3"
    path.write_bytes(database.read_bytes())
    port = free_ports()
    opds = dict(city.opds)
    first = next(iter(city.kpis.values()))
    opds[first.owner] = replace(opds[first.owner], name=HOSTILE)
    kpis = city.kpis | {first.id: replace(first, name_id=HOSTILE, name_en=HOSTILE)}
    own = replace(city, slug=f"mayor-{port}", opds=opds, kpis=kpis)
    settings = Settings(data_dir=folder, simulator_url="http://127.0.0.1:9")
    with closing(History(open_engine(f"sqlite:///{path}"))) as history:
        now = utc_now()
        last = last_complete_day(now, own.timezone)
        write_facts(own, history, last)
        write_reports(history, now)
        installation = Installation(settings, own, history, valkey_url)
        with closing(installation.open_live()) as live:
            for source_id in own.sources:
                live.put(state=SourceState(source_id=source_id, last_success=now, records=1))
            panels = OverviewPanels(own, history)
            board = BoardWorker(own, history, live, clock=utc_now, overview=panels)
            board.start()
            site = MayorSite(installation, live, board, port, last)
            try:
                site.start()
                yield site
            finally:
                site.stop()
                board.stop()


def write_facts(city: City, history: History, last: date) -> None:
    """Each indicator has its own course about its target: some above, some below, one in two
    kecamatan that stand out."""
    codes = [each.code for each in city.kecamatan]
    for number, kpi in enumerate(city.kpis.values()):
        facts = []
        for back in range(DAYS):
            day = last - timedelta(days=back)
            factor = 0.75 + 0.1 * (number % 6) + 0.05 * math.sin(back / 5 + number)
            facts.append(_fact(kpi, "", day, factor))
            if isinstance(kpi.formula, IncidentFormula) and number % 3 == 0 and back < 30:
                facts += [
                    _fact(kpi, code, day, factor * (0.5 if place == 3 else 1))
                    for place, code in enumerate(codes)
                ]
        known = [each for each in facts if each is not None]
        history.kpis.replace(kpi.id, last - timedelta(days=DAYS - 1), last, known)


def write_reports(history: History, now: datetime) -> None:
    """Forty reports to e-lapor, some of them overdue and one of them with hostile words."""
    history.settle(
        "elapor",
        [
            build_incident(
                external_id=f"m{number}",
                status=Status.WAITING if number % 2 else Status.DONE,
                requested_at=now - timedelta(days=4, hours=number),
                observed_at=now - timedelta(hours=number),
                due_at=now - timedelta(days=2) if number % 3 else now + timedelta(days=3),
                description=HOSTILE,
            )
            for number in range(40)
        ],
        fetched_at=now,
        fence=1,
    )


def _fact(kpi: Kpi, region: str, day: date, factor: float) -> Daily | None:
    """A day on which the target was met so far; None where there is none."""
    if kpi.target is None:
        return None
    observed_at = day_start(day, WIB) + timedelta(hours=16)
    if kpi.combine is Combine.SUM:
        goal = kpi.target.amount(day, day)
        parts = (None if goal is None else goal * factor, 0.0)
    else:
        level = kpi.target.at(day)
        parts = (None if level is None else min(level * factor, 1.0) * 100, 100.0)
        if level is not None and kpi.unit != "%":
            parts = (level * factor * 100, 100.0)
    if parts[0] is None:
        return None
    return Daily(
        kpi=kpi.id, region=region, day=day, num=parts[0], den=parts[1], n=100,
        observed_at=observed_at,
    )  # fmt: skip


@contextmanager
def serve(installation: Installation, port: int) -> Iterator[None]:
    """Serve as `lawang web` does, in a thread, at a port that stays the same."""
    thresholds = gc.get_threshold()
    server = uvicorn.Server(
        uvicorn.Config(
            create_web(installation),  # type: ignore[arg-type]
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=1,
        )
    )
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield
        finally:
            server.should_exit = True
            thread.join(_PATIENCE_S)
            gc.unfreeze()
            gc.set_threshold(*thresholds)
