"""Connectors are found by name; a mistake in `[connection]` is told with its line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from connectors import registry
from connectors.open311.options import Open311Options
from connectors.rest.options import (
    BasicAuth,
    BearerAuth,
    ClientCredentials,
    CursorPages,
    Envelope,
    HeaderAuth,
    Incremental,
    LinkedPages,
    NumberedPages,
    OffsetPages,
    RestOptions,
)
from lawang.city.catalogue import MeasureTable, ServiceTable
from lawang.city.source import read_source
from lawang.connector import KINDS, Options
from lawang.domain.errors import LawangError, PackError
from lawang.mapping import NEEDED, Fields, Formats, MeasureFields, Personal
from lawang.settings import ROOT

_BUSES = """\
name = "Bus"
opd = "diskominfo"
connector = "gtfs_rt"
yields = "positions"
every_s = 15
timeout_s = 10

[connection]
url = "https://bus.example/positions.pb"
"""

_SOURCE = """\
name = "e-lapor"
opd = "diskominfo"
connector = "open311"
yields = "incidents"
every_s = 60
timeout_s = 20

[connection]
base_url = "https://elapor.example/v2"
{extra}
[simulated]
every_s = 5
timeout_s = 4
[simulated.connection]
page_size = {size}
"""


def _bind(folder: Path, text: str, simulated: bool = False, **env: str) -> Options:
    file = folder / "elapor.toml"
    file.write_text(text, encoding="utf-8")
    return registry.bind(read_source(file, {"diskominfo"}, set(), env, simulated))


def test_open311_is_known() -> None:
    assert "open311" in registry.list_names()
    assert registry.get("open311").name == "open311"


@pytest.mark.parametrize("name", ["openn311", "", "registry", "..", "http"])
def test_an_unknown_name_is_told_with_the_known_ones(name: str) -> None:
    with pytest.raises(LawangError, match=r"there is no connector .*open311"):
        registry.get(name)


def test_a_good_connection_becomes_options(tmp_path: Path) -> None:
    bound = _bind(tmp_path, _SOURCE.format(extra='api_key = "${K}"', size=7), K="k")
    assert isinstance(bound, Open311Options)
    assert bound.base_url == "https://elapor.example/v2/"
    assert bound.api_key.get_secret_value() == "k"
    assert bound.page_size == 100


@pytest.mark.parametrize(
    ("extra", "size", "simulated", "key", "line"),
    [
        ("pagesize = 5", 7, False, "connection.pagesize", 10),
        ("# why\nformat = 'yaml'", 7, False, "connection.format", 11),
        ("overlap_s = -1", 7, False, "connection.overlap_s", 10),
        ("timezone = 'Asia/Palembang'", 7, False, "connection.timezone", 10),
        ("", 0, True, "simulated.connection.page_size", 15),
        ("max_pages = 0", 7, True, "connection.max_pages", 10),
    ],
)
def test_a_mistake_names_key_and_line(
    tmp_path: Path, extra: str, size: int, simulated: bool, key: str, line: int
) -> None:
    with pytest.raises(PackError) as caught:
        _bind(tmp_path, _SOURCE.format(extra=extra, size=size), simulated)
    assert (caught.value.key, caught.value.line) == (key, line)


@pytest.mark.parametrize(
    "address",
    ["elapor", "ftp://x/", "http://", "https://u:p@x/", "https://x/?api_key=k", "http://[", ""],
)
def test_an_address_that_cannot_be_read_is_a_mistake(tmp_path: Path, address: str) -> None:
    text = _SOURCE.replace("https://elapor.example/v2", address).format(extra="", size=7)
    with pytest.raises(PackError) as caught:
        _bind(tmp_path, text)
    assert (caught.value.key, caught.value.line) == ("connection.base_url", 9)


def test_an_unknown_connector_is_a_mistake_in_the_pack(tmp_path: Path) -> None:
    text = _SOURCE.format(extra="", size=7).replace('"open311"', '"open312"')
    with pytest.raises(PackError, match="open311") as caught:
        _bind(tmp_path, text)
    assert (caught.value.key, caught.value.line) == ("connector", 3)


def test_a_missing_address_is_a_mistake(tmp_path: Path) -> None:
    text = _SOURCE.format(extra="", size=7).replace('base_url = "https://elapor.example/v2"', "")
    with pytest.raises(PackError, match="is missing"):
        _bind(tmp_path, text)


def test_a_value_that_is_a_secret_is_not_in_the_mistake(tmp_path: Path) -> None:
    with pytest.raises(PackError) as caught:
        _bind(tmp_path, _SOURCE.format(extra='api_key = ["kunci"]', size=7))
    assert caught.value.key == "connection.api_key"
    assert "kunci" not in str(caught.value)


def test_a_source_that_waits_for_its_environment_is_no_mistake(tmp_path: Path) -> None:
    text = _SOURCE.replace("https://elapor.example/v2", "${{URL}}").format(extra="", size=7)
    assert type(_bind(tmp_path, text)) is Options
    assert isinstance(_bind(tmp_path, text, URL="https://x"), Open311Options)


def test_a_waiting_source_is_checked_in_what_it_states(tmp_path: Path) -> None:
    text = _SOURCE.replace("https://elapor.example/v2", "${{URL}}")
    with pytest.raises(PackError) as caught:
        _bind(tmp_path, text.format(extra="max_pages = 0", size=7))
    assert caught.value.key == "connection.max_pages"


_ROWS = """\
name = "Ketertiban"
opd = "diskominfo"
connector = "rest"
yields = "incidents"
every_s = 60
timeout_s = 20

