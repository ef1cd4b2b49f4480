"""A database's address, and the place on the network that it leads to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

#: The drivers that the project's extras install, by what an address begins with.
DRIVERS = {
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
    "oracle": "oracle+oracledb",
}
#: The module of a driver, and what installs it.
PACKAGES = {
    "psycopg": "lawang-jabo[postgresql]",
    "pymysql": "lawang-jabo[mysql]",
    "oracledb": "lawang-jabo[oracle]",
}
_PORTS = {"postgresql": 5432, "mysql": 3306, "mariadb": 3306, "oracle": 1521, "mssql": 1433}
#: Parameters by which an address would lead elsewhere than it says, or would run or read more.
_LEADING_AWAY = frozenset(
    {
        "hostaddr",
        "init_command",
        "local_infile",
        "odbc_connect",
        "passfile",
        "read_default_file",
        "read_default_group",
        "service",
        "servicefile",
    }
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a database is: a host and port, a Unix socket, or a file of SQLite."""

    host: str = ""
    port: int = 0
    socket: str = ""
    file: str = ""


def read_address(text: str) -> URL:
    """An address as SQLAlchemy knows it, with the driver we use. ValueError if it cannot be used.

    The error holds nothing of the address, which may hold a password.
    """
    try:
        url = make_url(text.strip())
        url = url.set(drivername=DRIVERS.get(url.drivername, url.drivername))
    except (ArgumentError, ValueError):
        raise ValueError(
            "is no database address: write postgresql://host/name, mysql://host/name, "
            "oracle://host/?service_name=name or sqlite:////path/file.sqlite3; a password with "
            "signs such as @ or / goes to `password`"
        ) from None
    if away := sorted(_LEADING_AWAY & set(url.query)):
        raise ValueError(f"must not hold the parameter {away[0]}")
    try:
        dialect = url._get_entrypoint()
    except NoSuchModuleError:
        raise ValueError(
            f"names no database that is known here ({url.drivername}): "
            "sqlite, postgresql, mysql, mariadb and oracle are, others by a dialect of SQLAlchemy"
        ) from None
    except ModuleNotFoundError:
        return url  # its driver is missing, which is told when it is asked
    if getattr(dialect, "is_async", False):
        raise ValueError("names a driver for asyncio; leave the driver out, as in postgresql://")
    find_place(url)
    return url


def find_place(url: URL) -> Place:
    """The place that an address leads to. ValueError where it does not say so."""
    backend = url.get_backend_name()
    if backend == "sqlite":
        if url.query or url.host:
            raise ValueError("must be sqlite:////path/file.sqlite3, without parameters")
        if not url.database or url.database == ":memory:":
            raise ValueError("must name a file, as in sqlite:////path/file.sqlite3")
        return Place(file=str(Path(url.database)))
    stated = url.query.get("host") or url.query.get("unix_socket")
    if stated is not None:
        if not isinstance(stated, str) or not stated.startswith("/") or url.host:
            raise ValueError("must name its one host before the name of the database")
        return Place(socket=stated)
    if not url.host or "," in url.host:
        raise ValueError("must name one host")
    port = url.port or _PORTS.get(backend)
    if port is None:
        raise ValueError("must name a port")
    return Place(host=url.host, port=port)
