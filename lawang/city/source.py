"""One source of a city: a file `sources/<id>.toml`, all of what differs from other sources."""

from __future__ import annotations

import os
import re
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from lawang.city.catalogue import MeasureTable, ServiceTable
from lawang.city.environment import BadReference, Expansion
from lawang.city.network import Network
from lawang.city.toml import dig, first_mistake, mistake, read_toml
from lawang.domain.errors import PackError
from lawang.domain.health import Cadence
from lawang.domain.incident import Status
from lawang.domain.kinds import KINDS
from lawang.domain.measure import Measure
from lawang.domain.position import PositionStatus
from lawang.domain.service import RequestStatus, Service

_ID = re.compile(r"[a-z][a-z0-9_-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One source as polling uses it.

    `connection` is what the connector's Options are made from, references to the environment
    expanded. Those that need an unset variable stand in it as written and are named in `unset`:
    such a source is not broken but not configured, and is not polled. `category_map` leads from
    the source's words to category ids, `status_map` (words in lower case) and `note_map` (first
    words of a status note) to statuses, `region_map` to region codes or names, `kind_map` to kinds
    of thing. `keeps_ids`: identities that look like a person's number are none. `simulated` tells
    that the simulated department is read in place of the real one.
    """

    id: str
    name: str
    description: str
    description_en: str
    opd: str
    connector: str
    yields: tuple[str, ...]
    every_s: float
    timeout_s: float
    cadence: Cadence
    connection: dict[str, Any]
    category_map: dict[str, str]
    status_map: dict[str, str]
    note_map: dict[str, Status]
    region_map: dict[str, str]
    kind_map: dict[str, str]
    measures: dict[str, Measure]
    services: dict[str, Service]
    keeps_ids: bool
    network: Network
    unset: tuple[str, ...]
    simulated: bool
    attribution: str
    licence: str
    contact: str
    file: Path

    @property
    def tells_verification(self) -> bool:
        """Whether `[fields]` says where a closing's verification stands; else nobody can tell."""
        fields = self.connection.get("fields")
        return isinstance(fields, dict) and bool(fields.get("verified_at"))


_Text = Annotated[str, Field(min_length=1)]
_Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _Maps(_Table):
    category: dict[str, str] = Field(default_factory=dict)
    status: dict[str, str] = Field(default_factory=dict)
    note: dict[str, str] = Field(default_factory=dict)
    region: dict[str, str] = Field(default_factory=dict)
    kind: dict[str, str] = Field(default_factory=dict)


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


class _SourceFile(_Table):
    name: _Text
    description: str = ""
    description_en: str = ""
    opd: str
    connector: _Text
    yields: Annotated[list[str], BeforeValidator(_as_list), Field(min_length=1)]
    every_s: _Seconds
    timeout_s: _Seconds
    late_after_s: _Seconds | None = None
    stale_after_s: _Seconds | None = None
    down_after_s: _Seconds | None = None
    attribution: str = ""
    licence: str = ""
    contact: str = ""
    network: dict[str, Any] = Field(default_factory=dict)
    connection: dict[str, Any] = Field(default_factory=dict)
    fields_: dict[str, Any] | None = Field(None, alias="fields")
    formats: dict[str, Any] | None = None
    personal: dict[str, Any] | None = None
    measures: dict[str, MeasureTable] = Field(default_factory=dict)
    services: dict[str, ServiceTable] = Field(default_factory=dict)
    map: _Maps = Field(default_factory=_Maps)


def read_source(
    file: Path,
    opds: Container[str],
    categories: Container[str],
    env: Mapping[str, str] = os.environ,
    simulated: bool = False,
) -> Source:
    """Read and validate one source file.

    `[simulated]` is laid over the rest if `simulated`; its mistakes are found in either case.
    Raises PackError, and SettingsError for a NAME_FILE variable whose file cannot be read.
    """
    reader = _Reader(file, read_toml(file), opds, categories)
    if not _ID.fullmatch(file.stem):
        raise PackError(file, "", "a source's file name must be lower case letters, digits, _ or -")
    over = reader.simulated
    found = reader.read(reader.plain, env)
    if over:
        laid = reader.read(_merge(reader.plain, over), env)
        if simulated:
            found = laid
    return _source(file, *found, is_simulated=simulated and bool(over))


