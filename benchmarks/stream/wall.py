"""A wall that changes every second: the program's own board, at work on a made-up busy city.

The panels are those that every wall of the city listens to, computed by `lawang.board`, compared
and published just as its worker does it: twelve figures, a map of 2,000 reports of which a few
dozen change, the list of latest events and three charts. What nothing is known of here, such as
buses and gauges, is there and says nothing. Only `published_us` is added to the panel `city`: when
this second was published, in microseconds since 1970, by which screens measure how long it took to
reach them.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from lawang.board.panels import LATEST, BoardState, Panel, compute
from lawang.board.patch import diff
from lawang.city import City
from lawang.domain.incident import Incident, IncidentEvent, Status, apply, compare, incident_id
from lawang.store.history import Counts
from lawang.store.live import LiveStore
from layouts.wall import wall_panels

FEATURES = 2_000
#: What happens in a second, which is far more than in any city: 5 reports, 5 ends, 26 moves.
_NEW = 5
_MOVED = 26
_EVERY_S = 1.0
_TEXT = "Air masuk ke rumah setinggi lutut sejak subuh, selokan di depan gang penuh sampah."
_MOVES = (Status.COORDINATION, Status.DISPOSITION, Status.IN_PROGRESS)


class Wall:
    """The board's state and how one second changes it; the same at every run."""

    def __init__(self, city: City, now: datetime) -> None:
        self._city = city
        self._panels = wall_panels(city.screens)
        self._random = random.Random(1671)
        self._made = 0
        self._epoch = "bench"
        self._seq: dict[str, int] = {}
        self._shown: dict[str, Panel] = {}
        self._state = BoardState(city)
        self._state.week_ago = Counts(new_today=31, open=1_940, past_due=12, done_today=28)
        self._state.week_ago_at = now - timedelta(days=7)
        for _ in range(FEATURES):
            self._report(now)

    def advance(self, now: datetime) -> None:
        """Let one second pass in the city."""
        opened = [item for item in self._state.incidents.values() if item.is_open]
        chosen = self._random.sample(opened, _NEW + _MOVED)
        for item in chosen[:_NEW]:
            self._move(item, Status.DONE, now)
        for item in chosen[_NEW:]:
            others = [status for status in _MOVES if status is not item.status]
            self._move(item, self._random.choice(others), now)
        for _ in range(_NEW):
            self._report(now)
        del self._state.latest[LATEST:]

    def publish(self, live: LiveStore, now: datetime) -> None:
        """Announce what changed since the last time, all at the first."""
        payloads = compute(self._state, now, self._panels)
        changes: dict[str, tuple[int, Panel, Panel]] = {}
        payloads["city"]["published_us"] = time.time_ns() // 1000
        for name, payload in payloads.items():
            if patch := diff(self._shown.get(name, {}), payload):
                self._seq[name] = self._seq.get(name, 0) + 1
                changes[name] = (self._seq[name], payload, patch)
        live.publish_panels(changes, self._epoch)
        self._shown = payloads

    def _report(self, now: datetime) -> None:
        chance = self._random
        self._made += 1
        place = chance.choice(self._city.kelurahan)
        external_id = f"2026-{self._made:06d}"
        source = next(iter(self._city.sources))
        self._take(
            None,
            Incident(
                id=incident_id(source, external_id),
                source_id=source,
                external_id=external_id,
                category=chance.choice(list(self._city.categories)),
                category_raw=None,
                status=Status.WAITING,
                status_raw="open",
                status_note=None,
                description=_TEXT,
                address=None,
                agency=None,
                media_url=None,
                latitude=round(place.latitude + chance.uniform(-0.004, 0.004), 6),
                longitude=round(place.longitude + chance.uniform(-0.004, 0.004), 6),
                kecamatan=place.parent,
                kelurahan=place.code,
                placed_by="point",
                location_problem="",
                requested_at=now,
                due_at=now + timedelta(days=5),
                closed_at=None,
                observed_at=now,
                observed_estimated=False,
                fetched_at=now,
                reopened=0,
                simulated=True,
            ),
        )

    def _move(self, item: Incident, status: Status, now: datetime) -> None:
        moved = replace(item, status=status, observed_at=now, fetched_at=now)
        self._take(item, moved)

    def _take(self, before: Incident | None, after: Incident) -> None:
        for event in compare(before, after):
            before = apply(before, event)
            self._note(event, before)

    def _note(self, event: IncidentEvent, incident: Incident) -> None:
        self._state.incidents[incident.id] = incident
        self._state.latest.insert(0, (event, incident))


@contextmanager
def keep_publishing(city: City, redis_url: str) -> Iterator[None]:
    """Publish a changed wall every second, from a thread, until the block is left."""
    live = LiveStore(redis_url, city.slug)
    stop = threading.Event()
    wall = Wall(city, datetime.now(UTC))
    wall.publish(live, datetime.now(UTC))

    def run() -> None:
        due = time.monotonic()
        while not stop.is_set():
            due += _EVERY_S
            stop.wait(max(0.0, due - time.monotonic()))
            now = datetime.now(UTC)
            wall.advance(now)
            wall.publish(live, now)
            live.announce_alive("bench")

    thread = threading.Thread(target=run, name="publisher", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(10)
        live.close()
