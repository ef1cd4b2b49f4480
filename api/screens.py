"""`/api/v1/screens` and `/api/v1/status`: what every wall should show, how it is, and the status.

A wall beats here and is told what waits for it. Whoever may see a wall may beat for it; telling
walls what to do, and the status, is for operators.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Annotated, Literal

import structlog
from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from api.operator import body_of, has_key, read_json, require_operator
from api.pace import Pace
from api.paging import refuse_unknown
from api.services import Services
from lawang.background import end
from lawang.domain.errors import StoreError
from lawang.domain.health import SourceState, state_from_plain
from lawang.domain.kpi import Span
from lawang.domain.screen import (
    BEAT_EVERY,
    DARK_AFTER,
    FROZEN_AFTER,
    SKEW_TOLD,
    Beat,
    Command,
    CommandKind,
    Filters,
    Measure,
    Scene,
    ScreenState,
    Window,
    judge_screen,
)
from lawang.domain.status import CityStatus, StatusRules
from lawang.kpi.evaluate import Evaluator
from lawang.screens.desk import ScreenDesk, ScreenNow, named_of
from lawang.screens.facts import CityFacts
from lawang.screens.programme import Item, Why
from lawang.screens.standing import StatusKeeper, describe

log = structlog.get_logger(__name__)

#: How often the status is worked out while nobody asks.
TURN_EVERY_S = 5.0
#: A command that must be done at once is not done later than this.
_AT_ONCE = timedelta(minutes=2)
_LONGEST = 7 * 86_400
#: Beats that one screen at one address may send in a row, and how fast it may go on.
_BURST = 10
_BEATS_PER_S = 0.5

_Name = Annotated[str, Field(min_length=2, max_length=120, pattern=r"^[^\x00-\x1f\x7f]+$")]
_Id = Annotated[str, Field(max_length=60, pattern=r"^[a-z][a-z0-9_]*$")]


class FiltersOut(BaseModel):
    """What a scene is narrowed to; empty lists mean everything."""

    kecamatan: list[str]
    opd: list[str]
    category: list[str]
    window: Window | None
    measure: Measure | None


class ItemOut(BaseModel):
    """One scene on a screen."""

    cell: str = Field(description="Empty: it fills the whole screen")
    scene: str
    name_id: str
    name_en: str
    panels: list[str]
    filters: FiltersOut
    until: datetime = Field(description="As far as is known now: an alarm may come before")
    why: Why
    cause: str = Field(description="The playlist, the schedule's entry, the alarm, or the person")


class CellOut(BaseModel):
    """One cell of a screen's grid, counted from 0."""

    id: str
    column: int
    row: int
    width: int
    height: int


class BeatOut(BaseModel):
    """The last heartbeat of a screen. None is what its browser could not measure."""

    seen_at: datetime
    age_s: float
    build: str
    scene: str
    oldest_panel_s: float | None = Field(description="When it beat")
    fps: float | None
    heap_bytes: int | None
    errors: int
    last_error: str
    skew_s: float | None = Field(description="How far its own clock is ahead of the server's")
    clock_wrong: bool | None = Field(
        description=f"Whether that is over {SKEW_TOLD.total_seconds():g} s"
    )
    sound_armed: bool | None


class LastingOut(BaseModel):
    """Something a person set for a while."""

    by: str
    since: datetime
    until: datetime | None
    scene: str


class ScreenOut(BaseModel):
    """One screen: how it is, and what it should show."""

    id: str
    name: str
    width: int
    height: int
    columns: int
    rows: int
    cells: list[CellOut]
    address: str
    state: ScreenState
    dark_since: datetime | None
    now: list[ItemOut]
    next_at: datetime
    next: list[ItemOut]
    beat: BeatOut | None
    manual: LastingOut | None
    muted: LastingOut | None
    waiting: int = Field(description="Commands that it has not taken yet")


class ProblemOut(BaseModel):
    """Why the file as it is now is not in force."""

    file: str
    key: str
    line: int | None
    problem: str
    seen_at: datetime


class ProgrammeOut(BaseModel):
    """The programme in force."""

    since: datetime
    problem: ProblemOut | None = Field(
        description="What is wrong with screens.toml as it is now; the older one goes on"
    )
    alarms_known: bool = Field(description="Whether interrupts can come at all now")


