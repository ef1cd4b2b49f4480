"""What is watched of a source's answers: their shape, their counts, and whether any came."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from connectors import registry
from connectors.rest.options import RestOptions
from connectors.tabular.options import TabularOptions
from lawang.city import City, Source
from lawang.connector import Answer
from lawang.domain.drift import LEARNING
from lawang.domain.finding import FindingKind, FindingState, NewFinding
from lawang.domain.health import SourceState
from lawang.domain.measure import Measure
from lawang.domain.quality import BUCKET, Tally, bucket_of
from lawang.mapping import RowOptions, map_rows
from lawang.polling.poll import Bound
from lawang.polling.watch import QualityWatch
from lawang.store.engine import open_engine
from lawang.store.history import History
from tests.polling.conftest import Desk
from tests.simulator.conftest import HeldClock
from tests.store.postgres import PostgresServer

NOW = datetime(2026, 11, 21, 12, 1, tzinfo=UTC)
ROW = {"id": "b1", "lat": -2.98, "lon": 104.76, "status": "jalan"}
OPTIONS = RowOptions.model_validate(
    {
        "yields": ("positions",),
        "fields": {"external_id": "id", "latitude": "lat", "longitude": "lon", "name": "nama"},
        "personal": {"drop": ["pengemudi"]},
    }
)


@pytest.fixture
def source(city: City) -> Source:
    """A source of rows of which nothing is known yet."""
    tables = {
        "fields": {"external_id": "id", "latitude": "lat", "longitude": "lon", "name": "nama"},
        "personal": {"drop": ["pengemudi"]},
    }
    return replace(city.sources["elapor"], id="uji", yields=("positions",), connection=tables)


Look = Callable[..., list[NewFinding]]


@pytest.fixture
def look(source: Source) -> Look:
    """`look(watch, row, ...)`: one answer of these rows, looked at and stored."""

    def see(
        watch: QualityWatch,
        *rows: dict[str, Any],
        at: datetime = NOW,
        stored: bool = True,
        times: int = 3,
    ) -> list[NewFinding]:
        shown = [{**row, "id": f"b{number}"} for row in rows for number in range(times)]
        body = json.dumps(shown).encode()
        found = watch.look(source, Answer(body, "application/json", at), map_rows(shown, OPTIONS))
        if stored:
            watch.note(source.id)
        return found

    return see


def taught(history: History, look: Look) -> QualityWatch:
    """A watch that has seen enough of `ROW` to know it."""
    watch = QualityWatch(history)
    for _ in range(LEARNING):
        assert look(watch, ROW) == []
    return watch


@contextmanager
def locked(url: str) -> Iterator[None]:
    """Another program that keeps SQLite's write lock to itself."""
    path = url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


# --- drift ----------------------------------------------------------------------------------------


def test_a_field_that_appears_is_told_with_its_name(history: History, look: Look) -> None:
    (found,) = look(taught(history, look), {**ROW, "rute": "K1"})
    assert (found.kind, found.detail) == (FindingKind.SHAPE, "rute appeared (text)")


def test_a_field_that_vanishes_is_told(history: History, look: Look) -> None:
    without = {key: value for key, value in ROW.items() if key != "status"}
    (found,) = look(taught(history, look), without)
    assert found.detail == "status vanished (was text)"


def test_a_field_that_changes_its_type_is_told(history: History, look: Look) -> None:
    (found,) = look(taught(history, look), {**ROW, "lat": "-2,98"})
    assert found.detail == "lat was number, is text"


def test_drift_is_told_once(history: History, look: Look) -> None:
    watch = taught(history, look)
    assert len(look(watch, {**ROW, "rute": "K1"})) == 1
    assert look(watch, {**ROW, "rute": "K1"}) == []


def test_drift_of_an_answer_that_was_not_stored_is_told_again(history: History, look: Look) -> None:
    watch = taught(history, look)
    assert len(look(watch, {**ROW, "rute": "K1"}, stored=False)) == 1
    assert len(look(watch, {**ROW, "rute": "K1"})) == 1


