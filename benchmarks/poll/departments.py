"""The departments that are polled: one HTTP server, folders and databases, in one process.

Called with a port and the list of sources (`mix.write_list`). What a department says follows from
its number and the time alone, so that both ways of polling read the same.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import sqlite3
import sys
import time
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.poll.mix import EVERY_S, Spot, read_list
from lawang.process import bind_to_parent

ROWS = 100
#: Of a list of reports so many are open; the others were done a month ago.
OPEN = 10
VEHICLES = 20
GAUGES = 10
REQUESTS = 200
MARKETS = 50
WARNINGS = 5
SLOW_S = 2.0
#: Every file, table and index changes once in this time.
CHANGE_EVERY_S = 60.0
_BEGAN = datetime.now(UTC).replace(microsecond=0)
_WEST, _SOUTH = 104.72, -3.00


def _step() -> int:
    """Which interval of polling it is."""
    return int(time.time() // EVERY_S)


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _place(number: int, index: int) -> dict[str, float]:
    return {
        "lat": round(_SOUTH + (number * 7 + index * 3) % 60 / 1000, 6),
        "lng": round(_WEST + (number * 5 + index * 11) % 80 / 1000, 6),
    }


def _reports(number: int, step: int | None) -> bytes:
    """A list of reports; two of the open ones change with each step, none without a step."""
    rows = []
    for index in range(ROWS):
        is_open = index < OPEN
        at = _BEGAN - (timedelta(hours=2) if is_open else timedelta(days=30)) * (1 + index / ROWS)
        status, changed = ("baru" if is_open else "selesai"), at
        if is_open and step is not None:
            turns = OPEN // 2
            last = step - (step - index // 2) % turns
            status = ("baru", "diproses")[last // turns % 2]
            changed = datetime.fromtimestamp(last * EVERY_S, UTC)
        rows.append(
            {
                "nomor": f"L-{number:03d}-{index:04d}",
                "dibuat": _iso(at),
                "diubah": _iso(changed),
                "status": status,
                "jenis": "JLN",
                "uraian": f"Lubang di jalur kiri dekat jembatan nomor {index}, mohon diperbaiki.",
                "alamat": f"Jl. Contoh No. {index}",
                **_place(number, index),
            }
        )
    return orjson.dumps({"data": rows})


def _gauges(number: int, step: int) -> bytes:
    moment = _iso(datetime.fromtimestamp(step * EVERY_S, UTC))
    rows = [
        {
            "pos": f"P{number}-{index}",
            "nama": f"Pos {number}.{index}",
            "waktu": moment,
            "tinggi": 120 + (step + index * 7) % 40,
            **_place(number, index),
        }
        for index in range(GAUGES)
    ]
    return orjson.dumps({"data": rows})


def _fleet(number: int, step: int) -> bytes:
    moment = _iso(datetime.fromtimestamp(step * EVERY_S, UTC))
    rows = []
    for index in range(VEHICLES):
        place = _place(number, index)
        place["lat"] += (step % 50) * 0.0002
        state = {"kecepatan": 20 + (step + index) % 30, "status": "jalan", "waktu": moment}
        rows.append({"unit": f"T{number}-{index}", "nama": f"Truk {index}", **state, **place})
    return orjson.dumps({"data": rows})


def _index(number: int, root: str) -> bytes:
    turn = int(time.time() // CHANGE_EVERY_S)
    items = "".join(
        f"<item><title>Hujan</title><guid>W{number}-{each}</guid>"
        f"<link>{root}/warning/{number}/{each}</link></item>"
        for each in range(turn - WARNINGS, turn)
    )
    return f'<?xml version="1.0"?><rss version="2.0"><channel>{items}</channel></rss>'.encode()


def _warning(number: int, turn: int) -> bytes:
    sent = datetime.fromtimestamp(turn * CHANGE_EVERY_S, UTC)
    south, west = _SOUTH + number % 5 / 100, _WEST + number % 7 / 100
    north, east = south + 0.03, west + 0.03
    ring = f"{south},{west} {south},{east} {north},{east} {north},{west} {south},{west}"

    def stamp(moment: datetime) -> str:
        return moment.strftime("%Y-%m-%dT%H:%M:%S+00:00")

    return (
        '<?xml version="1.0"?><alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">'
        f"<identifier>W{number}.{turn}</identifier><sender>benchmark@example.go.id</sender>"
        f"<sent>{stamp(sent)}</sent><status>Actual</status><msgType>Alert</msgType>"
        "<scope>Public</scope><info><language>id</language><category>Met</category>"
        "<event>Hujan Lebat</event><urgency>Immediate</urgency><severity>Moderate</severity>"
        f"<certainty>Observed</certainty><effective>{stamp(sent)}</effective>"
        f"<expires>{stamp(sent + timedelta(minutes=10))}</expires>"
        "<headline>Hujan lebat</headline><description>Tiruan.</description>"
        f"<area><areaDesc>Tiruan</areaDesc><polygon>{ring}</polygon></area></info></alert>"
    ).encode()


_STILL: dict[int, bytes] = {}


async def _answer(request: Request) -> Response:
    kind, number = request.path_params["kind"], request.path_params["number"]
    if kind == "slow":
        await asyncio.sleep(SLOW_S)
    if kind in ("still", "slow"):
        # Of the process: after a start the list is another one, with new times.
        etag = f'"{number}-{int(_BEGAN.timestamp())}"'
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers={"ETag": etag})
        body = _STILL.get(number) or _STILL.setdefault(number, _reports(number, None))
        return Response(body, media_type="application/json", headers={"ETag": etag})
    if kind == "warnings":
        body = _index(number, str(request.base_url).rstrip("/"))
        etag = f'"{number}-{int(time.time() // CHANGE_EVERY_S)}"'
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers={"ETag": etag})
        return Response(body, media_type="application/rss+xml", headers={"ETag": etag})
    make: Any = {"moving": _reports, "gauges": _gauges, "fleet": _fleet}[kind]
    return Response(make(number, _step()), media_type="application/json")


async def _cap(request: Request) -> Response:
    body = _warning(request.path_params["number"], request.path_params["turn"])
    return Response(body, media_type="application/cap+xml")


def _write_file(spot: Spot, turn: int) -> None:
    """Today's file once more, with some of its numbers corrected."""
    day = datetime.now(UTC).strftime("%Y-%m-%d")
    lines = ["pasar;waktu;harga"]
    lines += [
        f"Pasar {index};{day};{13_000 + (index * 37 + (turn if index < 3 else 0)) % 900}"
        for index in range(MARKETS)
    ]
    folder = Path(spot.folder)
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / "harga.csv.tmp"
    draft.write_text("\n".join(lines) + "\n", encoding="utf-8")
    os.replace(draft, folder / "harga.csv")


