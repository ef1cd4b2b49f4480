"""The services section: open applications by stage, and who cannot tell a verification."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import event

from lawang.city import City
from lawang.domain.programme import Programme
from lawang.domain.service import RequestStatus
from lawang.overview.model import StageCount
from lawang.overview.services import count_stages, read_services
from lawang.store.history import History
from tests.kpi.desk import SOURCE, Desk, letter, wib

NOW = wib(2026, 11, 20, 9)
_ASKED = wib(2026, 11, 19, 9)
_DAY = 24 * 60


@pytest.fixture
def desk(city: City, history: History) -> Desk:
    """Licences in four stages, among which some are past their promise, on either database."""
    made = Desk.of(city, history)
    processing = RequestStatus.PROCESSING
    made.ask(
        letter("new", _ASKED, None, promise=3 * _DAY),
        letter("late", _ASKED - timedelta(days=9), None),
        letter("later", _ASKED - timedelta(days=3), None, promise=_DAY),
        letter("done", _ASKED, 5),
        letter("refused", _ASKED, 5, RequestStatus.REJECTED),
        letter("taken-back", _ASKED, 5, RequestStatus.CANCELLED),
    )
    made.ask(
        replace(letter("p1", _ASKED - timedelta(days=2), None), status=processing),
        replace(letter("p2", _ASKED, None, promise=None), status=processing),
        replace(letter("odd", _ASKED, None), status=RequestStatus.UNKNOWN),
    )
    return made


def test_open_applications_are_counted_by_stage(desk: Desk) -> None:
    old = _ASKED - timedelta(days=9)
    assert count_stages(desk.history, (SOURCE, "perizinan"), NOW) == (
        # new has two days left; late and later are past their promise.
        StageCount(source=SOURCE, status="diajukan", count=3, past_promise=2, oldest=old),
        # p2 was promised nothing.
        StageCount(source=SOURCE, status="diproses", count=2, past_promise=1,
                   oldest=_ASKED - timedelta(days=2)),
        StageCount(source=SOURCE, status="tidak_diketahui", count=1, past_promise=1,
                   oldest=_ASKED),
    )  # fmt: skip


def test_no_licence_source_is_no_stage(desk: Desk) -> None:
    assert count_stages(desk.history, (), NOW) == ()


@pytest.fixture
def statements(sqlite_history: History) -> Iterator[list[tuple[str, object]]]:
    """What is asked of the database."""
    engine = sqlite_history.database.engine
    seen: list[tuple[str, object]] = []

    def note(_c: object, _cursor: object, text: str, values: object, *_: object) -> None:
        seen.append((text, values))

    event.listen(engine, "before_cursor_execute", note)
    yield seen
    event.remove(engine, "before_cursor_execute", note)


def test_only_the_index_of_open_ones_is_read(
    sqlite_history: History, statements: list[tuple[str, object]]
) -> None:
    count_stages(sqlite_history, ("perizinan",), NOW)
    (text, values) = next(each for each in statements if "service_request" in each[0])
    with sqlite_history.database.reading() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", values).all()  # type: ignore[arg-type]
    assert "COVERING INDEX ix_service_request_open" in str(plan)


def test_a_city_without_a_services_section_has_none(city: City, sqlite_history: History) -> None:
    assert read_services(replace(city, programme=Programme()), sqlite_history, NOW) is None


def test_the_sections_indicators_are_those_of_the_pack(city: City, sqlite_history: History) -> None:
    found = read_services(city, sqlite_history, NOW)
    assert found is not None
    assert (found.claimed, found.verified) == ("laporan_selesai", "laporan_terverifikasi")
    assert "surat_10_menit" in found.promises
    assert found.unverifiable == ()


def test_a_source_that_never_tells_verifications_is_named(
    city: City, sqlite_history: History
) -> None:
    silent = replace(city.sources["sp4n"], connection={"fields": {"external_id": "id"}})
    city = replace(city, sources={**city.sources, "sp4n": silent})
    found = read_services(city, sqlite_history, NOW)
    assert found is not None
    assert found.unverifiable == ("sp4n",)
