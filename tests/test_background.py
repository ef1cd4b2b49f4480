"""What goes on beside everything else: it begins, ends, and begins anew."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from lawang import background
from lawang.background import Background

PATIENCE_S = 60.0


class Diary(Background):
    """Writes down its lives: the event of each, and whether it may end."""

    def __init__(self) -> None:
        super().__init__("diary")
        self.lives: list[threading.Event] = []
        self.threads: list[threading.Thread] = []
        self.begun = threading.Semaphore(0)
        self.may_end = threading.Event()
        self.may_end.set()

    def _run(self, stop: threading.Event) -> None:
        self.lives.append(stop)
        self.threads.append(threading.current_thread())
        self.begun.release()
        stop.wait()
        self.may_end.wait()

    def begin(self) -> None:
        self.start()
        assert self.begun.acquire(timeout=PATIENCE_S)


@pytest.fixture
def diary() -> Iterator[Diary]:
    made = Diary()
    yield made
    made.may_end.set()
    made.stop()
    for thread in made.threads:
        thread.join(PATIENCE_S)


def test_stopping_waits_for_the_end(diary: Diary) -> None:
    diary.begin()
    diary.stop()
    assert not diary.threads[0].is_alive()


def test_it_begins_anew_after_it_was_stopped(diary: Diary) -> None:
    diary.begin()
    diary.stop()
    diary.begin()
    assert [thread.is_alive() for thread in diary.threads] == [False, True]


def test_starting_twice_is_starting_once(diary: Diary) -> None:
    diary.begin()
    diary.start()
    diary.stop()
    assert len(diary.lives) == 1


def test_a_thread_that_could_not_be_waited_for_does_not_go_on_with_the_next_one(
    diary: Diary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "_PATIENCE_S", 0.01)
    diary.may_end.clear()
    diary.begin()
    diary.stop()
    diary.begin()
    assert [life.is_set() for life in diary.lives] == [True, False]


def test_stopping_what_never_began_is_nothing(diary: Diary) -> None:
    diary.stop()
    assert diary.lives == []


def test_a_task_that_takes_one_cancelling_for_something_else_ends_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(background, "_HEARS_S", 0.01)
    heard = []

    async def work() -> None:
        while True:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                heard.append("cancelled")
                if len(heard) > 1:
                    raise

    async def live() -> bool:
        task = asyncio.create_task(work())
        await asyncio.sleep(0)
        await background.end(task)
        return task.cancelled()

    assert asyncio.run(live())
    assert heard == ["cancelled", "cancelled"]


def test_ending_a_task_that_has_ended_is_nothing() -> None:
    async def live() -> bool:
        task = asyncio.create_task(asyncio.sleep(0))
        await task
        await background.end(task)
        return task.cancelled()

    assert not asyncio.run(live())
