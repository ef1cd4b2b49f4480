"""The panels `vehicles`, `cameras` and `transit`: what moves, what watches, how late buses are."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime

from lawang.board.field.alerts import in_force
from lawang.board.field.facts import (
    FieldFacts,
    Panel,
    Plain,
    known,
    moment,
    point,
    vehicle_sources,
)
from lawang.domain.position import PositionStatus

#: A thing of which nothing but the time changed is told anew no more often: its age then looks up
#: to that much too high, never too low.
_STILL_S = 60.0
#: Slower is standing: receivers wander.
_MOVES_KMH = 2.0
_FACT_MAX = 40


def vehicles(facts: FieldFacts, now: datetime) -> Panel:
    table = facts.city.field_tables.vehicles
    oldest = now.timestamp() - table.old_after_s
    shown = frozenset(table.facts)
    things: dict[str, Panel] = {}
    kinds: dict[str, dict[str, int]] = {}
    posts: dict[str, dict[str, int]] = {}
    unlocated = 0
    for key, plain in facts.positions_of(vehicle_sources(facts.city)):
        entry, second = _thing(facts, key, plain, shown)
        things[key] = entry
        unlocated += "p" not in entry
        counts = kinds.setdefault(entry["k"], {"total": 0, "active": 0, "old": 0})
        counts["total"] += 1
        if second < oldest:
            counts["old"] += 1
        elif entry["s"] == PositionStatus.ACTIVE.value:
            counts["active"] += 1
        if post := plain["facts"].get(table.post):
            _count_at(posts, str(post), entry["s"], second < oldest)
    if len(facts.things) > len(things):
        facts.things = {key: each for key, each in facts.things.items() if key in things}
    return {
        "sources": facts.lists["vehicles"],
        "things": things,
        "kinds": kinds,
        "old_after_s": table.old_after_s,
        "posts": posts,
        "unlocated": unlocated,
    }


def _count_at(posts: dict[str, dict[str, int]], post: str, status: str, is_old: bool) -> None:
    counts = posts.setdefault(post, {"total": 0, "ready": 0, "out": 0, "old": 0})
    counts["total"] += 1
    if is_old:
        counts["old"] += 1
    elif status == PositionStatus.STANDBY.value:
        counts["ready"] += 1
    elif status == PositionStatus.ACTIVE.value:
        counts["out"] += 1


def _thing(
    facts: FieldFacts, key: str, plain: Plain, shown: Collection[str]
) -> tuple[Panel, float]:
    """A position's entry and its time; the same object as before while it says the same."""
    before = facts.things.get(key)
    if before is not None and before[0] is plain:
        return before[1], before[2]
    second = moment(plain["observed_at"]).timestamp()
    entry = known(
        k=plain["kind"],
        n=plain["name"] or plain["external_id"],
        p=point(plain),
        h=_rounded(plain["heading"]),
        v=_rounded(plain["speed_kmh"]),
        s=plain["status"],
        t=plain["observed_at"],
        f={name: _short(value) for name, value in plain["facts"].items() if name in shown} or None,
    )
    if before is not None and _is_still(before[1], entry, second):
        entry = before[1]
    facts.things[key] = (plain, entry, second)
    return entry, second


def _is_still(before: Panel, entry: Panel, second: float) -> bool:
    told = moment(before["t"]).timestamp()
    return 0 <= second - told < _STILL_S and {**entry, "t": before["t"]} == before


def _rounded(value: float | None) -> int | None:
    return None if value is None else round(value)


def _short(value: str | float) -> str | float:
    if isinstance(value, str) and len(value) > _FACT_MAX:
        return f"{value[: _FACT_MAX - 1].rstrip()}…"
    return value


def cameras(facts: FieldFacts, now: datetime) -> Panel:
    """Where the source says no time, a camera's `t` is since when it is known to be as it is."""
    found: dict[str, Panel] = {}
    live = 0
    for key, plain in facts.positions_of(facts.city.field_tables.cameras):
        live += plain["status"] == PositionStatus.ACTIVE.value
        found[key] = known(
            n=plain["name"] or plain["external_id"],
            p=point(plain),
            s=plain["status"],
            o=plain["owner"],
            k=plain["kecamatan"],
            link=bool(plain["link"]),
            t=plain["observed_at"],
        )
    return {
        "sources": facts.lists["cameras"],
        "cameras": found,
        "total": len(found),
        "live": live,
        "unlocated": sum("p" not in each for each in found.values()),
    }


def transit(facts: FieldFacts, now: datetime) -> Panel:
    """A delay older than its source's cadence allows is not told; a bus not heard of for long
    counts nowhere."""
    table = facts.city.field_tables.transit
    if table is None:
        return {"sources": []}
    routes: dict[str, Panel] = {}
    for route, reading in facts.readings_of(table.delays).items():
        entry = _route(routes, route)
        entry["n"] = reading["subject_name"] or route
        if _is_of_now(facts, reading, now):
            entry |= known(delay_s=reading["value"], at=reading["observed_at"])
    oldest = now.timestamp() - facts.city.field_tables.vehicles.old_after_s
    off_route = 0
    for _key, plain in facts.positions_of(table.sources):
        if moment(plain["observed_at"]).timestamp() < oldest:
            continue
        route = plain["facts"].get(table.route)
        if not route:
            off_route += 1
            continue
        entry = _route(routes, str(route))
        entry["buses"] += 1
        entry["moving"] += (plain["speed_kmh"] or 0) >= _MOVES_KMH
    return {
        "sources": facts.lists["transit"],
        "routes": dict(sorted(routes.items())),
        "off_route": off_route,
        "notices": dict(_notices(facts, table.notices, table.route, now)),
    }


def _is_of_now(facts: FieldFacts, reading: Plain, now: datetime) -> bool:
    """At night, when no bus runs, the last delays of the evening stay the newest."""
    cadence = facts.city.sources[reading["source_id"]].cadence
    return (now - moment(reading["observed_at"])).total_seconds() <= cadence.stale_after_s


def _route(routes: dict[str, Panel], route: str) -> Panel:
    return routes.setdefault(route, {"n": route, "buses": 0, "moving": 0})


def _notices(
    facts: FieldFacts, sources: Collection[str], route_fact: str, now: datetime
) -> Iterator[tuple[str, Panel]]:
    for key, plain in in_force(facts, now):
        if plain["source_id"] in sources and plain["touches_city"]:
            named = str(plain["facts"].get(route_fact) or "")
            yield (
                key,
                known(
                    headline=plain["headline"] or plain["event"],
                    routes=list(_names(named.split(","))) or None,
                    until=plain["expires_at"],
                ),
            )


def _names(parts: Iterable[str]) -> Iterator[str]:
    return (part.strip() for part in parts if part.strip())
