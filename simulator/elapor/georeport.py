"""The Open311 GeoReport v2 interface of e-lapor (http://wiki.open311.org/GeoReport_v2).

Beside the standard it knows `updated_after` (ISO 8601, inclusive; the oldest change first) and
`page_size` (default 100, at most 1000). With `extensions=true` each request has
`extended_attributes`: when it was closed, and when that was verified. Times are answered in the
city's zone; a time without a zone in a query is taken in that zone. The key for `POST` is printed
in the log: it guards nothing.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lawang.domain.clock import Clock
from simulator.asking import Refusal, read_body, read_instant, read_whole
from simulator.city_life import Town
from simulator.elapor.life import Life
from simulator.elapor.services import BY_CODE, SERVICES, Attribute, Service
from simulator.elapor.xml import to_xml
from simulator.faults import Faults
from simulator.store import NewReport, Query, Quirk, Reporter, Store, StoredReport

API_KEY = "demo"
DEFAULT_PAGE, LARGEST_PAGE = 100, 1000
#: How far back the standard looks unless told otherwise, and the widest span it answers.
WINDOW = timedelta(days=90)
_MAX_DESCRIPTION = 4_000
_MAX_LISTED = 1_000
_CHANGED = "2026-11-01T00:00:00+07:00"


@dataclass(frozen=True)
class GeoReport:
    """The endpoints of one e-lapor; a skewed clock (see `Faults`) shifts all times it speaks."""

    store: Store
    life: Life
    town: Town
    faults: Faults
    clock: Clock

    def routes(self) -> list[Route]:
        """All routes, relative to the department."""
        base = "/open311/v2"
        return [
            Route("/open311/discovery.{format}", _spoken(self._discovery)),
            Route(f"{base}/discovery.{{format}}", _spoken(self._discovery)),
            Route(f"{base}/services.{{format}}", _spoken(self._services)),
            Route(f"{base}/services/{{code}}.{{format}}", _spoken(self._definition)),
            Route(f"{base}/requests.{{format}}", _spoken(self._requests), methods=["GET"]),
            Route(f"{base}/requests.{{format}}", self._post, methods=["POST"]),
            Route(f"{base}/requests/{{id}}.{{format}}", _spoken(self._request)),
        ]

    def _discovery(self, request: Request) -> tuple[str, Any]:
        root = request.url.replace(path=request.scope["root_path"], query="")
        endpoint = {
            "specification": "http://wiki.open311.org/GeoReport_v2",
            "url": f"{root}/open311/v2",
            "changeset": _CHANGED,
            "type": "production",
            "formats": ["application/json", "text/xml"],
        }
        return "discovery", {
            "changeset": _CHANGED,
            "contact": f"e-lapor {self.town.name} (simulasi)",
            "key_service": f"Kunci API simulasi ini: {API_KEY}",
            "endpoints": [endpoint],
        }

    def _services(self, request: Request) -> tuple[str, Any]:
        return "services", [_service(service) for service in SERVICES]

    def _definition(self, request: Request) -> tuple[str, Any]:
        service = BY_CODE.get(request.path_params["code"])
        if service is None:
            raise Refusal(404, "service_code tidak dikenal.")
        attributes = [
            _attribute(order, attribute) for order, attribute in enumerate(service.attributes, 1)
        ]
        return "service_definition", {"service_code": service.code, "attributes": attributes}

    def _requests(self, request: Request) -> tuple[str, Any]:
        query = self._read_query(request.query_params)
        extended = _wants_more(request)
        return "service_requests", [
            self._speak(report, extended) for report in self.store.find(query)
        ]

    def _request(self, request: Request) -> tuple[str, Any]:
        found = self.store.find(Query(ids=(request.path_params["id"],)))
        if not found:
            raise Refusal(404, "service_request_id tidak ditemukan.")
        extended = _wants_more(request)
        return "service_requests", [self._speak(report, extended) for report in found]

    async def _post(self, request: Request) -> Response:
        try:
            form = await _form(request)
            root, value = await run_in_threadpool(self._file, form)
        except Refusal as refusal:
            return _refused(request, refusal)
        return _rendered(request, root, value, 201)

    def _file(self, form: Mapping[str, str]) -> tuple[str, Any]:
        if form.get("api_key") != API_KEY:
            raise Refusal(403, "api_key tidak ada atau tidak berlaku.")
        service = _service_of(form)
        latitude, longitude = _point_of(form)
        description = _description_of(form)
        at = self.clock().replace(microsecond=0)
        kelurahan, address = self._located(latitude, longitude, form.get("address_string"))
        day = at.astimezone(self.town.timezone)
        report_id = self.store.next_posted_id(f"{day:%Y%m%d}")
        answers = {key: value for key, value in form.items() if key.startswith("attribute[")}
        report = NewReport(
            id=report_id,
            service_code=service.code,
            service_name=service.name,
            description=description,
            address=address,
            latitude=latitude,
            longitude=longitude,
            media_url=form.get("media_url"),
            attributes=json.dumps(answers, ensure_ascii=False) if answers else None,
            requested_at=at,
            expected_at=self.life.promised(at),
            moves=self.life.moves_of_posted(report_id, service.code, kelurahan, at),
            reporter=_reporter_of(form),
        )
        self.store.post(report)
        return "service_requests", [
            {
                "service_request_id": report_id,
                "service_notice": "Laporan diterima dan akan diverifikasi dalam 3 hari kerja.",
                "account_id": None,
            }
        ]

    def _located(
        self, latitude: float | None, longitude: float | None, address: str | None
    ) -> tuple[str, str | None]:
        """The kelurahan's name for the notes, and the address, found by the point if not given."""
        code = None
        if latitude is not None and longitude is not None:
            _, code = self.town.at(latitude, longitude)
        if code is None:
            return "setempat", address
        place = self.town.by_code[code]
        return place.name, address or f"Kel. {place.name}, Kec. {place.kecamatan_name}"

    def _read_query(self, asked: Mapping[str, str]) -> Query:
        ids = _listed(asked.get("service_request_id", ""))
        size = min(read_whole(asked, "page_size", DEFAULT_PAGE), LARGEST_PAGE)
        if ids:
            return Query(ids=ids, limit=LARGEST_PAGE)
        updated_after = self._instant(asked, "updated_after")
        start, end = self._instant(asked, "start_date"), self._instant(asked, "end_date")
        if updated_after is None or start is not None or end is not None:
            start, end = self._window(start, end)
        return Query(
            service_codes=_listed(asked.get("service_code", "")),
            is_open=_openness(asked.get("status", "")),
            requested_from=start,
            requested_to=end,
            updated_after=updated_after,
            limit=size,
            offset=(read_whole(asked, "page", 1) - 1) * size,
        )

    def _window(self, start: datetime | None, end: datetime | None) -> tuple[datetime, datetime]:
        """The standard's span: at most 90 days, and the last 90 when nothing is said."""
        if start is None:
            end = end or self.clock()
            return end - WINDOW, end
        if end is None:
            return start, start + WINDOW
        if end < start:
            raise Refusal(400, "end_date lebih awal daripada start_date.")
        if end - start > WINDOW:
            raise Refusal(400, "Rentang start_date sampai end_date paling lama 90 hari.")
        return start, end

    def _instant(self, asked: Mapping[str, str], name: str) -> datetime | None:
        at = read_instant(asked, name, self.town.timezone)
        return None if at is None else at - self.faults.skew

    def _spoken_time(self, at: datetime | None) -> str | None:
        if at is None:
            return None
        return (at + self.faults.skew).astimezone(self.town.timezone).isoformat()

    def _speak(self, report: StoredReport, extended: bool) -> dict[str, Any]:
        record: dict[str, Any] = {
            "service_request_id": report.id,
            "status": "open" if report.is_open else "closed",
            "status_notes": f"{report.stage}: {report.note}",
            "service_name": report.service_name,
            "service_code": report.service_code,
            "description": report.description,
            "agency_responsible": report.agency,
            "service_notice": None,
            "requested_datetime": self._spoken_time(report.requested_at),
            "updated_datetime": self._spoken_time(report.updated_at),
            "expected_datetime": self._spoken_time(report.expected_at),
            "address": report.address,
            "address_id": None,
            "zipcode": None,
            "lat": report.latitude,
            "long": report.longitude,
            "media_url": report.media_url,
        }
        if extended:
            record["extended_attributes"] = {
                "closed_datetime": self._spoken_time(report.closed_at),
                "verified_datetime": self._spoken_time(report.verified_at),
            }
        return {**record, **_oddities(report)} if report.quirk else record