class ScreensOut(BaseModel):
    """Every screen of the programme."""

    at: datetime
    build: str
    beat_every_s: float = BEAT_EVERY.total_seconds()
    dark_after_s: float = DARK_AFTER.total_seconds()
    frozen_after_s: float = FROZEN_AFTER.total_seconds()
    programme: ProgrammeOut
    screens: list[ScreenOut]


class BeatIn(BaseModel):
    """What a wall says of itself. Leave out what cannot be measured; never send 0 for it."""

    model_config = ConfigDict(extra="forbid")

    build: Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[\x21-\x7e]+$")]
    scene: _Id
    oldest_panel_s: Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)] | None = None
    fps: Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)] | None = None
    heap_bytes: Annotated[int, Field(ge=0, le=2**53)] | None = None
    errors: Annotated[int, Field(ge=0, le=10**9)] = 0
    last_error: Annotated[str, Field(max_length=300, pattern=r"^[^\x00]*$")] = ""
    clock: AwareDatetime | None = Field(None, description="What its own clock says")
    sound_armed: bool | None = None


class CommandOut(BaseModel):
    """One command to a wall."""

    id: int
    kind: CommandKind
    by: str
    made_at: datetime
    expires_at: datetime
    scene: str
    until: datetime | None
    taken_at: datetime | None


class BeatenOut(BaseModel):
    """What a wall is told: the time, its picture, and what waits for it, which is told once."""

    at: datetime
    build: str
    skew_s: float | None
    beat_every_s: float = BEAT_EVERY.total_seconds()
    now: list[ItemOut]
    next_at: datetime
    next: list[ItemOut]
    muted_until: datetime | None
    commands: list[CommandOut]


class CommandIn(BaseModel):
    """What a wall shall do. `for_s` is how long a scene or silence lasts."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    kind: CommandKind
    by: _Name
    scene: _Id | None = None
    kecamatan: Annotated[list[str], Field(max_length=40)] = []
    opd: Annotated[list[str], Field(max_length=60)] = []
    category: Annotated[list[str], Field(max_length=60)] = []
    window: Window | None = None
    measure: Measure | None = None
    for_s: Annotated[int, Field(ge=10, le=_LONGEST)] | None = None


class ToldOut(BaseModel):
    """The command as it waits, and the screen as it is from now on."""

    at: datetime
    command: CommandOut
    screen: ScreenOut


class ReasonOut(BaseModel):
    """One thing that calls for the level."""

    kind: Literal["alarms", "sources", "score"]
    text: str
    found: float
    needed: float
    severity: str | None
    alarms: list[str]
    categories: list[str]


class LevelOut(BaseModel):
    """One level as the pack describes it."""

    level: int
    word_id: str
    word_en: str
    colour: str
    actions_id: list[str]
    actions_en: list[str]


class OverrideOut(BaseModel):
    """A level that a person set."""

    level: int
    by: str
    reason: str
    since: datetime
    until: datetime


class ChangeOut(BaseModel):
    """One line of the status's log. `by` is empty where the rules moved it."""

    at: datetime
    level: int
    before: int | None
    by: str
    reason: str
    until: datetime | None


class StatusOut(BaseModel):
    """The status of the city."""

    at: datetime
    now: LevelOut
    since: datetime
    computed: int = Field(description="The level by the rules alone")
    called_for: int = Field(description="What is called for now; it falls only after a while")
    falls_after: datetime | None = Field(
        description="When it falls if nothing calls for it any more"
    )
    reasons: list[ReasonOut]
    unknown: list[str] = Field(description="What could not be told: the status may be too low")
    by_hand: OverrideOut | None
    levels: list[LevelOut]
    log: list[ChangeOut] = Field(description="Newest first")


class StatusIn(BaseModel):
    """A level set by hand, with a name, a reason, and how long it lasts."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    level: Annotated[int, Field(ge=1, le=5)]
    by: _Name
    reason: Annotated[str, Field(min_length=3, max_length=500, pattern=r"^[^\x00]*$")]
    for_s: Annotated[int, Field(ge=60, le=_LONGEST)] = 3600


class StatusEndIn(BaseModel):
    """Give the status back to the rules."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    by: _Name
    reason: Annotated[str, Field(max_length=500, pattern=r"^[^\x00]*$")] = ""


