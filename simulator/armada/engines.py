"""Damkar's engines: `GET api/armada?kunci=demo`, an object of objects, numbers with a comma.

They drive to the fires and rescues of the calls that `damkar` pushes.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lawang.domain.clock import Clock
from simulator.armada.responders import Responders, between
from simulator.armada.trips import Call, Fix, Point
from simulator.city_life import Neighbourhood, Town, random_for
from simulator.department import Department
from simulator.faults import Faults
from simulator.people import somebody
from simulator.rescue import damkar
from simulator.rescue.bases import ENGINE_KMH, POSTS, fire_posts
from simulator.rescue.calls import Call as RescueCall
from simulator.settings import SimulatorSettings

KEY = "demo"
_KINDS = ("Pancar 5.000 L", "Pancar 3.000 L", "Tangki 10.000 L", "Penyelamatan", "Tangga")
_STATUS = {
    "standby": "SIAGA",
    "going": "MENUJU TKP",
    "there": "DI TKP",
    "returning": "KEMBALI KE POS",
}
_WRONG: tuple[str | dict[str, Any], ...] = (
    {"lintang": ["-2,98"], "bujur": True},
    {"kode": {"no": 7}},
    {"waktu": ["kemarin"]},
    "rusak",
)


@dataclass(frozen=True, slots=True)
class Engine:
    """An engine and the post where it stands."""

    code: str
    kind: str
    post: str
    place: Neighbourhood

    @property
    def base(self) -> Point:
        return self.place.latitude, self.place.longitude


class Brigade:
    """Where all engines are. Any number of these with one town, seed and factor agree."""

    def __init__(self, town: Town, seed: int, factor: float) -> None:
        self.engines = tuple(_engines(town))
        bases = [engine.base for engine in self.engines]
        self._crews = Responders(town, damkar.Calls(town, seed, factor), bases, ENGINE_KMH, _sent)

    def fixes(self, at: datetime) -> list[tuple[Engine, Fix]]:
        """Every engine with where it is."""
        return list(zip(self.engines, self._crews.fixes(at), strict=True))


def _sent(call: RescueCall) -> Call | None:
    return between(call, "MELUNCUR", "PADAM", "SELESAI", "PALSU", units=call.more["unit"])


def _engines(town: Town) -> list[Engine]:
    found: list[Engine] = []
    for place in fire_posts(town):
        for _ in range(POSTS[place.kecamatan]):
            number = len(found) + 1
            kind = _KINDS[number % len(_KINDS)]
            found.append(Engine(f"DK-{number:02d}", kind, f"Pos {place.kecamatan_name}", place))
    return found


@dataclass(frozen=True)
class Api:
    """The endpoint; a skewed clock (see `Faults`) shifts all times it speaks."""

    brigade: Brigade
    town: Town
    faults: Faults
    clock: Clock
    seed: int

    def routes(self) -> list[Route]:
        """All routes, relative to the department."""
        return [Route("/api/armada", self._answer)]

    def _answer(self, request: Request) -> Response:
        shown = request.query_params.get("kunci", "")
        if not hmac.compare_digest(shown.encode(), KEY.encode()):
            return JSONResponse({"galat": "kunci tidak berlaku"}, 401)
        fixes = self.brigade.fixes(self.clock())
        fleet: dict[str, Any] = {each.code: self._speak(each, fix) for each, fix in fixes}
        if self.faults.present.kind == "wrong_types":
            fleet = dict(_spoilt(fleet))
        return JSONResponse({"armada": fleet})

    def _speak(self, engine: Engine, fix: Fix) -> dict[str, Any]:
        now = self.clock()
        driver = somebody(random_for(self.seed, "engine", engine.code))
        # A tracker tells its place every few seconds, each a little later than the other.
        sent = now - timedelta(seconds=random_for(self.seed, engine.code).randrange(8))
        shown = (sent + self.faults.skew).astimezone(self.town.timezone)
        return {
            "kode": engine.code,
            "jenis": engine.kind,
            "pos": engine.post,
            "status": _STATUS[fix.doing],
            "lintang": f"{fix.point[0]:.6f}".replace(".", ","),
            "bujur": f"{fix.point[1]:.6f}".replace(".", ","),
            "arah": f"{fix.heading:.0f}",
            "kecepatan": f"{fix.speed_kmh:.1f}".replace(".", ","),
            "waktu": f"{shown:%d/%m/%Y %H:%M:%S}",
            "kejadian": fix.trip.call.key if fix.trip else None,
            "pengemudi": driver.name,
            "hp_pengemudi": driver.phone,
        }


def _spoilt(fleet: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Every third engine wrong in one of a few ways: the common gate spoils only lists."""
    for number, (code, each) in enumerate(fleet.items()):
        turn, rest = divmod(number, 3)
        wrong = _WRONG[turn % len(_WRONG)]
        if rest != 1:
            yield code, each
        else:
            yield code, wrong if isinstance(wrong, str) else each | wrong


def department(town: Town, settings: SimulatorSettings) -> Department:
    """The department; it keeps nothing."""
    faults = Faults()
    brigade = Brigade(town, settings.seed, settings.factor)
    api = Api(brigade, town, faults, settings.clock, settings.seed)
    return Department(
        id="armada_damkar",
        name="Armada Damkar",
        protocol="REST JSON",
        path="/api/armada",
        note=f"kunci={KEY}",
        routes=api.routes(),
        faults=faults,
    )
