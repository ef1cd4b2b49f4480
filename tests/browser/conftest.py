"""A real Chromium on a real demonstration, shared by the tests of this folder.

Everything here ends with the folder's last test: Playwright keeps an event loop in this thread as
long as it runs, beside which other tests could not run theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from lawang.city import City
from tests.browser import chromium
from tests.browser.mayor import MayorSite, open_site
from tests.browser.programme import ProgrammeDemo, run_programme
from tests.browser.screen import Screen
from tests.browser.wall_site import WallSite, open_wall_site
from tests.installation.running import Demo, copy_pack, poll_quickly, run_demo, wait_until

OpenScreen = Callable[..., Screen]

#: The size walls are made for.
WALL = {"width": 1920, "height": 1080}


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """The one browser; never skipped: without one the message says how to get it."""
    path = chromium.find()
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=path, args=list(chromium.arguments(path) or ())
        )
        yield running
        running.close()


@pytest.fixture(scope="package")
def shared_demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """The demonstration, polling every 2 s, on which tests leave no trace but more reports."""
    folder = tmp_path_factory.mktemp("demo")
    pack = copy_pack(folder, elapor=poll_quickly)
    with run_demo(folder, LAWANG_CITY=str(pack)) as running:
        yield running


@pytest.fixture
def demo(shared_demo: Demo) -> Iterator[Demo]:
    """The shared demonstration, well before the test; what it prints is shown when that fails."""
    wait_until(shared_demo.is_well, 90, "a demo that is well before the test")
    before = len(shared_demo.program.output())
    yield shared_demo
    shared_demo.fault("none")
    print(shared_demo.program.output()[before:][-4000:])


@contextmanager
def screens(browser: Browser) -> Iterator[OpenScreen]:
    """`opened(demo, path, **context)`: a page in a browser of its own; all close at the end.

    Without a path nothing is loaded yet, so that scripts can be put in before.
    No screen may ever have asked another host or opened a dialog.
    """
    contexts: list[BrowserContext] = []
    opened: list[Screen] = []

    def open_screen(
        demo: Demo | WallSite | ProgrammeDemo, path: str = "", **options: Any
    ) -> Screen:
        context = browser.new_context(**{"viewport": WALL, **options})
        context.set_default_timeout(90_000)
        contexts.append(context)
        screen = Screen.on(context, demo.url)
        opened.append(screen)
        if path:
            screen.go(path)
        return screen

    yield open_screen
    for context in contexts:
        context.close()
    assert [screen.foreign for screen in opened if screen.foreign] == []
    assert [screen.dialogs for screen in opened if screen.dialogs] == []


@pytest.fixture
def open_screen(browser: Browser) -> Iterator[OpenScreen]:
    """Opens screens that close after the test: `open_screen(demo, path, **context)`."""
    with screens(browser) as opened:
        yield opened


@pytest.fixture(scope="module")
def open_shared_screen(browser: Browser) -> Iterator[OpenScreen]:
    """Opens screens that close after the module."""
    with screens(browser) as opened:
        yield opened


@pytest.fixture(scope="module")
def shared_wall(shared_demo: Demo, open_shared_screen: OpenScreen) -> Screen:
    """One wall for the tests of a module."""
    return open_shared_screen(shared_demo, "/wall?scene=kejadian")


@pytest.fixture
def wall(shared_wall: Screen, demo: Demo) -> Screen:
    """The module's wall, live and fresh before the test."""
    shared_wall.wait_live()
    return shared_wall


@pytest.fixture(scope="package")
def mayor_site(
    city: City, valkey_url: str, _migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MayorSite]:
    """The mayor's pages on known facts; the first indicator's name and owner are hostile."""
    with open_site(city, valkey_url, _migrated_sqlite, tmp_path_factory.mktemp("mayor")) as site:
        yield site


@pytest.fixture(scope="package")
def wall_site(
    city: City, valkey_url: str, _migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[WallSite]:
    """Walls whose alarms and commands the tests set."""
    folder = tmp_path_factory.mktemp("walls")
    with open_wall_site(city, valkey_url, _migrated_sqlite, folder) as site:
        yield site


@pytest.fixture(scope="package")
def wall_demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProgrammeDemo]:
    """Every department in a flood, on screens whose programmes are short."""
    with run_programme(tmp_path_factory.mktemp("programme")) as running:
        yield running