def _wants_more(request: Request) -> bool:
    return request.query_params.get("extensions", "").lower() == "true"


def _oddities(report: StoredReport) -> dict[str, Any]:
    match report.quirk:
        case Quirk.NO_POINT:
            return {"lat": None, "long": None}
        case Quirk.TEXT_POINT:
            return {"lat": str(report.latitude), "long": str(report.longitude)}
        case Quirk.SWAPPED:
            return {"lat": report.longitude, "long": report.latitude}
        case Quirk.OUTSIDE:  # the reporter's telephone knew no better
            return {"lat": (report.latitude or 0.0) - 0.9, "long": report.longitude}
        case Quirk.NO_UPDATED:
            return {"updated_datetime": None}
        case _:
            return {}


def _service(service: Service) -> dict[str, Any]:
    return {
        "service_code": service.code,
        "service_name": service.name,
        "description": service.description,
        "metadata": bool(service.attributes),
        "type": "realtime",
        "keywords": service.keywords,
        "group": service.group,
    }


def _attribute(order: int, attribute: Attribute) -> dict[str, Any]:
    return {
        "variable": True,
        "code": attribute.code,
        "datatype": "singlevaluelist",
        "required": False,
        "datatype_description": None,
        "order": order,
        "description": attribute.description,
        "values": [{"key": key, "name": name} for key, name in attribute.values],
    }