[connection]
url = "https://tertib.example/api"
records = "data"
[connection.auth]
kind = "oauth2"
token_url = "https://login.example/token"
client_id = "lawang"
client_secret = "${K:-}"
[connection.paging]
kind = "page"
size = 50

[fields]
external_id = "id"
requested_at = "dibuat"
status = "status"

[formats]
timezone = "Asia/Jakarta"
times = ["%d/%m/%Y"]
"""


def test_fields_and_formats_stand_beside_the_connection(tmp_path: Path) -> None:
    bound = _bind(tmp_path, _ROWS)
    assert isinstance(bound, RestOptions)
    assert (bound.fields.status, bound.formats.times) == ("status", ("%d/%m/%Y",))


@pytest.mark.parametrize(
    ("old", "new", "key", "line", "problem"),
    [
        ('status = "status"', 'state = "status"', "fields.state", 23, "knows: address, agency"),
        ('"dibuat"', '"dibuat["', "fields.requested_at", 22, "no JMESPath"),
        ('"dibuat"', '"nosuch(dibuat)"', "fields.requested_at", 22, "no function nosuch"),
        ('external_id = "id"\n', "", "fields.external_id", 20, "is missing"),
        ("Asia/Jakarta", "Asia/Palembang", "formats.timezone", 26, ""),
        ("%d/%m/%Y", "%H:%M", "formats.times.0", 27, "no full date"),
        ("times =", "time =", "formats.time", 27, "knows: decimal, times, timezone"),
        ('records = "data"', 'records = "data["', "connection.records", 10, "no JMESPath"),
        ("size = 50", "size = 0", "connection.paging.size", 18, ""),
        ("size = 50", "sise = 50", "connection.paging.sise", 18, "paging, which knows: first"),
        ("client_id =", "client =", "connection.auth.client", 14, "auth, which knows: client_id"),
        ('"https://login', '"login', "connection.auth.token_url", 13, "must begin"),
        ('"oauth2"', '"digest"', "connection.auth", 11, "'oauth2'"),
    ],
)
def test_a_mistake_in_a_table_names_key_and_line(
    tmp_path: Path, old: str, new: str, key: str, line: int, problem: str
) -> None:
    assert old in _ROWS
    with pytest.raises(PackError) as caught:
        _bind(tmp_path, _ROWS.replace(old, new))
    assert (caught.value.key, caught.value.line) == (key, line)
    assert problem in caught.value.problem


def test_missing_fields_are_a_mistake(tmp_path: Path) -> None:
    head, _, rest = _ROWS.partition("[fields]")
    text = head + rest[rest.index("[formats]") :]
    with pytest.raises(PackError, match="is missing") as caught:
        _bind(tmp_path, text)
    assert caught.value.key == "fields.external_id"


def test_fields_of_a_connector_that_has_none_are_a_mistake(tmp_path: Path) -> None:
    text = _BUSES + '[fields]\nexternal_id = "id"\n'
    with pytest.raises(PackError, match="is not a key of gtfs_rt") as caught:
        _bind(tmp_path, text)
    assert (caught.value.key, caught.value.line) == ("fields", 10)


def test_a_mistake_in_fields_of_the_simulation_is_found_there(tmp_path: Path) -> None:
    text = _ROWS + '[simulated.fields]\nstatus = "a["\n'
    with pytest.raises(PackError) as caught:
        _bind(tmp_path, text, simulated=True)
    assert (caught.value.key, caught.value.line) == ("simulated.fields.status", 29)


def test_a_table_that_waits_for_its_environment_is_no_mistake(tmp_path: Path) -> None:
    text = _ROWS.replace("https://login.example", "${LOGIN}")
    assert type(_bind(tmp_path, text)) is Options
    assert isinstance(_bind(tmp_path, text, LOGIN="https://x"), RestOptions)


#: Documented once for all protocols that carry rows.
_SHARED = {"yields", "fields", "formats", "measures", "personal"}


def _documented(name: str) -> str:
    return (Path(registry.__file__).parent / name / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", registry.list_names())
def test_every_option_of_a_connector_is_documented(name: str) -> None:
    fields: dict[str, Any] = registry.get(name).options.model_fields
    text = _documented(name)
    own = [each.alias or field for field, each in fields.items() if field not in _SHARED]
    assert [field for field in own if f"| `{field}` |" not in text] == []


def _keys_of(*tables: type[BaseModel]) -> dict[str, list[str]]:
    return {
        table.__name__: [each.alias or key for key, each in table.model_fields.items()]
        for table in tables
    }


_OF_REST = _keys_of(
    HeaderAuth,
    BearerAuth,
    BasicAuth,
    ClientCredentials,
    NumberedPages,
    OffsetPages,
    CursorPages,
    LinkedPages,
    Envelope,
    Incremental,
)
_OF_ROWS = _keys_of(Fields, Formats, MeasureFields, Personal, MeasureTable, ServiceTable)


@pytest.mark.parametrize("table", _OF_REST)
def test_every_key_of_a_table_of_rest_is_documented(table: str) -> None:
    text = _documented("rest")
    assert [key for key in _OF_REST[table] if f"`{key}`" not in text] == []


@pytest.mark.parametrize("table", _OF_ROWS)
def test_every_key_of_a_table_of_rows_is_documented(table: str) -> None:
    text = (ROOT / "docs" / "mapping.md").read_text(encoding="utf-8")
    assert [
        key for key in _OF_ROWS[table] if f"| `{key}`" not in text and f"`, `{key}`" not in text
    ] == []


@pytest.mark.parametrize("table", sorted(_SHARED))
def test_every_shared_table_is_documented(table: str) -> None:
    text = (ROOT / "docs" / "mapping.md").read_text(encoding="utf-8")
    assert f"`[{table}" in text or f"| `{table}` |" in text


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_kind_of_record_needs_is_documented(kind: str) -> None:
    text = (ROOT / "docs" / "mapping.md").read_text(encoding="utf-8")
    shown = {"incidents": 2, "service_requests": 3, "readings": 4, "positions": 5, "alerts": 6}
    rows = [line.split("|") for line in text.splitlines() if line.startswith("| `")]
    needed = {
        row[1].strip(" `") for row in rows if len(row) == 9 and row[shown[kind]].strip() == "needed"
    }
    assert needed == set(NEEDED[kind])
