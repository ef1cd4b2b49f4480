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
from tests.browser.screen import Look, Screen
from tests.installation.running import Demo, wait_until

pytestmark = pytest.mark.browser

WIB = ZoneInfo("Asia/Jakarta")


@dataclass(frozen=True)
class Fault:
    """A way of failing: how e-lapor is told, and what the screens must make of it."""

    kind: str
    options: dict[str, float]
    healths: tuple[str, ...]
    sentence: str


WORDS = {"late": "terlambat", "stale": "basi", "down": "mati", "refused": "ditolak"}
#: Late first; a busy machine may look only when it is more than that.
LATE, REFUSED = ("late", "stale", "down"), ("refused",)
FAULTS = [
    Fault("off", {}, LATE, "Server dinas tidak bisa dihubungi."),
    Fault("slow", {"seconds": 30}, LATE, "Server tidak menjawab pada waktunya."),
    Fault("500", {}, LATE, "Server melaporkan kesalahannya sendiri."),
    Fault("429", {"retry_after": 3}, LATE, "Server meminta kita lebih jarang memanggil."),
    Fault("auth", {}, REFUSED, "Server menolak kunci kita."),
    Fault("garbage", {}, LATE, "Jawabannya tidak bisa dibaca."),
    Fault("truncated", {}, LATE, "Jawabannya terpotong di tengah."),
    Fault("huge", {}, REFUSED, "Jawabannya lebih besar dari batas dan tidak dibaca."),
]


@dataclass
class Story:
    """One failure from beginning to end."""

    fault: Fault
    before: Look
    look: Look
    row: str
    known: dict[str, Any]
    filed: str = ""
    recovered_after_s: float = 0.0


@pytest.fixture(scope="module")
def table(shared_demo: Demo, open_shared_screen: OpenScreen) -> Screen:
    """One screen with the sources page for all stories."""
    return open_shared_screen(shared_demo, "/sources")


@pytest.fixture(scope="module", params=FAULTS, ids=lambda fault: fault.kind)
def story(
    request: pytest.FixtureRequest, shared_demo: Demo, shared_wall: Screen, table: Screen
) -> Story:
    demo, wall = shared_demo, shared_wall
    fault: Fault = request.param
    # Something must have changed for a broken answer to be more than an empty list.
    demo.file(f"Laporan sebelum {fault.kind}.")
    wait_until(lambda: demo.is_well() and demo.agrees_with_elapor(), 90, "a demo that is well")
    wall.wait_live()
    wall.write_down()
    demo.fault(fault.kind, **fault.options)
    try:
        look = wall.look(*fault.healths)
        table.wait("() => document.querySelector('.error-cell span').textContent")
        story = Story(
            fault=fault,
            before=wall.look("well"),
            look=look,
            row=table.text('[data-source="elapor"]'),
            known=demo.source(),
        )
    finally:
        demo.fault("none")
    # The poller still leaves e-lapor alone, so this one is filed while it cannot be heard.
    story.filed = demo.file(f"Laporan selama {fault.kind}.")
    story.recovered_after_s = wait_until(demo.is_well, 60, "a demo that has recovered by itself")
    return story


def test_every_tile_and_age_stops_being_fresh(story: Story) -> None:
    assert set(story.look.healths) <= WORDS.keys()


def test_every_age_says_it_in_a_word(story: Story) -> None:
    said = {WORDS[health] for health in story.look.healths}
    assert WORDS[story.look.health] in said
    assert all(age.startswith(tuple(said)) for age in story.look.ages), story.look.ages


def test_every_age_names_the_time_of_the_last_good_values(story: Story) -> None:
    heard = datetime.fromisoformat(story.known["last_success"]).astimezone(WIB)
    assert all(f" {heard:%H:%M} " in age for age in story.look.ages), story.look.ages


def test_the_last_good_values_stay(story: Story) -> None:
    assert story.look.counters == story.before.counters
    assert story.look.latest == story.before.latest


