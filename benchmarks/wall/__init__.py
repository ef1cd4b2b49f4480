"""What it takes to show a wall: bytes and time to the first one, and bytes a minute from then on.

Pages are loaded into Chromium from a whole demonstration on this machine, cold: the wall
(`/wall/utama?scene=kota`) and a stock Dash page of the same facts (`stock`). "First" is the first
tile that says something: a number, and beside it an age that is sound; the stock page has no ages,
so its first number counts. Bytes are those over the line, compressed. A minute in steady state is
that of the wall as it turns through its scenes; cameras' pictures are told apart.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.figures import Aim, Figures
from benchmarks.wall.glass import STOCK_READY, WALL_READY, Traffic, middle, open_browser, open_page
from benchmarks.wall.site import SCREEN, open_site, open_stock

AIMS = (
    Aim("first_wall_kb", "bytes to the first wall, kB", at_most=2_000),
    Aim("first_tile_ms", "to the first meaningful tile, ms", at_most=5_000),
    Aim("requests_per_min", "requests a minute in steady state, without cameras", at_most=10),
    Aim("kb_per_min_vs_ours", "bytes a minute of the stock page against ours", at_least=2),
)
Say = Callable[[str], None]

#: What comes this much later than the first tile is no part of the first wall.
_SETTLE_MS = 3000
_PARTS = ("script", "style", "font", "data", "stream")


@dataclass(frozen=True, slots=True)
class Plan:
    """How often each page is loaded, and how many seconds it is watched then."""

    loads: int
    seconds: int


FULL = Plan(loads=5, seconds=120)
QUICK = Plan(loads=2, seconds=30)


def measure(plan: Plan, say: Say) -> Figures:
    """The figures of the wall and, with `stock_`, of the stock page."""
    figures: Figures = {}
    # A calm day: what is wrong with sources in the flood would keep tiles from being sound.
    with open_browser() as browser, open_site(10, scenario="normal", speed=1) as site:
        load = os.getloadavg()[0]
        with open_stock(site) as stock:
            wall = f"{site.url}/wall/{SCREEN}"
            for prefix, first, steady, ready in (
                ("", f"{wall}?scene=kota", wall, WALL_READY),
                ("stock_", stock, stock, STOCK_READY),
            ):
                found = _load(browser, first, ready, plan.loads)
                found |= _watch(browser, steady, ready, plan.seconds)
                figures |= {f"{prefix}{name}": value for name, value in found.items()}
                _say_page(say, prefix or "wall", found)
    ratio = figures["stock_kb_per_min"] / max(figures["kb_per_min"], 0.1)
    return figures | {"kb_per_min_vs_ours": round(ratio, 1), "load_at_loading": round(load, 1)}


def _say_page(say: Say, name: str, found: Figures) -> None:
    parts = ", ".join(f"{part} {found[f'{part}_kb']:.0f}" for part in _PARTS)
    say(f"{name.rstrip('_'):<8} first tile {found['first_tile_ms']:.0f} ms")
    say(f"{'':<8} first wall {found['first_wall_kb']:.0f} kB ({parts})")
    say(
        f"{'':<8} then {found['kb_per_min']:.0f} kB and "
        f"{found['requests_per_min']:.0f} requests a minute"
    )


def _load(browser: Any, address: str, ready: str, times: int) -> Figures:
    """Medians over so many cold loads; the first one wakes server and browser and is left out."""
    moments, loads = [], []
    for number in range(times + 1):
        with open_page(browser, address, ready) as page:
            moment = page.first_tile_ms()
            page.page.wait_for_timeout(_SETTLE_MS)
            if number:
                moments.append(moment)
                loads.append(page.traffic.take())
    return {
        "first_tile_ms": middle(moments),
        "first_wall_kb": middle([each.all_bytes / 1000 for each in loads]),
        **{f"{part}_kb": middle([_kb(each, part) for each in loads]) for part in _PARTS},
        "first_requests": middle([float(each.all_requests) for each in loads]),
    }


def _watch(browser: Any, address: str, ready: str, seconds: int) -> Figures:
    with open_page(browser, address, ready) as page:
        page.first_tile_ms()
        page.page.wait_for_timeout(_SETTLE_MS)
        page.traffic.take()
        page.page.wait_for_timeout(seconds * 1000)
        passed, minutes = page.traffic.take(), seconds / 60
    return {
        "kb_per_min": round(passed.all_bytes / 1000 / minutes, 1),
        "video_kb_per_min": round(_kb(passed, "video") / minutes, 1),
        "requests_per_min": round(passed.all_requests / minutes, 1),
    }


def _kb(traffic: Traffic, part: str) -> float:
    return traffic.bytes.get(part, 0) / 1000