def test_a_watch_of_another_process_knows_what_was_learned(history: History, look: Look) -> None:
    taught(history, look)
    other = QualityWatch(history)
    assert look(other, ROW) == []
    assert len(look(other, {**ROW, "rute": "K1"})) == 1


def test_what_another_process_learned_is_read_again_after_forgetting(
    history: History, look: Look
) -> None:
    watch = taught(history, look)
    look(QualityWatch(history), {**ROW, "rute": "K1"})
    watch.forget()
    assert look(watch, {**ROW, "rute": "K1"}) == []


def test_the_first_answers_are_learned_and_nothing_is_told(history: History, look: Look) -> None:
    watch = QualityWatch(history)
    assert [look(watch, {**ROW, f"baru{n}": 1}) for n in range(LEARNING)] == [[]] * LEARNING


def test_of_one_or_two_rows_nothing_vanishes(history: History, look: Look) -> None:
    without = {key: value for key, value in ROW.items() if key != "status"}
    assert look(taught(history, look), without, times=2) == []


def test_an_answer_without_records_says_nothing_of_their_shape(
    history: History, look: Look
) -> None:
    watch = taught(history, look)
    assert look(watch) == []


def test_a_table_beside_json_is_another_form_and_no_drift(
    history: History, look: Look, source: Source
) -> None:
    watch = taught(history, look)
    rows = [{"Nomor": "b1"}] * 3
    answer = Answer(b"Nomor\nb1\n", "text/csv", NOW)
    assert watch.look(source, answer, map_rows(rows, OPTIONS)) == []


def test_many_changes_are_told_in_one_sentence_of_bounded_length(
    history: History, look: Look
) -> None:
    (found,) = look(taught(history, look), {**ROW, **{f"kolom{n}": 1 for n in range(40)}})
    assert found.detail.endswith("; and 28 more")


# --- the sample -----------------------------------------------------------------------------------


def test_the_sample_is_kept_with_the_finding_and_without_persons(
    history: History, look: Look
) -> None:
    row = {
        **ROW,
        "nama": "Truk 3, sopir 0812-0000-7711",
        "pengemudi": {"nama": "Yuliana Effendi", "hp": "0812-0000-7712"},
        "catatan": "NIK 9916710101000001",
    }
    (found,) = look(taught(history, look), row)
    sample = history.quality.sample("uji")
    assert sample is not None
    assert found.sample == sample.body
    assert "Truk 3, sopir [telepon]" in sample.body
    assert "NIK [NIK]" in sample.body
    for word in ("Yuliana", "7711", "7712", "9916710101000001", "pengemudi"):
        assert word not in sample.body


def test_a_sample_shows_a_few_rows_only(history: History, look: Look) -> None:
    look(QualityWatch(history), ROW, times=500)
    sample = history.quality.sample("uji")
    assert sample is not None
    assert len(json.loads(sample.body)) == 3


def test_the_sample_of_a_sound_source_is_renewed_once_a_day(history: History, look: Look) -> None:
    watch = taught(history, look)
    look(watch, ROW, at=NOW + timedelta(hours=23))
    sample = history.quality.sample("uji")
    assert sample is not None
    assert sample.taken_at == NOW
    look(watch, ROW, at=NOW + timedelta(hours=24))
    sample = history.quality.sample("uji")
    assert sample is not None
    assert sample.taken_at == NOW + timedelta(hours=24)


def test_what_cannot_be_masked_is_not_kept_but_its_shape_is(
    history: History, source: Source
) -> None:
    watch = QualityWatch(history)
    answer = Answer(b"\x08\x01\x12\x0aYuliana", "application/x-protobuf", NOW)
    watch.look(source, answer, map_rows([ROW] * 3, OPTIONS))
    watch.note(source.id)
    sample = history.quality.sample("uji")
    assert sample is not None
    assert sample.body == ""
    assert sample.shape


def test_a_history_that_is_away_costs_the_sample_and_not_the_poll(
    sqlite_history: History, sqlite_url: str, look: Look
) -> None:
    watch = taught(sqlite_history, look)
    with locked(sqlite_url):
        assert len(look(watch, {**ROW, "rute": "K1"})) == 1
    assert len(look(watch, {**ROW, "rute": "K1"})) == 1, "it has to be told once it is stored"


