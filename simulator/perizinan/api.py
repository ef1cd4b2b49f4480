"""The interface of DPMPTSP's licences, in the words of OSS-RBA.

`POST api/izin/daftar` takes a JSON query `{"filter": {"kd_daerah", "tgl_status_mulai"}, "halaman":
{"mulai", "jumlah"}}` with the key in `user_key`, and answers `{"responizin": {"kode", "keterangan",
"data": [...]}}`: what became of the query stands in `kode`, the HTTP status is 200. The oldest
change comes first. Times are local and name no zone. A sole trader's company is called by the
person's own name.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lawang.domain.clock import Clock
from simulator.asking import Refusal, read_body, read_instant, read_whole
from simulator.city_life import Town, random_for
from simulator.faults import Faults
from simulator.perizinan.licences import BY_CODE
from simulator.register import Register, Standing, Step

USER_KEY = "demo"
REGION = "1671"
DEFAULT_PAGE, LARGEST_PAGE = 100, 500
BACKFILL, LONGEST_BACK = timedelta(days=60), timedelta(days=120)

_STATUS = {
    "10": "Persyaratan lengkap",
    "20": "Validasi berkas",
    "40": "Inspeksi lapangan",
    "50": "Izin disetujui",
    "90": "Izin ditolak",
}
_FORMS = ("PT", "CV", "Perorangan", "Perorangan")
_COMPANIES = ("Sungai Lestari", "Limas Karya", "Songket Jaya", "Ulu Makmur", "Kelindan Abadi")


@dataclass(frozen=True)
class Api:
    """The endpoint; a skewed clock (see `Faults`) shifts all times it speaks."""

    register: Register
    town: Town
    faults: Faults
    clock: Clock

    def routes(self) -> list[Route]:
        """All routes, relative to the department."""
        return [Route("/api/izin/daftar", self._answer, methods=["POST"])]

    async def _answer(self, request: Request) -> Response:
        try:
            shown = request.headers.get("user_key", "")
            if not hmac.compare_digest(shown.encode(), USER_KEY.encode()):
                raise Refusal(401, "user_key tidak ada atau tidak berlaku.")
            asked = _read_query(await read_body(request))
            found = await run_in_threadpool(self._list, asked)
        except Refusal as refusal:
            outcome = {"kode": refusal.code, "keterangan": refusal.sentence, "data": None}
            return JSONResponse({"responizin": outcome})
        return JSONResponse({"responizin": {"kode": 200, "keterangan": "OK", "data": found}})

    def _list(self, asked: Mapping[str, str]) -> list[dict[str, Any]]:
        if asked.get("kd_daerah") != REGION:
            raise Refusal(404, "kd_daerah tidak dikenal.")
        begin = 0 if asked.get("mulai") == "0" else read_whole(asked, "mulai", 0)
        size = min(read_whole(asked, "jumlah", DEFAULT_PAGE), LARGEST_PAGE)
        since = read_instant(asked, "tgl_status_mulai", self.town.timezone)
        now = self.clock()
        start = now - BACKFILL if since is None else since - self.faults.skew
        found = self.register.changed(max(start, now - LONGEST_BACK), now)
        return [self._speak(each) for each in found[begin : begin + size]]

    def _speak(self, standing: Standing) -> dict[str, Any]:
        filing = standing.filing
        licence = BY_CODE[filing.code]
        rng = random_for(0, "perizinan", "nib", filing.key)
        nib = f"99{rng.randrange(10**11):011d}"
        form = rng.choice(_FORMS)
        named = filing.person.name if form == "Perorangan" else f"{form} {rng.choice(_COMPANIES)}"
        return {
            "dataNIB": {
                "nib": nib,
                "tgl_terbit_nib": self._time(standing.filed_at - timedelta(days=40))[:10],
                "oss_id": f"OSS-{nib[-6:]}",
                "kd_daerah": REGION,
                "nama_perseroan": named,
                "jenis_perseroan": form,
                "nama_user_proses": filing.person.name,
                "no_id_user_proses": filing.person.nik,
                "hp_user_proses": filing.person.phone,
                "data_proyek": [
                    {
                        "id_proyek": f"P-{filing.key[2:]}",
                        "kbli": licence.kbli,
                        "daerah_id_proyek": filing.place.code.replace(".", ""),
                    }
                ],
                "data_checklist": [
                    {
                        "id_izin": filing.key,
                        "kd_izin": licence.code,
                        "nama_izin": licence.name,
                    }
                ],
            },
            "IZINSTATUS": [self._status(nib, filing.key, filing.code, s) for s in standing.steps],
        }

    def _status(self, nib: str, key: str, code: str, step: Step) -> dict[str, str]:
        return {
            "nib": nib,
            "id_izin": key,
            "kd_izin": code,
            "kd_instansi": REGION,
            "kd_status": step.stage,
            "tgl_status": self._time(step.at),
            "nama_status": _STATUS[step.stage],
            "keterangan": "",
        }

    def _time(self, at: datetime) -> str:
        local = (at + self.faults.skew).astimezone(self.town.timezone)
        return local.strftime("%Y-%m-%d %H:%M:%S")


def _read_query(body: bytes) -> dict[str, str]:
    """The fields of the query's two objects as texts."""
    try:
        asked = json.loads(body or b"{}")
        pairs = {**(asked.get("filter") or {}), **(asked.get("halaman") or {})}
    except (ValueError, RecursionError, AttributeError, TypeError):
        raise Refusal(400, "Kirim objek JSON dengan filter dan halaman.") from None
    return {str(key): str(value) for key, value in pairs.items() if value is not None}
