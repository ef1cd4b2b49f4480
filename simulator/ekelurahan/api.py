"""The interface of e-kelurahan.

`GET api/v1/surat[?limit=100][&diubahSetelah=ISO][&cursor=...]` with `Authorization: Bearer demo`.
The oldest change comes first; `meta.nextCursor` leads on until it is null. Without `diubahSetelah`
it tells the last seven days, with it at most sixty. Times are ISO 8601 with an offset.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lawang.domain.clock import Clock
from simulator.asking import Refusal, read_instant, read_whole
from simulator.city_life import Town
from simulator.ekelurahan.letters import LETTERS
from simulator.faults import Faults
from simulator.register import Register, Standing

TOKEN = "demo"  # noqa: S105 (it is printed in the log and guards nothing)
DEFAULT_PAGE, LARGEST_PAGE = 100, 500
BACKFILL, LONGEST_BACK = timedelta(days=7), timedelta(days=60)

_NAMES = {each.code: each.name for each in LETTERS}
_STAGES = {
    "diajukan": ("BARU", "Antrean loket"),
    "verifikasi": ("DIPROSES", "Verifikasi berkas"),
    "tanda_tangan": ("DIPROSES", "Tanda tangan lurah"),
    "selesai": ("SELESAI", "Diserahkan"),
    "dikembalikan": ("BERKAS_KURANG", "Menunggu pemohon"),
    "ditolak": ("DITOLAK", "Ditutup"),
    "dibatalkan": ("BATAL", "Ditutup"),
}
_ENDS = ("selesai", "ditolak", "dibatalkan")


@dataclass(frozen=True)
class Api:
    """The endpoint; a skewed clock (see `Faults`) shifts all times it speaks."""

    register: Register
    town: Town
    faults: Faults
    clock: Clock

    def routes(self) -> list[Route]:
        """All routes, relative to the department."""
        return [Route("/api/v1/surat", self._answer)]

    def _answer(self, request: Request) -> Response:
        shown = request.headers.get("authorization", "")
        if not hmac.compare_digest(shown.encode(), f"Bearer {TOKEN}".encode()):
            return JSONResponse({"success": False, "message": "Token tidak berlaku."}, 401)
        try:
            return JSONResponse(self._list(request.query_params))
        except Refusal as refusal:
            return JSONResponse({"success": False, "message": refusal.sentence}, refusal.code)

    def _list(self, asked: Mapping[str, str]) -> dict[str, Any]:
        size = min(read_whole(asked, "limit", DEFAULT_PAGE), LARGEST_PAGE)
        since = read_instant(asked, "diubahSetelah", self.town.timezone)
        now = self.clock()
        begin = now - BACKFILL if since is None else since - self.faults.skew
        found = self.register.changed(max(begin, now - LONGEST_BACK), now)
        after = _read_cursor(asked.get("cursor", ""))
        if after is not None:
            found = [each for each in found if _place_of(each) > after]
        page = found[:size]
        return {
            "success": True,
            "data": [self._speak(each) for each in page],
            "meta": {
                "jumlah": len(page),
                "nextCursor": _write_cursor(page[-1]) if len(found) > size else None,
            },
        }

    def _speak(self, standing: Standing) -> dict[str, Any]:
        filing = standing.filing
        status, stage = _STAGES[standing.stage]
        ended = standing.stage in _ENDS
        return {
            "idSurat": filing.key,
            "jenisSurat": {"kode": filing.code, "nama": _NAMES[filing.code]},
            "kelurahan": {"kode": filing.place.code.replace(".", ""), "nama": filing.place.name},
            "status": status,
            "tahap": stage,
            "waktuPengajuan": self._time(standing.filed_at),
            "waktuPerubahan": self._time(standing.changed_at),
            "waktuSelesai": self._time(standing.changed_at) if ended else None,
            "pemohon": {
                "nama": filing.person.name,
                "nik": filing.person.nik,
                "noHp": filing.person.phone,
            },
        }

    def _time(self, at: datetime) -> str:
        return (at + self.faults.skew).astimezone(self.town.timezone).isoformat()


def _place_of(standing: Standing) -> tuple[int, str]:
    return int(standing.changed_at.timestamp()), standing.filing.key


def _write_cursor(last: Standing) -> str:
    seconds, key = _place_of(last)
    return base64.urlsafe_b64encode(f"{seconds}/{key}".encode()).decode("ascii")


def _read_cursor(text: str) -> tuple[int, str] | None:
    if not text:
        return None
    try:
        seconds, _, key = base64.urlsafe_b64decode(text).decode().partition("/")
        at = datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        raise Refusal(400, "cursor tidak dikenal.") from None
    return int(at.timestamp()), key
