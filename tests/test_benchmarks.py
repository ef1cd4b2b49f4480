"""The benchmarks run, on a very small plan each, and give the figures they promise."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import benchmarks
from benchmarks import ingest, mayor, poll, results, soak, stream
from benchmarks.figures import Aim, BenchError, Figures
from benchmarks.ground import Ground, open_ground
from benchmarks.ingest.reports import LONGEST, ReportMaker
from benchmarks.ingest.writers import NaiveWriter, OwnWriter
from benchmarks.mayor.facts import PLACED, placed_kpis
from benchmarks.poll.mix import EVERY_S, SHARES, lay_out, spread, write_pack
from benchmarks.poll.watching import judge_cadence
from benchmarks.stream.screens import Load, StreamScreen, Tally
from benchmarks.stream.wall import FEATURES, Wall
from benchmarks.wall.glass import Heap, Traffic, sum_data
from benchmarks.wall.site import SCREEN, copy_pack
from connectors.registry import bind
from lawang.city import load_city
from lawang.domain.kpi import Horizon, KpiValue, Light, Span
from lawang.polling.clock import first_tick
from lawang.settings import ROOT
from lawang.store.engine import migrate, open_engine
from lawang.store.history import History, IncidentFilter
from lawang.store.live import LiveStore
from layouts.wall import ALWAYS, wall_panels

SCREENS = 5
FRAME = b'1f\r\nid: 1\ndata: {"published_us":%d}\n\n\r\n'


def ignore(_line: str) -> None:
    """Nobody listens to what a benchmark says here."""


@pytest.fixture(scope="module")
def ground() -> Iterator[Ground]:
    with open_ground() as opened:
        yield opened


@pytest.fixture(scope="module")
def stream_figures() -> Figures:
    plan = stream.Plan(
        screens=(SCREENS,),
        reference=SCREENS,
        socket_screens=(SCREENS,),
        polling_screens=(SCREENS,),
        window_s=2.0,
        repeats=1,
    )
    return stream.measure(plan, ignore)


@pytest.fixture(scope="module")
def ingest_figures() -> Figures:
    return ingest.measure(ingest.Plan(incidents=400, naive=50, page=100), ignore)


@pytest.fixture(scope="module")
def poll_figures() -> Figures:
    return poll.measure(poll.Plan(sources=20, seconds=21, warm_up_s=0, rounds=1), ignore)


@pytest.fixture(scope="module")
def mayor_figures(ground: Ground) -> Figures:
    with pytest.MonkeyPatch.context() as patch:
        # What a phone sees is measured by tests of its own, and a web process by those of the API.
        patch.setattr(mayor, "measure_process", lambda *_: {})
        return mayor.measure(mayor.Plan(days=420, times=1, pandas_times=1, phone_times=0), ignore)


@pytest.mark.parametrize(
    "key",
    [
        "cpu_vs_bare_loop",
        "dash_ws_cpu_vs_ours",
        "dash_interval_cpu_vs_ours",
        f"p99_ms_{SCREENS}",
        f"bare_{SCREENS}_cpu_us",
    ],
)
def test_the_stream_gives_the_figure(stream_figures: Figures, key: str) -> None:
    assert stream_figures[key] > 0


def test_the_stream_tells_the_memory_of_a_screen(stream_figures: Figures) -> None:
    assert "kb_per_screen" in stream_figures


@pytest.mark.parametrize("way", ["ours", "bare", "ws"])
def test_a_few_screens_get_every_change_of_the_wall(stream_figures: Figures, way: str) -> None:
    assert stream_figures[f"{way}_{SCREENS}_updates_per_s"] == pytest.approx(1.0, abs=0.5)


@pytest.mark.parametrize("aim", ingest.AIMS, ids=lambda aim: aim.key)
def test_the_ingest_run_gives_the_figure(ingest_figures: Figures, aim: Aim) -> None:
    assert ingest_figures[aim.key] > 0


@pytest.mark.parametrize("aim", poll.AIMS, ids=lambda aim: aim.key)
def test_the_polling_run_gives_the_figure(poll_figures: Figures, aim: Aim) -> None:
    assert aim.key in poll_figures


@pytest.mark.parametrize(
    "key",
    [
        *("first_cold_p95_ms", "first_warm_p95_ms", "drill_cold_p95_ms", "drill_warm_p95_ms"),
        *("pandas_first_vs_ours", "kept_first_vs_ours", "pandas_kpi_vs_ours", "kept_first_vs_warm"),
    ],
)
def test_the_run_of_the_mayors_pages_gives_the_figure(mayor_figures: Figures, key: str) -> None:
    assert mayor_figures[key] > 0


def test_a_full_run_of_the_mayors_pages_has_ten_years() -> None:
    assert mayor.FULL.days >= 3652


def test_as_many_indicators_have_facts_by_kecamatan_as_are_claimed(ground: Ground) -> None:
    assert len(placed_kpis(ground.city)) == PLACED == 60


def _value(value: float | None) -> KpiValue:
    day = MOMENT.date()
    return KpiValue(
        kpi="k", region="", horizon=Horizon(Span.DAY, day, day), value=value, target=1.0,
        score=1.0, light=Light.GREEN, grey=None,
    )  # fmt: skip


@pytest.mark.parametrize("theirs", [1.0 + 1e-8, None])
def test_a_figure_that_pandas_sees_otherwise_ends_the_run(theirs: float | None) -> None:
    with pytest.raises(BenchError, match=r"value of k: the product says 1\.0, pandas"):
        mayor.check_value("k", _value(1.0), (theirs, 1.0, 1.0, True))


def test_a_figure_that_differs_by_the_order_of_adding_up_is_the_same() -> None:
    mayor.check_value("k", _value(1.0), (1.0 + 1e-12, 1.0, 1.0, True))


@pytest.mark.parametrize("key", ["cores", "due", "polls_per_s", "records_per_s", "naive_cores"])
def test_the_polling_run_measures_something(poll_figures: Figures, key: str) -> None:
    assert poll_figures[key] > 0


def test_only_the_dead_sources_of_a_polling_run_fail(poll_figures: Figures) -> None:
    assert poll_figures["failed"] == 0


def test_a_full_polling_run_has_the_sources_of_the_claim() -> None:
    assert (poll.FULL.sources, EVERY_S) == (500, 10.0)


def test_a_polling_run_of_ten_minutes_is_as_large_as_the_full_one() -> None:
    assert (poll.for_minutes(10).sources, poll.for_minutes(10).seconds) == (500, 600)


@pytest.mark.parametrize("sources", [20, 100, 500])
def test_a_mix_has_every_kind_and_as_many_sources_as_asked_for(sources: int) -> None:
    found = spread(sources)
    assert (sum(found.values()), found.keys(), min(found.values()) > 0) == (
        sources,
        SHARES.keys(),
        True,
    )


def test_every_source_of_the_mix_can_be_polled(tmp_path: Path) -> None:
    pack = write_pack(lay_out(20, tmp_path, 8000, 9), tmp_path / "pack")
    sources = load_city(pack, env={}).sources.values()
    assert [source.unset for source in sources if bind(source)] == [()] * 20


MOMENT = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)


def _cadence(*late_s: float | None) -> tuple[int, int]:
    """Due and missed of a source whose polls came so late after their ticks, None for never."""
    tick = first_tick("one", 10.0, MOMENT)
    began = [
        tick + timedelta(seconds=10 * number + late)
        for number, late in enumerate(late_s)
        if late is not None
    ]
    end = tick + timedelta(seconds=10 * len(late_s))
    found = judge_cadence({"one": began}, ["one"], 10.0, MOMENT, end)
    return found.due, found.missed


@pytest.mark.parametrize(
    ("late_s", "missed"),
    [((0.0, 0.1, 9.9), 0), ((0.0, None, 0.0), 1), ((0.0, 10.5, 0.1), 1), ((None, None), 2)],
)
def test_a_poll_that_begins_after_the_next_tick_is_a_missed_one(
    late_s: tuple[float | None, ...], missed: int
) -> None:
    assert _cadence(*late_s) == (len(late_s), missed)


def test_minutes_are_refused_where_nothing_is_watched() -> None:
    with pytest.raises(BenchError, match="--minutes goes with"):
        benchmarks.run("ingest", minutes=1)


def test_the_aims_of_the_stream_are_for_the_full_plan() -> None:
    keys = {aim.key for aim in stream.AIMS}
    assert f"p99_ms_{stream.FULL.reference}" in keys


def test_a_full_ingest_run_reaches_a_million() -> None:
    million = next(aim for aim in ingest.AIMS if aim.key == "million")
    assert million.is_reached({"million": ingest.FULL.incidents})


@pytest.mark.parametrize("writer_type", [OwnWriter, NaiveWriter])
def test_both_ways_of_writing_bring_every_new_report_into_history(
    ground: Ground, tmp_path: Path, writer_type: type[OwnWriter] | type[NaiveWriter]
) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'history.sqlite3'}")
    migrate(engine)
    maker = ReportMaker(ground.city)
    writer = writer_type(ground, engine)
    for _ in range(3):
        writer.write(maker.page(100), maker.now + LONGEST)
    history = History(engine)
    assert history.count_incidents(IncidentFilter())[0] == maker.made
    writer.close()
    history.close()


def test_the_own_way_keeps_the_open_reports_of_history_in_live_state(
    ground: Ground, tmp_path: Path
) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'history.sqlite3'}")
    migrate(engine)
    maker = ReportMaker(ground.city)
    writer = OwnWriter(ground, engine)
    for _ in range(20):
        writer.write(maker.page(500), maker.now + LONGEST)
    history, live = History(engine), LiveStore(ground.redis_url, ground.city.slug)
    in_history = history.count_incidents(IncidentFilter(open=True))[0]
    assert sum(item.is_open for item in live.all_incidents()) == in_history > 0
    for opened in (writer, history, live):
        opened.close()


def test_a_fifth_of_a_page_are_changes_of_earlier_reports(ground: Ground) -> None:
    maker = ReportMaker(ground.city)
    first = {report.external_id for report in maker.page(1000)}
    second = [report.external_id for report in maker.page(1000)]
    assert len(first.intersection(second)) == 200


def test_the_wall_keeps_its_number_of_features_while_it_changes(ground: Ground) -> None:
    now = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
    live = LiveStore(ground.redis_url, "bench-wall")
    wall = Wall(ground.city, now)
    for _ in range(3):
        wall.advance(now)
        wall.publish(live, now)
    assert len(live.panels()["incidents"]["payload"]["features"]) == FEATURES
    live.close()


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_screen_counts_a_message_once_however_it_is_cut(size: int) -> None:
    tally = _hear_in_pieces(FRAME % (time.time_ns() // 1000), size)
    assert len(tally.latencies_us) == 1


def test_a_screen_measures_from_the_time_of_publishing() -> None:
    tally = _hear_in_pieces(FRAME % (time.time_ns() // 1000 - 5_000_000), 1000)
    assert tally.latencies_us[0] == pytest.approx(5_000_000, abs=2_000_000)


def _hear_in_pieces(data: bytes, size: int) -> Tally:
    async def hear() -> Tally:
        config: dict[str, Any] = {"kind": "stream", "address": "", "port": 0}
        load = Load(config | {"screens": 1, "windows": []})
        screen = StreamScreen(load)
        for start in range(0, len(data), size):
            screen.data_received(data[start : start + size])
        return load.tally

    return asyncio.run(hear())


def test_an_unknown_benchmark_is_refused_with_the_known_ones() -> None:
    with pytest.raises(BenchError, match=r"'coffee'.*ingest, map, mayor, poll, soak, stream, wall"):
        benchmarks.run("coffee")


@pytest.mark.parametrize(
    ("aim", "value", "reached"),
    [
        (Aim("x", "", at_most=4), 4.0, True),
        (Aim("x", "", at_most=4), 4.1, False),
        (Aim("x", "", at_least=4), 4.0, True),
        (Aim("x", "", at_least=4), 3.9, False),
    ],
)
def test_an_aim_is_reached_up_to_its_limit(aim: Aim, value: float, reached: bool) -> None:
    assert aim.is_reached({"x": value}) is reached


def test_a_figure_that_was_not_measured_reaches_no_aim() -> None:
    assert not Aim("x", "", at_most=4).is_reached({})


def test_the_results_show_a_missed_aim_beside_what_was_measured(tmp_path: Path) -> None:
    aims = {"stream": (Aim("x", "CPU", at_most=4),)}
    text = results.write({"CPU": "?"}, {"stream": {"x": 5.5}}, aims, tmp_path / "R.md").read_text()
    assert "| CPU | `x` | 5.5 | at most 4 | **no** |" in text


def test_a_long_benchmark_names_the_command_that_writes_its_own_results(tmp_path: Path) -> None:
    file = results.write({}, {"soak": {}}, {"soak": ()}, tmp_path / "S.md", "lawang bench soak")
    assert "Written by `lawang bench soak`" in file.read_text()


def test_the_soak_is_not_part_of_a_run_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benchmarks, "names", lambda: ["soak"])
    assert benchmarks.run("all", quick=True) == {}


def test_the_stream_is_that_of_a_wall(ground: Ground) -> None:
    assert {*wall_panels(ground.city.screens)} >= {*ALWAYS, "water", "finance"}


# --- the wall and its soak ------------------------------------------------------------------------


def test_the_pack_of_a_soak_shows_every_scene_at_every_hour(tmp_path: Path) -> None:
    screens = load_city(copy_pack(tmp_path, 7), env={}).screens
    playlist = screens.playlists[screens.screens[SCREEN].cells[0].playlist]
    shown = {turn.scene for turn in playlist.turns}
    dwells = {turn.dwell for turn in playlist.turns}
    assert (shown, dwells, list(screens.schedule)) == (
        {*screens.scenes},
        {timedelta(seconds=7)},
        [],
    )


def _heaps(*megabytes: float) -> list[Heap]:
    return [Heap(int(each * 1e6), 100, 10) for each in megabytes]


@pytest.mark.parametrize(
    ("megabytes", "growth"),
    [
        ((20, 20), 0.0),
        ((20, 21), 5.0),
        ((20, 30, 20, 22, 22, 90), 10.0),
        ((20, 18), -10.0),
    ],
)
def test_a_heap_grows_from_the_median_of_its_first_to_that_of_its_last(
    megabytes: tuple[float, ...], growth: float
) -> None:
    assert soak.judge_heaps(_heaps(*megabytes), 3600)["heap_growth_percent"] == growth


def test_one_heap_tells_no_growth() -> None:
    with pytest.raises(BenchError, match="less than twice"):
        soak.judge_heaps(_heaps(20), 60)


def test_values_of_scripts_are_told_from_compiled_code() -> None:
    snapshot = {
        "snapshot": {
            "meta": {
                "node_fields": ["type", "name", "id", "self_size", "edge_count"],
                "node_types": [["hidden", "array", "string", "object", "code", "native"], "string"],
            }
        },
        "nodes": [1, 0, 1, 16, 0, 2, 0, 3, 20, 0, 3, 0, 5, 24, 2, 4, 0, 7, 900, 0, 5, 0, 9, 700, 0],
    }
    assert sum_data(snapshot) == 16 + 20 + 24
    assert soak.judge_data([200, 190, 205])["data_growth_percent"] == 2.5
    assert soak.judge_data([200]) == {}


def _beats(*seconds: float) -> list[dict[str, Any]]:
    return [{"seen_at": (MOMENT + timedelta(seconds=each)).isoformat()} for each in seconds]


def test_the_document_names_every_benchmark_by_its_command() -> None:
    text = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    told = set(re.findall(r"^lawang bench (\w+) ", text, re.MULTILINE))
    assert told == {*benchmarks.names(), "all"}


@pytest.mark.parametrize(
    ("seconds", "ended", "missed"),
    [
        ((0, 10, 20), 25, 0),
        ((0, 20), 40, 0),
        ((0, 21, 30, 60), 70, 2),
        ((0, 10), 31, 1),
        ((0,), 90, 1),
        ((), 90, 1),
    ],
)
def test_a_beat_is_missed_when_none_comes_within_twenty_seconds(
    seconds: tuple[float, ...], ended: float, missed: int
) -> None:
    end = MOMENT + timedelta(seconds=ended)
    assert soak.judge_beats(_beats(*seconds), end)["missed_beats"] == missed


def _request(name: str, address: str, kind: str) -> dict[str, Any]:
    return {"requestId": name, "type": kind, "request": {"url": address}}


def test_bytes_are_counted_by_kind_and_cameras_apart() -> None:
    session, traffic = _Session(), Traffic()
    traffic.listen(session)
    for name, address, kind, size in (
        ("1", "http://a/wall.js", "Script", 900),
        ("2", "http://a/stream?panels=x", "EventSource", 70),
        ("3", "http://a/api/v1/cameras/c1/index.m3u8", "XHR", 5000),
    ):
        session.tell("Network.requestWillBeSent", _request(name, address, kind))
        session.tell("Network.dataReceived", {"requestId": name, "encodedDataLength": size})
    assert (traffic.bytes, traffic.all_bytes) == (
        {"script": 900, "stream": 70, "video": 5000},
        970,
    )


class _Session:
    """As much of a session of DevTools as listening needs."""

    def __init__(self) -> None:
        self._heard: dict[str, Any] = {}

    def send(self, _method: str, _options: dict[str, Any] | None = None) -> None:
        pass

    def on(self, event: str, act: Any) -> None:
        self._heard[event] = act

    def tell(self, event: str, told: dict[str, Any]) -> None:
        self._heard[event](told)


def test_the_results_name_the_machine() -> None:
    assert {"date", "CPU", "memory", "Python"} <= results.describe_machine().keys()