_TABLE = """CREATE TABLE IF NOT EXISTS permohonan (
nomor TEXT PRIMARY KEY, layanan TEXT, status TEXT, diajukan TEXT, diubah TEXT)"""


def _local(moment: datetime) -> str:
    return (moment + timedelta(hours=7)).strftime("%Y-%m-%d %H:%M:%S")


def _write_table(spot: Spot, turn: int) -> None:
    """A few applications more or further than before."""
    Path(spot.file).parent.mkdir(parents=True, exist_ok=True)
    now = datetime.now(UTC)
    with contextlib.closing(sqlite3.connect(spot.file, timeout=5)) as books, books:
        books.execute(_TABLE)
        (held,) = books.execute("SELECT count(*) FROM permohonan").fetchone()
        first = _local(now - timedelta(days=1))
        for index in range(REQUESTS if not held else 0):
            row = (f"{spot.id}-{index}", "SKT", "diajukan", first, first)
            books.execute("INSERT INTO permohonan VALUES (?, ?, ?, ?, ?)", row)
        for index in (turn * 2 % REQUESTS, (turn * 2 + 1) % REQUESTS):
            books.execute(
                "UPDATE permohonan SET status = ?, diubah = ? WHERE nomor = ?",
                (("diproses", "diajukan")[turn % 2], _local(now), f"{spot.id}-{index}"),
            )


async def _live(spots: Sequence[Spot]) -> None:
    """Write one folder or table after the other, each once in `CHANGE_EVERY_S`."""
    written = [spot for spot in spots if spot.kind in ("files", "table")]
    for turn in itertools.count(1):
        for spot in written:
            await asyncio.sleep(CHANGE_EVERY_S / len(written))
            write = _write_file if spot.kind == "files" else _write_table
            await asyncio.to_thread(write, spot, turn)


def create_app(spots: Sequence[Spot]) -> Starlette:
    """The departments; folders and tables are there once it has started."""

    @contextlib.asynccontextmanager
    async def living(_app: Starlette) -> AsyncIterator[None]:
        for spot in spots:
            if spot.kind == "files":
                _write_file(spot, 0)
            elif spot.kind == "table":
                _write_table(spot, 0)
        task = asyncio.create_task(_live(spots))
        yield
        task.cancel()

    routes = [
        Route("/warning/{number:int}/{turn:int}", _cap),
        Route("/{kind}/{number:int}", _answer),
    ]
    return Starlette(routes=routes, lifespan=living)


def main() -> None:
    """`python -m benchmarks.poll.departments PORT LIST`."""
    bind_to_parent()
    port, listed = sys.argv[1:]
    app = create_app(read_list(Path(listed)))
    uvicorn.run(
        app, host="127.0.0.1", port=int(port), log_level="warning", timeout_graceful_shutdown=1
    )


if __name__ == "__main__":
    main()