def add_screen_routes(router: APIRouter, services: Services, desk: ScreenDesk) -> None:
    """The routes of screens and of the status; while they serve, file and rules are followed."""
    evaluator = Evaluator(services.city, services.history.kpis)

    def rules() -> StatusRules:
        return desk.in_force.programme.status

    facts = CityFacts(
        services.city,
        rules,
        desk.alarms,
        lambda: _source_states(services),
        lambda at: evaluator.scores(Span.MONTH, at)[0].score,
    )
    keeper = StatusKeeper(desk.store, rules, facts, services.clock)

    @contextlib.asynccontextmanager
    async def lifespan(_app: object) -> AsyncIterator[None]:
        desk.file.start()
        turning = asyncio.create_task(_turn_forever(keeper, desk))
        try:
            yield
        finally:
            await end(turning)
            await asyncio.to_thread(desk.file.stop)

    router.lifespan_context = lifespan
    _add_screen_routes(router, services, desk)
    _add_status_routes(router, services, desk, keeper)


async def _turn_forever(keeper: StatusKeeper, desk: ScreenDesk) -> None:
    """Work the status out again and again, so that it moves while nobody looks."""
    failing = False
    while True:
        try:
            if desk.in_force.programme.status.levels:
                await asyncio.to_thread(keeper.turn)
            if failing:
                log.info("the city's status is kept again")
            failing = False
        except Exception as error:
            # Whatever fails in one turn may go well in the next; told once.
            if not failing:
                log.warning("the city's status cannot be kept", exc_info=error)
            failing = True
        await asyncio.sleep(TURN_EVERY_S)


def _source_states(services: Services) -> dict[str, SourceState] | None:
    """What is known of the polls; None while the board is not heard."""
    feed = services.feed
    panel = feed.panels.get("sources", {}).get("sources")
    if panel is None or feed.cache_lost_at is not None:
        return None
    return {name: state_from_plain({"source_id": name, **each}) for name, each in panel.items()}


async def _note(services: Services) -> None:
    """Tell the board that walls have something new; without a cache it looks by itself."""
    try:
        await asyncio.to_thread(services.live.note_screens)
    except StoreError as error:
        log.debug("the board was not told of screens", kind=error.kind)


# --- screens -------------------------------------------------------------------------------------


