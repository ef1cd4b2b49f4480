"""The list of cameras, and what they show."""

from __future__ import annotations

import struct
import zlib
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from connectors import registry
from lawang.city import load_city
from lawang.connector import Answer
from simulator.cctv.cameras import Condition, find_condition, list_cameras
from simulator.cctv.clip import (
    LISTED,
    SCENES,
    SEGMENT_S,
    SEGMENTS,
    read_segment,
    write_playlist,
)
from simulator.settings import DEFAULT_SEED
from tests.simulator.conftest import NOW, PACK, Simulator

SEED = DEFAULT_SEED


@pytest.fixture
def client(simulator: Simulator) -> Iterator[httpx.Client]:
    base = f"{simulator.url}/cctv/"
    with httpx.Client(base_url=base, timeout=40, trust_env=False) as client:
        yield client
        client.post("_fault", json={"kind": "none"})


def cameras(client: httpx.Client) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = client.get("api/cameras").raise_for_status().json()["data"]
    return listed


def wait_for(simulator: Simulator, client: httpx.Client, condition: Condition) -> dict[str, Any]:
    """A camera with a stream in that condition; time goes on until there is one."""
    for _ in range(60):
        for each in list_cameras(SEED):
            found = find_condition(SEED, each, simulator.clock.now)
            if each.has_stream and found is condition:
                return next(one for one in cameras(client) if one["cctv_id"] == each.id)
        simulator.clock.now += timedelta(hours=6)
    raise AssertionError(f"no camera is ever {condition}")


def segments(playlist: str) -> list[str]:
    return [line for line in playlist.splitlines() if not line.startswith("#")]


@pytest.fixture(autouse=True)
def _same_time(simulator: Simulator) -> Iterator[None]:
    yield
    simulator.clock.now = NOW


def test_thirty_of_forty_one_cameras_are_public(client: httpx.Client) -> None:
    assert Counter(each["cctv_scope"] for each in cameras(client)) == {"public": 30, "private": 11}


def test_every_camera_says_that_it_is_simulated(client: httpx.Client) -> None:
    assert all("(simulasi)" in each["cctv_title"] for each in cameras(client))


def test_only_public_cameras_have_a_link(client: httpx.Client) -> None:
    for each in cameras(client):
        assert (each["cctv_link"] is None) == (each["cctv_scope"] == "private")


def test_a_playlist_leads_to_segments_of_a_transport_stream(
    simulator: Simulator, client: httpx.Client
) -> None:
    link = wait_for(simulator, client, Condition.WORKS)["cctv_link"]
    playlist = client.get(link).raise_for_status()
    assert playlist.headers["content-type"] == "application/vnd.apple.mpegurl"
    names = segments(playlist.text)
    assert len(names) == LISTED
    for name in names:
        body = client.get(link.replace("index.m3u8", name)).raise_for_status().content
        # Every packet of MPEG-TS has 188 bytes and begins with 0x47 (ISO/IEC 13818-1).
        assert (len(body) % 188, set(body[::188])) == (0, {0x47})


def test_a_playlist_slides_with_the_time(simulator: Simulator, client: httpx.Client) -> None:
    link = wait_for(simulator, client, Condition.WORKS)["cctv_link"]
    before = segments(client.get(link).text)
    simulator.clock.now += timedelta(seconds=SEGMENT_S)
    assert segments(client.get(link).text)[:-1] == before[1:]


def test_a_playlist_tells_where_its_clip_begins_anew() -> None:
    """One beginning has one number, however much has left the list."""
    numbers = set()
    for second in range(LISTED * SEGMENT_S):
        at = datetime.fromtimestamp(1_800_000_000 + 12 + second, UTC)
        lines = write_playlist(at).splitlines()
        gone = int(next(line for line in lines if "DISCONTINUITY-SEQUENCE" in line).split(":")[1])
        first = int(next(line for line in lines if "MEDIA-SEQUENCE" in line).split(":")[1])
        begins = [
            first + len(segments("\n".join(lines[:at_line])))
            for at_line, line in enumerate(lines)
            if line == "#EXT-X-DISCONTINUITY"
        ]
        numbers |= {(begin, gone + index) for index, begin in enumerate(begins, start=1)}
    assert numbers
    assert len({begin for begin, _ in numbers}) == len(numbers)
    assert all(number <= 86_400 / (SEGMENTS * SEGMENT_S) for _, number in numbers)


