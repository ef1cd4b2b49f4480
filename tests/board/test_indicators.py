"""The panels of the overview: worked out once a change, and kept like every other panel."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson
import pytest
import redis

from lawang.board.panels import AFTER_OVERVIEW, PANELS
from lawang.board.worker import BoardWorker
from lawang.city import City
from lawang.domain.formula import IncidentFigure, IncidentFormula
from lawang.domain.kpi import Combine, Daily, Dimension, Direction, Kpi, Target
from lawang.overview.panel import OverviewPanels
from lawang.store.history import History
from lawang.store.live import LiveStore
from tests.board.test_worker import Listener
from tests.conftest import HeldClock

#: 10:00 WIB on 21 November: the 20th is the last complete day.
NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
LAST = date(2026, 11, 20)
IN_TIME = Kpi(
    id="in_time",
    name_id="Tepat waktu",
    name_en="In time",
    definition_id="Kalimat.",
    definition_en="A sentence.",
    dimension="service",
    owner="diskominfo",
    unit="%",
    direction=Direction.UP,
    combine=Combine.RATIO,
    formula=IncidentFormula(figure=IncidentFigure.WITHIN_DUE, sources=("elapor",)),
    target=Target(level=0.8),
    stale_after=timedelta(days=3),
)
UNKNOWN = replace(IN_TIME, id="unknown")
Told = Callable[[datetime], dict[str, Any]]


@pytest.fixture
def own(city: City) -> City:
    """A city of one dimension and two indicators, of which one has facts."""
    dimension = Dimension(id="service", name_id="Layanan", name_en="Services", weight=1.0)
    return replace(
        city, kpis={each.id: each for each in (IN_TIME, UNKNOWN)}, dimensions={"service": dimension}
    )


def write(history: History, share: float, day: date = LAST) -> None:
    """One day's fact: that share of ten reports closed in time."""
    observed_at = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    fact = Daily(
        kpi="in_time", region="", day=day, num=share * 10, den=10, n=10, observed_at=observed_at
    )
    history.kpis.replace("in_time", day, day, [fact])


@pytest.fixture
def panels(own: City, sqlite_history: History) -> OverviewPanels:
    write(sqlite_history, 0.8)
    return OverviewPanels(own, sqlite_history)


@pytest.fixture
def panel(panels: OverviewPanels) -> Told:
    """The panel `indicators` as of an instant."""
    return lambda now: panels(now)["indicators"]


def test_it_says_how_the_city_stands_and_of_how_many(panel: Told) -> None:
    told = {"light": "green", "counting": 1, "total": 2, "score": 1.0}
    assert panel(NOW)["city"] == dict.fromkeys(("day", "week", "month", "quarter", "year"), told)


def test_it_says_how_each_dimension_stands(panel: Told) -> None:
    assert panel(NOW)["dimensions"].keys() == {"service"}
    assert panel(NOW)["dimensions"]["service"]["score"] == 1.0


def test_it_says_which_day_it_tells_of_and_when_it_was_worked_out(panel: Told) -> None:
    assert (panel(NOW)["last"], panel(NOW)["at"]) == ("2026-11-20", NOW.isoformat())


def test_it_names_the_sources_behind_the_indicators(panel: Told) -> None:
    assert panel(NOW)["sources"] == ["elapor"]


def test_a_city_without_data_has_no_score_rather_than_nought(
    own: City, sqlite_history: History
) -> None:
    city = OverviewPanels(own, sqlite_history)(NOW)["indicators"]["city"]["month"]
    assert city == {"light": "grey", "counting": 0, "total": 2}


def test_a_city_without_indicators_has_no_panel(city: City, sqlite_history: History) -> None:
    assert OverviewPanels(replace(city, kpis={}), sqlite_history)(NOW) == {}


def test_the_same_facts_are_not_worked_out_again(panel: Told) -> None:
    assert panel(NOW + timedelta(minutes=1)) is panel(NOW)


def test_what_time_alone_did_not_change_is_nothing_new(panel: Told) -> None:
    assert panel(NOW)["at"] == panel(NOW + timedelta(hours=1))["at"]


