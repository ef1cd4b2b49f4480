"""BMKG's products over a real HTTP server, and within its limit."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from connectors import registry
from connectors.bmkg.options import BmkgOptions
from connectors.bmkg.parse import parse_answer
from connectors.bmkg.quakes import read_quakes
from lawang.city import load_city
from lawang.connector import Answer, Cursor
from lawang.domain.alert import Severity
from lawang.domain.errors import NeedsPerson, RetryLater

_CODES = ("16.71.01.1001", "16.71.01.1002", "16.71.02.1001")
_PACK = Path(__file__).resolve().parents[2] / "cities" / "palembang"


def _options(port: int = 1, **given: Any) -> BmkgOptions:
    product = given.get("product", "prakiraan")
    usual: dict[str, Any] = {
        "product": product,
        "yields": ("readings" if product == "prakiraan" else "alerts",),
        "url": f"http://127.0.0.1:{port}/publik",
        "adm4": _CODES,
        "latitude": -2.99,
        "longitude": 104.76,
        "city_names": ("Palembang",),
    }
    return BmkgOptions.model_validate(usual | given)


def _polls(
    serve: Any, context: Any, handler: Any, times: int = 1, **given: Any
) -> tuple[list[list[Answer]], list[Any]]:
    timeout = {"timeout_s": given.pop("timeout_s")} if "timeout_s" in given else {}

    async def run() -> tuple[list[list[Answer]], list[Any]]:
        async with serve(handler) as site, context(**timeout) as at:
            options = _options(site.port, **given)
            cursor, polls = Cursor(), []
            for _ in range(times):
                answers = [each async for each in registry.get("bmkg").fetch(options, cursor, at)]
                polls.append(answers)
                for answer in answers:
                    cursor = Cursor(None, cursor.validators | answer.validators)
            return polls, site.requests

    return asyncio.run(run())


def test_the_kelurahan_are_asked_in_turn(serve: Any, context: Any, reply: Any) -> None:
    _, asked = _polls(serve, context, lambda request: reply('{"data":[]}'), 3, per_poll=2)
    one, two, three = _CODES
    assert [each.query["adm4"] for each in asked] == [one, two, three, one, two, three]


def test_one_of_each_kecamatan_may_do(serve: Any, context: Any, reply: Any) -> None:
    handler = lambda request: reply('{"data":[]}')  # noqa: E731
    _, asked = _polls(serve, context, handler, one_per_kecamatan=True)
    assert [each.query["adm4"] for each in asked] == [_CODES[0], _CODES[2]]


def test_the_turn_goes_on_past_what_is_unchanged(serve: Any, context: Any, reply: Any) -> None:
    def handler(request: Any) -> Any:
        if request.headers.get("if-none-match") == '"1"':
            return reply(status=304)
        return reply('{"data":[]}', headers={"ETag": '"1"'})

    polls, asked = _polls(serve, context, handler, 3, per_poll=2)
    assert [each.kind for each in polls[2]] == ["unchanged", "unchanged"]
    assert [each.query["adm4"] for each in asked][-2:] == [_CODES[1], _CODES[2]]


def test_all_sources_of_a_provider_share_its_minute(serve: Any, context: Any, reply: Any) -> None:
    handler = lambda request: reply('{"data":[]}')  # noqa: E731
    with pytest.raises(RetryLater) as caught:
        _polls(serve, context, handler, 4, per_poll=2, per_minute=5)
    assert caught.value.kind == "rate_limited"
    assert caught.value.retry_after_s is not None
    assert 0 < caught.value.retry_after_s <= 60


def test_what_is_left_of_a_minute_is_used(serve: Any, context: Any, reply: Any) -> None:
    handler = lambda request: reply('{"data":[]}')  # noqa: E731
    polls, _ = _polls(serve, context, handler, 1, per_minute=2)
    assert [each.validators["next"] for each in polls[0]] == [_CODES[1], _CODES[2]]


def test_every_list_of_earthquakes_is_asked_by_its_etag(
    serve: Any, context: Any, reply: Any
) -> None:
    def handler(request: Any) -> Any:
        if request.headers.get("if-none-match") == f'"{request.path}"':
            return reply(status=304)
        return reply('{"Infogempa":{"gempa":[]}}', headers={"ETag": f'"{request.path}"'})

    polls, asked = _polls(serve, context, handler, 2, product="gempa")
    assert [len(each) for each in polls] == [3, 0]
    assert len(asked) == 6


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (500, RetryLater, "bad_status"),
        (429, RetryLater, "rate_limited"),
        (401, NeedsPerson, "refused"),
        (404, NeedsPerson, "not_found"),
    ],
)
@pytest.mark.parametrize("product", ["gempa", "prakiraan"])
def test_a_refusal_is_told_by_its_kind(
    serve: Any,
    context: Any,
    reply: Any,
    product: str,
    status: int,
    error: type[RetryLater | NeedsPerson],
    kind: str,
) -> None:
    with pytest.raises(error) as caught:
        _polls(serve, context, lambda request: reply(status=status), product=product)
    assert caught.value.kind == kind


def test_a_slow_server_is_a_timeout(serve: Any, context: Any) -> None:
    async def slow(request: Any) -> Any:
        await asyncio.sleep(60)

    with pytest.raises(RetryLater, match="timeout"):
        _polls(serve, context, slow, timeout_s=0.2)


def test_a_server_that_hangs_up_is_unreachable(serve: Any, context: Any, reply: Any) -> None:
    short = reply("{", headers={"Content-Length": "99"})
    with pytest.raises(RetryLater, match="unreachable"):
        _polls(serve, context, lambda request: short)


@pytest.mark.parametrize("body", ["", "<html>", '{"data', '{"data": 3}', "[]"])
def test_garbage_is_told_as_garbage(serve: Any, context: Any, reply: Any, body: str) -> None:
    polls, _ = _polls(serve, context, lambda request: reply(body), per_poll=1)
    with pytest.raises(RetryLater, match="garbage"):
        parse_answer(_options(), polls[0][0])


@pytest.mark.parametrize(
    ("place", "magnitude", "felt", "severity", "everywhere"),
    [
        ("-3.1,104.5", "7.0", "", Severity.EXTREME, True),
        ("-3.1,104.5", "6.0", "", Severity.SEVERE, True),
        ("-3.1,104.5", "5.0", "", Severity.MODERATE, True),
        ("-3.1,104.5", "4.9", "", Severity.MINOR, True),
        ("-5.5,101.5", "7.1", "", Severity.SEVERE, False),
        ("-5.5,101.5", "6.0", "III Kaur, II Palembang", Severity.MODERATE, True),
        ("-5.5,101.5", "5.9", "IV-V Palembang", Severity.MODERATE, True),
        ("-5.5,101.5", "5.9", "VI Kota Palembang", Severity.SEVERE, True),
        ("-5.5,101.5", "5.9", "VI Palembangan", Severity.MINOR, False),
        ("-8.3,121.3", "7.9", "", Severity.MINOR, False),
        ("-3.1,104.5", "?", "", Severity.UNKNOWN, True),
    ],
)
def test_severity_follows_from_size_distance_and_what_was_felt(
    place: str, magnitude: str, felt: str, severity: Severity, everywhere: bool
) -> None:
    row = {
        "DateTime": "2026-11-21T10:00:00+00:00",
        "Coordinates": place,
        "Magnitude": magnitude,
        "Dirasakan": felt,
    }
    (found,) = read_quakes({"Infogempa": {"gempa": row}}, _options(product="gempa")).bulletins
    assert (found.severity, found.everywhere) == (severity, everywhere)


@pytest.mark.parametrize(
    ("potential", "severity"),
    [("Tidak berpotensi tsunami", Severity.MINOR), ("Berpotensi tsunami", Severity.SEVERE)],
)
def test_a_tsunami_that_may_come_is_severe(potential: str, severity: Severity) -> None:
    row = {
        "DateTime": "2026-11-21T10:00:00+00:00",
        "Coordinates": "-3.1,104.5",
        "Magnitude": "4.0",
        "Potensi": potential,
    }
    (found,) = read_quakes({"Infogempa": {"gempa": row}}, _options(product="gempa")).bulletins
    assert found.severity is severity


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"product": "gempa", "latitude": None}, ("connection", "latitude")),
        ({"adm4": ()}, ("connection", "adm4")),
        ({"yields": ("alerts",)}, ("yields",)),
    ],
)
def test_options_that_cannot_work_are_named(given: dict[str, Any], path: tuple[str, ...]) -> None:
    assert [where for where, _ in _options(**given).problems()] == [path]


@pytest.mark.parametrize("simulated", [False, True])
def test_every_source_of_bmkg_names_it(simulated: bool) -> None:
    env = {"LAWANG_SIMULATOR_URL": "http://127.0.0.1:1"}
    sources = load_city(_PACK, simulated=simulated, env=env).sources.values()
    ours = [each for each in sources if each.connector == "bmkg" or each.opd == "bmkg"]
    assert len(ours) >= 3
    assert [each.id for each in ours if "BMKG" not in each.attribution] == []
    if not simulated:
        full = "BMKG (Badan Meteorologi, Klimatologi, dan Geofisika)"
        assert {each.attribution for each in ours} == {full}
