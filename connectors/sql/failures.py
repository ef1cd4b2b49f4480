"""What an error of a database means for the poll.

Only codes and the names of tables and columns are told: the words of drivers have been seen to
hold addresses, users and values of a row.
"""

from __future__ import annotations

import re
import sqlite3
from typing import Any

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from lawang.domain.errors import NeedsPerson, RetryLater, SourceError

_ORACLE = re.compile(r"\b(ORA|DPY|DPI)-(\d{4,5})")
_SQLITE_MISSING = re.compile(r"no such (table|column|function): ([\w.]{1,80})")
#: Of a refused connection libpq hands on the words alone, not the code.
_PG_REFUSED = re.compile(
    r"password authentication failed|no pg_hba\.conf entry|authentication failed"
    r"|role \".*\" (?:does not exist|is not permitted)|no password supplied|permission denied",
    re.IGNORECASE,
)
_PG_NO_DATABASE = re.compile(r"database \".*\" does not exist", re.IGNORECASE)
_PG_FULL = re.compile(r"too many (?:clients|connections)|connection slots", re.IGNORECASE)
_PG_TIMEOUT = re.compile(r"timeout expired|timed out", re.IGNORECASE)

_MYSQL_REFUSED = frozenset({1044, 1045, 1142, 1143, 1227, 1370, 1698, 3118, 3955})
_MYSQL_UNREACHABLE = frozenset({1053, 1077, 1152, 1158, 1159, 1160, 1161, 1927, 2002, 2003, 2005})
_MYSQL_BROKEN = frozenset({2006, 2013, 2014, 2027, 4031})
_MYSQL_SLOW = frozenset({1205, 1317, 1969, 3024})
_MYSQL_FULL = frozenset({1040, 1203, 1226})
_ORACLE_REFUSED = frozenset({1005, 1017, 1031, 1045, 28000, 28001})
_ORACLE_UNREACHABLE = frozenset({1033, 1034, 1089, 12154, 12170, 12505, 12514, 12528, 12541, 12547})
_ORACLE_BROKEN = frozenset({28, 2396, 3113, 3114, 3135})


def explain(error: Exception, where: str, *, is_reading: bool) -> SourceError:
    """The poll's error for one of a driver or of SQLAlchemy; `where` names the place.

    `is_reading` tells that rows had begun to come: a connection that breaks then is `truncated`.
    """
    found: Any = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(found, sqlite3.Error):
        return _sqlite(found, where)
    module = type(found).__module__.partition(".")[0]
    broken = RetryLater("truncated", f"{where}: the connection broke off")
    lost = broken if is_reading else RetryLater("unreachable", where)
    if module == "psycopg":
        return _postgresql(found, where, lost)
    if module == "pymysql":
        return _mysql(found, where, lost)
    if module == "oracledb":
        return _oracle(found, where, lost)
    if isinstance(found, TimeoutError):
        return RetryLater("timeout", where)
    if isinstance(found, OSError) or (
        isinstance(error, DBAPIError) and error.connection_invalidated
    ):
        return lost
    if isinstance(found, UnicodeError):
        return RetryLater("garbage", f"{where}: a text in another encoding than the database says")
    if isinstance(error, SQLAlchemyError):
        return NeedsPerson("bad_status", f"{where}: {type(found).__name__}")
    return lost


def _postgresql(found: Any, where: str, lost: SourceError) -> SourceError:
    state = getattr(found, "sqlstate", None)
    if state is None:
        return _postgresql_words(str(found), type(found).__name__, where, lost)
    detail = f"{where}: {state}"
    group = state[:2]
    if state == "57014":
        return RetryLater("timeout", f"{detail}, the statement took too long")
    if state in ("42P01", "3D000", "3F000"):
        return NeedsPerson("not_found", f"{detail}, no such table, schema or database")
    if group == "28" or state == "42501":
        return NeedsPerson("refused", detail)
    if group in ("08", "57", "58"):
        return lost
    if state == "53300":
        return RetryLater("rate_limited", detail)
    if state == "25006":
        return NeedsPerson("bad_status", f"{detail}, the query would write")
    if group in ("42", "22", "0A", "25"):
        return NeedsPerson("bad_status", f"{detail}, the query is wrong")
    return RetryLater("bad_status", detail)


