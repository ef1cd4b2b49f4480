"""The parts of a new source's file that follow from how its department speaks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from connectors.network import is_private
from lawang.connector import KINDS, Connector
from sources_cli.asking import Wishes

#: Where connectors other than rest take a key.
_KEYS = {
    "open311": "api_key",
    "ckan": "api_key",
    "arcgis": "token",
    "gtfs_rt": "key",
    "sql": "password",
}
_URL_KEYS = {"open311": "base_url", "tabular": "location"}


def variables(wishes: Wishes) -> dict[str, str]:
    """The variables that the file refers to with what is known of them; "" for a secret."""
    found = {} if wishes.connector == "webhook" else {f"{wishes.prefix}_URL": wishes.url}
    for name in secret_variables(wishes):
        found[name] = ""
    return found


def secret_variables(wishes: Wishes) -> list[str]:
    """The names of the variables that hold keys."""
    if wishes.connector == "webhook":
        return [f"{wishes.prefix}_SECRET"]
    if wishes.connector == "rest" and wishes.auth in ("header", "bearer"):
        return [wishes.token_env or f"{wishes.prefix}_KEY"]
    if wishes.connector == "rest" and wishes.auth == "basic":
        return [f"{wishes.prefix}_USER", wishes.token_env or f"{wishes.prefix}_PASSWORD"]
    if wishes.connector in _KEYS and (wishes.token_env or wishes.header):
        return [wishes.token_env or f"{wishes.prefix}_KEY"]
    return []


def connection(wishes: Wishes) -> dict[str, Any]:
    """`[connection]` as far as it follows from the wishes; what an answer tells is added."""
    names = secret_variables(wishes)
    made: dict[str, Any] = {}
    if wishes.connector == "webhook":
        return {"secret": f"${{{names[0]}}}"}
    made[_URL_KEYS.get(wishes.connector, "url")] = f"${{{wishes.prefix}_URL}}"
    if wishes.connector == "rest" and names:
        made["auth"] = _auth(wishes, names)
    elif wishes.connector == "ckan":
        made["resource_id"] = wishes.resource
    elif wishes.connector == "sql":
        made["query"] = wishes.query
    elif wishes.connector == "tabular":
        made["pattern"] = wishes.pattern or "*"
    elif wishes.connector == "mqtt":
        made["topics"] = ["#"]
    elif wishes.connector == "bmkg":
        made["product"] = "gempa"
    if wishes.connector in _KEYS and names:
        key = _KEYS[wishes.connector]
        value = f"${{{names[0]}}}"
        is_header = wishes.connector == "gtfs_rt"
        made[key] = {"name": wishes.header or "X-Api-Key", "value": value} if is_header else value
    return made


def _auth(wishes: Wishes, names: list[str]) -> dict[str, str]:
    if wishes.auth == "bearer":
        return {"kind": "bearer", "token": f"${{{names[0]}}}"}
    if wishes.auth == "basic":
        return {"kind": "basic", "user": f"${{{names[0]}}}", "password": f"${{{names[1]}}}"}
    return {"kind": "header", "name": wishes.header, "value": f"${{{names[0]}}}"}


def network(wishes: Wishes) -> Mapping[str, Any]:
    """`[network]`: an address that a person typed as a number inside a network may be asked."""
    if wishes.private or _is_inside(wishes.url):
        return {"private": True}
    return {}


def _is_inside(url: str) -> bool:
    from ipaddress import ip_address

    host = (urlsplit(url).hostname or "").removeprefix("[").removesuffix("]")
    if host == "localhost":
        return True
    try:
        return is_private(ip_address(host))
    except ValueError:
        return False


#: Stands in for a mapping while the first answer is looked at.
PROBE: dict[str, Any] = {
    "fields": {"external_id": "id", "requested_at": "waktu", "observed_at": "waktu"},
    "measures": {"apa_pun": {"name_id": "-", "name_en": "-", "aggregate": "count"}},
}


def probe_kinds(wishes: Wishes, connector: Connector) -> tuple[str, ...]:
    """Kinds of record with which the connector can be bound before anything is known."""
    if wishes.connector == "bmkg":
        return ("alerts",)
    usual: tuple[str, ...] = connector.options.model_fields["yields"].default
    if wishes.yields:
        return wishes.yields
    if set(usual) <= connector.kinds:
        return usual
    return (next(kind for kind in KINDS if kind in connector.kinds),)


_ROWS = (
    "# Ours = where in one of their messages it stands (JMESPath). What is not named is not read.",
    "[fields]",
    'external_id = "nomor"                 # (?)',
    'requested_at = "waktu"                # (?)',
    'observed_at = "waktu"                 # (?)',
    'status = "status"                     # (?)',
    "",
    "[formats]",
    'timezone = "Asia/Jakarta"',
    "",
    "[measures.contoh]                      # (?) only for a source that yields readings",
    'name_id = "Contoh"',
    'name_en = "Example"',
    'unit = ""',
    'value = "nilai"',
    "",
)
_WHAT_IS_LEFT: dict[str, tuple[str, ...]] = {
    "mqtt": ('# (?) topics: all below is "#"; README of connectors/mqtt has every option', *_ROWS),
    "webhook": ("# README of connectors/webhook says how the department signs", *_ROWS),
    "bmkg": ("# README of connectors/bmkg has every option",),
}


def template(wishes: Wishes, yields: tuple[str, ...]) -> tuple[str, ...]:
    """The lines to complete where no answer can be looked at."""
    lines = _WHAT_IS_LEFT.get(wishes.connector, ())
    if "readings" in yields:
        return lines
    start = next((n for n, line in enumerate(lines) if line.startswith("[measures")), len(lines))
    return lines[:start]