def _add_screen_routes(router: APIRouter, services: Services, desk: ScreenDesk) -> None:
    pace = Pace(_BURST, _BEATS_PER_S, time.monotonic)
    named = named_of(services.city)

    def known(screen_id: str) -> None:
        if screen_id not in desk.in_force.programme.screens:
            raise HTTPException(404, "There is no screen with this id in screens.toml.")

    async def look(screen_id: str, at: datetime) -> ScreenNow:
        found = await asyncio.to_thread(desk.screen, screen_id, at)
        if found is None:
            raise HTTPException(404, "There is no screen with this id in screens.toml.")
        return found

    @router.get(
        "/api/v1/screens",
        response_model=ScreensOut,
        tags=["screens"],
        dependencies=[Depends(refuse_unknown)],
    )
    async def screens() -> ScreensOut:
        """Every screen: how it is, what it should show now and next."""
        at = services.clock()
        found = await asyncio.to_thread(desk.screens, at)
        known_alarms = await asyncio.to_thread(desk.alarms, at) is not None
        force = desk.in_force
        problem = force.problem
        return ScreensOut(
            at=at,
            build=services.build,
            programme=ProgrammeOut(
                since=force.since,
                problem=problem and ProblemOut.model_validate(problem, from_attributes=True),
                alarms_known=known_alarms,
            ),
            screens=[_screen_out(each, desk, at) for each in found],
        )

    @router.get(
        "/api/v1/screens/{screen_id}",
        response_model=ScreenOut,
        tags=["screens"],
        dependencies=[Depends(refuse_unknown)],
    )
    async def one_screen(screen_id: str) -> ScreenOut:
        """One screen: how it is, what it should show now and next."""
        at = services.clock()
        return _screen_out(await look(screen_id, at), desk, at)

    @router.post(
        "/api/v1/screens/{screen_id}/heartbeat",
        response_model=BeatenOut,
        tags=["screens"],
        responses={401: {}, 404: {}, 413: {}, 415: {}, 429: {}},
        dependencies=[Depends(refuse_unknown)],
        openapi_extra=body_of(BeatIn),
    )
    async def heartbeat(screen_id: str, request: Request, response: Response) -> BeatenOut:
        """Say that a wall is alive, and hear what waits for it."""
        at = services.clock()
        response.headers["cache-control"] = "no-store"
        client = request.client.host if request.client else ""
        known(screen_id)
        if wait := pace.wait_s(f"{client} {screen_id}"):
            raise HTTPException(
                429,
                f"A wall beats every {BEAT_EVERY.total_seconds():g} s; this one beats too often.",
                {"Retry-After": str(int(wait) + 1)},
            )
        if not has_key(request, services.operator_token):
            await _check_token(request, desk, screen_id, at)
        given = await read_json(request, BeatIn)
        skew = None if given.clock is None else (given.clock - at).total_seconds()
        beat = Beat(
            screen_id=screen_id,
            build=given.build,
            scene=given.scene,
            seen_at=at,
            oldest_panel_s=given.oldest_panel_s,
            fps=given.fps,
            heap_bytes=given.heap_bytes,
            errors=given.errors,
            last_error=given.last_error,
            skew_s=skew,
            sound_armed=given.sound_armed,
        )
        before = await asyncio.to_thread(desk.store.note_beat, beat)
        found = await look(screen_id, at)
        # Last: a command that was taken is gone, so nothing may fail between it and the answer.
        commands = await asyncio.to_thread(desk.store.take, screen_id, at) if found.waiting else []
        if commands or _is_news(before, beat, services.build):
            await _note(services)
        scenes = desk.in_force.programme.scenes
        return BeatenOut(
            at=at,
            build=services.build,
            skew_s=skew,
            now=[_item_out(each, scenes.get(each.scene)) for each in found.items],
            next_at=found.next_at,
            next=[_item_out(each, scenes.get(each.scene)) for each in found.next_items],
            muted_until=found.muted.until if found.muted else None,
            commands=[_command_out(each) for each in commands],
        )

    @router.post(
        "/api/v1/screens/{screen_id}/commands",
        response_model=ToldOut,
        status_code=201,
        tags=["screens"],
        responses={401: {}, 403: {}, 404: {}, 413: {}, 415: {}},
        dependencies=[Depends(refuse_unknown)],
        openapi_extra=body_of(CommandIn),
    )
    async def command(screen_id: str, request: Request) -> ToldOut:
        """Tell a wall what to do. It hears of it with its next heartbeat."""
        require_operator(request, services.operator_token)
        given = await read_json(request, CommandIn)
        known(screen_id)
        at = services.clock()
        for names, there, what in (
            (given.kecamatan, named.kecamatan, "kecamatan"),
            (given.opd, named.opds, "opd"),
            (given.category, named.categories, "category"),
        ):
            if any(name not in there for name in names):
                raise HTTPException(422, f"The pack does not know what `{what}` names.")
        if (given.kind is CommandKind.SCENE) != (given.scene is not None):
            raise HTTPException(422, "Give `scene` with the kind scene, and only with that.")
        if given.scene and given.scene not in desk.in_force.programme.scenes:
            raise HTTPException(422, "There is no such scene in screens.toml.")
        if given.for_s is not None and given.kind not in _LASTING:
            raise HTTPException(422, "`for_s` belongs to the kinds scene and mute.")
        wanted = _command(screen_id, given, at)
        told = await asyncio.to_thread(desk.store.tell, wanted)
        await _note(services)
        return ToldOut(
            at=at,
            command=_command_out(told),
            screen=_screen_out(await look(screen_id, at), desk, at),
        )

    @router.get(
        "/api/v1/screens/{screen_id}/commands",
        response_model=list[CommandOut],
        tags=["screens"],
        dependencies=[Depends(refuse_unknown)],
    )
    async def commands(
        screen_id: str, limit: Annotated[int, Query(ge=1, le=200)] = 20
    ) -> list[CommandOut]:
        """What a screen was told, newest first, and when it took it."""
        known(screen_id)
        found = await asyncio.to_thread(desk.store.commands, screen_id, limit)
        return [_command_out(each) for each in found]


