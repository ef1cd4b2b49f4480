"""What each panel says, for a small city life that can be counted by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lawang.board.panels import (
    AFTER_INCIDENTS,
    AFTER_SOURCE,
    LATEST,
    PANELS,
    TIMED,
    BoardState,
    compute,
    day_began,
)
from lawang.city import City
from lawang.domain.health import SourceState
from lawang.domain.incident import EventKind, Incident, IncidentEvent, Status
from lawang.store.history import Counts
from tests.conftest import build_incident

#: 10:00 WIB on a Saturday; the day began at 17:00 UTC of the day before.
NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def incident(number: int, **changes: Any) -> Incident:
    values = {"requested_at": NOW - timedelta(hours=2), "due_at": NOW + timedelta(days=3)}
    return build_incident(external_id=f"r{number}", **{**values, **changes})


def board(city: City, *incidents: Incident, **changes: Any) -> BoardState:
    return BoardState(city, incidents={item.id: item for item in incidents}, **changes)


def panel(name: str, state: BoardState, now: datetime = NOW) -> dict[str, Any]:
    return compute(state, now, [name])[name]


# --- counters -------------------------------------------------------------------------------


def test_the_citys_day_begins_at_its_own_midnight(city: City) -> None:
    assert day_began(city, NOW) == MIDNIGHT
    assert day_began(city, MIDNIGHT) == MIDNIGHT
    assert day_began(city, MIDNIGHT - SECOND) == MIDNIGHT - timedelta(days=1)


def test_new_today_counts_from_midnight_in_the_city(city: City) -> None:
    state = board(
        city,
        incident(1, requested_at=MIDNIGHT),
        incident(2, requested_at=MIDNIGHT - SECOND),
        incident(3, requested_at=NOW),
    )
    assert panel("counters", state)["new_today"] == {"value": 2}


def test_a_new_day_begins_at_zero(city: City) -> None:
    state = board(city, incident(1), incident(2))
    assert panel("counters", state, MIDNIGHT + timedelta(days=1))["new_today"] == {"value": 0}


def test_open_are_all_but_the_finished_and_the_rejected(city: City) -> None:
    state = board(city, *(incident(n, status=status) for n, status in enumerate(Status)))
    assert panel("counters", state)["open"] == {"value": len(Status) - 2}


def test_past_due_are_the_open_ones_whose_time_has_gone_by(city: City) -> None:
    state = board(
        city,
        incident(1, due_at=NOW - SECOND),
        incident(2, due_at=NOW),
        incident(3, due_at=NOW - SECOND, status=Status.DONE),
        incident(4, due_at=None),
    )
    counters = panel("counters", state)
    assert (counters["past_due"], counters["without_due"]) == ({"value": 1}, 1)


def test_done_today_are_the_finished_ones_not_the_rejected(city: City) -> None:
    done = {"status": Status.DONE, "requested_at": MIDNIGHT - timedelta(days=2)}
    state = board(
        city,
        incident(1, **done, observed_at=MIDNIGHT),
        incident(2, **done, observed_at=MIDNIGHT - SECOND),
        incident(3, **{**done, "status": Status.REJECTED}, observed_at=NOW),
    )
    assert panel("counters", state)["done_today"] == {"value": 1}


def test_each_counter_stands_beside_last_weeks(city: City) -> None:
    before = Counts(new_today=1, open=2, past_due=3, done_today=4)
    week_ago = NOW - timedelta(days=7)
    counters = panel("counters", board(city, week_ago=before, week_ago_at=week_ago))
    assert {name: counters[name]["last_week"] for name in ("new_today", "open")} == {
        "new_today": 1,
        "open": 2,
    }
    assert (counters["past_due"]["last_week"], counters["done_today"]["last_week"]) == (3, 4)
    assert counters["last_week_at"] == week_ago.isoformat()


def test_without_a_last_week_nothing_is_compared(city: City) -> None:
    counters = panel("counters", board(city))
    assert ("last_week_at" in counters, counters["open"]) == (False, {"value": 0})


def test_what_could_not_be_resolved_is_counted_among_the_open(city: City) -> None:
    lost = {"kecamatan": None, "category": "tidak_diketahui", "status": Status.UNKNOWN}
    state = board(city, incident(1, **lost), incident(2), incident(3, status=Status.DONE))
    counters = panel("counters", state)
    assert [counters[name] for name in ("unlocated", "unknown_category", "unknown_status")] == [
        1,
        1,
        1,
    ]


# --- regions and ranking --------------------------------------------------------------------


def test_every_kecamatan_has_its_open_reports(city: City) -> None:
    state = board(
        city,
        incident(1, kecamatan="16.71.01"),
        incident(2, kecamatan="16.71.01"),
        incident(3, kecamatan="16.71.02", status=Status.DONE),
        incident(4, kecamatan=None),
    )
    regions = panel("regions", state)
    assert regions["open"] == {region.code: 0 for region in city.kecamatan} | {"16.71.01": 2}
    assert regions["unlocated"] == 1


def test_a_region_that_the_pack_does_not_know_is_no_place(city: City) -> None:
    assert panel("regions", board(city, incident(1, kecamatan="99.99.99")))["unlocated"] == 1


def test_the_ranking_counts_open_new_and_past_due(city: City) -> None:
    here = {"kecamatan": "16.71.03"}
    state = board(
        city,
        incident(1, **here),
        incident(2, **here, due_at=NOW - SECOND, requested_at=MIDNIGHT - SECOND),
        incident(3, **here, status=Status.DONE),
        incident(4, kecamatan=None),
    )
    ranking = panel("ranking", state)
    assert ranking["rows"]["16.71.03"] == {"open": 2, "new_today": 2, "past_due": 1}
    assert ranking["unlocated"] == {"open": 1, "new_today": 1, "past_due": 0}
    assert len(ranking["rows"]) == len(city.kecamatan)


# --- the map --------------------------------------------------------------------------------


def test_a_feature_carries_no_word_of_a_citizen(city: City) -> None:
    found = incident(1, latitude=-2.98, longitude=104.75, due_at=NOW - SECOND)
    features = panel("incidents", board(city, found))["features"]
    assert features == {
        "elapor:r1": {
            "p": [104.75, -2.98],
            "c": "banjir",
            "s": "menunggu",
            "d": 1,
            "t": (NOW - timedelta(hours=2)).isoformat(),
            "k": "16.71.06",
            "o": "elapor",
        }
    }


def test_the_map_says_how_many_have_no_place_on_it(city: City) -> None:
    nowhere = {"latitude": None, "longitude": None}
    state = board(city, incident(1), incident(2, **nowhere), incident(3, status=Status.REJECTED))
    panel_now = panel("incidents", state)
    assert (len(panel_now["features"]), panel_now["total"], panel_now["unlocated"]) == (1, 2, 1)


def test_a_feature_that_did_not_change_is_the_same_object(city: City) -> None:
    state = board(city, incident(1), incident(2))
    before = panel("incidents", state)["features"]
    state.incidents["elapor:r2"] = incident(2, status=Status.IN_PROGRESS)
    after = panel("incidents", state)["features"]
    assert after["elapor:r1"] is before["elapor:r1"]
    assert after["elapor:r2"]["s"] == "proses"


# --- latest events --------------------------------------------------------------------------


def happened(found: Incident, kind: EventKind = EventKind.STATUS_CHANGED, **changes: Any) -> Any:
    event = IncidentEvent(
        incident_id=found.id,
        kind=kind,
        at=NOW - timedelta(minutes=1),
        fetched_at=NOW,
        changes=changes or {"status": found.status},
    )
    return event, found


def test_a_long_text_is_cut_and_says_so(city: City) -> None:
    found = incident(1, description="Air  naik\n" * 40)
    (entry,) = panel("latest", board(city, latest=[happened(found)]))["events"]
    assert len(entry["text"]) <= 160
    assert entry["text"].startswith("Air naik Air naik")
    assert entry["text"].endswith("…")


def test_a_text_that_fits_is_whole(city: City) -> None:
    found = incident(1, description="x" * 160)
    (entry,) = panel("latest", board(city, latest=[happened(found)]))["events"]
    assert entry["text"] == "x" * 160


def test_a_new_report_is_waiting_whatever_became_of_it(city: City) -> None:
    found = incident(1, status=Status.DONE)
    state = board(city, latest=[happened(found, EventKind.REPORTED, status=Status.DONE)])
    assert panel("latest", state)["events"][0]["status"] == "menunggu"


def test_an_event_says_what_status_it_led_to(city: City) -> None:
    found = incident(1, status=Status.DONE)
    state = board(city, latest=[happened(found, status=Status.IN_PROGRESS)])
    assert panel("latest", state)["events"][0]["status"] == "proses"


def test_what_is_not_known_of_an_event_is_left_out(city: City) -> None:
    found = incident(1, kecamatan=None, kelurahan=None)
    (entry,) = panel("latest", board(city, latest=[happened(found)]))["events"]
    assert {"kecamatan", "kelurahan", "estimated"} & entry.keys() == set()


def test_a_time_that_was_only_estimated_is_marked(city: City) -> None:
    found = incident(1, observed_estimated=True)
    assert panel("latest", board(city, latest=[happened(found)]))["events"][0]["estimated"] is True


def test_the_list_has_an_end(city: City) -> None:
    events = [happened(incident(number)) for number in range(LATEST + 5)]
    assert len(panel("latest", board(city, latest=events))["events"]) == LATEST


# --- hours ----------------------------------------------------------------------------------


def test_reports_are_counted_by_the_hour_of_the_last_day(city: City) -> None:
    state = board(
        city,
        incident(1, requested_at=NOW),
        incident(2, requested_at=NOW + timedelta(minutes=59)),
        incident(3, requested_at=NOW - timedelta(hours=23)),
        incident(4, requested_at=NOW - timedelta(hours=23) - SECOND),
        incident(5, requested_at=NOW + timedelta(hours=1)),
    )
    hours = panel("hours", state)
    assert (hours["new"][-1], hours["new"][0], sum(hours["new"])) == (2, 1, 3)
    assert (len(hours["new"]), hours["until"]) == (24, NOW.isoformat())


# --- sources and the simulated mark ---------------------------------------------------------


def test_every_source_of_the_pack_is_named_even_when_never_heard(city: City) -> None:
    sources = panel("sources", board(city))["sources"]
    assert sources.keys() == city.sources.keys()
    assert "last_success" not in sources["elapor"]
    assert sources["elapor"]["opd"] == "Diskominfo"


def test_a_source_tells_of_its_polls_and_its_cadence(city: City) -> None:
    state = SourceState(source_id="elapor", last_success=NOW, failures=3, error_kind="timeout")
    entry = panel("sources", board(city, states={"elapor": state}))["sources"]["elapor"]
    assert (entry["last_success"], entry["failures"]) == (NOW.isoformat(), 3)
    cadence = city.sources["elapor"].cadence
    assert (entry["late_after_s"], entry["down_after_s"]) == (
        cadence.late_after_s,
        cadence.down_after_s,
    )


def test_a_source_that_was_polled_again_gets_a_new_entry(city: City) -> None:
    state = board(city)
    panel("sources", state)
    state.states["elapor"] = SourceState(source_id="elapor", failures=2)
    assert panel("sources", state)["sources"]["elapor"]["failures"] == 2


@pytest.mark.parametrize(("source", "answer"), [(True, False), (False, True)])
def test_one_simulated_source_marks_the_whole_wall(city: City, source: bool, answer: bool) -> None:
    sources = {name: replace(each, simulated=source) for name, each in city.sources.items()}
    states = {"elapor": SourceState(source_id="elapor", simulated=answer)}
    marked = board(replace(city, sources=sources), states=states)
    assert panel("city", marked) == {"simulated": True}


def test_a_wall_of_real_sources_is_not_marked(city: City) -> None:
    sources = {name: replace(each, simulated=False) for name, each in city.sources.items()}
    assert panel("city", board(replace(city, sources=sources))) == {"simulated": False}


# --- all of them ----------------------------------------------------------------------------


def test_no_payload_holds_a_null(city: City) -> None:
    lost = incident(1, kecamatan=None, kelurahan=None, latitude=None, longitude=None, due_at=None)
    state = board(city, lost, incident(2), latest=[happened(lost)])
    assert _nulls(compute(state, NOW, PANELS)) == []


def _nulls(value: Any, path: str = "") -> list[str]:
    if value is None:
        return [path]
    if not isinstance(value, dict | list):
        return []
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    return [found for key, inner in pairs for found in _nulls(inner, f"{path}/{key}")]


@pytest.mark.parametrize("name", AFTER_INCIDENTS)
def test_every_panel_made_of_incidents_names_what_feeds_it(city: City, name: str) -> None:
    assert panel(name, board(city))["sources"] == sorted(
        source.id for source in city.sources.values() if "incidents" in source.yields
    )


# --- the indicators -------------------------------------------------------------------------

STANDING = {"sources": ["ambulans", "elapor"], "version": "v1", "city": {}}


def heard(source_id: str, ago: timedelta, **more: Any) -> SourceState:
    return SourceState(source_id=source_id, last_success=NOW - ago, **more)


def standing_with(city: City, *states: SourceState) -> dict[str, Any]:
    state = board(city)
    state.overview = {"indicators": STANDING}
    state.states = {each.source_id: each for each in states}
    return panel("indicators", state)


def test_a_city_without_indicators_says_nothing_of_them(city: City) -> None:
    assert panel("indicators", board(city)) == {}


def test_what_was_worked_out_is_passed_on(city: City) -> None:
    assert standing_with(city).items() >= STANDING.items()


def test_sources_of_indicators_that_are_well_are_not_named(city: City) -> None:
    well = [heard(name, timedelta(0)) for name in STANDING["sources"]]
    assert standing_with(city, *well)["troubled"] == []


def test_sources_of_indicators_in_trouble_are_named_with_their_health(city: City) -> None:
    down = heard("elapor", timedelta(days=9))
    assert standing_with(city, down)["troubled"] == ["ambulans:never", "elapor:down"]


def test_a_source_that_is_only_late_is_not_called_troubled(city: City) -> None:
    late = heard("elapor", timedelta(0), failures=1)
    assert "elapor:late" not in standing_with(city, late)["troubled"]


def test_every_panel_is_computed_after_some_change() -> None:
    # Those about walls tell by themselves when they are other ones.
    about_walls = {"programme", "walls", "status"}
    assert set(AFTER_INCIDENTS) | set(AFTER_SOURCE) | set(TIMED) | about_walls == set(PANELS)


def test_a_panel_named_twice_is_worked_out_once(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[datetime] = []
    monkeypatch.setitem(PANELS, "city", lambda _state, now: made.append(now) or {})
    compute(board(city), NOW, ["city", "hours", "city"])
    assert made == [NOW]
