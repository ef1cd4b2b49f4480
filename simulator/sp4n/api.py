"""The interface of the simulated SP4N-LAPOR!.

`POST oauth/token` gives a token for client credentials (RFC 6749, 4.4). `POST api/pengaduan/daftar`
takes a JSON query `{"instansi", "sejak", "kursor", "jumlah"}`, of which the address may hold parts
as parameters, and always answers 200: what became of the query stands in `metaData.code`. The
oldest change comes first, and `kursor_berikut` leads on until it is null. Times are local and name
no zone. The credentials are printed in the log: they guard nothing.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.asking import Refusal, read_body, read_instant, read_whole
from simulator.city_life import Town
from simulator.faults import Faults
from simulator.sp4n.tokens import LIFE, Tokens
from simulator.store import Query, Quirk, Reporter, Store, StoredReport

CLIENT_ID, CLIENT_SECRET = "demo", "demo"
DEFAULT_PAGE, LARGEST_PAGE = 50, 200

_BEGINNING = datetime(1971, 1, 1, tzinfo=UTC)
_STATUS = {
    "Menunggu": (10, "Menunggu verifikasi"),
    "Koordinasi": (20, "Terverifikasi"),
    "Disposisi": (30, "Diteruskan kepada instansi"),
    "Proses": (40, "Diproses instansi"),
    "Dibuka kembali": (40, "Diproses instansi"),
    "Selesai": (50, "Selesai"),
    "Dikembalikan": (60, "Dikembalikan"),
    "Ditolak": (90, "Ditutup tanpa tindak lanjut"),
}


@dataclass(frozen=True)
class Api:
    """The endpoints; a skewed clock (see `Faults`) shifts all times they speak."""

    store: Store
    town: Town
    faults: Faults
    tokens: Tokens

    def routes(self) -> list[Route]:
        """All routes, relative to the department."""
        return [
            Route("/oauth/token", self._token, methods=["POST"]),
            Route("/api/pengaduan/daftar", self._complaints, methods=["POST"]),
        ]

    async def _token(self, request: Request) -> Response:
        try:
            form = dict(parse_qsl((await read_body(request)).decode("utf-8", "replace")))
        except (Refusal, ValueError):
            return JSONResponse({"error": "invalid_request"}, 400)
        if not _is_known(request.headers.get("authorization", ""), form):
            return JSONResponse(
                {"error": "invalid_client"}, 401, {"WWW-Authenticate": 'Basic realm="sp4n"'}
            )
        if form.get("grant_type") != "client_credentials":
            return JSONResponse({"error": "unsupported_grant_type"}, 400)
        life_s = int(LIFE.total_seconds())
        token = {"access_token": self.tokens.give(), "token_type": "Bearer", "expires_in": life_s}
        return JSONResponse(token, headers={"Cache-Control": "no-store"})

    async def _complaints(self, request: Request) -> Response:
        try:
            self._check_token(request.headers.get("authorization", ""))
            asked = _texts(await read_body(request)) | dict(request.query_params)
            found = await run_in_threadpool(self._list, asked)
        except Refusal as refusal:
            meta = {"code": refusal.code, "message": refusal.sentence}
            return JSONResponse({"metaData": meta, "response": None})
        return JSONResponse({"metaData": {"code": 200, "message": "OK"}, "response": found})

    def _check_token(self, header: str) -> None:
        kind, _, token = header.partition(" ")
        if kind.lower() != "bearer" or not self.tokens.is_good(token.strip()):
            raise Refusal(401, "Token tidak ada atau tidak berlaku.")

    def _list(self, asked: Mapping[str, str]) -> dict[str, Any]:
        if asked.get("instansi") != self.town.name:
            raise Refusal(404, "Instansi tidak ditemukan.")
        size = min(read_whole(asked, "jumlah", DEFAULT_PAGE), LARGEST_PAGE)
        since = read_instant(asked, "sejak", self.town.timezone)
        after = _read_cursor(asked.get("kursor", ""))
        query = Query(
            updated_after=_BEGINNING if since is None else since - self.faults.skew,
            after=after,
            limit=size + 1,
        )
        found = self.store.find(query)
        page = found[:size]
        who = self.store.reporters([report.id for report in page])
        return {
            "daftar": [self._speak(report, who.get(report.id)) for report in page],
            "kursor_berikut": _write_cursor(page[-1]) if len(found) > size else None,
        }

    def _speak(self, report: StoredReport, reporter: Reporter | None) -> dict[str, Any]:
        code, text = _STATUS[report.stage]
        return {
            "nomor_tiket": report.id,
            "judul": report.service_name,
            "isi": report.description,
            "kategori": {"kode": report.service_code, "nama": report.service_name},
            "lokasi": {"alamat": report.address, "koordinat": _point(report)},
            "wilayah": self._region(report),
            "status": {"kode": code, "teks": text},
            "tanggapan": report.note,
            "instansi_tujuan": report.agency,
            "tanggal": {
                "masuk": self._time(report.requested_at),
                "perubahan": self._time(report.updated_at),
                "selesai": report.closed_at and self._time(report.closed_at),
                "verifikasi": report.verified_at and self._time(report.verified_at),
            },
            "pelapor": reporter and {"nama": reporter.full_name, "telepon": reporter.phone},
        }

    def _region(self, report: StoredReport) -> list[str]:
        """Codes of the kecamatan and the kelurahan, without dots."""
        if report.latitude is None or report.longitude is None:
            return []
        codes = self.town.at(report.latitude, report.longitude)
        return [code.replace(".", "") for code in codes if code]

    def _time(self, at: datetime) -> str:
        return (at + self.faults.skew).astimezone(self.town.timezone).strftime("%Y-%m-%d %H:%M:%S")


def _point(report: StoredReport) -> list[Any] | None:
    """Longitude and latitude, in the order of GeoJSON."""
    match report.quirk:
        case Quirk.NO_POINT:
            return None
        case Quirk.TEXT_POINT:
            return [str(report.longitude), str(report.latitude)]
        case Quirk.SWAPPED:
            return [report.latitude, report.longitude]
        case _:
            return [report.longitude, report.latitude]


def _is_known(header: str, form: Mapping[str, str]) -> bool:
    """Whether the client shows its credentials, in the header or in the form."""
    kind, _, coded = header.partition(" ")
    given = f"{form.get('client_id', '')}:{form.get('client_secret', '')}".encode()
    if kind.lower() == "basic":
        try:
            given = base64.b64decode(coded, validate=True)
        except binascii.Error:
            return False
    return hmac.compare_digest(given, f"{CLIENT_ID}:{CLIENT_SECRET}".encode())


def _texts(body: bytes) -> dict[str, str]:
    """The fields of a JSON query; a number counts as the text that it is."""
    try:
        asked = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        asked = None
    if not isinstance(asked, dict):
        raise Refusal(400, "Kirim objek JSON.")
    return {key: str(value) for key, value in asked.items() if value is not None}


def _write_cursor(last: StoredReport) -> str:
    text = f"{int(last.updated_at.timestamp())}/{last.id}"
    return base64.urlsafe_b64encode(text.encode()).decode("ascii")


def _read_cursor(text: str) -> tuple[datetime, str] | None:
    if not text:
        return None
    try:
        seconds, _, report_id = base64.urlsafe_b64decode(text).decode().partition("/")
        return datetime.fromtimestamp(int(seconds), UTC), report_id
    except (ValueError, OverflowError, OSError):
        raise Refusal(400, "kursor tidak dikenal.") from None
