"""One clock in the whole installation: a second poller stands by and takes over."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import httpx
import pytest
import redis

from lawang.store.embedded import EmbeddedValkey
from tests.installation.running import Program, free_ports, start, wait_until

#: The promise of the house, from the death of the first to the first poll of the second.
TAKEN_OVER_WITHIN_S = 15.0


@dataclass
class Succession:
    """Two pollers on the same stores; the first was killed with -9."""

    first: Program
    second: Program
    second_said_before: str
    taken_over_after_s: float
    valkey_url: str


@pytest.fixture(scope="module")
def succession(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Succession]:
    folder = tmp_path_factory.mktemp("pollers")
    port = free_ports()
    with ExitStack() as stack:
        valkey = EmbeddedValkey(folder)
        valkey.start()
        stack.callback(valkey.stop)
        settings = {
            "LAWANG_REDIS_URL": valkey.url,
            "LAWANG_SIMULATOR_URL": f"http://127.0.0.1:{port}",
            "LAWANG_DATA_DIR": str(folder),
        }

        def run(name: str, *arguments: str) -> Program:
            program = start(folder / f"{name}.txt", *arguments, **settings)
            stack.callback(program.end)
            return program

        run("simulator", "simulate", "--port", str(port))
        wait_until(lambda: httpx.get(f"http://127.0.0.1:{port}/_health"), 60, "a simulator")
        first = run("first", "poll")
        first.says("this poller holds the clock")
        second = run("second", "poll")
        second.says("standing by")
        before = second.output()
        first.process.kill()
        first.wait()
        took = second.says("this poller holds the clock")
        yield Succession(first, second, before, took, valkey.url)


def test_the_second_poller_stands_by_while_the_first_lives(succession: Succession) -> None:
    assert "this poller holds the clock" not in succession.second_said_before


def test_the_second_poller_takes_over_within_15_seconds(succession: Succession) -> None:
    assert succession.taken_over_after_s < TAKEN_OVER_WITHIN_S


def test_the_second_poller_writes_with_a_higher_fence(succession: Succession) -> None:
    fences = [
        int(found)
        for program in (succession.first, succession.second)
        for found in re.findall(r"holds the clock\s+fence=(\d+)", program.output())
    ]
    assert len(fences) == 2
    assert fences[0] < fences[1]


def test_a_poller_that_is_asked_to_end_gives_the_clock_back(succession: Succession) -> None:
    assert succession.second.end() == 0
    with redis.Redis.from_url(succession.valkey_url) as server:
        assert server.get("lawang:palembang:lease:clock") is None
