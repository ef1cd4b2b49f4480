"""What the screens say when e-lapor fails, for each way of failing, and what is left afterwards.

Each failure happens once, and is written down from its first sign to the recovery; the tests look
at what was written down.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.browser.conftest import OpenScreen
from tests.browser.screen import Screen
from tests.installation.running import Demo, wait_until

pytestmark = pytest.mark.browser

WIB = ZoneInfo("Asia/Jakarta")


@dataclass(frozen=True)
class Fault:
    """A way of failing: how e-lapor is told, and what the screens must make of it."""

    kind: str
    options: dict[str, float]
    word: str
    sentence: str


LATE = "terlambat"
FAULTS = [
    Fault("off", {}, LATE, "Server dinas tidak bisa dihubungi."),
    Fault("slow", {"seconds": 30}, LATE, "Server tidak menjawab pada waktunya."),
    Fault("500", {}, LATE, "Server melaporkan kesalahannya sendiri."),
    Fault("429", {"retry_after": 3}, LATE, "Server meminta kita lebih jarang memanggil."),
    Fault("auth", {}, "ditolak", "Server menolak kunci kita."),
    Fault("garbage", {}, LATE, "Jawabannya tidak bisa dibaca."),
    Fault("truncated", {}, LATE, "Jawabannya terpotong di tengah."),
    Fault("huge", {}, "ditolak", "Jawabannya lebih besar dari batas dan tidak dibaca."),
]


@dataclass
class Story:
    """One failure from beginning to end."""

    fault: Fault
    counters_before: dict[str, int]
    latest_before: list[str]
    counters: dict[str, int]
    latest: list[str]
    healths: set[str]
    ages: list[str]
    connection: str
    chip: str
    row: str
    known: dict[str, Any]
    filed: str = ""
    recovered_after_s: float = 0.0


@pytest.fixture(scope="module")
def table(shared_demo: Demo, open_shared_screen: OpenScreen) -> Screen:
    """One screen with the sources page for all stories."""
    return open_shared_screen(shared_demo, "/sources")


def latest(wall: Screen) -> list[str]:
    """The texts of the latest events, without their ages, which go on."""
    found: list[str] = wall.page.locator(".event-text").all_inner_texts()
    return found


@pytest.fixture(scope="module", params=FAULTS, ids=lambda fault: fault.kind)
def story(
    request: pytest.FixtureRequest, shared_demo: Demo, shared_wall: Screen, table: Screen
) -> Story:
    demo, wall = shared_demo, shared_wall
    fault: Fault = request.param
    # Something must have changed for a broken answer to be more than an empty list.
    demo.file(f"Laporan sebelum {fault.kind}.")
    wait_until(lambda: demo.is_well() and demo.agrees_with_elapor(), 40, "a demo that is well")
    wall.wait_live()
    counters_before, latest_before = wall.counters(), latest(wall)
    demo.fault(fault.kind, **fault.options)
    try:
        for screen in (wall, table):
            screen.wait(
                "() => !['fresh', 'never'].includes("
                "document.querySelector('[data-source=\"elapor\"]').dataset.health)"
            )
        wall.wait("() => document.querySelector('#tile-open').dataset.health !== 'fresh'")
        table.wait("() => document.querySelector('.error-cell span').textContent")
        known = demo.source()
        story = Story(
            fault=fault,
            counters_before=counters_before,
            latest_before=latest_before,
            counters=wall.counters(),
            latest=latest(wall),
            healths=wall.healths(),
            ages=wall.ages(),
            connection=wall.connection(),
            chip=wall.text('[data-source="elapor"]'),
            row=table.text('[data-source="elapor"]'),
            known=known,
        )
    finally:
        demo.fault("none")
    # The poller still leaves e-lapor alone, so this one is filed while it cannot be heard.
    story.filed = demo.file(f"Laporan selama {fault.kind}.")
    story.recovered_after_s = wait_until(demo.is_well, 60, "a demo that has recovered by itself")
    return story


def test_every_tile_and_age_stops_being_fresh(story: Story) -> None:
    assert "fresh" not in story.healths
    assert story.healths <= {"late", "stale", "down", "refused"}


def test_every_age_says_it_in_a_word(story: Story) -> None:
    words = {"late": LATE, "stale": "basi", "down": "mati", "refused": "ditolak"}
    said = {words[health] for health in story.healths}
    assert story.fault.word in said
    assert all(any(age.startswith(word) for word in said) for age in story.ages)


def test_every_age_names_the_time_of_the_last_good_values(story: Story) -> None:
    heard = datetime.fromisoformat(story.known["last_success"]).astimezone(WIB)
    assert all(f" {heard:%H:%M} " in age for age in story.ages), story.ages


def test_the_last_good_values_stay(story: Story) -> None:
    assert story.counters == story.counters_before
    assert story.latest == story.latest_before


def test_the_strip_marks_the_source(story: Story) -> None:
    assert "e-lapor" in story.chip
    assert story.fault.word in story.chip


def test_the_line_of_the_wall_itself_is_not_blamed(story: Story) -> None:
    assert story.connection == "tersambung"


def test_the_sources_page_says_in_indonesian_what_to_do(story: Story) -> None:
    assert story.fault.sentence in story.row
    since = datetime.fromisoformat(story.known["failing_since"]).astimezone(WIB)
    assert f"Sejak {since:%H:%M}." in story.row


def test_it_recovers_by_itself_in_less_than_the_longest_pause(story: Story) -> None:
    # Six intervals at most, and the poll itself.
    assert story.recovered_after_s < 6 * 2 + 8


def test_the_wall_is_fresh_again_and_shows_what_was_missed(story: Story, wall: Screen) -> None:
    wall.wait(
        "(text) => document.getElementById('latest').textContent.includes(text)",
        40,
        f"Laporan selama {story.fault.kind}.",
    )
    assert wall.healths() == {"fresh"}


def test_the_sentence_goes_with_the_fault(story: Story, table: Screen, demo: Demo) -> None:
    table.wait("() => document.querySelector('.error-cell span').textContent === ''")


def test_nothing_is_lost_and_nothing_doubled(story: Story, demo: Demo) -> None:
    wait_until(demo.agrees_with_elapor, 40, "exactly e-lapor's reports, each once")
    found = demo.incident(story.filed)
    assert found is not None
    assert [event["kind"] for event in found["events"]].count("reported") == 1


def test_broken_records_are_counted_and_cost_the_good_ones_nothing(
    demo: Demo, wall: Screen, table: Screen
) -> None:
    demo.fault("wrong_types")
    filed = [demo.file(f"Laporan salah jenis {number}.") for number in range(6)]
    before = demo.source()["last_success"]
    wait_until(lambda: demo.source()["last_success"] > before, 40, "one more poll")
    wait_until(
        lambda: any(demo.incident(report) for report in filed), 40, "a good record beside bad ones"
    )
    assert demo.source()["health"] in ("fresh", "late")
    quarantined = demo.source()["quarantined"]
    shown = table.text('[data-source="elapor"] [data-key="quarantined"]')
    assert int(shown) == quarantined
    demo.fault("none")
    wait_until(demo.agrees_with_elapor, 40, "exactly e-lapor's reports, each once")


def test_a_clock_that_runs_ahead_is_noted_and_ages_are_never_negative(
    demo: Demo, wall: Screen, table: Screen
) -> None:
    demo.fault("clock_skew", seconds=7200)
    filed = demo.file("Laporan dari masa depan.")
    wait_until(lambda: demo.incident(filed), 40, "the report with a time ahead of ours")
    table.wait(
        "() => document.querySelector('.error-cell .source-about').textContent"
        ".includes('dengan waktu mendahului jam kita')"
    )
    assert demo.source()["health"] == "fresh"
    wall.wait("() => document.getElementById('latest').textContent.includes('masa depan')")
    ages = wall.page.locator(".event-age").all_inner_texts()
    assert not any("-" in age or "−" in age for age in ages), ages
    demo.fault("none")
    wait_until(demo.agrees_with_elapor, 40, "exactly e-lapor's reports, each once")


def look(wall: Screen) -> tuple[str, str, str]:
    """How a tile's age is marked, the colour of its number and of its frame."""
    found = wall.script(
        """() => {
          const tile = document.querySelector('#tile-open');
          const mark = getComputedStyle(tile.querySelector('.age'), '::before').content;
          const number = getComputedStyle(tile.querySelector('.counter-value')).color;
          return [mark.trim(), number, getComputedStyle(tile).borderLeftColor];
        }"""
    )
    return found[0], found[1], found[2]


def test_the_longer_it_lasts_the_worse_it_looks(demo: Demo, wall: Screen) -> None:
    mark, number, frame = look(wall)
    demo.fault("off")
    seen = []
    for health in ("late", "stale", "down"):
        wall.wait(
            "(health) => document.querySelector('#tile-open').dataset.health === health",
            40,
            health,
        )
        seen.append(look(wall))
    late, stale, down = seen
    assert len({mark, late[0], stale[0], down[0]}) == 4
    assert late[1] == number
    assert late[2] != frame
    assert stale[1] != number
    assert down[1] != number
    demo.fault("none")
    wall.wait_live()
