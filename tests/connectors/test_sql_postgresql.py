"""sql against a real PostgreSQL, over TCP through a gate that can break."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from connectors.sql import CONNECTOR
from connectors.sql.options import SqlOptions
from lawang.city.network import Network
from lawang.connector import Cursor
from lawang.domain.errors import NeedsPerson, RetryLater, SourceError
from tests.connectors.sql_reading import answers, context_for, gather, options_for, rows
from tests.store.postgres import PostgresServer

PASSWORD = "sangat/rahasia@1"


@dataclass
class Gate:
    """A TCP port of loopback that leads to the server's socket until it is told otherwise.

    `cut_after` breaks each connection after so many bytes of the server's; `is_deaf` takes
    connections and never answers.
    """

    target: str
    listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))
    cut_after: int | None = None
    is_deaf: bool = False
    connections: list[socket.socket] = field(default_factory=list)

    @property
    def port(self) -> int:
        return int(self.listener.getsockname()[1])

    def serve(self) -> None:
        with suppress(OSError):
            while True:
                inner, _ = self.listener.accept()
                self.connections.append(inner)
                if self.is_deaf:
                    continue
                outer = socket.socket(socket.AF_UNIX)
                outer.connect(self.target)
                self.connections.append(outer)
                for pair in ((inner, outer, None), (outer, inner, self.cut_after)):
                    threading.Thread(target=_carry, args=pair, daemon=True).start()

    def close(self) -> None:
        with suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for each in self.connections:
            each.close()


def _carry(source: socket.socket, target: socket.socket, most: int | None) -> None:
    carried = 0
    with suppress(OSError):
        while data := source.recv(4096):
            carried += len(data)
            if most is not None and carried > most:
                break
            target.sendall(data)
    for each in (source, target):
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    running = PostgresServer()
    try:
        running.start()
        with psycopg.connect(running.url("postgres"), autocommit=True) as admin:
            admin.execute(f"CREATE ROLE pembaca LOGIN PASSWORD '{PASSWORD}'")
            admin.execute(
                "CREATE TABLE t AS SELECT n AS id, n * 1000000000.25::numeric AS v, "
                "'2026-11-21 10:00+07'::timestamptz + n * interval '1 minute' AS at, "
                "'Fitriani Pratama' AS nama FROM generate_series(0, 4999) n"
            )
            admin.execute("GRANT SELECT, INSERT ON t TO pembaca")
            admin.execute("CREATE TABLE tertutup (v int)")
        rules = Path(running._data, "pg_hba.conf")
        rules.write_text("local all pembaca scram-sha-256\nlocal all all trust\n")
        with psycopg.connect(running.url("postgres"), autocommit=True) as admin:
            admin.execute("SELECT pg_reload_conf()")
        yield running
    finally:
        running.remove()


@contextmanager
def _gate(server: PostgresServer) -> Iterator[Gate]:
    gate = Gate(f"{server._folder}/.s.PGSQL.5432")
    thread = threading.Thread(target=gate.serve)
    thread.start()
    try:
        yield gate
    finally:
        gate.close()
        thread.join(20)


@pytest.fixture
def gate(server: PostgresServer) -> Iterator[Gate]:
    with _gate(server) as running:
        yield running


def _options(gate: Gate, query: str, password: str = PASSWORD, **more: object) -> SqlOptions:
    url = f"postgresql://pembaca@127.0.0.1:{gate.port}/postgres"
    return options_for(url, query, password=password, **more)


def test_rows_come_with_every_digit_and_their_zone(gate: Gate) -> None:
    options = _options(gate, "SELECT id, v, at FROM t WHERE id = 3", measures={"v": {"value": "v"}})
    (answer,) = answers(options)
    assert b'"v":3000000000.75' in answer.body
    (measured,) = CONNECTOR.parse(options, answer).measurements
    assert measured.at == datetime(2026, 11, 21, 3, 3, tzinfo=UTC)


def test_many_rows_come_in_portions(gate: Gate) -> None:
    found = answers(_options(gate, "SELECT id, at, v FROM t ORDER BY id", batch=2000))
    assert [len(json.loads(each.body)) for each in found] == [2000, 2000, 1000]


def test_since_is_meant_in_the_departments_own_zone(gate: Gate) -> None:
    query = "SELECT id FROM t WHERE at >= :since AND id < 5 ORDER BY id"
    options = _options(gate, query, overlap_s=0)
    cursor = Cursor(datetime(2026, 11, 21, 3, 3, tzinfo=UTC))
    assert [row["id"] for row in rows(options, cursor=cursor)] == [3, 4]


def test_personal_columns_are_gone_before_there_are_bytes(gate: Gate) -> None:
    options = _options(gate, "SELECT * FROM t LIMIT 3", personal={"drop": ["nama"]})
    assert b"Fitriani" not in answers(options)[0].body


@pytest.mark.parametrize(
    "query",
    [
        "SELECT query_to_xml('INSERT INTO t (id) VALUES (-1) RETURNING id', true, true, '')::text",
        "SELECT set_config('transaction_read_only', 'off', false) AS v",
    ],
)
def test_nothing_can_be_written(gate: Gate, server: PostgresServer, query: str) -> None:
    with pytest.raises(NeedsPerson) as caught:
        answers(_options(gate, query))
    assert caught.value.kind == "bad_status"
    with psycopg.connect(server.url("postgres")) as admin:
        assert admin.execute("SELECT count(*) FROM t").fetchone() == (5000,)


def test_a_slow_statement_is_ended_by_the_server(gate: Gate, server: PostgresServer) -> None:
    with pytest.raises(RetryLater, match="57014") as caught:
        answers(_options(gate, "SELECT pg_sleep(120)::text AS v"), timeout_s=0.5)
    assert caught.value.kind == "timeout"
    with psycopg.connect(server.url("postgres")) as admin:
        running = admin.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE usename = 'pembaca' AND state = 'active'"
        ).fetchone()
    assert running == (0,)


def test_a_server_that_never_answers_is_a_time_out(gate: Gate) -> None:
    gate.is_deaf = True
    with pytest.raises(RetryLater) as caught:
        answers(_options(gate, "SELECT 1 AS v"), timeout_s=0.5)
    assert caught.value.kind == "timeout"


def test_a_wrong_password_is_refused_and_never_told(gate: Gate) -> None:
    with pytest.raises(NeedsPerson) as caught:
        answers(_options(gate, "SELECT 1 AS v", password="salah-rahasia"))
    assert caught.value.kind == "refused"
    shown: BaseException | None = caught.value
    assert caught.value.__suppress_context__
    assert "rahasia" not in f"{shown}{shown!r}"


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        ("SELECT * FROM tidak_ada", "not_found"),
        ("SELECT tidak_ada FROM t", "bad_status"),
        ("SELECT v FROM tertutup", "refused"),
        ("SELECT 1 / 0 AS v", "bad_status"),
    ],
)
def test_a_wrong_query_or_right_needs_a_person(gate: Gate, query: str, kind: str) -> None:
    with pytest.raises(NeedsPerson) as caught:
        answers(_options(gate, query))
    assert caught.value.kind == kind


def test_an_unknown_database_is_not_found(gate: Gate) -> None:
    url = f"postgresql://pembaca@127.0.0.1:{gate.port}/tidak_ada"
    with pytest.raises(NeedsPerson) as caught:
        answers(options_for(url, "SELECT 1 AS v", password=PASSWORD))
    assert caught.value.kind == "not_found"


def test_a_closed_port_is_unreachable(server: PostgresServer) -> None:
    with _gate(server) as gone:
        options = _options(gone, "SELECT 1 AS v")
    with pytest.raises(RetryLater) as caught:
        answers(options)
    assert caught.value.kind == "unreachable"


def test_a_connection_that_breaks_among_the_rows_is_truncated(gate: Gate) -> None:
    gate.cut_after = 120_000
    with pytest.raises(RetryLater) as caught:
        answers(_options(gate, "SELECT * FROM t ORDER BY id", batch=500))
    assert caught.value.kind == "truncated"


def test_a_restart_among_the_rows_is_told_and_recovered_from(server: PostgresServer) -> None:
    async def poll(options: SqlOptions) -> tuple[int, SourceError | None]:
        count = 0
        try:
            async with context_for() as context:
                async for _ in CONNECTOR.fetch(options, Cursor(), context):
                    count += 1
                    if count == 1:
                        await asyncio.to_thread(server.stop)
        except SourceError as error:
            return count, error
        return count, None

    with _gate(server) as gate:
        options = _options(gate, "SELECT t.*, repeat('x', 4000) AS x FROM t", batch=200)
        count, error = asyncio.run(poll(options))
    assert count >= 1
    assert error is not None
    assert error.kind in ("truncated", "unreachable")
    server.start()
    with _gate(server) as gate:
        assert len(rows(_options(gate, "SELECT id FROM t"))) == 5000


def test_a_host_inside_needs_the_packs_word(gate: Gate) -> None:
    with pytest.raises(NeedsPerson) as caught:
        answers(_options(gate, "SELECT 1 AS v"), network=Network())
    assert caught.value.kind == "private_address"


def test_a_host_that_is_not_on_the_list_is_not_asked(gate: Gate) -> None:
    with pytest.raises(NeedsPerson) as caught:
        answers(_options(gate, "SELECT 1 AS v"), allowed=("db.example",))
    assert caught.value.kind == "host_not_allowed"


def test_a_socket_of_this_machine_needs_the_packs_word(server: PostgresServer) -> None:
    options = options_for(server.url("postgres"), "SELECT 1 AS v")
    assert rows(options) == [{"v": 1}]
    with pytest.raises(NeedsPerson) as caught:
        asyncio.run(gather(options, network=Network()))
    assert caught.value.kind == "private_address"
