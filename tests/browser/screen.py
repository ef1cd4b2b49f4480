"""A screen in a test: one page in a real Chromium, what it shows, and what it complained about."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Dialog, Page, Request

#: The tiles of the wall, each with the selector of its age.
TILE_AGES = ".tile [data-live-age]"
#: What a page may load without asking any server.
_INSIDE = ("data", "blob", "about")


@dataclass
class Screen:
    """One open page. `complaints` are errors of the console and of scripts; `foreign` addresses
    of other hosts that were asked for; `dialogs` the texts of dialogs that opened."""

    page: Page
    url: str
    complaints: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)

    @classmethod
    def on(cls, context: BrowserContext, url: str) -> Screen:
        """A new page of a context, with everything it does written down; nothing is loaded yet."""
        screen = cls(context.new_page(), url)
        context.on("request", screen._note_request)
        screen.page.on("console", screen._note_console)
        screen.page.on("pageerror", lambda error: screen.complaints.append(str(error)))
        screen.page.on("dialog", screen._note_dialog)
        return screen

    def go(self, path: str) -> None:
        """Load a page of the demo."""
        self.page.goto(f"{self.url}{path}")

    def wait(self, expression: str, within_s: float = 40, argument: Any = None) -> float:
        """Wait until a script expression is true in the page; returns how long in seconds."""
        began = time.monotonic()
        self.page.wait_for_function(expression, arg=argument, timeout=within_s * 1000)
        return time.monotonic() - began

    def wait_live(self) -> None:
        """Wait until the line is live and every age of the page has been heard."""
        self.wait(
            """() => {
              const root = document.querySelector('#live-root');
              const ages = [...document.querySelectorAll('[data-live-age]')];
              return root && root.dataset.connection === 'live'
                && ages.every((age) => age.dataset.health === 'fresh');
            }"""
        )

    def script(self, expression: str, argument: Any = None) -> Any:
        """The value of a script expression in the page."""
        return self.page.evaluate(expression, argument)

    def text(self, selector: str) -> str:
        """The text of one element, as a person reads it."""
        return self.page.locator(selector).inner_text()

    def connection(self) -> str:
        """What the page says of its line to the server."""
        return self.text("#connection-text")

    def counters(self) -> dict[str, int]:
        """The four numbers as shown."""
        shown = self.script(
            "() => Object.fromEntries([...document.querySelectorAll('[data-counter]')]"
            ".map((each) => [each.dataset.counter, each.textContent]))"
        )
        return {name: int(re.sub(r"\D", "", text)) for name, text in shown.items()}

    def healths(self) -> set[str]:
        """The health that tiles and their ages are marked with."""
        marked = self.script(
            "() => [...document.querySelectorAll('[data-live-tile], [data-live-age]')]"
            ".map((each) => each.dataset.health)"
        )
        return set(marked)

    def ages(self) -> list[str]:
        """The ages of all tiles as shown."""
        found = self.page.locator(TILE_AGES).all_inner_texts()
        return [age.replace("\u00a0", " ") for age in found]

    def source_health(self) -> str:
        """The health that e-lapor is marked with, on the strip or in the table."""
        return cast("str", self.page.locator('[data-source="elapor"]').get_attribute("data-health"))

    def _note_request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in _INSIDE and parts.netloc != urlsplit(self.url).netloc:
            self.foreign.append(request.url)

    def _note_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def _note_dialog(self, dialog: Dialog) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()