def test_a_fact_that_was_put_right_is_another_version(panel: Told, sqlite_history: History) -> None:
    before = panel(NOW)
    write(sqlite_history, 0.4)
    after = panel(NOW + timedelta(minutes=1))
    assert after["version"] != before["version"]
    assert after["city"]["month"]["score"] == 0.5


def test_the_change_of_the_day_is_told(panel: Told) -> None:
    before, after = panel(NOW), panel(NOW + timedelta(days=1))
    assert (before["last"], after["last"]) == ("2026-11-20", "2026-11-21")


def test_facts_that_grow_old_stop_counting(panel: Told) -> None:
    assert panel(NOW)["city"]["month"]["counting"] == 1
    assert panel(NOW + timedelta(days=4))["city"]["month"]["counting"] == 0


# --- on the board -----------------------------------------------------------------------------


@pytest.fixture
def server(valkey_url: str) -> Iterator[redis.Redis]:
    with closing(redis.Redis.from_url(valkey_url)) as client:
        yield client


@pytest.fixture
def listener(server: redis.Redis, live: LiveStore) -> Iterator[Listener]:
    with closing(Listener(server, live)) as listening:
        yield listening


@pytest.fixture
def board(
    own: City,
    sqlite_history: History,
    live: LiveStore,
    panels: OverviewPanels,
    listener: Listener,
) -> Iterator[BoardWorker]:
    """A board at work that has said all it had to say."""
    worker = BoardWorker(own, sqlite_history, live, clock=HeldClock(NOW), overview=panels)
    worker.start()
    listener.until(lambda: listener.panels.keys() == PANELS.keys(), "all panels")
    listener.signs_of_life(1)
    yield worker
    worker.stop()


def score(panels: dict[str, dict[str, Any]]) -> float:
    found: float = panels["indicators"]["city"]["month"]["score"]
    return found


def test_a_board_begins_with_how_the_indicators_stand(
    board: BoardWorker, listener: Listener
) -> None:
    assert score(listener.panels) == 1.0


def test_a_change_of_facts_is_announced_at_once(
    board: BoardWorker, listener: Listener, sqlite_history: History
) -> None:
    write(sqlite_history, 0.4)
    board.reread_indicators()
    listener.until(lambda: score(listener.panels) == 0.5, "the new score")


def test_facts_that_did_not_change_are_not_announced(
    board: BoardWorker, listener: Listener
) -> None:
    listener.take()
    board.reread_indicators()
    listener.signs_of_life(1)
    assert [each["panel"] for each in listener.take()] == []


def test_the_scenes_of_the_overview_come_with_it(board: BoardWorker, listener: Listener) -> None:
    lasts = {listener.panels[name]["last"] for name in AFTER_OVERVIEW}
    assert lasts == {LAST.isoformat()}


def test_a_lost_cache_gets_the_indicators_again(
    board: BoardWorker, listener: Listener, live: LiveStore, server: redis.Redis
) -> None:
    server.delete(live.keys.panels, live.keys.filled)
    listener.until(lambda: "indicators" in live.panels(), "the panel again")
    assert orjson.loads(server.hget(live.keys.panels, "indicators"))["payload"]["last"] == str(LAST)


def test_a_board_that_begins_again_says_the_indicators_anew(
    board: BoardWorker, listener: Listener
) -> None:
    board.stop()
    listener.panels.clear()
    board.start()
    listener.until(lambda: "indicators" in listener.panels, "the panel anew")
    assert score(listener.panels) == 1.0


def test_indicators_that_cannot_be_worked_out_leave_the_wall_its_other_panels(
    own: City, sqlite_history: History, live: LiveStore, listener: Listener
) -> None:
    def fail(_now: datetime) -> dict[str, Any]:
        raise ZeroDivisionError

    worker = BoardWorker(own, sqlite_history, live, clock=HeldClock(NOW), overview=fail)
    worker.start()
    listener.until(lambda: listener.panels.keys() == PANELS.keys(), "all panels")
    worker.stop()
    assert listener.panels["indicators"] == {}
