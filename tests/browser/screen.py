"""A screen in a test: one page in a real Chromium, what it shows, and what it complained about."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Dialog, JSHandle, Page, Request
from playwright.sync_api import TimeoutError as PlaywrightTimeout

#: The tiles of the wall, each with the selector of its age.
TILE_AGES = ".tile [data-live-age]"
#: Writes down how the wall looks, again and again: by the health of its first tile while e-lapor
#: fails, as "well" while it does not. All of one look is read at once, as health goes on by itself.
_WRITE_DOWN = """() => {
  const every = (selector, read) => [...document.querySelectorAll(selector)].map(read);
  const look = (tile, chip) => ({
    health: tile.dataset.health,
    healths: every('[data-live-tile], [data-live-age]', (each) => each.dataset.health),
    ages: every('.tile [data-live-age]', (each) => each.innerText.replaceAll('\u00a0', ' ')),
    counters: Object.fromEntries(
      every('[data-counter]', (each) => [each.dataset.counter, each.textContent])),
    latest: every('.event-text', (each) => each.innerText),
    connection: document.querySelector('#connection-text').innerText,
    chip: chip.innerText,
    mark: getComputedStyle(tile.querySelector('.age'), '::before').content.trim(),
    number: getComputedStyle(tile.querySelector('.figure-value')).color,
    frame: getComputedStyle(tile).borderLeftColor,
  });
  const write = () => {
    const tile = document.querySelector('[data-tile="open"]');
    const chip = document.querySelector('#source-line');
    const health = tile.dataset.health;
    const failing = lawang.live.panel('sources').sources.elapor.failures > 0;
    // Between the news of a failure and the next tick the old health still stands.
    const judged = lawang.live.health(lawang.live.panel('sources').sources.elapor);
    if (health !== judged || failing === (health === 'fresh')) return;
    window.__looks[failing ? health : 'well'] = look(tile, chip);
  };
  window.__looks = {};
  clearInterval(window.__writing);
  window.__writing = setInterval(write, 50);
  write();
}"""
#: What a page may load without asking any server.
_INSIDE = ("data", "blob", "about")


@dataclass(frozen=True)
class Look:
    """What a wall showed at one moment; `health` is e-lapor's.

    `mark`, `number` and `frame` are of the first tile: how its age is marked, the colour of its
    number, and of its edge.
    """

    health: str
    healths: list[str]
    ages: list[str]
    counters: dict[str, str]
    latest: list[str]
    connection: str
    chip: str
    mark: str
    number: str
    frame: str


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

    def wait(self, expression: str, within_s: float = 90, argument: Any = None) -> float:
        """Wait until a script expression is true in the page; returns how long in seconds.

        What a page that still loads does not have yet is waited for as well.
        """
        began = time.monotonic()
        self._wait(expression, within_s, argument)
        return time.monotonic() - began

    def catch(self, expression: str, within_s: float = 90, argument: Any = None) -> Any:
        """Wait until a script expression is something, and return what it was at that moment.

        What goes on by itself may be another thing when it is asked for once more.
        """
        return self._wait(expression, within_s, argument).json_value()

    def _wait(self, expression: str, within_s: float, argument: Any) -> JSHandle:
        patient = f"""(argument) => {{
          try {{ return ({expression})(argument); }}
          catch (error) {{
            if (error instanceof TypeError || error instanceof ReferenceError) return false;
            throw error;
          }}
        }}"""
        try:
            return self.page.wait_for_function(patient, arg=argument, timeout=within_s * 1000)
        except PlaywrightTimeout:
            # Where the expression itself is at fault, this says so.
            self.page.evaluate(expression, argument)
            raise

    def write_down(self) -> None:
        """From now on keep how this wall looks: the last time e-lapor was well, which it is when
        this returns, and the last time of each health while it fails."""
        self.script(_WRITE_DOWN)
        self.look("well")

    def look(self, *states: str) -> Look:
        """How the wall looked in the first of these states that it has been in: "well", or a
        health while e-lapor failed. Waits until it has been in one of them."""
        found = self.catch(
            "(states) => states.map((each) => window.__looks[each]).find((each) => each)",
            argument=states,
        )
        return Look(**found)

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
