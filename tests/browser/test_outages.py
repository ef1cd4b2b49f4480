"""Parts of the installation frozen and killed under a wall: what it says, and how it recovers.

Frozen by SIGSTOP, killed by SIGKILL. Where a killed part is to stay away for a while, the parent
that would start it again is frozen meanwhile.
"""

from __future__ import annotations

import re
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import psutil
import pytest

from tests.browser.conftest import OpenScreen
from tests.browser.screen import Screen
from tests.installation.running import (
    Demo,
    copy_pack,
    is_alive,
    poll_quickly,
    run_demo,
    wait_until,
)

pytestmark = pytest.mark.browser

WIB = ZoneInfo("Asia/Jakarta")
#: The promise of the house for a wall whose server is gone.
SAID_WITHIN_S = 10.0
# The scheduler of a busy test machine is not the wall's fault.
_SLACK_S = 5.0


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pack of this module's demo, its own to be changed."""
    return copy_pack(tmp_path_factory.mktemp("pack"), elapor=poll_quickly)


@pytest.fixture(scope="module")
def shared_broken(tmp_path_factory: pytest.TempPathFactory, pack: Path) -> Iterator[Demo]:
    with run_demo(tmp_path_factory.mktemp("outages"), LAWANG_CITY=str(pack)) as running:
        yield running


@pytest.fixture
def broken(shared_broken: Demo) -> Iterator[Demo]:
    """A demo to be broken; each test leaves it to mend itself, and the next one waits for that."""
    wait_until(shared_broken.is_well, 60, "a demo that is well before the test")
    before = len(shared_broken.program.output())
    yield shared_broken
    print(shared_broken.program.output()[before:][-4000:])


@pytest.fixture(scope="module")
def shared_screen(shared_broken: Demo, open_shared_screen: OpenScreen) -> Screen:
    return open_shared_screen(shared_broken, "/wall?scene=kejadian")


@pytest.fixture
def screen(shared_screen: Screen, broken: Demo) -> Screen:
    """The module's wall on the demo to be broken, live and fresh."""
    shared_screen.wait_live()
    return shared_screen


@contextmanager
def frozen(process: psutil.Process) -> Iterator[None]:
    """A process that neither runs nor ends."""
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)


@contextmanager
def gone(demo: Demo, name: str) -> Iterator[None]:
    """A part that was killed and is not started again before the end."""
    with frozen(psutil.Process(demo.program.pid)):
        victim = demo.process(name)
        victim.kill()
        wait_until(lambda: not is_alive(victim), 20, f"{name} to be gone")
        yield


def restarted(demo: Demo, name: str, before: int) -> bool:
    """Whether a part runs again under another number."""
    try:
        return bool(demo.process(name).pid != before)
    except LookupError:
        return False


def wait_connection(screen: Screen, state: str, within_s: float) -> float:
    return screen.wait(
        "(state) => document.querySelector('#live-root').dataset.connection === state",
        within_s,
        state,
    )


def clock_of(said: str) -> datetime:
    """The time that a sentence such as "terputus sejak 14:03" names, today or yesterday, in WIB."""
    found = re.search(r"sejak (?:\d+ \w+ )?(\d\d):(\d\d)$", said)
    assert found is not None, said
    now = datetime.now(WIB)
    return now.replace(hour=int(found[1]), minute=int(found[2]), second=0, microsecond=0)


def assert_just_now(moment: datetime) -> None:
    minutes = (datetime.now(WIB) - moment).total_seconds() / 60
    assert minutes < 3 or minutes > 24 * 60 - 3 or -1 < minutes < 0


Away = Callable[[Demo], AbstractContextManager[None]]
WAYS = pytest.mark.parametrize(
    "away",
    [
        pytest.param(lambda demo: frozen(demo.process("web")), id="frozen"),
        pytest.param(lambda demo: gone(demo, "web"), id="killed"),
    ],
)


@WAYS
def test_a_wall_without_its_server_says_since_when_and_recovers(
    broken: Demo, screen: Screen, away: Away
) -> None:
    with away(broken):
        # Read while nothing more can arrive.
        counters = screen.counters()
        took = wait_connection(screen, "lost", SAID_WITHIN_S + _SLACK_S)
        said = screen.connection()
        healths = screen.healths()
        kept = screen.counters()
        ages = screen.ages()
    assert took < SAID_WITHIN_S
    assert said.startswith("terputus sejak ")
    assert_just_now(clock_of(said))
    assert "fresh" not in healths
    assert kept == counters
    assert all(re.search(r"\d\d:\d\d", age) for age in ages), ages
    screen.wait_live()
    assert screen.connection() == "tersambung"
    wait_until(broken.agrees_with_elapor, 60, "exactly e-lapor's reports, each once")