def test_the_committed_clips_are_whole_and_small() -> None:
    sizes = [len(read_segment(scene, number)) for scene in SCENES for number in range(SEGMENTS)]
    assert min(sizes) > 1000
    assert sum(sizes) < 400_000


def test_a_still_is_a_whole_picture_of_its_size(simulator: Simulator, client: httpx.Client) -> None:
    camera = wait_for(simulator, client, Condition.WORKS)["cctv_id"]
    body = client.get(f"still/{camera}.png").raise_for_status().content
    at, kinds, pixels = 8, [], b""
    while at < len(body):
        (length,) = struct.unpack(">I", body[at : at + 4])
        kind, data = body[at + 4 : at + 8], body[at + 8 : at + 8 + length]
        (checksum,) = struct.unpack(">I", body[at + 8 + length : at + 12 + length])
        assert checksum == zlib.crc32(kind + data)
        kinds.append(kind)
        pixels += data if kind == b"IDAT" else b""
        at += 12 + length
    assert kinds == [b"IHDR", b"PLTE", b"IDAT", b"IEND"]
    assert len(zlib.decompress(pixels)) == 180 * (1 + 320)


def test_a_dead_camera_is_offline_and_shows_nothing(
    simulator: Simulator, client: httpx.Client
) -> None:
    camera = wait_for(simulator, client, Condition.DEAD)
    assert camera["cctv_status"] == "offline"
    assert client.get(camera["cctv_link"]).status_code == 404
    assert client.get(f"still/{camera['cctv_id']}.png").status_code == 404


def test_some_are_dead_although_the_list_says_that_they_work(
    simulator: Simulator, client: httpx.Client
) -> None:
    camera = wait_for(simulator, client, Condition.UNTOLD)
    assert camera["cctv_status"] == "online"
    assert client.get(camera["cctv_link"]).status_code == 404


def test_a_frozen_camera_goes_on_saying_what_it_said(
    simulator: Simulator, client: httpx.Client
) -> None:
    link = wait_for(simulator, client, Condition.FROZEN)["cctv_link"]
    before = client.get(link).raise_for_status().text
    simulator.clock.now += timedelta(minutes=1)
    assert client.get(link).text == before
    client.get(link.replace("index.m3u8", segments(before)[-1])).raise_for_status()


def test_some_public_cameras_give_a_still_picture_and_no_stream(client: httpx.Client) -> None:
    links = [each["cctv_link"] for each in cameras(client) if each["cctv_link"]]
    stills = [link for link in links if link.endswith(".png")]
    assert 0 < len(stills) < len(links) / 3
    assert client.get(stills[0].replace("still/", "hls/").replace(".png", "/index.m3u8")).is_error


@pytest.mark.parametrize("path", ["still/x.png", "hls/x/index.m3u8", "hls/cctv-002/1.ts"])
def test_what_is_not_there_is_not_found(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code == 404


def test_the_list_becomes_positions_without_a_reject(
    simulator: Simulator, client: httpx.Client
) -> None:
    env = {"LAWANG_SIMULATOR_URL": simulator.url}
    source = load_city(PACK, simulated=True, env=env).sources["cctv"]
    body = client.get("api/cameras").content
    answer = Answer(body, "application/json", NOW, "rows")
    parsed = registry.get("rest").parse(registry.bind(source), answer)
    assert (len(parsed.fixes), parsed.rejects) == (41, [])
    assert all(fix.latitude and fix.longitude and fix.kind == "kamera" for fix in parsed.fixes)
    assert sum(fix.link is not None for fix in parsed.fixes) == 30
    assert {fix.status for fix in parsed.fixes} <= source.status_map.keys()
    assert len({fix.owner for fix in parsed.fixes}) == 2


def test_wrong_types_spoil_some_cameras_only(simulator: Simulator, client: httpx.Client) -> None:
    env = {"LAWANG_SIMULATOR_URL": simulator.url}
    source = load_city(PACK, simulated=True, env=env).sources["cctv"]
    client.post("_fault", json={"kind": "wrong_types"}).raise_for_status()
    answer = Answer(client.get("api/cameras").content, "application/json", NOW, "rows")
    parsed = registry.get("rest").parse(registry.bind(source), answer)
    assert 0 < len(parsed.rejects) < len(parsed.fixes)