def _is_news(before: Beat | None, beat: Beat, build: str) -> bool:
    """Whether a heartbeat says something that people shall see at once, and not only its age."""
    if before is None:
        return True
    then, now = judge_screen(before, build, beat.seen_at), judge_screen(beat, build, beat.seen_at)
    return (then, before.scene, before.sound_armed) != (now, beat.scene, beat.sound_armed)


#: What lasts, and how long where nobody says.
_LASTING = {
    CommandKind.SCENE: timedelta(minutes=10),
    CommandKind.MUTE: timedelta(hours=1),
}


async def _check_token(request: Request, desk: ScreenDesk, screen_id: str, at: datetime) -> None:
    """A wall that comes with a key must come with a good one, for this screen.

    Raises HTTPException 401. Whether a wall needs one at all is the door's guard to say.
    """
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    # Any other scheme is meant for a proxy between, as a browser sends a person's password.
    if scheme.casefold() != "bearer":
        return
    token = await asyncio.to_thread(desk.store.find_token, key.strip(), at)
    if token is None or token.screen_id not in (None, screen_id):
        raise HTTPException(
            401,
            "This key does not open this screen, or was revoked. Make one with "
            "`lawang screens token new`.",
            {"WWW-Authenticate": "Bearer"},
        )


def _command(screen_id: str, given: CommandIn, at: datetime) -> Command:
    lasting = _LASTING.get(given.kind)
    until = None
    if lasting is not None:
        until = at + (timedelta(seconds=given.for_s) if given.for_s else lasting)
    return Command(
        id=0,
        screen_id=screen_id,
        kind=given.kind,
        by=given.by,
        made_at=at,
        expires_at=until or at + _AT_ONCE,
        scene=given.scene or "",
        filters=Filters(
            kecamatan=tuple(given.kecamatan),
            opd=tuple(given.opd),
            category=tuple(given.category),
            window=given.window,
            measure=given.measure,
        ),
        until=until,
    )


def _screen_out(found: ScreenNow, desk: ScreenDesk, at: datetime) -> ScreenOut:
    screen, scenes = found.screen, desk.in_force.programme.scenes
    return ScreenOut(
        id=screen.id,
        name=screen.name,
        width=screen.width,
        height=screen.height,
        columns=screen.columns,
        rows=screen.rows,
        cells=[CellOut.model_validate(each, from_attributes=True) for each in screen.cells],
        address=f"/wall/{screen.id}",
        state=found.state,
        dark_since=found.dark_since,
        now=[_item_out(each, scenes.get(each.scene)) for each in found.items],
        next_at=found.next_at,
        next=[_item_out(each, scenes.get(each.scene)) for each in found.next_items],
        beat=_beat_out(found.beat, at) if found.beat else None,
        manual=_lasting_out(found.manual),
        muted=_lasting_out(found.muted),
        waiting=found.waiting,
    )


def _item_out(item: Item, scene: Scene | None) -> ItemOut:
    # The file may have changed between the two looks at it: then the scene says its id.
    return ItemOut(
        cell=item.cell,
        scene=item.scene,
        name_id=scene.name_id if scene else item.scene,
        name_en=scene.name_en if scene else item.scene,
        panels=list(scene.panels) if scene else [],
        filters=FiltersOut.model_validate(item.filters, from_attributes=True),
        until=item.until,
        why=item.why,
        cause=item.cause,
    )


def _beat_out(beat: Beat, at: datetime) -> BeatOut:
    skew = beat.skew_s
    return BeatOut(
        seen_at=beat.seen_at,
        age_s=max((at - beat.seen_at).total_seconds(), 0.0),
        build=beat.build,
        scene=beat.scene,
        oldest_panel_s=beat.oldest_panel_s,
        fps=beat.fps,
        heap_bytes=beat.heap_bytes,
        errors=beat.errors,
        last_error=beat.last_error,
        skew_s=skew,
        clock_wrong=None if skew is None else abs(skew) > SKEW_TOLD.total_seconds(),
        sound_armed=beat.sound_armed,
    )


