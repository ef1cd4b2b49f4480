"""What axe-core finds on a page: the accessibility faults that a machine can see."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

#: Faults that keep somebody out; what is moderate or minor is advice.
_GRAVE = ("serious", "critical")


def grave_faults(page: Page) -> list[str]:
    """Every serious or critical violation with its rule, what it is, and where (CSS selectors)."""
    found = Axe().run(page).response["violations"]
    return [
        f"{each['impact']} {each['id']}: {each['help']}: "
        + " | ".join(" ".join(map(str, node["target"])) for node in each["nodes"])
        for each in found
        if each["impact"] in _GRAVE
    ]
