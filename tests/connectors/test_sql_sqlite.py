"""sql against real files of SQLite."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connectors.sql import CONNECTOR
from connectors.sql.address import find_place
from connectors.sql.database import Session, Target
from lawang.connector import Cursor, FetchContext
from lawang.domain.errors import NeedsPerson, RetryLater, SourceError
from tests.connectors.sql_reading import NOW, answers, options_for, rows

_ENDLESS = (
    "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT MAX(n) AS v FROM r"
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "dinas #1.sqlite3"
    with closing(sqlite3.connect(file)) as made, made:
        made.execute("PRAGMA journal_mode = WAL")
        made.execute("CREATE TABLE t (id INTEGER, at TEXT, v, nama TEXT)")
        made.executemany(
            "INSERT INTO t VALUES (?, ?, ?, 'Fitriani Pratama')",
            [(n, f"2026-11-21 10:{n:02d}:00", n * 1.5) for n in range(25)],
        )
    return file


def _url(file: Path) -> str:
    return f"sqlite:///{file}"


def test_rows_come_in_portions(file: Path) -> None:
    found = answers(options_for(_url(file), "SELECT id, at, v FROM t ORDER BY id", batch=10))
    assert [len(json.loads(answer.body)) for answer in found] == [10, 10, 5]
    assert all(answer.complete for answer in found)


def test_a_portion_is_kept_below_the_largest_answer(file: Path) -> None:
    found = answers(options_for(_url(file), "SELECT id, at, v FROM t"), max_bytes=300)
    assert len(found) > 3
    assert all(len(answer.body) <= 300 for answer in found)
    assert sum(len(json.loads(answer.body)) for answer in found) == 25


def test_rows_that_are_gathered_come_in_one_answer(file: Path) -> None:
    options = options_for(
        _url(file), "SELECT at FROM t", batch=10, measures={"n": {"aggregate": "count"}}
    )
    assert len(answers(options)) == 1


def test_no_rows_are_an_answer_without_rows(file: Path) -> None:
    found = answers(options_for(_url(file), "SELECT * FROM t WHERE id < 0"))
    assert [answer.body for answer in found] == [b"[]"]


def test_only_what_has_changed_is_asked_for_again(file: Path) -> None:
    options = options_for(
        _url(file), "SELECT id, at, v FROM t WHERE at >= :since ORDER BY id", overlap_s=60
    )
    parsed = CONNECTOR.parse(options, answers(options)[0])
    assert parsed.watermark == datetime(2026, 11, 21, 3, 24, tzinfo=UTC)
    again = answers(options, cursor=Cursor(parsed.watermark))
    assert [row["id"] for row in json.loads(again[0].body)] == [23, 24]
    assert not again[0].complete


def test_the_first_poll_reads_as_far_back_as_it_is_told(file: Path) -> None:
    query = "SELECT :since AS v"
    assert rows(options_for(_url(file), query, first_days=2)) == [{"v": "2026-11-19 19:00:00"}]
    assert rows(options_for(_url(file), query, first_days=2, since_form="date")) == [
        {"v": "2026-11-19"}
    ]
    epoch = int((NOW - timedelta(days=2)).timestamp())
    assert rows(options_for(_url(file), query, first_days=2, since_form="epoch")) == [{"v": epoch}]


def test_own_parameters_and_the_limit_are_given(file: Path) -> None:
    query = "SELECT id FROM t WHERE id >= :dari LIMIT :limit"
    options = options_for(_url(file), query, parameters={"dari": 20}, max_rows=10)
    assert [row["id"] for row in rows(options)] == [20, 21, 22, 23, 24]


def test_too_many_rows_are_an_error_and_no_cut(file: Path) -> None:
    with pytest.raises(NeedsPerson, match="more than 10 rows") as caught:
        answers(options_for(_url(file), "SELECT id FROM t", max_rows=10))
    assert caught.value.kind == "too_large"


def test_personal_columns_are_gone_before_there_are_bytes(file: Path) -> None:
    options = options_for(_url(file), "SELECT * FROM t", personal={"drop": ["NAMA"]})
    body = b"".join(answer.body for answer in answers(options))
    assert b"Fitriani" not in body
    assert b"nama" not in body


def test_a_missing_file_is_not_made(tmp_path: Path) -> None:
    missing = tmp_path / "tidak ada.sqlite3"
    with pytest.raises(RetryLater) as caught:
        answers(options_for(_url(missing), "SELECT 1 AS v"))
    assert caught.value.kind == "unreachable"
    assert not missing.exists()


def test_the_connection_cannot_write(file: Path) -> None:
    options = options_for(_url(file), "SELECT 1 AS v")
    url = options.address()
    zone = options.formats.timezone
    minute = timedelta(minutes=1)
    session = Session(Target(url, find_place(url), (), minute, zone, timedelta(hours=7)))
    session.open()
    try:
        with pytest.raises(Exception, match="readonly"):
            list(session.rows("DELETE FROM t", {}, 10))
    finally:
        session.close()
    assert len(rows(options_for(_url(file), "SELECT id FROM t"))) == 25


def test_it_is_read_while_another_writes(file: Path) -> None:
    with closing(sqlite3.connect(file)) as writer:
        writer.execute("INSERT INTO t VALUES (99, '2026-11-21 11:00:00', 1, NULL)")
        assert len(rows(options_for(_url(file), "SELECT id FROM t"))) == 25
        writer.commit()
    assert len(rows(options_for(_url(file), "SELECT id FROM t"))) == 26


def test_an_endless_statement_ends_in_time(file: Path) -> None:
    with pytest.raises(RetryLater, match="took too long") as caught:
        answers(options_for(_url(file), _ENDLESS), timeout_s=0.3)
    assert caught.value.kind == "timeout"


def test_a_poll_that_is_cancelled_leaves_no_thread_behind(file: Path) -> None:
    async def poll() -> None:
        context = FetchContext(None, lambda: NOW, timedelta(minutes=2), 1_000, "batal")  # type: ignore[arg-type]
        options = options_for(_url(file), _ENDLESS)
        async with asyncio.timeout(0.3):
            async for _ in CONNECTOR.fetch(options, Cursor(), context):
                pass

    with pytest.raises(TimeoutError):
        asyncio.run(poll())
    for thread in threading.enumerate():
        if thread.name.startswith("sql-batal"):
            thread.join(20)
            assert not thread.is_alive()


def test_a_database_that_is_held_locked_is_a_time_out(file: Path) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode = DELETE")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(RetryLater, match="holds the database") as caught:
            answers(options_for(_url(file), "SELECT id FROM t"), timeout_s=0.3)
    assert caught.value.kind == "timeout"


def _spoil(file: Path, how: str) -> None:
    whole = file.read_bytes()
    file.write_bytes(b"\x01garbage" * 900 if how == "garbage" else whole[: len(whole) // 2])


@pytest.mark.parametrize("how", ["garbage", "truncated"])
def test_a_spoilt_file_is_garbage(file: Path, how: str) -> None:
    with closing(sqlite3.connect(file)) as whole, whole:
        many = [(n, "y" * 500) for n in range(99)]
        whole.executemany("INSERT INTO t VALUES (?, 'x', 1, ?)", many)
    _spoil(file, how)
    with pytest.raises(RetryLater) as caught:
        rows(options_for(_url(file), "SELECT id, nama FROM t"))
    assert caught.value.kind == "garbage"


@pytest.mark.parametrize(
    ("query", "kind", "detail"),
    [
        ("SELECT v FROM tidak_ada", "not_found", "no such table: tidak_ada"),
        ("SELECT tidak_ada FROM t", "bad_status", "no such column: tidak_ada"),
        ("SELECT v FROM t WHERE AND", "bad_status", "SQLITE_"),
        ("SELECT v, v FROM t", "bad_status", "two columns are called 'v'"),
    ],
)
def test_a_wrong_query_needs_a_person(file: Path, query: str, kind: str, detail: str) -> None:
    with pytest.raises(SourceError, match=detail) as caught:
        answers(options_for(_url(file), query))
    assert isinstance(caught.value, NeedsPerson)
    assert caught.value.kind == kind


@pytest.fixture(autouse=True)
def _threads() -> Iterator[None]:
    yield
    for thread in threading.enumerate():
        if thread.name.startswith("sql-"):
            thread.join(20)