def test_the_strip_marks_the_source(story: Story) -> None:
    assert "e-lapor" in story.look.chip
    assert WORDS[story.look.health] in story.look.chip


def test_the_line_of_the_wall_itself_is_not_blamed(story: Story) -> None:
    assert story.look.connection == "tersambung"


def test_the_sources_page_says_in_indonesian_what_to_do(story: Story) -> None:
    assert story.fault.sentence in story.row
    since = datetime.fromisoformat(story.known["failing_since"]).astimezone(WIB)
    assert f"Sejak {since:%H:%M}." in story.row


def test_it_recovers_by_itself_in_less_than_the_longest_pause(story: Story) -> None:
    # Six intervals at most, and the poll itself.
    assert story.recovered_after_s < 6 * 2 + 8


def test_the_wall_is_fresh_again_and_shows_what_was_missed(story: Story, wall: Screen) -> None:
    wall.wait(
        "(text) => document.querySelector('.latest').textContent.includes(text)",
        90,
        f"Laporan selama {story.fault.kind}.",
    )
    wall.wait_live()


def test_the_sentence_goes_with_the_fault(story: Story, table: Screen, demo: Demo) -> None:
    table.wait("() => document.querySelector('.error-cell span').textContent === ''")


def test_nothing_is_lost_and_nothing_doubled(story: Story, demo: Demo) -> None:
    wait_until(demo.agrees_with_elapor, 90, "exactly e-lapor's reports, each once")
    found = demo.incident(story.filed)
    assert found is not None
    assert [event["kind"] for event in found["events"]].count("reported") == 1


def test_broken_records_are_counted_and_cost_the_good_ones_nothing(
    demo: Demo, wall: Screen, table: Screen
) -> None:
    demo.fault("wrong_types")
    filed = [demo.file(f"Laporan salah jenis {number}.") for number in range(6)]
    before = demo.source()["last_success"]
    wait_until(lambda: demo.source()["last_success"] > before, 90, "one more poll")
    wait_until(
        lambda: any(demo.incident(report) for report in filed), 90, "a good record beside bad ones"
    )
    wait_until(lambda: demo.source()["health"] == "fresh", 90, "a source that counts as heard")
    # Both go on with every poll.
    counted = '[data-source="elapor"] [data-key="quarantined"]'
    wait_until(
        lambda: int(table.text(counted)) == demo.source()["quarantined"],
        90,
        "a page that counts as many broken records as our API",
    )
    demo.fault("none")
    wait_until(demo.agrees_with_elapor, 90, "exactly e-lapor's reports, each once")


def test_a_clock_that_runs_ahead_is_noted_and_ages_are_never_negative(
    demo: Demo, wall: Screen, table: Screen
) -> None:
    demo.fault("clock_skew", seconds=7200)
    filed = demo.file("Laporan dari masa depan.")
    wait_until(lambda: demo.incident(filed), 90, "the report with a time ahead of ours")
    table.wait(
        "() => document.querySelector('.error-cell .source-about').textContent"
        ".includes('dengan waktu mendahului jam kita')"
    )
    wait_until(lambda: demo.source()["health"] == "fresh", 90, "a source that counts as heard")
    wall.wait("() => document.querySelector('.latest').textContent.includes('masa depan')")
    ages = wall.page.locator(".event-age").all_inner_texts()
    assert not any("-" in age or "−" in age for age in ages), ages
    demo.fault("none")
    wait_until(demo.agrees_with_elapor, 90, "exactly e-lapor's reports, each once")


def test_the_longer_it_lasts_the_worse_it_looks(demo: Demo, wall: Screen) -> None:
    wall.write_down()
    demo.fault("off")
    down, stale, late, well = map(wall.look, ("down", "stale", "late", "well"))
    assert len({each.mark for each in (well, late, stale, down)}) == 4
    assert late.number == well.number
    assert late.frame != well.frame
    assert stale.number != well.number
    assert down.number != well.number
    demo.fault("none")
    wall.wait_live()
