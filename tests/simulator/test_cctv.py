"""The list of cameras, and what they show."""

from __future__ import annotations

import struct
import zlib
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from connectors import registry
from lawang.city import load_city
from lawang.connector import Answer
from tests.simulator.conftest import NOW, PACK, Simulator


@pytest.fixture
def client(simulator: Simulator) -> Iterator[httpx.Client]:
    base = f"{simulator.url}/cctv/"
    with httpx.Client(base_url=base, timeout=40, trust_env=False) as client:
        yield client
        client.post("_fault", json={"kind": "none"})


def cameras(client: httpx.Client) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = client.get("api/cameras").raise_for_status().json()["data"]
    return listed


def one(client: httpx.Client, status: str) -> dict[str, Any]:
    """A public camera that is online or offline."""
    return next(
        each
        for each in cameras(client)
        if (each["cctv_scope"], each["cctv_status"]) == ("public", status)
    )


def wait_for_a_dead_one(simulator: Simulator, client: httpx.Client) -> dict[str, Any]:
    for _ in range(60):
        dead = [each for each in cameras(client) if each["cctv_status"] == "offline"]
        if public := [each for each in dead if each["cctv_scope"] == "public"]:
            return public[0]
        simulator.clock.now += timedelta(hours=6)
    raise AssertionError("no camera ever dies")


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


def test_a_playlist_leads_to_pictures_that_open(client: httpx.Client) -> None:
    link = one(client, "online")["cctv_link"]
    playlist = client.get(link).raise_for_status()
    assert playlist.headers["content-type"] == "application/vnd.apple.mpegurl"
    lines = playlist.text.splitlines()
    assert (lines[0], "#EXT-X-IMAGES-ONLY" in lines) == ("#EXTM3U", True)
    listed = [line for line in lines if not line.startswith("#")]
    assert len(listed) == 3
    for name in listed:
        picture = client.get(link.replace("index.m3u8", name)).raise_for_status()
        assert picture.content.startswith(b"\x89PNG")


def test_a_still_is_a_whole_picture_of_its_size(client: httpx.Client) -> None:
    camera = one(client, "online")["cctv_id"]
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
    camera = wait_for_a_dead_one(simulator, client)
    assert client.get(camera["cctv_link"]).status_code == 404
    assert client.get(f"still/{camera['cctv_id']}.png").status_code == 404


@pytest.mark.parametrize("path", ["still/x.png", "hls/x/index.m3u8", "hls/cctv-001/1.png"])
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