def _lasting_out(command: Command | None) -> LastingOut | None:
    if command is None:
        return None
    return LastingOut(
        by=command.by, since=command.made_at, until=command.until, scene=command.scene
    )


def _command_out(command: Command) -> CommandOut:
    return CommandOut.model_validate(command, from_attributes=True)


# --- the status ----------------------------------------------------------------------------------


def _add_status_routes(
    router: APIRouter, services: Services, desk: ScreenDesk, keeper: StatusKeeper
) -> None:
    def need_levels() -> None:
        if not desk.in_force.programme.status.levels:
            raise HTTPException(404, "This pack has no status: screens.toml has no [status.1].")

    async def out(status: CityStatus) -> StatusOut:
        log_lines = await asyncio.to_thread(desk.store.status_log, 20)
        return _status_out(
            status, desk, services.clock(),
            [ChangeOut.model_validate(each, from_attributes=True) for each in log_lines],
        )  # fmt: skip

    @router.get(
        "/api/v1/status",
        response_model=StatusOut,
        tags=["status"],
        responses={404: {}},
        dependencies=[Depends(refuse_unknown)],
    )
    async def status() -> StatusOut:
        """The city's status with its reasons, its actions, and who set it."""
        need_levels()
        return await out(await asyncio.to_thread(keeper.turn))

    @router.post(
        "/api/v1/status",
        response_model=StatusOut,
        tags=["status"],
        responses={401: {}, 403: {}, 404: {}, 413: {}, 415: {}},
        dependencies=[Depends(refuse_unknown)],
        openapi_extra=body_of(StatusIn),
    )
    async def set_status(request: Request) -> StatusOut:
        """Raise or lower the status for a while, with a name and a reason."""
        require_operator(request, services.operator_token)
        need_levels()
        given = await read_json(request, StatusIn)
        until = services.clock() + timedelta(seconds=given.for_s)
        now = await asyncio.to_thread(
            keeper.set_by_hand, given.level, given.by, given.reason, until
        )
        await _note(services)
        return await out(now)

    @router.post(
        "/api/v1/status/end",
        response_model=StatusOut,
        tags=["status"],
        responses={401: {}, 403: {}, 404: {}, 413: {}, 415: {}},
        dependencies=[Depends(refuse_unknown)],
        openapi_extra=body_of(StatusEndIn),
    )
    async def end_status(request: Request) -> StatusOut:
        """Give the status back to the rules before its end."""
        require_operator(request, services.operator_token)
        need_levels()
        given = await read_json(request, StatusEndIn)
        now = await asyncio.to_thread(keeper.end_by_hand, given.by, given.reason)
        await _note(services)
        return await out(now)


def _status_out(
    status: CityStatus, desk: ScreenDesk, at: datetime, log_lines: list[ChangeOut]
) -> StatusOut:
    rules = desk.in_force.programme.status
    levels = {
        each.number: LevelOut(
            level=each.number,
            word_id=each.word_id,
            word_en=each.word_en,
            colour=each.colour,
            actions_id=list(each.actions_id),
            actions_en=list(each.actions_en),
        )
        for each in rules.levels
    }
    computed = status.computed
    falls_after = None
    if computed.lower_since is not None:
        falls_after = computed.lower_since + rules.level(computed.level).hold
    return StatusOut(
        at=at,
        now=levels[status.level],
        since=status.since,
        computed=computed.level,
        called_for=status.call.level,
        falls_after=falls_after,
        reasons=[
            ReasonOut(
                kind=each.kind.value,
                text=describe(each),
                found=each.found,
                needed=each.needed,
                severity=each.severity.value if each.severity else None,
                alarms=list(each.alarms),
                categories=list(each.categories),
            )
            for each in status.call.reasons
        ],
        unknown=[each.value for each in status.call.unknown],
        by_hand=status.override
        and OverrideOut.model_validate(status.override, from_attributes=True),
        levels=list(levels.values()),
        log=log_lines,
    )
