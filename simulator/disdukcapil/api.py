"""The interface of Disdukcapil, in the envelope that BPJS made usual.

`GET api/v1/cakupan` tells the coverage at the end of yesterday, `GET api/v1/layanan[?hari=7]` the
work of the last days and of today so far; one row a kecamatan (code of BPS). The key goes into
`user_key`. Everything is answered with HTTP 200: `metaData.code`, a text, tells what became of it.
Numbers are texts with points between thousands, as printed. Fault `metadata` answers so with the
code `amount` (500 when none is given).
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lawang.domain.clock import Clock
from simulator.asking import Refusal, read_whole
from simulator.city_life import Town, random_for
from simulator.disdukcapil.figures import Figures
from simulator.faults import Faults
from simulator.people import somebody

USER_KEY = "demo"
HIDDEN_FAULT = "metadata"
DEFAULT_DAYS, MOST_DAYS = 7, 90


@dataclass(frozen=True)
class Api:
    """The endpoints; a skewed clock (see `Faults`) shifts all times they speak."""

    figures: Figures
    town: Town
    #: Kecamatan by Kemendagri code: code of BPS and name.
    kecamatan: Mapping[str, tuple[str, str]]
    faults: Faults
    clock: Clock
    seed: int

    def routes(self) -> list[Route]:
        """All routes, relative to the department."""
        return [
            Route("/api/v1/cakupan", self._coverage),
            Route("/api/v1/layanan", self._work),
        ]

    def _coverage(self, request: Request) -> Response:
        return self._answer(request, self._list_coverage)

    def _work(self, request: Request) -> Response:
        return self._answer(request, self._list_work)

    def _answer(self, request: Request, listed: Any) -> Response:
        try:
            if self.faults.present.kind == HIDDEN_FAULT:
                raise Refusal(int(self.faults.present.amount) or 500, "Layanan sedang sibuk.")
            shown = request.headers.get("user_key", "")
            if not hmac.compare_digest(shown.encode(), USER_KEY.encode()):
                raise Refusal(401, "user_key tidak berlaku.")
            found = listed(request.query_params)
        except Refusal as refusal:
            meta = {"code": str(refusal.code), "message": refusal.sentence}
            return JSONResponse({"metaData": meta, "response": None})
        meta = {"code": "200", "message": "OK"}
        return JSONResponse({"metaData": meta, "response": {"list": found}})

    def _list_coverage(self, asked: Mapping[str, str]) -> list[dict[str, Any]]:
        now = self.clock()
        day = (now + self.faults.skew).astimezone(self.town.timezone).date() - timedelta(days=1)
        rows = []
        for code, (bps, name) in self.kecamatan.items():
            found = self.figures.coverage(code, day)
            rows.append(
                {
                    "kdKec": bps,
                    "nmKec": name,
                    "tglData": f"{day:%d-%m-%Y}",
                    "wajibKtp": _written(found.eligible),
                    "rekamKtp": _written(found.recorded),
                    "aktivasiIkd": _written(found.ikd),
                    "jmlAnak": _written(found.children),
                    "aktaLahirAnak": _written(found.births),
                    "punyaKia": _written(found.kia),
                }
            )
        return rows

    def _list_work(self, asked: Mapping[str, str]) -> list[dict[str, Any]]:
        days = min(read_whole(asked, "hari", DEFAULT_DAYS), MOST_DAYS)
        now = self.clock()
        today = now.astimezone(self.town.timezone).date()
        rows = []
        for ago in range(days):
            day = today - timedelta(days=ago)
            rows += [self._speak(code, day, now) for code in self.kecamatan]
        return rows

    def _speak(self, code: str, day: date, now: datetime) -> dict[str, Any]:
        bps, name = self.kecamatan[code]
        done = self.figures.work(code, day, now)
        last = somebody(random_for(self.seed, "disdukcapil", "last", day, code))
        shown = (now + self.faults.skew).astimezone(self.town.timezone)
        return {
            "kdKec": bps,
            "nmKec": name,
            "tglPelayanan": f"{day + self.faults.skew:%d-%m-%Y}",
            "tglUpdate": f"{shown:%d-%m-%Y %H:%M:%S}",
            "ktpDiajukan": _written(done.asked),
            "ktpDicetak": _written(done.printed),
            "aktaLahir": _written(done.births),
            "kiaTerbit": _written(done.kia),
            "ikdBaru": _written(done.ikd),
            "pemohonTerakhir": {"nik": last.nik, "namaLengkap": last.name},
        }


def _written(number: int) -> str:
    return f"{number:,}".replace(",", ".")
