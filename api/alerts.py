"""`/api/v1/alerts`: what the city's own rules find, and what people do about it.

Warnings that others issue are at `/api/v1/warnings`; in the program's own words these are alarms.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from pydantic import BaseModel, ConfigDict, Field, model_validator

from api.operator import body_of, read_json, require_operator
from api.paging import (
    PAGE_MAX,
    in_utc,
    make_time_token,
    read_numbered_time_token,
    refuse_unknown,
)
from api.services import Services
from lawang.domain.alarm import (
    OPEN_STATES,
    Alarm,
    AlarmEventKind,
    AlarmSeverity,
    AlarmState,
)
from lawang.domain.errors import LawangError, StoreError
from lawang.domain.rule import Rule
from lawang.rules.wording import name_region, name_subject, word
from lawang.store.alarms import AlarmFilter

_NUMBER_MAX = 2**63 - 1
#: What is put aside for longer is a rule to be changed.
SHELF_MOST = timedelta(days=7)


class AlertOut(BaseModel):
    """One alert. Texts are plain, in both languages, with what a department wrote as it is."""

    id: int
    rule: str
    severity: AlarmSeverity
    state: AlarmState
    why: str = Field(
        description="Of an unknown one: not_heard (its source), vanished (its series), "
        "too_little (to compare with); else empty"
    )
    name_id: str
    name_en: str
    text_id: str
    text_en: str
    owner: str = Field(description="Id of the department that acts; empty once the rule is gone")
    owner_name: str
    steps_id: list[str]
    steps_en: list[str]
    region: str = Field(description="Code of a kecamatan; empty for the city")
    region_name: str
    subject: str
    subject_name: str
    value: float | None
    observed_at: datetime | None = Field(description="When the value was true")
    age_s: float | None = Field(description="How old the value is")
    began_at: datetime = Field(description="When the condition began to hold")
    active_at: datetime = Field(description="When it was raised")
    ended_at: datetime | None
    acked_at: datetime | None
    acked_by: str | None
    shelved: bool
    shelved_until: datetime | None
    shelved_by: str | None
    shelved_reason: str | None
    silenced: bool = Field(description="Within a silence window of its rule: not announced")
    simulated: bool = Field(description="Whether its figures are invented or its data is simulated")
    version: int


class AlertsOut(BaseModel):
    """One page of alerts, the last raised first. Give `next` as `after` for the next page."""

    at: datetime
    total: int
    unknown: int = Field(description="How many of the total nobody can tell of at the moment")
    blind: dict[str, int] = Field(
        description="By rule, of how many things without an alert nobody can tell, so not well"
    )
    alerts: list[AlertOut]
    next: str | None = None


class EventOut(BaseModel):
    """One entry of an alert's log. `by` is empty where the rule did it itself."""

    kind: AlarmEventKind
    at: datetime
    by: str
    note: str
    value: float | None


class AlertDetailOut(BaseModel):
    """One alert with all that happened to it."""

    at: datetime
    alert: AlertOut
    events: list[EventOut]


