"""One source in full by the API, the quality of all of them, and both among the figures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from api.quality import QualityBook
from api.services import Services
from lawang.city import City
from lawang.domain.clock import utc_now
from lawang.domain.quality import Tally
from lawang.overview.quality import BEATS
from lawang.store.history import History
from tests.api.conftest import Web, make_installation, sentence_of, serve_web
from tests.api.life import HOSTILE, SOURCE, settle_life, with_measure
from tests.simulator.conftest import HeldClock

NOW = datetime(2026, 11, 22, 5, 7, tzinfo=UTC)


@pytest.fixture(scope="module")
def web(
    city: City, full_history: History, valkey_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Web]:
    measured = with_measure(city)
    settle_life(full_history, measured, utc_now())
    folder = tmp_path_factory.mktemp("detail")
    with serve_web(make_installation(measured, full_history, valkey_url, folder)) as running:
        yield running


@pytest.fixture(scope="module")
def detail(web: Web) -> dict[str, Any]:
    answer = web.client.get(f"/api/v1/sources/{SOURCE}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_it_says_what_the_source_is_and_whom_to_ask(detail: dict[str, Any], city: City) -> None:
    source = city.sources[SOURCE]
    assert (detail["contact"], detail["licence"]) == (source.contact, source.licence)
    assert detail["attribution"] == source.attribution
    assert detail["yields"] == ["incidents"]
    assert detail["connection"]["every_s"] == source.every_s
    (measure,) = detail["measures"]
    assert (measure["id"], measure["name_en"], measure["unit"]) == ("kunjungan", "Visits", "orang")


def test_it_holds_nothing_of_the_connection_that_may_be_secret(
    detail: dict[str, Any], city: City
) -> None:
    text = str(detail["connection"])
    for value in city.sources[SOURCE].connection.values():
        if isinstance(value, str) and value not in ("", city.sources[SOURCE].connector):
            assert value not in text


def test_it_lists_findings_outages_and_the_quarantine(detail: dict[str, Any]) -> None:
    assert {each["kind"] for each in detail["open_findings"]} == {"magnitude", "shape"}
    (outage,) = detail["outages"]
    assert (outage["error_kind"], outage["ended_at"]) == ("timeout", None)
    (reason,) = detail["quarantine_reasons"]
    assert (reason["reason"], reason["count"]) == ("bad_time", 3)
    assert len(detail["quarantine"]) == 3


def test_the_sample_is_given_as_text(detail: dict[str, Any]) -> None:
    assert detail["sample"]["body"] == f'[{{"id": "{HOSTILE}"}}]'


def test_a_source_without_a_sample_has_none(web: Web, city: City) -> None:
    other = next(each for each in city.sources if each != SOURCE)
    found = web.client.get(f"/api/v1/sources/{other}").json()
    assert (found["sample"], found["outages"], found["open_findings"]) == (None, [], [])
    assert found["quality"]["day"]["timeliness"] is None
    assert found["quality"]["beats"] == "-" * BEATS


def test_heartbeats_are_the_last_day_oldest_first(detail: dict[str, Any]) -> None:
    beats = detail["quality"]["beats"]
    assert len(beats) == BEATS
    # A quarter of an hour may have begun since the tallies were made.
    assert beats.rstrip("-").endswith("ofp")
    assert len(beats) - len(beats.rstrip("-")) in (1, 2)


def test_quality_of_all_sources_is_the_quality_of_each(web: Web, detail: dict[str, Any]) -> None:
    every = web.client.get("/api/v1/quality").json()["sources"]
    assert every[SOURCE]["findings"] == 2
    assert every[SOURCE]["day"] == detail["quality"]["day"]
    assert detail["quality"]["day"]["validity"] == 0.95
    assert detail["quality"]["day"]["completeness"] == 0.75


def test_quality_and_findings_are_among_the_figures(web: Web) -> None:
    found = {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(web.client.get("/metrics").text)
        for sample in family.samples
    }
    assert found["lawang_source_open_findings", (("source", SOURCE),)] == 2
    labels = (("figure", "validity"), ("source", SOURCE), ("window", "day"))
    assert found["lawang_source_quality", labels] == 0.95


@pytest.mark.parametrize("path", [f"sources/{SOURCE}", "quality", "maturity"])
def test_an_unknown_parameter_is_refused(web: Web, path: str) -> None:
    answer = web.client.get(f"/api/v1/{path}?x=1")
    assert answer.status_code == 422
    assert sentence_of(answer)


# --- how the figures are worked out ---------------------------------------------------------


def book_at(history: History, city: City, clock: HeldClock) -> QualityBook:
    """A book of its own, whose time the test holds."""
    given: Any = {"live": None, "feed": None, "operator_token": None}
    return QualityBook(Services(city=city, history=history, build="", clock=clock, **given))


@pytest.fixture
def one_source(city: City) -> City:
    source = replace(city.sources[SOURCE], every_s=60.0)
    return replace(city, sources={SOURCE: source})


def test_a_source_that_is_new_is_not_late_for_the_time_before_it(
    sqlite_history: History, one_source: City
) -> None:
    # Its first quarter of an hour began at 05:00, its seven polls at 05:00 and every minute.
    sqlite_history.quality.add(SOURCE, {NOW.replace(minute=0): Tally(polls=7, records=7)})
    book = book_at(sqlite_history, one_source, HeldClock(NOW)).read()
    assert book.sources[SOURCE].day.timeliness == 1


def test_polls_that_nobody_made_count_as_missed(sqlite_history: History, one_source: City) -> None:
    hours_ago = (NOW - timedelta(hours=2)).replace(minute=0)
    sqlite_history.quality.add(
        SOURCE,
        {
            hours_ago: Tally(polls=15, records=15),
            hours_ago + timedelta(minutes=15): Tally(polls=15, records=15),
        },
    )
    book = book_at(sqlite_history, one_source, HeldClock(NOW)).read()
    assert book.sources[SOURCE].day.timeliness == pytest.approx(30 / 127)


def test_the_day_does_not_count_what_is_older(sqlite_history: History, one_source: City) -> None:
    sqlite_history.quality.add(SOURCE, {NOW.replace(minute=0, day=20): Tally(failures=9)})
    book = book_at(sqlite_history, one_source, HeldClock(NOW)).read()
    assert (book.sources[SOURCE].day.failures, book.sources[SOURCE].month.failures) == (0, 9)
    assert book.sources[SOURCE].day.timeliness == 0


def test_a_book_is_kept_for_a_while_and_forgotten_after_a_decision(
    sqlite_history: History, one_source: City
) -> None:
    clock = HeldClock(NOW)
    kept = book_at(sqlite_history, one_source, clock)
    first = kept.read()
    assert kept.read() is first
    kept.forget()
    second = kept.read()
    assert second is not first
    clock.now = NOW + timedelta(seconds=11)
    assert kept.read() is not second
