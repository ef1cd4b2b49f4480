"""The routes of the mayor's pages. Read by FastAPI's threads: history blocks."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from datetime import date
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from fastapi.routing import APIRoute

from lawang.city import City
from lawang.domain.clock import Clock
from lawang.domain.errors import StoreError
from lawang.domain.health import SourceState
from lawang.kpi.cells import last_complete_day
from lawang.overview.model import KpiDetail, Overview
from lawang.overview.read import OverviewReader
from lawang.store.history import History
from light.app_files import add_app_routes
from light.detail import add_detail_routes
from light.look import COOKIE, COOKIE_AGE, Look, compared_with
from light.page import first_page
from light.render import Ask, Renderer, ask_of


class Pages:
    """What every page is made with; the same for all viewers."""

    def __init__(
        self,
        city: City,
        reader: OverviewReader,
        states: Callable[[], Mapping[str, SourceState]],
        clock: Clock,
        build: str,
        history: History,
    ) -> None:
        self.city = city
        self.reader = reader
        self.states = states
        self.clock = clock
        self.build = build
        self.history = history
        self.renderer = Renderer(city, build)

    def ask(self, request: Request) -> Ask:
        """What the address asks for; unknown values become the default."""
        return ask_of(request.url.path, request.query_params, self.clock())

    def overview(self, ask: Ask, *, since: date | None = None, districts: str = "") -> Overview:
        """The overview at that moment; StoreError where history is away."""
        return self.reader.read(
            ask.now, self.states(), span=ask.span, since=since, districts=districts
        )

    def detail(self, kpi_id: str, ask: Ask, *, days: int = 400) -> KpiDetail:
        """One indicator opened; KeyError for an unknown one, StoreError where history is away."""
        return self.reader.detail(kpi_id, ask.now, self.states(), span=ask.span, days=days)

    def answer(
        self, template: str, ask: Ask, *, status: int = 200, **values: object
    ) -> HTMLResponse:
        """A template of `templates/` as an answer."""
        return self.renderer.answer(template, ask, status=status, **values)

    def lost(self, ask: Ask) -> HTMLResponse:
        """There is no such page, or no such indicator."""
        return self.answer("lost.html", ask, status=404)

    def away(self, ask: Ask) -> HTMLResponse:
        """History cannot be read: nothing is shown rather than something old as if it were new."""
        answer = self.answer("away.html", ask, status=503)
        answer.headers["retry-after"] = "15"
        answer.headers["cache-control"] = "no-store"
        return answer


def make_light_router(
    city: City,
    reader: OverviewReader,
    states: Callable[[], Mapping[str, SourceState]],
    clock: Clock,
    build: str,
    history: History,
) -> APIRouter:
    """All pages under /mayor. `states` tells what is known of each source's polls now."""
    pages = Pages(city, reader, states, clock, build, history)
    router = APIRouter(route_class=_honest_route(pages), include_in_schema=False)

    @router.get("/mayor")
    def mayor(request: Request) -> HTMLResponse:
        ask = pages.ask(request)
        last = last_complete_day(ask.now, city.timezone)
        look = Look.read(request.cookies.get(COOKIE, "")).next(last, ask.now)
        overview = pages.overview(
            ask,
            since=compared_with(look, last),
            districts=request.query_params.get("districts", ""),
        )
        answer = pages.answer(
            "mayor.html", ask, page=first_page(city, overview, pages.states(), look), ov=overview
        )
        answer.set_cookie(
            COOKIE,
            look.written(),
            max_age=int(COOKIE_AGE.total_seconds()),
            path="/mayor",
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="lax",
        )
        return answer

    add_detail_routes(router, pages)
    add_app_routes(router, city, build)

    @router.get("/mayor/{rest:path}")
    def lost(request: Request) -> HTMLResponse:
        return pages.lost(pages.ask(request))

    return router


def _honest_route(pages: Pages) -> type[APIRoute]:
    """Routes that answer a page, not JSON, while history is away."""

    class HonestRoute(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            handle = super().get_route_handler()

            async def handle_or_say(request: Request) -> Response:
                try:
                    return await handle(request)
                except StoreError:
                    return pages.away(pages.ask(request))

            return handle_or_say

    return HonestRoute
