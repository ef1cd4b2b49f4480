"""The whole demonstration on servers of its own choosing: a Valkey and a PostgreSQL elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import psycopg
import pytest
import redis

from tests.installation.running import Demo, run_demo, wait_until
from tests.store.postgres import PostgresServer


@pytest.fixture(scope="module")
def database(postgres: PostgresServer) -> Iterator[str]:
    """The address of an empty database: its tables are the demo's to make."""
    name = postgres.create_database()
    yield postgres.url(name)
    postgres.drop_database(name)


@pytest.fixture(scope="module")
def demo(
    tmp_path_factory: pytest.TempPathFactory, valkey_url: str, database: str
) -> Iterator[Demo]:
    folder = tmp_path_factory.mktemp("external")
    with run_demo(folder, LAWANG_REDIS_URL=valkey_url, LAWANG_DATABASE_URL=database) as running:
        wait_until(running.agrees_with_elapor, 60, "all of e-lapor's reports in our API")
        yield running


def test_no_valkey_of_its_own_is_started(demo: Demo) -> None:
    with pytest.raises(LookupError):
        demo.process("valkey")


def test_history_is_in_the_given_database_and_in_no_file(demo: Demo, database: str) -> None:
    def is_the_same() -> bool:
        with psycopg.connect(database) as connection:
            row = connection.execute("SELECT count(*) FROM incident").fetchone()
        return row is not None and row[0] == len(demo.incidents()) > 0

    # Other sources may still be on their first poll.
    wait_until(is_the_same, 90, "as many incidents in the database as in our API")
    assert not (demo.data_dir / "history.sqlite3").exists()


def test_live_state_is_in_the_given_server(demo: Demo, valkey_url: str) -> None:
    with redis.Redis.from_url(valkey_url) as server:
        panels = cast("list[bytes]", server.hkeys("lawang:palembang:panels"))
    assert b"counters" in panels


def test_a_report_arrives_there_once(demo: Demo) -> None:
    report = demo.file("Lampu jalan padam, laporan ke server luar.")
    wait_until(lambda: demo.incident(report), 90, "the filed report in our API")
    wait_until(demo.agrees_with_elapor, 90, "exactly e-lapor's reports, each once")


def test_its_password_is_on_no_line(demo: Demo, valkey_url: str) -> None:
    password = valkey_url.partition("//:")[2].partition("@")[0]
    assert len(password) > 20
    assert password not in demo.program.output()
