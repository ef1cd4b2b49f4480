"""mqtt against a real broker: nothing lost, nothing doubled, and every fault by its name."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any

import pytest

from connectors.mqtt.options import MqttOptions
from lawang.city.network import Network
from lawang.connector import Cursor
from lawang.domain.clock import utc_now
from lawang.domain.errors import NeedsPerson, RetryLater, SourceError
from simulator.faults import Fault, Faults
from tests.conftest import HeldClock
from tests.connectors.broker import (
    Ears,
    Hand,
    free_port,
    listening,
    moment,
    options_for,
    reading,
    running_station,
)


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


async def _fail(options: MqttOptions, **given: Any) -> SourceError:
    with pytest.raises(SourceError) as caught:  # noqa: PT012 (which of them fails is the broker's choice)
        async with listening(options, **given) as ears:
            while True:
                await ears.next()
    return caught.value


async def _hand(port: int, **given: Any) -> Hand:
    return await asyncio.to_thread(Hand, port, **given)


async def _connected(ears: Ears) -> None:
    """Until we are subscribed: the first answer that says so."""
    assert (await ears.next()).kind == "alive"


def test_what_is_published_arrives_as_readings() -> None:
    async def work() -> None:
        async with running_station() as station, listening(options_for(station.port)) as ears:
            await _connected(ears)
            hand = await _hand(station.port)
            await asyncio.to_thread(hand.say, "tma/7/data", reading(143.5))
            answer, parsed = await ears.heard()
            await asyncio.to_thread(hand.leave)
        assert answer.kind == "messages"
        (found,) = parsed.measurements
        assert (found.subject, found.value) == ("7", 143.5)

    run(work())


def test_what_was_not_stored_comes_again_and_what_was_does_not() -> None:
    async def work() -> None:
        async with running_station() as station:
            options = options_for(station.port, batch=5)
            hand = await _hand(station.port)
            async with listening(options) as ears:
                await _connected(ears)
                for number in range(15):
                    said = reading(number, moment(number))
                    await asyncio.to_thread(hand.say, "tma/7/data", said)
                first = await ears.values(5)  # stored: the next is asked for
                second = (await ears.heard())[1]  # never stored: the process is killed
            for number in range(15, 20):
                said = reading(number, moment(number))
                await asyncio.to_thread(hand.say, "tma/7/data", said)
            async with listening(options) as ears:
                rest = await ears.values(15)
                await ears.next()
            async with listening(options) as ears:
                assert (await ears.next()).kind == "alive"
            await asyncio.to_thread(hand.leave)
        assert sorted(first) == [0, 1, 2, 3, 4]
        assert {each.value for each in second.measurements} <= set(rest)
        assert sorted(rest) == list(range(5, 20))

    run(work())


def test_a_connection_that_is_cut_in_the_middle_loses_nothing() -> None:
    async def work() -> None:
        async with running_station() as station:
            station.faults["pusat"] = faults = Faults()
            options = options_for(station.port)
            hand = await _hand(station.port)
            with pytest.raises(RetryLater, match="unreachable"):  # noqa: PT012 (which of them fails is the broker's choice)
                async with listening(options) as ears:
                    await _connected(ears)
                    faults.set(Fault("off"))
                    while True:
                        await ears.next()
            for number in range(10):
                said = reading(number, moment(number))
                await asyncio.to_thread(hand.say, "tma/7/data", said)
            assert (await _fail(options)).kind == "unreachable"
            faults.set(Fault())
            async with listening(options) as ears:
                assert sorted(await ears.values(10)) == list(range(10))
            await asyncio.to_thread(hand.leave)

    run(work())


def test_a_flood_comes_in_bounded_batches_and_whole() -> None:
    async def work() -> None:
        async with running_station() as station:
            options = options_for(station.port, batch=50)
            hand = await _hand(station.port)
            async with listening(options) as ears:
                await _connected(ears)

                def pour() -> None:
                    for number in range(600):
                        body = reading(number, moment(number))
                        hand.client.publish("tma/7/data", str(body).replace("'", '"'), qos=1)

                pouring = asyncio.create_task(asyncio.to_thread(pour))
                values: list[float] = []
                while len(values) < 600:
                    _, parsed = await ears.heard()
                    assert len(parsed.measurements) <= 50
                    values += [each.value for each in parsed.measurements]
                await pouring
            await asyncio.to_thread(hand.leave)
        assert sorted(values) == list(range(600))

    run(work())


def test_while_nothing_is_said_the_connection_says_that_it_lives() -> None:
    async def work() -> None:
        async with running_station() as station, listening(options_for(station.port)) as ears:
            kinds = [(await ears.next()).kind for _ in range(3)]
        assert kinds == ["alive"] * 3

    run(work())


def test_a_kept_message_is_told_from_one_of_now() -> None:
    async def work() -> None:
        async with running_station() as station:
            hand = await _hand(station.port)
            await asyncio.to_thread(hand.say, "tma/1/data", 11.5, True)
            options = options_for(
                station.port,
                fields={"observed_at": "_received_at", "subject": "_levels[1]"},
                measures={"tinggi": {"value": "_value"}},
            )
            async with listening(options) as ears:
                _, kept = await ears.heard()
                await asyncio.to_thread(hand.say, "tma/2/data", 12.5)
                _, live = await ears.heard()
            await asyncio.to_thread(hand.leave)
        assert kept.measurements == []
        assert [each.reason for each in kept.rejects] == ["bad_time"]
        assert [each.value for each in live.measurements] == [12.5]

    run(work())


def test_a_device_that_loses_power_is_told_dead_by_its_last_will() -> None:
    async def work() -> None:
        async with running_station() as station:
            options = options_for(
                station.port,
                yields=("positions",),
                status_topic="tma/+/status",
                fields={"external_id": "_levels[1]", "observed_at": "waktu"},
            )
            hand = await _hand(station.port, will="tma/3/status")
            async with listening(options) as ears:
                await _connected(ears)
                await asyncio.to_thread(hand.say, "tma/3/status", b"online")
                _, before = await ears.heard()
                await ears.next()
                await asyncio.to_thread(hand.die)
                _, after = await ears.heard()
            async with listening(options, source_id="later") as ears:
                _, kept = await ears.heard()
        assert [each.status for each in before.fixes] == ["aktif"]
        (dead,) = after.fixes
        assert (dead.external_id, dead.status) == ("3", "mati")
        assert dead.observed_at is not None
        assert [(each.status, each.observed_at) for each in kept.fixes] == [("mati", None)]

    run(work())


def test_a_payload_that_is_too_large_is_a_reject_and_not_the_end() -> None:
    async def work() -> None:
        async with running_station() as station:
            options = options_for(station.port, max_bytes=5_000)
            hand = await _hand(station.port)
            async with listening(options) as ears:
                await _connected(ears)
                await asyncio.to_thread(hand.say, "tma/1/data", {"x": "x" * 50_000})
                _, large = await ears.heard()
                await asyncio.to_thread(hand.say, "tma/1/data", reading(3))
                assert await ears.values(1) == [3]
            await asyncio.to_thread(hand.leave)
        assert [each.reason for each in large.rejects] == ["too_large"]

    run(work())


def test_messages_of_other_topics_are_not_taken() -> None:
    async def work() -> None:
        async with running_station() as station:
            hand = await _hand(station.port)
            await asyncio.to_thread(hand.say, "lain/1/data", reading(1), True)
            async with listening(options_for(station.port, topics=["lain/#"])) as ears:
                await ears.heard()
                # This broker gives a second session what the first one subscribed to.
                async with listening(options_for(station.port), source_id="kedua") as others:
                    assert (await others.next()).kind == "alive"
            await asyncio.to_thread(hand.leave)

    run(work())


def test_a_wrong_password_needs_a_person_and_is_not_told() -> None:
    async def work() -> None:
        async with running_station() as station:
            error = await _fail(options_for(station.port, password="salah-sekali"))
        assert isinstance(error, NeedsPerson)
        assert error.kind == "refused"
        assert "salah" not in str(error)

    run(work())


def test_a_broker_that_is_down_is_unreachable() -> None:
    async def work() -> None:
        assert (await _fail(options_for(free_port()))).kind == "unreachable"

    run(work())


async def _meet(answer: bytes | None, timeout_s: float) -> SourceError:
    """What becomes of a connection to something that answers so, or never (None)."""
    left = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if answer is not None:
            await reader.read(1)
            writer.write(answer)
            writer.write_eof()
        with contextlib.suppress(OSError):
            await reader.read()
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        left.set()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        error = await _fail(options_for(port), timeout_s=timeout_s)
        async with asyncio.timeout(30):
            await left.wait()
    return error


@pytest.mark.parametrize(
    ("answer", "kinds"),
    [
        (b"", {"unreachable"}),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", {"garbage", "unreachable"}),
        (b"\x20\x02\x00", {"unreachable"}),
        (b"\x20\x02\x00\x05", {"refused"}),
        (b"\x20\x02\x00\x03", {"unreachable"}),
    ],
)
def test_what_answers_otherwise_than_a_broker_is_told(answer: bytes, kinds: set[str]) -> None:
    error = asyncio.run(_meet(answer, 10))
    assert error.kind in kinds
    assert isinstance(error, NeedsPerson) == (kinds == {"refused"})


def test_a_broker_that_never_answers_is_given_up_on() -> None:
    assert asyncio.run(_meet(None, 0.5)).kind == "timeout"


def test_a_broker_inside_a_network_is_not_asked_unless_the_file_says_so() -> None:
    async def work() -> None:
        error = await _fail(options_for(free_port()), network=Network())
        assert error.kind == "private_address"

    run(work())


def test_silence_that_is_too_long_is_an_error_and_outlives_the_connection() -> None:
    async def work() -> None:
        async with running_station() as station:
            clock = HeldClock(utc_now())
            options = options_for(station.port, silent_after_s=60)
            async with listening(options, clock=clock, every_s=0.1) as ears:
                known = (await ears.next()).validators
                clock.forward(seconds=61)
                with pytest.raises(RetryLater, match="silent"):  # noqa: PT012 (which of them fails is the broker's choice)
                    while True:
                        await ears.next()
            cursor = Cursor(validators=known)
            hand = await _hand(station.port)
            async with listening(options, cursor=cursor, clock=clock, every_s=0.1) as ears:
                # In doubt it does not claim to live, until something is said.
                waiting = asyncio.create_task(ears.next())
                await asyncio.to_thread(hand.say, "tma/1/data", reading(1))
                assert (await waiting).kind == "messages"
            await asyncio.to_thread(hand.leave)

    run(work())
