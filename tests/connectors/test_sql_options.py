"""What a source file may say of a database, and what is refused before any is asked."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from connectors.sql.statement import check_query
from tests.connectors.sql_reading import options_for

SQLITE = "sqlite:////data/x.sqlite3"


@pytest.mark.parametrize(
    "query",
    [
        "SELECT 1 AS v",
        "  select v from t; ",
        "WITH a AS (SELECT 1) SELECT * FROM a",
        "(SELECT 1) UNION (SELECT 2)",
        "-- delete later\nSELECT replace(nama, 'delete; drop', '') AS v FROM t",
        'SELECT "update" FROM t /* insert */',
        "SELECT t.update FROM t",
        "SELECT $$ into; $$ AS v",
        "SELECT updated_at, insert_time FROM t",
    ],
)
def test_a_query_is_taken(query: str) -> None:
    assert check_query(query) == query.strip().rstrip(";")


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("DELETE FROM t", "must begin with SELECT"),
        ("UPDATE t SET v = 1", "must begin with SELECT"),
        ("EXPLAIN ANALYZE DELETE FROM t", "must begin with SELECT"),
        ("-- SELECT", "must begin with SELECT"),
        ("SELECT 1; DROP TABLE t", "one statement"),
        ("WITH a AS (DELETE FROM t RETURNING *) SELECT * FROM a", "DELETE"),
        ("SELECT * INTO salinan FROM t", "INTO"),
        ("SELECT * FROM t INTO OUTFILE '/tmp/x'", "INTO"),
        ("SELECT * FROM t FOR UPDATE", "UPDATE"),
        ("SELECT /*! SLEEP(9), */ 1", "MySQL"),
        ("PRAGMA user_version = 3", "must begin with SELECT"),
    ],
)
def test_what_is_no_query_is_refused_with_a_reason(query: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        check_query(query)


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("rahasia", "no database address"),
        ("oracel://x/y", "no database that is known"),
        ("sqlite://", "must name a file"),
        ("sqlite:///:memory:", "must name a file"),
        ("sqlite:////a.sqlite3?mode=rwc", "without parameters"),
        ("postgresql:///x", "one host"),
        ("postgresql://a,b/x", "one host"),
        ("postgresql://a/x?host=b", "one host"),
        ("postgresql://a/x?hostaddr=10.0.0.1", "hostaddr"),
        ("postgresql://a/x?service=lain", "service"),
        ("mysql://a/x?read_default_file=/etc/passwd", "read_default_file"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused(url: str, problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        options_for(url, "SELECT 1")


def test_a_refused_address_is_not_repeated_in_the_mistake() -> None:
    with pytest.raises(ValidationError) as caught:
        options_for("postgresql://u:sangatrahasia@a,b/x", "SELECT 1")
    assert all("sangatrahasia" not in each["msg"] for each in caught.value.errors())


def test_neither_password_nor_address_is_shown() -> None:
    options = options_for("postgresql://u:sangat@h/x", "SELECT 1", password="rahasia")
    assert "sangat" not in repr(options)
    assert "rahasia" not in repr(options)
    assert options.address().password == "rahasia"


@pytest.mark.parametrize(
    ("url", "driver"),
    [
        ("postgresql://h/x", "postgresql+psycopg"),
        ("mysql://h/x", "mysql+pymysql"),
        ("mariadb://h/x", "mariadb+pymysql"),
        ("oracle://h/?service_name=x", "oracle+oracledb"),
    ],
)
def test_a_database_is_asked_by_the_driver_of_its_extra(url: str, driver: str) -> None:
    assert options_for(url, "SELECT 1").address().drivername == driver


def test_a_parameter_that_nobody_gives_is_a_mistake() -> None:
    found = list(options_for(SQLITE, "SELECT v FROM t WHERE a = :jenis").problems())
    assert [path for path, _ in found] == [("connection", "query")]
    assert ":jenis" in found[0][1]


def test_a_parameter_that_the_query_has_not_is_a_mistake() -> None:
    options = options_for(SQLITE, "SELECT v FROM t WHERE a >= :since", parameters={"jnis": 1})
    assert [path for path, _ in options.problems()] == [("connection", "parameters", "jnis")]


def test_gathering_only_what_changed_is_a_mistake() -> None:
    measures = {"orang": {"aggregate": "count", "period": "month"}}
    options = options_for(SQLITE, "SELECT v FROM t WHERE a >= :since", measures=measures)
    assert [path for path, _ in options.problems()] == [("measures", "orang", "aggregate")]