# --- counts ---------------------------------------------------------------------------------------


def polls(history: History) -> int:
    return sum(each.polls for each in history.quality.tallies("uji", NOW - BUCKET).values())


def test_counts_are_written_down_once_a_minute(history: History) -> None:
    watch = QualityWatch(history)
    seen = []
    for seconds in (0, 10, 59, 60, 70, 119, 120):
        watch.count("uji", Tally(polls=1), NOW + timedelta(seconds=seconds))
        seen.append(polls(history))
    assert seen == [1, 1, 1, 4, 4, 4, 7]


def test_counts_go_into_the_quarter_of_an_hour_in_which_they_were_made(history: History) -> None:
    watch = QualityWatch(history)
    for minutes in (0, 20, 40):
        watch.count("uji", Tally(polls=1), NOW + timedelta(minutes=minutes))
    found = history.quality.tallies("uji", NOW - BUCKET)
    assert list(found) == [bucket_of(NOW + timedelta(minutes=m)) for m in (0, 20, 40)]


def test_counts_are_kept_while_the_database_is_locked(
    sqlite_history: History, sqlite_url: str
) -> None:
    watch = QualityWatch(sqlite_history)
    with locked(sqlite_url):
        watch.count("uji", Tally(polls=1, records=5), NOW)
    assert polls(sqlite_history) == 0
    watch.count("uji", Tally(polls=1, records=7), NOW + timedelta(seconds=61))
    (found,) = sqlite_history.quality.tallies("uji", NOW - BUCKET).values()
    assert (found.polls, found.records) == (2, 12)


def test_counts_are_kept_while_postgresql_is_stopped(
    postgres: PostgresServer, postgresql_url: str
) -> None:
    with closing(History(open_engine(postgresql_url))) as history:
        watch = QualityWatch(history)
        postgres.stop()
        try:
            for seconds in (0, 61, 122):
                watch.count("uji", Tally(failures=1), NOW + timedelta(seconds=seconds))
        finally:
            postgres.start()
        watch.count("uji", Tally(polls=1), NOW + timedelta(seconds=183))
        (found,) = history.quality.tallies("uji", NOW - BUCKET).values()
    assert (found.failures, found.polls) == (3, 1)


# --- a whole feed: a real server whose list the test decides --------------------------------------


@dataclass
class Listing:
    """A department that answers with `rows`, whole."""

    url: str = ""
    rows: list[dict[str, Any]] = field(default_factory=list)
    status: int = 200


