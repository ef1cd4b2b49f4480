"""Opening a database, bringing its tables up to date, and what is said when it does not answer."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date, timedelta
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, make_url

from lawang.connector import Cursor
from lawang.domain.errors import SettingsError, StoreError
from lawang.domain.health import SourceState
from lawang.domain.incident import Status
from lawang.domain.kpi import Daily
from lawang.domain.service import RequestStatus
from lawang.settings import ROOT
from lawang.store import schema
from lawang.store.engine import BUSY_TIMEOUT_S, _config, is_current, migrate, open_engine
from lawang.store.history import History
from lawang.store.records import RequestFilter
from tests.conftest import REQUESTED_AT, build_incident
from tests.store.facts import request
from tests.store.postgres import PostgresServer

#: What a writer may take longer than the busy time-out on a machine with other work.
SLACK_S = 8.0


def settle(history: History, number: int = 1) -> None:
    incident = build_incident(external_id=f"r{number}")
    history.settle("elapor", [incident], fetched_at=REQUESTED_AT, fence=1)


@contextmanager
def locked(url: str) -> Iterator[None]:
    """Another program that is in the middle of a write to a SQLite file."""
    file = make_url(url).database
    assert file is not None
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


# --- migrations ----------------------------------------------------------------------------------


def test_migrating_from_nothing_makes_the_tables_that_the_program_sees(
    bare_database_url: str,
) -> None:
    engine = open_engine(bare_database_url)
    migrate(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        differences = compare_metadata(context, schema.metadata)
    engine.dispose()
    assert differences == []


def test_a_database_is_current_after_migrating_and_not_before(bare_database_url: str) -> None:
    engine = open_engine(bare_database_url)
    before = is_current(engine)
    migrate(engine)
    now = is_current(engine)
    engine.dispose()
    assert (before, now) == (False, True)


def test_migrating_again_keeps_what_was_written(database_url: str) -> None:
    engine = open_engine(database_url)
    history = History(engine)
    settle(history)
    migrate(engine)
    assert history.incident("elapor:r1") == build_incident(external_id="r1")
    history.close()


def test_migrations_are_one_chain() -> None:
    script = ScriptDirectory.from_config(_config())
    chain = [each.revision for each in script.walk_revisions()]
    assert len(script.get_heads()) == len(script.get_bases()) == 1
    assert chain == sorted(chain, reverse=True)


def test_what_was_written_before_verifications_is_brought_up_with_the_rest(
    bare_database_url: str,
) -> None:
    engine = open_engine(bare_database_url)
    told = build_incident(external_id="r1", status=Status.DONE, closed_at=REQUESTED_AT)
    asked, day = request("p1", status=RequestStatus.DONE), date(2026, 11, 20)
    fact = Daily(kpi="a", region="", day=day, num=1.0, den=2.0, n=2, observed_at=REQUESTED_AT)
    with engine.begin() as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0004")
        for table, record in (
            (schema.incident, told), (schema.service_request, asked), (schema.kpi_day, fact),
        ):  # fmt: skip
            known = {each["name"] for each in inspect(connection).get_columns(table.name)}
            row = {name: getattr(record, name) for name in known if hasattr(record, name)}
            extra = {"version": 1} if "version" in known else {}
            connection.execute(table.insert().values(**row, **extra))
    migrate(engine)
    history = History(engine)
    assert history.incident("elapor:r1") == told
    assert history.records.requests(RequestFilter(sources=(asked.source_id,)), 5) == [asked]
    assert history.kpis.days("a", day, day) == [fact]
    # Nobody has read anything yet, so that the first number may be any.
    assert history.kpis.revisions() == {}
    history.kpis.replace("a", day, day, [])
    assert history.kpis.revisions() == {"a": 1}
    history.close()


def test_several_processes_may_migrate_at_once(bare_database_url: str) -> None:
    code = (
        "import sys; from lawang.store.engine import migrate, open_engine; "
        "sys.stdin.read(); migrate(open_engine(sys.argv[1]))"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, bare_database_url],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.close()
        process.stdin = None
    ends = [(process.communicate(timeout=120)[1], process.returncode) for process in processes]
    engine = open_engine(bare_database_url)
    current = is_current(engine)
    engine.dispose()
    assert ends == [("", 0)] * 3
    assert current


def test_a_migration_that_cannot_reach_its_database_says_so(postgres: PostgresServer) -> None:
    engine = open_engine(postgres.url("nowhere"))
    with pytest.raises(StoreError, match="store_down"):
        migrate(engine)
    engine.dispose()


def test_the_way_back_leaves_no_table(bare_database_url: str) -> None:
    engine = open_engine(bare_database_url)
    migrate(engine)
    with engine.begin() as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
    tables = inspect(engine).get_table_names()
    engine.dispose()
    assert tables == ["alembic_version"]


# --- opening -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url", ["", "history", "mysql+nothing://x", "postgresql+nothing://u:rahasia@h/x", "oracel://x"]
)
def test_an_address_that_cannot_be_used_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(SettingsError, match="LAWANG_DATABASE_URL cannot be used") as caught:
        open_engine(url)
    assert "rahasia" not in str(caught.value)


def test_a_sqlite_file_is_made_where_its_folder_is_not_there_yet(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "er" / "history.sqlite3"
    engine = open_engine(f"sqlite:///{file}")
    migrate(engine)
    engine.dispose()
    assert file.is_file()


def test_sqlite_lets_readers_go_on_beside_a_writer(sqlite_url: str) -> None:
    history = History(open_engine(sqlite_url))
    settle(history)
    with locked(sqlite_url):
        kept = history.incident("elapor:r1")
    history.close()
    assert kept is not None


def test_sqlite_lets_a_writer_go_on_beside_a_reader(sqlite_url: str) -> None:
    history = History(open_engine(sqlite_url))
    settle(history, 1)
    file = make_url(sqlite_url).database
    assert file is not None
    with closing(sqlite3.connect(file, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM incident").fetchall()
        settle(history, 2)
    kept = history.incident("elapor:r2")
    history.close()
    assert kept is not None


# --- a database that does not answer -------------------------------------------------------------


def test_a_locked_sqlite_file_is_busy_within_the_time_out(
    sqlite_history: History, sqlite_url: str
) -> None:
    with locked(sqlite_url):
        began = time.monotonic()
        with pytest.raises(StoreError, match="store_busy") as caught:
            settle(sqlite_history)
        waited = time.monotonic() - began
    assert caught.value.kind == "store_busy"
    assert BUSY_TIMEOUT_S * 0.9 < waited < BUSY_TIMEOUT_S + SLACK_S


def test_writers_that_read_first_wait_for_each_other_in_sqlite(sqlite_url: str) -> None:
    """A transaction that turns from reading to writing half-way would be refused at once."""
    together = threading.Barrier(4, timeout=60)
    refused: list[StoreError] = []

    def write(source: str) -> None:
        own = History(open_engine(sqlite_url))
        for hour in range(10):
            together.wait()
            try:
                own.record_outage(source, REQUESTED_AT + timedelta(hours=hour), "timeout", "")
                own.finish_poll(
                    source, Cursor(), SourceState(source_id=source), fence=1, now=REQUESTED_AT
                )
            except StoreError as error:
                refused.append(error)
        own.close()

    threads = [threading.Thread(target=write, args=(f"source-{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert refused == []


def test_a_sqlite_file_takes_writes_again_once_it_is_free(
    sqlite_history: History, sqlite_url: str
) -> None:
    with locked(sqlite_url), pytest.raises(StoreError):
        settle(sqlite_history)
    settle(sqlite_history)
    assert len(sqlite_history.events_of("elapor:r1")) == 1


def test_a_file_that_is_no_database_is_down(tmp_path: Path) -> None:
    file = tmp_path / "history.sqlite3"
    file.write_bytes(os.urandom(8192))
    history = History(open_engine(f"sqlite:///{file}"))
    with pytest.raises(StoreError, match="store_down"):
        history.ping()
    history.close()


@contextmanager
def held(url: str) -> Iterator[None]:
    """Another poller that is in the middle of a poll in PostgreSQL."""
    other = open_engine(url)
    with other.begin() as connection:
        connection.exec_driver_sql("SELECT * FROM source_state FOR UPDATE")
        yield
    other.dispose()


def test_postgresql_lets_readers_go_on_beside_a_writer(postgresql_url: str) -> None:
    history = History(open_engine(postgresql_url))
    settle(history)
    with held(postgresql_url):
        kept = history.incident("elapor:r1")
    history.close()
    assert kept is not None


def test_a_postgresql_that_makes_us_wait_too_long_is_busy_and_not_down(
    postgres: PostgresServer, postgresql_url: str
) -> None:
    database = make_url(postgresql_url).database
    admin = open_engine(postgres.url("postgres"))
    with admin.begin() as connection:
        connection.exec_driver_sql(f"ALTER DATABASE {database} SET lock_timeout = '100ms'")
    admin.dispose()
    history = History(open_engine(postgresql_url))
    settle(history, 1)
    with held(postgresql_url), pytest.raises(StoreError) as caught:
        settle(history, 2)
    settle(history, 2)
    kept = history.incident("elapor:r2")
    history.close()
    assert caught.value.kind == "store_busy"
    assert kept is not None


def test_a_stopped_postgresql_is_down_and_works_again_after_it_starts(
    postgres: PostgresServer, postgresql_url: str
) -> None:
    history = History(open_engine(postgresql_url))
    settle(history, 1)
    postgres.stop()
    try:
        for attempt in (lambda: settle(history, 2), history.ping, history.first_report_at):
            with pytest.raises(StoreError) as caught:
                attempt()
            assert caught.value.kind == "store_down"
    finally:
        postgres.start()
    settle(history, 2)
    found = [history.incident(f"elapor:r{number}") is not None for number in (1, 2)]
    history.close()
    assert found == [True, True]


def test_a_connection_that_breaks_is_replaced(
    postgres: PostgresServer, postgresql_url: str
) -> None:
    history = History(open_engine(postgresql_url))
    settle(history, 1)
    other = open_engine(postgres.url("postgres"))
    with other.begin() as connection:
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname LIKE 'lawang_%%' AND pid <> pg_backend_pid()"
        )
    other.dispose()
    settle(history, 2)
    kept = history.incident("elapor:r2")
    history.close()
    assert kept is not None


def test_an_error_tells_no_password() -> None:
    history = History(open_engine("postgresql://lawang:rahasia@127.0.0.1:1/lawang"))
    with pytest.raises(StoreError) as caught:
        history.ping()
    history.close()
    assert caught.value.kind == "store_down"
    assert "rahasia" not in f"{caught.value} {caught.value.__cause__}"


def test_an_error_tells_no_words_of_a_citizen(sqlite_history: History) -> None:
    """Neither itself nor what is behind it, as a log may show both."""
    broken = build_incident(description="Nama saya Siti.", placed_by=None)
    with pytest.raises(StoreError) as caught:
        sqlite_history.settle("elapor", [broken], fetched_at=REQUESTED_AT, fence=1)
    assert "Siti" not in f"{caught.value} {caught.value.__cause__}"
