"""What `lawang sources new` is to make, from flags and from questions at a terminal."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

import typer

from connectors.registry import get, list_names
from lawang.city import City, load_city
from lawang.connector import KINDS
from lawang.domain.errors import LawangError
from lawang.settings import Settings

_ID = re.compile(r"[a-z][a-z0-9_-]*")
_AUTHS = ("none", "header", "bearer", "basic")
_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")
#: Connectors whose file cannot be proposed from an answer: a template to complete is written.
TEMPLATES = ("mqtt", "webhook", "bmkg")
_EVERY_S = {"tabular": 900.0, "ckan": 3600.0, "sql": 300.0, "gtfs_rt": 30.0, "cap": 120.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What a person asked for. Empty texts are left to proposals."""

    id: str
    name: str
    opd: str
    connector: str
    url: str
    yields: tuple[str, ...] = ()
    auth: str = ""
    header: str = ""
    token_env: str = ""
    resource: str = ""
    query: str = ""
    pattern: str = ""
    every_s: float = 0
    private: bool = False

    @property
    def prefix(self) -> str:
        """How the names of this source's variables begin."""
        return "LAWANG_" + re.sub(r"[^A-Z0-9]", "_", self.id.upper())


def ask_wishes(settings: Settings, given: Wishes, *, is_quiet: bool) -> Wishes:
    """Ask for what is missing, or with `is_quiet` refuse to go on without it; then check it all.

    Raises LawangError with what is wrong and which flag says it.
    """
    city = load_city(settings.pack_dir, settings.data_dir, simulated=settings.demo)

    def ask(value: str, flag: str, question: str, usual: str = "") -> str:
        if value:
            return value
        if is_quiet:
            if usual:
                return usual
            raise LawangError(f"{flag} is missing ({question})")
        answer: str = typer.prompt(question, default=usual or None)
        return answer.strip()

    source_id = ask(given.id, "--id", "Its id, in small letters, such as lapor_pohon")
    if not _ID.fullmatch(source_id):
        raise LawangError(f"--id {source_id!r} must be small letters, digits, _ or -")
    _refuse_known(settings, source_id)
    opd = ask(given.opd, "--opd", f"The department ({', '.join(sorted(city.opds))})")
    connector = ask(
        given.connector, "--connector", f"How it speaks ({', '.join(list_names())})", "rest"
    )
    wishes = replace(
        given,
        id=source_id,
        name=ask(given.name, "--name", "What it is called on the wall", source_id),
        opd=opd,
        connector=connector,
        every_s=given.every_s or _EVERY_S.get(connector, 300.0),
    )
    _check(wishes, city)
    if connector != "webhook":
        wishes = replace(wishes, url=ask(given.url, "--url", "Its address, or the folder of files"))
    if connector == "ckan":
        wishes = replace(wishes, resource=ask(given.resource, "--resource", "The resource's id"))
    if connector == "sql":
        wishes = replace(wishes, query=ask(given.query, "--query", "One SELECT for the rows"))
    if connector == "rest":
        usual = "header" if given.header or given.token_env else "none"
        auth = ask(given.auth, "--auth", f"How it wants a key ({', '.join(_AUTHS)})", usual)
        if auth not in _AUTHS:
            raise LawangError(f"--auth {auth!r} is not one of {', '.join(_AUTHS)}")
        wishes = replace(wishes, auth=auth, header=given.header or "X-Api-Key")
    if given.token_env and not _VARIABLE.fullmatch(given.token_env):
        raise LawangError("--token-env must be the name of a variable, never the key itself")
    return wishes


def _refuse_known(settings: Settings, source_id: str) -> None:
    file = settings.pack_dir / "sources" / f"{source_id}.toml"
    if file.exists():
        raise LawangError(f"{file} is there already, and is never overwritten: take another --id")


def _check(wishes: Wishes, city: City) -> None:
    if wishes.opd not in city.opds:
        known = ", ".join(sorted(city.opds))
        raise LawangError(f"--opd {wishes.opd!r} is not in opd.toml, which knows: {known}")
    connector = get(wishes.connector)
    for kind in wishes.yields:
        if kind not in connector.kinds:
            able = ", ".join(each for each in KINDS if each in connector.kinds)
            raise LawangError(f"{wishes.connector} cannot yield {kind!r}, only {able}")
    if "@" in urlsplit(wishes.url).netloc and wishes.connector != "sql":
        raise LawangError("--url must hold no user and no password")