@pytest.fixture
def listing() -> Iterator[Listing]:
    """A server on loopback."""
    found = Listing()

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(found.rows).encode()
            self.send_response(found.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        found.url = f"http://127.0.0.1:{server.server_port}/"
        yield found
        server.shutdown()
        thread.join()


FIELDS = {
    "positions": {"external_id": "id", "latitude": "lat", "longitude": "lon"},
    "incidents": {"external_id": "id", "requested_at": "waktu"},
    "service_requests": {"external_id": "id", "requested_at": "waktu"},
    "readings": {"subject": "id", "observed_at": "waktu"},
    "alerts": {
        "external_id": "id",
        "requested_at": "waktu",
        "event": "kejadian",
        "expires_at": "sampai",
    },
}
CM = {"tinggi": Measure(id="tinggi", name_id="Tinggi", name_en="Level", unit="cm")}


@pytest.fixture
def whole(listing: Listing, city: City) -> Callable[..., Bound]:
    """`whole("positions")`: the listing as a source; keywords are further options."""

    def make(*kinds: str, **further: Any) -> Bound:
        fields: dict[str, str] = {}
        for kind in kinds:
            fields |= FIELDS[kind]
        options = RestOptions.model_validate(
            {
                "url": listing.url,
                "yields": kinds,
                "fields": fields,
                **({"measures": {"tinggi": {"value": "cm"}}} if "readings" in kinds else {}),
                **further,
            }
        )
        source = replace(
            city.sources["elapor"],
            id="uji",
            connector="rest",
            yields=kinds,
            connection={"url": listing.url, "fields": fields},
            measures=CM if "readings" in kinds else {},
            timeout_s=4.0,
        )
        return Bound(source, registry.get("rest"), options, options.max_bytes)

    return make


def row(name: str, **changes: Any) -> dict[str, Any]:
    """A row that is a record of every kind; it is of the moment at which the clock stands."""
    at = "2026-11-21T15:00:00Z"
    return {"id": name, "waktu": at, "lat": -2.98, "lon": 104.76, "cm": 7, **changes}


def open_findings(desk: Desk) -> list[FindingKind]:
    return [each.kind for each in desk.history.findings.list(["uji"])]


def _poll(desk: Desk, bound: Bound) -> SourceState:
    desk.clock.forward(seconds=10)
    state = desk.poll(bound)
    assert state.failures == 0, (state.error_kind, state.error_detail)
    return state


ALL_BUT_ALERTS = ("positions", "incidents", "service_requests", "readings")


@pytest.mark.parametrize("kind", ALL_BUT_ALERTS)
def test_a_list_that_was_never_empty_and_is_becomes_a_finding(
    desk: Desk, listing: Listing, whole: Callable[..., Bound], kind: str
) -> None:
    bound = whole(kind)
    listing.rows = [row("a"), row("b")]
    _poll(desk, bound)
    listing.rows = []
    state = _poll(desk, bound)
    assert (state.empty, state.findings) == (True, 1)
    (found,) = desk.history.findings.list(["uji"])
    assert found.kind is FindingKind.EMPTY_FEED
    assert found.detail == "the list is empty; 2 records are known from before"


def test_an_empty_list_is_told_once(
    desk: Desk, listing: Listing, whole: Callable[..., Bound], logged: list[Any]
) -> None:
    bound = whole("positions")
    listing.rows = [row("a")]
    _poll(desk, bound)
    listing.rows = []
    for _ in range(3):
        state = _poll(desk, bound)
    assert (state.findings, open_findings(desk)) == (1, [FindingKind.EMPTY_FEED])
    assert [e["event"] for e in logged].count("a list that was never empty is") == 1


def test_an_empty_list_is_over_when_it_fills_again(
    desk: Desk, listing: Listing, whole: Callable[..., Bound]
) -> None:
    bound = whole("positions")
    for rows in ([row("a")], [], [row("a")]):
        listing.rows = rows
        state = _poll(desk, bound)
    assert (state.empty, state.findings, open_findings(desk)) == (False, 0, [])
    (found,) = desk.history.findings.list(["uji"], [FindingState.OVER])
    assert found.decided_at == desk.clock.now


def test_another_poller_knows_that_the_list_is_empty(
    desk_on: Callable[..., Desk],
    sqlite_history: History,
    listing: Listing,
    whole: Callable[..., Bound],
) -> None:
    bound = whole("positions")
    first = desk_on(sqlite_history)
    for rows in ([row("a")], []):
        listing.rows = rows
        _poll(first, bound)
    second = desk_on(sqlite_history)
    assert _poll(second, bound).findings == 1
    listing.rows = [row("a")]
    assert _poll(second, bound).findings == 0


def test_a_list_that_never_held_anything_is_no_finding(
    desk: Desk, listing: Listing, whole: Callable[..., Bound]
) -> None:
    for _ in range(2):
        state = _poll(desk, whole("positions"))
    assert (state.empty, open_findings(desk)) == (False, [])


def test_no_warning_is_good_news(desk: Desk, listing: Listing, whole: Callable[..., Bound]) -> None:
    bound = whole("alerts")
    for rows in ([row("a", kejadian="Hujan lebat")], []):
        listing.rows = rows
        state = _poll(desk, bound)
    assert (state.alerts, state.empty, open_findings(desk)) == (1, False, [])


def test_an_increment_without_anything_is_no_finding(
    desk: Desk, listing: Listing, whole: Callable[..., Bound]
) -> None:
    bound = whole("incidents", incremental={"parameter": "sejak"})
    for rows in ([row("a")], []):
        listing.rows = rows
        state = _poll(desk, bound)
    assert (state.incidents, state.empty, open_findings(desk)) == (1, False, [])


def test_a_list_of_rejects_only_is_not_an_empty_one(
    desk: Desk, listing: Listing, whole: Callable[..., Bound]
) -> None:
    bound = whole("incidents")
    for rows in ([row("a")], [{"waktu": "kemarin"}]):
        listing.rows = rows
        state = _poll(desk, bound)
    assert (state.empty, state.quarantined) == (False, 1)
    assert FindingKind.EMPTY_FEED not in open_findings(desk)


# --- alerts that are over -------------------------------------------------------------------------


def in_force(desk: Desk) -> set[str]:
    found = desk.history.records.alerts(["uji"], in_force_at=desk.clock.now)
    return {each.external_id for each in found}


def test_an_alert_that_the_whole_feed_lists_no_more_is_over(
    desk: Desk, listing: Listing, whole: Callable[..., Bound]
) -> None:
    bound = whole("alerts")
    listing.rows = [row(name, kejadian="Hujan lebat") for name in ("a", "b")]
    _poll(desk, bound)
    assert in_force(desk) == {"a", "b"}
    listing.rows = listing.rows[:1]
    _poll(desk, bound)
    assert in_force(desk) == {"a"}
    ended = {each.external_id: each.ended_at for each in desk.history.records.alerts(["uji"])}
    assert ended == {"a": None, "b": desk.clock.now}


def test_the_last_alert_ends_with_an_empty_feed(
    desk: Desk, listing: Listing, whole: Callable[..., Bound]
) -> None:
    bound = whole("alerts")
    for rows in ([row("a", kejadian="Hujan lebat")], []):
        listing.rows = rows
        _poll(desk, bound)
    assert in_force(desk) == set()


def test_an_alert_with_an_expiry_ends_with_that(
    desk: Desk, listing: Listing, whole: Callable[..., Bound]
) -> None:
    bound = whole("alerts")
    until = (desk.clock.now + timedelta(minutes=5)).isoformat()
    for rows in ([row("a", kejadian="Hujan lebat", sampai=until)], []):
        listing.rows = rows
        _poll(desk, bound)
    assert in_force(desk) == {"a"}
    desk.clock.forward(minutes=5)
    assert in_force(desk) == set()


def test_a_failed_poll_ends_no_alert(
    desk: Desk, listing: Listing, whole: Callable[..., Bound]
) -> None:
    bound = whole("alerts")
    listing.rows = [row("a", kejadian="Hujan lebat")]
    _poll(desk, bound)
    listing.rows, listing.status = [], 500
    assert desk.poll(bound).error_kind == "bad_status"
    assert in_force(desk) == {"a"}


# --- answers without a body -----------------------------------------------------------------------


def test_bookkeeping_of_files_is_no_answer_that_could_be_wrong(
    desk: Desk, city: City, tmp_path: Path
) -> None:
    folder = tmp_path / "antar"
    folder.mkdir()
    (folder / "a_2026-11-20.csv").write_text("pos,tgl,cm\nA,2026-11-20,7\n", encoding="utf-8")
    options = TabularOptions.model_validate(
        {
            "location": str(folder),
            "pattern": "*.csv",
            "settle_s": 0,
            "yields": ("readings",),
            "fields": {"subject": "pos", "observed_at": "tgl"},
            "measures": {"tinggi": {"value": "cm"}},
        }
    )
    source = replace(
        city.sources["elapor"],
        id="uji",
        connector="tabular",
        yields=("readings",),
        connection={"location": str(folder)},
        measures=CM,
    )
    bound = Bound(source, registry.get("tabular"), options, options.max_bytes)
    states = [_poll(desk, bound) for _ in range(4)]
    (folder / "kosong.csv").write_text("", encoding="utf-8")
    states.append(_poll(desk, bound))
    assert [each.series for each in states] == [1] * 5
    assert [each.quarantined for each in states[:4]] == [0] * 4
    assert open_findings(desk) == []


def test_the_clock_of_these_tests_stands_where_the_rows_are_of(clock: HeldClock) -> None:
    assert clock.now >= datetime(2026, 11, 21, 15, 0, tzinfo=UTC)
