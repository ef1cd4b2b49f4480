"""A whole demonstration on a flood night, and beside it a stock Dash page of the same facts.

The demonstration is `lawang up --demo` as anybody starts it. Its pack is a copy of the city's in
which the walls' items follow each other quickly and no hour of the day changes them; nothing else
is different. The flood night is played at sixty times its speed, again and again.
"""

from __future__ import annotations

import contextlib
import random
import re
import shutil
import socket
import tempfile
import threading
import time
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from benchmarks.figures import BenchError
from benchmarks.ground import PACK
from benchmarks.processes import Program, free_port, last_words, run_program, run_server
from benchmarks.wall import stock
from lawang.city import City, load_city
from lawang.domain.errors import StoreError
from lawang.store.embedded import find_address
from lawang.store.live import LiveStore
from layouts.wall import ALWAYS, wall_panels

SCREEN = "utama"
SPEED = 60.0
_READY_S = 600.0
_LOOK_S = 2.0
_FIRST_PORTS = range(20_000, 30_000, 10)
#: All lines of a table of a TOML file, up to the next one.
_LINES = r"(?:(?!\[)[^\n]*\n)*"
_SCHEDULE = re.compile(rf"^\[\[schedule\]\]\n{_LINES}", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Site:
    """A running demonstration. `panels` are what its scenes need."""

    program: Program
    port: int
    data_dir: Path
    city: City
    panels: frozenset[str]

    @property
    def url(self) -> str:
        """Where its pages are."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def scenes(self) -> tuple[str, ...]:
        """The scenes of the screen's playlist, in their order."""
        cell = self.city.screens.screens[SCREEN].cells[0]
        return tuple(turn.scene for turn in self.city.screens.playlists[cell.playlist].turns)

    @property
    def rotation_s(self) -> float:
        """How long one turn of the screen's playlist takes."""
        cell = self.city.screens.screens[SCREEN].cells[0]
        return self.city.screens.playlists[cell.playlist].length.total_seconds()


@contextmanager
def open_site(
    dwell_s: int,
    *,
    scenes: Sequence[str] = (),
    scenario: str = "banjir",
    speed: float = SPEED,
    begun_min: float = 0.0,
) -> Iterator[Site]:
    """Start a demonstration, wait until all that its walls need was heard; end it afterwards.

    `dwell_s` is how long each item of a playlist stays, `scenes` what the watched screen shows
    (nothing: every one), `begun_min` how many minutes of the scenario are over at the start.
    Raises BenchError where it does not start.
    """
    with tempfile.TemporaryDirectory(prefix="lawang-wall-", ignore_cleanup_errors=True) as folder:
        pack = copy_pack(Path(folder), dwell_s, scenes)
        data_dir, log, port = Path(folder) / "data", Path(folder) / "up.log", _three_ports()
        city = load_city(pack, env={"LAWANG_SIMULATOR_URL": "http://127.0.0.1:9"}, simulated=True)
        arguments = ["up", "--demo", "--port", str(port), "--data-dir", str(data_dir)]
        arguments += ["--scenario", scenario, "--scenario-speed", str(speed)]
        arguments += ["--scenario-begun", str(begun_min)]
        env = {"LAWANG_CITY": str(pack), "COLUMNS": "200"}
        with run_program("lawang up", "cli", arguments, env, log) as program:
            site = Site(
                program, port, data_dir, city, frozenset(wall_panels(city.screens)) - {*ALWAYS}
            )
            _wait_until_heard(site, log)
            yield site


@contextmanager
def open_stock(site: Site) -> Iterator[str]:
    """The stock page of a site's facts; gives its address."""
    port, log = free_port(), site.data_dir / "stock.log"
    env = {stock.REDIS_URL: find_address(site.data_dir) or "", stock.CITY: site.city.slug}
    module = "benchmarks.wall.stock"
    with run_server("the stock page", module, [str(port)], env, port, log):
        yield f"http://127.0.0.1:{port}"


def copy_pack(folder: Path, dwell_s: int, scenes: Sequence[str] = ()) -> Path:
    """The city's pack, its walls turning every `dwell_s` seconds; through all scenes, or these."""
    pack = Path(shutil.copytree(PACK, folder / PACK.name))
    file = pack / "screens.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(turn_quickly(text, dwell_s, scenes), encoding="utf-8")
    return pack


def turn_quickly(text: str, dwell_s: int, scenes: Sequence[str] = ()) -> str:
    """`screens.toml` with items and interrupts so long, and the same programme at every hour.

    The screen that is watched shows `scenes`, or every one there is; the others what they did, but
    no alarm takes them over.
    """
    text = _SCHEDULE.sub("", text)
    table = tomllib.loads(text)
    playlist = table["screens"][SCREEN]["playlist"]
    played = set(re.findall(r'playlist = "(\w+)"', text))
    for name in (table["playlists"].keys() - played) | {playlist}:
        text = re.sub(rf"^\[\[playlists\.{name}\.items\]\]\n{_LINES}", "", text, flags=re.M)
    text = re.sub(r"^dwell_s = \d+", f"dwell_s = {dwell_s}", text, flags=re.M)
    text = re.sub(r"^(least_s|most_s) = \d+", rf"\1 = {dwell_s}", text, flags=re.M)
    text = text.replace("[[interrupt]]\n", f'[[interrupt]]\nscreens = ["{SCREEN}"]\n')
    return text + "".join(
        f'\n[[playlists.{playlist}.items]]\nscene = "{scene}"\ndwell_s = {dwell_s}\n'
        for scene in scenes or table["scenes"]
    )


# --- the flood -----------------------------------------------------------------------------------


def flood_again(site: Site, scenario: str = "banjir", speed: float = SPEED) -> None:
    """Play the scenario once more if it is over."""
    address = f"http://127.0.0.1:{site.port + 1}/_scenario"
    # A simulator that is busy raining is asked again at the next look.
    with (
        contextlib.suppress(httpx.HTTPError),
        httpx.Client(timeout=20, trust_env=False) as simulator,
    ):
        if not simulator.get(address).json().get("next"):
            simulator.post(address, json={"name": scenario, "speed": speed})


# --- the wall as the centre hears it -------------------------------------------------------------


@dataclass
class BeatLog:
    """The heartbeats of a screen as the centre's API tells them, one by one."""

    beats: list[Mapping[str, Any]] = field(default_factory=list)

    def take(self, beat: Mapping[str, Any] | None) -> None:
        """Note the last beat, if it is another one."""
        if beat and (not self.beats or beat["seen_at"] != self.beats[-1]["seen_at"]):
            self.beats.append(beat)


@contextmanager
def listen_to_beats(site: Site, screen: str = SCREEN) -> Iterator[BeatLog]:
    """Write down every beat of a screen, from a thread of its own, until the block is left.

    A wall beats every ten seconds and is asked after every two: none is overlooked.
    """
    log, stop = BeatLog(), threading.Event()

    def run() -> None:
        with httpx.Client(base_url=site.url, timeout=20, trust_env=False) as client:
            while not stop.wait(_LOOK_S):
                with contextlib.suppress(httpx.HTTPError):
                    answer = client.get(f"/api/v1/screens/{screen}").raise_for_status()
                    log.take(answer.json()["beat"])

    thread = threading.Thread(target=run, name="beats", daemon=True)
    thread.start()
    try:
        yield log
    finally:
        stop.set()
        thread.join(30)


# --- starting ------------------------------------------------------------------------------------


def _wait_until_heard(site: Site, log: Path) -> None:
    """Return when every panel that a wall needs says something."""
    deadline = time.monotonic() + _READY_S
    missing: set[str] = set(site.panels)
    while time.monotonic() < deadline:
        if not site.program.is_running():
            raise BenchError(f"The demonstration ended. It said:\n{last_words(log)}")
        if address := find_address(site.data_dir):
            with contextlib.suppress(StoreError):
                missing = _missing(address, site)
            if not missing:
                return
        time.sleep(_LOOK_S)
    raise BenchError(f"The demonstration says nothing of {', '.join(sorted(missing))}.")


def _missing(address: str, site: Site) -> set[str]:
    live = LiveStore(address, site.city.slug)
    try:
        known = {name for name, each in live.panels().items() if each["payload"]}
    finally:
        live.close()
    return set(site.panels) - known


def _three_ports() -> int:
    """A port whose two successors are free as well, as a demonstration takes three."""
    # Any of them: two that start at once must not want the same.
    for port in random.sample(_FIRST_PORTS, len(_FIRST_PORTS)):
        if all(_is_free(port + step) for step in range(3)):
            return port
    raise BenchError("There are no three free ports beside each other for a demonstration.")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