def test_ages_go_on_growing_while_the_server_is_frozen(broken: Demo, screen: Screen) -> None:
    with frozen(broken.process("web")):
        screen.wait(
            "() => [...document.querySelectorAll('[data-live-tile]')]"
            ".every((tile) => ['stale', 'down'].includes(tile.dataset.health))"
        )
        one = max(seconds(age) for age in screen.ages())
        screen.wait(
            "(one) => [...document.querySelectorAll('.tile [data-live-age]')]"
            ".some((age) => Number(/(\\d+)\\sdtk$/.exec(age.textContent)?.[1]) > one + 2)",
            20,
            one,
        )
        assert all(age.startswith(("basi · ", "mati · ")) for age in screen.ages())
    screen.wait_live()


def seconds(age: str) -> int:
    found = re.search(r"(\d+) dtk$", age)
    assert found is not None, age
    return int(found[1])


def test_a_killed_valkey_is_started_again_with_everything_in_it(
    broken: Demo, screen: Screen
) -> None:
    before = broken.process("valkey").pid
    report = broken.file("Laporan sebelum Valkey jatuh.")
    wait_until(lambda: broken.incident(report), 90, "the filed report in our API")
    broken.process("valkey").kill()
    wait_until(lambda: restarted(broken, "valkey", before), 30, "a new Valkey")
    wait_until(broken.is_well, 60, "a demo that has recovered by itself")
    screen.wait_live()
    wait_until(
        lambda: screen.counters()["open"] == len(broken.incidents(open="true")),
        90,
        "as many open reports on the wall as in our API",
    )
    wait_until(broken.agrees_with_elapor, 60, "exactly e-lapor's reports, each once")


def test_while_the_valkey_is_away_the_wall_says_so_and_keeps_its_values(
    broken: Demo, screen: Screen
) -> None:
    with gone(broken, "valkey"):
        counters = screen.counters()
        took = wait_connection(screen, "cache", SAID_WITHIN_S + _SLACK_S)
        said = screen.connection()
        kept = screen.counters()
        report = broken.file("Laporan selama Valkey jatuh.")
    assert took < SAID_WITHIN_S
    assert said.startswith("data langsung terputus sejak ")
    assert_just_now(clock_of(said))
    assert kept == counters
    screen.wait_live()
    wait_until(lambda: broken.incident(report), 60, "the report that was filed meanwhile")
    wait_until(broken.agrees_with_elapor, 60, "exactly e-lapor's reports, each once")


@pytest.mark.parametrize(
    "away",
    [
        pytest.param(lambda demo: frozen(demo.process("poller")), id="frozen"),
        pytest.param(lambda demo: gone(demo, "poller"), id="killed"),
    ],
)
def test_a_silent_poller_is_named_and_misses_nothing(
    broken: Demo, screen: Screen, away: Away
) -> None:
    with away(broken):
        wait_connection(screen, "board", 12 + SAID_WITHIN_S + _SLACK_S)
        said = screen.connection()
        report = broken.file("Laporan selama pengumpul diam.")
        healths = screen.healths()
    assert said.startswith("pengumpul data diam sejak ")
    assert_just_now(clock_of(said))
    assert "fresh" not in healths
    screen.wait_live()
    wait_until(lambda: broken.incident(report), 60, "the report that was filed meanwhile")
    wait_until(broken.agrees_with_elapor, 60, "exactly e-lapor's reports, each once")


def test_a_locked_database_shows_and_nothing_is_lost(
    broken: Demo, screen: Screen, open_screen: OpenScreen
) -> None:
    table = open_screen(broken, "/sources")
    path = broken.data_dir / "history.sqlite3"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        counters = screen.counters()
        report = broken.file("Laporan selama basis data terkunci.")
        screen.wait("() => document.querySelector('[data-tile=open]').dataset.health !== 'fresh'")
        table.wait(
            "() => document.querySelector('.error-cell').textContent"
            ".includes('Basis data kita dikunci program lain')"
        )
        age = screen.ages()[0]
        kept = screen.counters()
        unknown = broken.incident(report)
        other.execute("ROLLBACK")
    assert age.startswith(("terlambat · ", "basi · ", "mati · "))
    assert kept == counters
    assert unknown is None
    screen.wait_live()
    wait_until(lambda: broken.incident(report), 60, "the report that was filed meanwhile")
    wait_until(broken.agrees_with_elapor, 60, "exactly e-lapor's reports, each once")
    known = broken.incident(report)
    assert known is not None
    assert [event["kind"] for event in known["events"]] == ["reported"]


def test_a_new_build_reloads_the_wall(broken: Demo, screen: Screen, pack: Path) -> None:
    """Last of this module: it changes the pack, as a new version of the program would."""
    screen.script("() => { window.__old = true; }")
    build = screen.script("() => lawang.live.config().build")
    city = pack / "city.toml"
    city.write_text(city.read_text(encoding="utf-8") + "\n# Another build.\n", encoding="utf-8")
    before = broken.process("web").pid
    broken.process("web").kill()
    wait_until(lambda: restarted(broken, "web", before), 60, "a new web process")
    screen.wait("() => window.__old === undefined && lawang.live.config()", 60)
    screen.wait_live()
    assert screen.script("() => sessionStorage.getItem('lawang-reload-why')") == "build"
    assert screen.script("() => lawang.live.config().build") != build