def _postgresql_words(words: str, name: str, where: str, lost: SourceError) -> SourceError:
    if _PG_NO_DATABASE.search(words):
        return NeedsPerson("not_found", f"{where}: no such database")
    if _PG_REFUSED.search(words):
        return NeedsPerson("refused", where)
    if _PG_FULL.search(words):
        return RetryLater("rate_limited", f"{where}: too many connections")
    if _PG_TIMEOUT.search(words):
        return RetryLater("timeout", where)
    if name == "DataError":
        return RetryLater("garbage", f"{where}: a value that cannot be read")
    return lost


def _mysql(found: Any, where: str, lost: SourceError) -> SourceError:
    code = found.args[0] if found.args and isinstance(found.args[0], int) else 0
    detail = f"{where}: {code}"
    if code in _MYSQL_REFUSED:
        return NeedsPerson("refused", detail)
    if code in (1046, 1049, 1146):
        return NeedsPerson("not_found", f"{detail}, no such table or database")
    if code in _MYSQL_SLOW:
        return RetryLater("timeout", f"{detail}, the statement took too long")
    if code in _MYSQL_FULL:
        return RetryLater("rate_limited", detail)
    if code in _MYSQL_UNREACHABLE:
        return RetryLater("unreachable", detail)
    if code in _MYSQL_BROKEN or code == 0:
        return lost
    if code == 1792:
        return NeedsPerson("bad_status", f"{detail}, the query would write")
    if type(found).__name__ in ("ProgrammingError", "NotSupportedError", "DataError"):
        return NeedsPerson("bad_status", f"{detail}, the query is wrong")
    return RetryLater("bad_status", detail)


def _oracle(found: Any, where: str, lost: SourceError) -> SourceError:
    match = _ORACLE.search(str(found))
    if match is None:
        return lost
    family, code = match[1], int(match[2])
    detail = f"{where}: {match[0]}"
    if (family, code) in (("DPY", 4024), ("DPI", 1067), ("ORA", 1013)):
        return RetryLater("timeout", f"{detail}, the statement took too long")
    if family != "ORA" or code in _ORACLE_BROKEN:
        return lost
    if code in _ORACLE_REFUSED:
        return NeedsPerson("refused", detail)
    if code in _ORACLE_UNREACHABLE:
        return RetryLater("unreachable", detail)
    if code == 942:
        return NeedsPerson("not_found", f"{detail}, no such table")
    if code in (18, 20):
        return RetryLater("rate_limited", detail)
    if 900 <= code < 1000 or code in (1456, 1722, 1830, 1843, 1861):
        return NeedsPerson("bad_status", f"{detail}, the query is wrong")
    return RetryLater("bad_status", detail)


def _sqlite(found: sqlite3.Error, where: str) -> SourceError:
    name = getattr(found, "sqlite_errorname", "") or ""
    if name.startswith("SQLITE_INTERRUPT"):
        return RetryLater("timeout", f"{where}: the statement took too long")
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return RetryLater("timeout", f"{where}: another program holds the database")
    if name.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT", "SQLITE_FORMAT")):
        return RetryLater("garbage", f"{where}: no database, or cut off")
    if name.startswith(("SQLITE_CANTOPEN", "SQLITE_IOERR")):
        return RetryLater("unreachable", f"{where}: {name}")
    if name.startswith(("SQLITE_PERM", "SQLITE_AUTH")):
        return NeedsPerson("refused", f"{where}: {name}")
    if name.startswith("SQLITE_READONLY"):
        return NeedsPerson("bad_status", f"{where}: the query would write")
    if missing := _SQLITE_MISSING.search(str(found)):
        kind = "not_found" if missing[1] == "table" else "bad_status"
        return NeedsPerson(kind, f"{where}: no such {missing[1]}: {missing[2]}")
    return NeedsPerson("bad_status", f"{where}: {name or type(found).__name__}")