class Act(BaseModel):
    """What a person does to an alert; shelving needs `until` and a note, resolving a note."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    action: Literal["acknowledge", "shelve", "unshelve", "resolve"]
    by: Annotated[str, Field(min_length=2, max_length=120, pattern=r"^[^\x00-\x1f\x7f]+$")]
    note: Annotated[str, Field(max_length=500, pattern=r"^[^\x00]*$")] = ""
    until: datetime | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> Act:
        if (self.until is not None) != (self.action == "shelve"):
            raise ValueError("until belongs to shelve, which needs it")
        if self.action in ("shelve", "resolve") and not self.note:
            raise ValueError(f"{self.action} needs a note that says why")
        return self


class ActedOut(BaseModel):
    """The alert as it stands now."""

    at: datetime
    alert: AlertOut
    shown: bool = Field(
        description="Whether the board was told; if not, the wall follows within half a minute"
    )


def add_alert_routes(router: APIRouter, services: Services) -> None:
    """The routes about alerts."""
    store = services.history.alarms

    @router.get(
        "/api/v1/alerts",
        response_model=AlertsOut,
        tags=["alerts"],
        dependencies=[Depends(refuse_unknown)],
    )
    async def alerts(
        state: Annotated[
            list[AlarmState] | None, Query(description="Open ones (active, unknown) if not said")
        ] = None,
        severity: Annotated[list[AlarmSeverity] | None, Query()] = None,
        rule: Annotated[list[str] | None, Query(description="Rule ids")] = None,
        region: Annotated[list[str] | None, Query(description="Codes of kecamatan")] = None,
        limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 100,
        after: Annotated[str | None, Query(description="`next` of the page before")] = None,
    ) -> AlertsOut:
        """Alerts by state, severity, rule and region; shelved ones are among them, and say so."""
        wanted = AlarmFilter(
            states=state or OPEN_STATES,
            severities=severity or (),
            rules=rule or (),
            regions=region or (),
        )
        before = read_numbered_time_token(after)
        found, counts, blind = await asyncio.gather(
            asyncio.to_thread(store.find, wanted, limit + 1, before),
            asyncio.to_thread(store.count, wanted),
            asyncio.to_thread(store.blind),
        )
        page, more, now = found[:limit], len(found) > limit, services.clock()
        return AlertsOut(
            at=now,
            total=sum(counts.values()),
            unknown=counts.get(AlarmState.UNKNOWN, 0),
            blind=blind,
            alerts=[alert_out(each, services, now) for each in page],
            next=make_time_token(page[-1].active_at, str(page[-1].id)) if more else None,
        )

    @router.get(
        "/api/v1/alerts/{alert_id}",
        response_model=AlertDetailOut,
        tags=["alerts"],
        responses={404: {}},
        dependencies=[Depends(refuse_unknown)],
    )
    async def alert(alert_id: int) -> AlertDetailOut:
        """One alert with its log."""
        found = await asyncio.to_thread(store.get, _known(alert_id))
        if found is None:
            raise _nothing()
        events = await asyncio.to_thread(store.events, alert_id)
        now = services.clock()
        return AlertDetailOut(
            at=now,
            alert=alert_out(found, services, now),
            events=[
                EventOut(kind=each.kind, at=each.at, by=each.by, note=each.note, value=each.value)
                for each in events
            ],
        )

    @router.post(
        "/api/v1/alerts/{alert_id}",
        response_model=ActedOut,
        tags=["alerts"],
        responses={401: {}, 403: {}, 404: {}, 409: {}, 413: {}, 415: {}},
        dependencies=[Depends(refuse_unknown)],
        openapi_extra=body_of(Act),
    )
    async def act(alert_id: int, request: Request) -> ActedOut:
        """Acknowledge an alert, shelve it, take it off the shelf, or resolve it, with a name."""
        require_operator(request, services.operator_token)
        what = await read_json(request, Act)
        now = services.clock()
        until = in_utc(what.until, "until")
        if until is not None and not now < until <= now + SHELF_MOST:
            raise HTTPException(
                422, f"`until` has to lie ahead, by {SHELF_MOST.days} days at most."
            )
        found = await asyncio.to_thread(_act, services, _known(alert_id), what, until, now)
        shown = await asyncio.to_thread(_tell_board, services)
        return ActedOut(at=now, alert=alert_out(found, services, now), shown=shown)


def _known(alert_id: int) -> int:
    if not 0 < alert_id <= _NUMBER_MAX:
        raise _nothing()
    return alert_id


def _nothing() -> HTTPException:
    return HTTPException(404, "There is no alert with this number.")


def _act(
    services: Services, alert_id: int, what: Act, until: datetime | None, now: datetime
) -> Alarm:
    store = services.history.alarms
    if store.get(alert_id) is None:
        raise _nothing()
    try:
        if what.action == "acknowledge":
            return store.acknowledge(alert_id, by=what.by, note=what.note, at=now)
        if what.action == "unshelve":
            return store.unshelve(alert_id, by=what.by, note=what.note, at=now)
        if what.action == "resolve":
            return store.resolve(alert_id, by=what.by, note=what.note, at=now)
        assert until is not None
        return store.shelve(alert_id, until=until, by=what.by, reason=what.note, at=now)
    except StoreError:
        raise
    except LawangError as error:
        raise HTTPException(409, f"{error}. Load the list again.") from None


def _tell_board(services: Services) -> bool:
    """Tell the board; history has it in either case."""
    try:
        services.live.note_alarms()
    except StoreError:
        return False
    return True


def alert_out(alarm: Alarm, services: Services, now: datetime) -> AlertOut:
    """An alarm for the outside. One whose rule is gone keeps the rule's id as its name."""
    city = services.city
    rule = city.rules.get(alarm.rule)
    age = None if alarm.observed_at is None else (now - alarm.observed_at).total_seconds()
    return AlertOut(
        id=alarm.id,
        rule=alarm.rule,
        severity=alarm.severity,
        state=alarm.state,
        why=alarm.why,
        **_words(alarm, rule, services),
        region=alarm.region,
        region_name=name_region(alarm.region, city),
        subject=alarm.subject,
        subject_name=name_subject(alarm, city),
        value=alarm.value,
        observed_at=alarm.observed_at,
        age_s=age,
        began_at=alarm.began_at,
        active_at=alarm.active_at,
        ended_at=alarm.ended_at,
        acked_at=alarm.acked_at,
        acked_by=alarm.acked_by,
        shelved=alarm.is_shelved(now),
        shelved_until=alarm.shelved_until,
        shelved_by=alarm.shelved_by,
        shelved_reason=alarm.shelved_reason,
        silenced=rule is not None and rule.is_silent(now, city.timezone),
        simulated=alarm.simulated,
        version=alarm.version,
    )


def _words(alarm: Alarm, rule: Rule | None, services: Services) -> dict[str, Any]:
    if rule is None:
        return {
            **dict.fromkeys(("name_id", "name_en", "text_id", "text_en"), alarm.rule),
            "steps_id": [],
            "steps_en": [],
            **dict.fromkeys(("owner", "owner_name"), ""),
        }
    indonesian = word(alarm, rule, services.city, "id")
    english = word(alarm, rule, services.city, "en")
    return {
        "name_id": indonesian.name,
        "name_en": english.name,
        "text_id": indonesian.text,
        "text_en": english.text,
        "steps_id": list(indonesian.steps),
        "steps_en": list(english.steps),
        "owner": rule.owner,
        "owner_name": services.city.opds[rule.owner].name,
    }