class _Reader:
    """Validates a source file as it is and with `[simulated]` laid over it."""

    def __init__(
        self,
        file: Path,
        document: dict[str, Any],
        opds: Container[str],
        categories: Container[str],
    ) -> None:
        self.file = file
        self.plain = {key: value for key, value in document.items() if key != "simulated"}
        self.simulated = document.get("simulated", {})
        self._opds = opds
        self._categories = categories
        self._laid_over = False
        if not isinstance(self.simulated, dict):
            raise mistake(file, ("simulated",), "must be a table")

    def read(
        self, values: dict[str, Any], env: Mapping[str, str]
    ) -> tuple[_SourceFile, Expansion, Network]:
        self._laid_over = values is not self.plain
        try:
            source = _SourceFile.model_validate(values)
        except ValidationError as error:
            raise self._mistake(*first_mistake(error)) from error
        self._check(source)
        expansion = Expansion(env)
        try:
            connection = expansion.expand(source.connection)
        except BadReference as error:
            raise self._mistake(("connection", *error.path), str(error)) from error
        try:
            network = expansion.expand(source.network)
        except BadReference as error:
            raise self._mistake(("network", *error.path), str(error)) from error
        expanded = source.model_copy(update={"connection": connection})
        return expanded, expansion, self._network(network)

    def _network(self, values: dict[str, Any]) -> Network:
        try:
            return Network.model_validate(values, context={"folder": self.file.parent})
        except ValidationError as error:
            path, problem = first_mistake(error)
            raise self._mistake(("network", *path), problem) from error

    def _mistake(self, path: tuple[str, ...], problem: str) -> PackError:
        if self._laid_over and dig(self.simulated, path):
            path = ("simulated", *path)
        return mistake(self.file, path, problem)

    def _check(self, source: _SourceFile) -> None:
        if source.opd not in self._opds:
            raise self._mistake(("opd",), f"{source.opd!r} is not in opd.toml")
        if source.timeout_s >= source.every_s:
            raise self._mistake(("timeout_s",), "must be shorter than every_s")
        self._check_cadence(source)
        for word, category in source.map.category.items():
            if category not in self._categories:
                problem = f"{category!r} is not in categories.toml"
                raise self._mistake(("map", "category", word), problem)
        for kind in source.yields:
            if kind not in KINDS:
                problem = f"{kind!r} is not one of {', '.join(KINDS)}"
                raise self._mistake(("yields",), problem)
        for table in ("status", "note"):
            known = _STATUSES["incidents"] if table == "note" else _statuses(source.yields)
            for word, status in getattr(source.map, table).items():
                if status not in known:
                    problem = f"{status!r} is not one of {', '.join(known)}"
                    raise self._mistake(("map", table, word), problem)

    def _check_cadence(self, source: _SourceFile) -> None:
        cadence = _cadence(source)
        before, least = "every_s", cadence.every_s
        for key in ("late_after_s", "stale_after_s", "down_after_s"):
            value: float = getattr(cadence, key)
            if value <= least:
                given = key if getattr(source, key) is not None else before
                raise self._mistake((given,), f"{key} must be longer than {before}")
            before, least = key, value


#: A word that a map does not know is unknown by itself; saying so in the map is a mistake.
_STATUSES: dict[str, tuple[str, ...]] = {
    "incidents": tuple(each.value for each in Status if each is not Status.UNKNOWN),
    "service_requests": tuple(
        each.value for each in RequestStatus if each is not RequestStatus.UNKNOWN
    ),
    "positions": tuple(each.value for each in PositionStatus if each is not PositionStatus.UNKNOWN),
}


def _statuses(yields: Sequence[str]) -> tuple[str, ...]:
    """The statuses that a map of a source may lead to, by what it yields."""
    return tuple(dict.fromkeys(word for kind in yields for word in _STATUSES.get(kind, ())))


def _merge(under: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    merged = dict(under)
    for key, value in over.items():
        below = merged.get(key)
        both = isinstance(value, dict) and isinstance(below, dict)
        merged[key] = _merge(below, value) if both and below is not None else value
    return merged


def _cadence(source: _SourceFile) -> Cadence:
    usual = Cadence.of(source.every_s)
    return Cadence(
        every_s=source.every_s,
        late_after_s=source.late_after_s or usual.late_after_s,
        stale_after_s=source.stale_after_s or usual.stale_after_s,
        down_after_s=source.down_after_s or usual.down_after_s,
    )


def _with_own_tables(read: _SourceFile) -> dict[str, Any]:
    """The connection with `yields`, and with the tables that only connectors of rows understand."""
    measures = {name: found for name, each in read.measures.items() if (found := each.mapping())}
    tables = {
        "fields": read.fields_,
        "formats": read.formats,
        "personal": read.personal,
        "measures": measures or None,
    }
    stated = {name: table for name, table in tables.items() if table is not None}
    return read.connection | stated | {"yields": tuple(read.yields)}


def _source(
    file: Path, read: _SourceFile, expansion: Expansion, network: Network, *, is_simulated: bool
) -> Source:
    return Source(
        id=file.stem,
        name=read.name,
        description=read.description,
        description_en=read.description_en or read.description,
        opd=read.opd,
        connector=read.connector,
        yields=tuple(read.yields),
        every_s=read.every_s,
        timeout_s=read.timeout_s,
        cadence=_cadence(read),
        connection=_with_own_tables(read),
        category_map=read.map.category,
        status_map={word.casefold(): status for word, status in read.map.status.items()},
        note_map={word: Status(status) for word, status in read.map.note.items()},
        region_map={word.casefold(): region for word, region in read.map.region.items()},
        kind_map={word.casefold(): kind for word, kind in read.map.kind.items()},
        measures={name: each.measure(name) for name, each in read.measures.items()},
        services={name: each.service(name) for name, each in read.services.items()},
        keeps_ids=bool((read.personal or {}).get("keep_ids", False)),
        network=network,
        unset=tuple(expansion.unset),
        simulated=is_simulated,
        attribution=read.attribution,
        licence=read.licence,
        contact=read.contact,
        file=file,
    )