async def _form(request: Request) -> dict[str, str]:
    """The first value of each field of a form-encoded body."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise Refusal(400, "Kirim formulir sebagai application/x-www-form-urlencoded.")
    body = await read_body(request)
    form: dict[str, str] = {}
    try:
        for key, value in parse_qsl(body.decode("utf-8", "replace"), max_num_fields=100):
            form.setdefault(key, value)
    except ValueError:
        raise Refusal(400, "Formulir berisi terlalu banyak isian.") from None
    return form


def _service_of(form: Mapping[str, str]) -> Service:
    code = form.get("service_code", "").strip()
    if not code:
        raise Refusal(400, "service_code wajib diisi.")
    if code not in BY_CODE:
        raise Refusal(404, "service_code tidak dikenal.")
    return BY_CODE[code]


def _description_of(form: Mapping[str, str]) -> str:
    text = form.get("description", "")
    if not text.strip():
        raise Refusal(400, "description wajib diisi.")
    if len(text) > _MAX_DESCRIPTION:
        raise Refusal(400, f"description terlalu panjang: paling banyak {_MAX_DESCRIPTION} huruf.")
    return text


def _point_of(form: Mapping[str, str]) -> tuple[float | None, float | None]:
    """The point, or (None, None) where an address stands in its place."""
    latitude, longitude = form.get("lat"), form.get("long")
    if latitude is None and longitude is None:
        if not form.get("address_string", "").strip():
            raise Refusal(400, "lat dan long, atau address_string, wajib diisi.")
        return None, None
    if latitude is None or longitude is None:
        raise Refusal(400, "lat dan long harus diisi keduanya.")
    return _degrees("lat", latitude, 90), _degrees("long", longitude, 180)


def _degrees(name: str, text: str, most: int) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not abs(value) <= most:  # also refuses NaN
        raise Refusal(400, f"{name} harus berupa angka antara -{most} dan {most}.")
    return value


def _reporter_of(form: Mapping[str, str]) -> Reporter:
    return Reporter(
        email=form.get("email"),
        first_name=form.get("first_name"),
        last_name=form.get("last_name"),
        phone=form.get("phone"),
        device_id=form.get("device_id"),
        account_id=form.get("account_id"),
    )


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())[:_MAX_LISTED]


def _openness(text: str) -> bool | None:
    words = set(_listed(text.lower()))
    if unknown := words - {"open", "closed"}:
        raise Refusal(400, f"status hanya open atau closed, bukan {', '.join(sorted(unknown))}.")
    return None if len(words) != 1 else words == {"open"}


def _spoken(answer: Callable[[Request], tuple[str, Any]]) -> Callable[[Request], Response]:
    """An endpoint for `answer`, which gives the XML root and the value; runs in a worker thread."""

    def endpoint(request: Request) -> Response:
        try:
            root, value = answer(request)
        except Refusal as refusal:
            return _refused(request, refusal)
        return _rendered(request, root, value)

    return endpoint


def _refused(request: Request, refusal: Refusal) -> Response:
    error = {"code": refusal.code, "description": refusal.sentence}
    return _rendered(request, "errors", [error], refusal.code)


def _rendered(request: Request, root: str, value: Any, status: int = 200) -> Response:
    match request.path_params["format"]:
        case "json":
            body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
            kind = "application/json; charset=utf-8"
        case "xml":
            body, kind = to_xml(root, value), "text/xml; charset=utf-8"
        case _:
            return Response("Format hanya json atau xml.", 404, media_type="text/plain")
    if status != 200:
        return Response(body, status, media_type=kind)
    tag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    if _matches(request.headers.get("if-none-match", ""), tag):
        return Response(status_code=304, headers={"etag": tag})
    return Response(body, media_type=kind, headers={"etag": tag})


def _matches(asked: str, tag: str) -> bool:
    tags = {part.strip().removeprefix("W/") for part in asked.split(",")}
    return bool(tags & {tag, "*"})
