"""What axe-core finds on a page: the accessibility faults that a machine can see."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

#: Faults that keep somebody out; what is moderate or minor is advice.
_GRAVE = ("serious", "critical")

#: A text half faded in has no contrast worth judging: what has an end is waited for.
_AT_REST = """() => Promise.all(document.getAnimations()
  .filter((each) => each.effect.getComputedTiming().endTime !== Infinity)
  .map((each) => each.finished.catch(() => null))).then(() => true)"""


def grave_faults(page: Page) -> list[str]:
    """Every serious or critical violation with its rule, what it is, and where (CSS selectors)."""
    page.emulate_media(reduced_motion="reduce")
    try:
        page.evaluate(_AT_REST)
        found = Axe().run(page).response["violations"]
    finally:
        page.emulate_media(reduced_motion="no-preference")
    return [
        f"{each['impact']} {each['id']}: {each['help']}: "
        + " | ".join(" ".join(map(str, node["target"])) for node in each["nodes"])
        for each in found
        if each["impact"] in _GRAVE
    ]
