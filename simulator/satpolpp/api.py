"""The interface of Satpol PP's reports.

Times are local and to the minute, as clerks write them: "21/11/2026 14.03". The newest report
comes first; with `diubah_sejak` (ISO 8601, inclusive) the oldest change first. The key is printed
in the log: it guards nothing.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.asking import Refusal, read_instant, read_whole
from simulator.city_life import Town
from simulator.faults import Faults
from simulator.store import Query, Quirk, Reporter, Store, StoredReport

API_KEY = "demo"
DEFAULT_PAGE, LARGEST_PAGE = 50, 200

_STATUS = {"Menunggu": "BARU", "Selesai": "SELESAI", "Ditolak": "DITOLAK"}
_UNDER_WAY = "DIPROSES"


@dataclass(frozen=True)
class Api:
    """The endpoint; a skewed clock (see `Faults`) shifts all times it speaks."""

    store: Store
    town: Town
    faults: Faults

    def routes(self) -> list[Route]:
        """All routes, relative to the department."""
        return [Route("/api/laporan", self._answer)]

    def _answer(self, request: Request) -> Response:
        try:
            return JSONResponse(self._list(request))
        except Refusal as refusal:
            return JSONResponse({"pesan": refusal.sentence}, refusal.code)

    def _list(self, request: Request) -> dict[str, Any]:
        if not hmac.compare_digest(request.headers.get("x-api-key", "").encode(), API_KEY.encode()):
            raise Refusal(401, "X-Api-Key tidak ada atau tidak berlaku.")
        asked = request.query_params
        page = read_whole(asked, "page", 1)
        size = min(read_whole(asked, "per_page", DEFAULT_PAGE), LARGEST_PAGE)
        since = read_instant(asked, "diubah_sejak", self.town.timezone)
        query = Query(
            updated_after=None if since is None else since - self.faults.skew,
            limit=size,
            offset=(page - 1) * size,
        )
        found = self.store.find(query)
        who = self.store.reporters([report.id for report in found])
        return {
            "data": [self._speak(report, who.get(report.id)) for report in found],
            "halaman": {"sekarang": page, "total": -(-self.store.count(query) // size)},
        }

    def _speak(self, report: StoredReport, reporter: Reporter | None) -> dict[str, Any]:
        return {
            "id": int("".join(filter(str.isdigit, report.id))),
            "nomor": report.id,
            "jenis": report.service_code,
            "uraian": report.description,
            "lokasi": {"alamat": report.address, **self._region(report), **_point(report)},
            "status": _STATUS.get(report.stage, _UNDER_WAY),
            "tanggal_lapor": self._time(report.requested_at),
            "tanggal_ubah": self._time(report.updated_at),
            "tanggal_selesai": report.closed_at and self._time(report.closed_at),
            "tanggal_verifikasi": report.verified_at and self._time(report.verified_at),
            "pelapor": reporter and {"nama": reporter.full_name, "telepon": reporter.phone},
        }

    def _region(self, report: StoredReport) -> dict[str, str | None]:
        if report.latitude is None or report.longitude is None:
            return {"kecamatan": None, "kelurahan": None}
        _, code = self.town.at(report.latitude, report.longitude)
        place = self.town.by_code[code] if code else None
        return {
            "kecamatan": place.kecamatan_name if place else None,
            "kelurahan": place.name if place else None,
        }

    def _time(self, at: datetime) -> str:
        return (at + self.faults.skew).astimezone(self.town.timezone).strftime("%d/%m/%Y %H.%M")


def _point(report: StoredReport) -> dict[str, Any]:
    match report.quirk:
        case Quirk.NO_POINT:
            return {"lat": None, "lng": None}
        case Quirk.TEXT_POINT:  # as a spreadsheet with Indonesian settings writes numbers
            return {
                "lat": str(report.latitude).replace(".", ","),
                "lng": str(report.longitude).replace(".", ","),
            }
        case Quirk.SWAPPED:
            return {"lat": report.longitude, "lng": report.latitude}
        case _:
            return {"lat": report.latitude, "lng": report.longitude}
