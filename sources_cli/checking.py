"""`lawang sources check`: one fetch, or one file in its place, examined."""

from __future__ import annotations

import json
import mimetypes
import re
import tomllib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from connectors.registry import bind, get
from lawang.check import (
    Findings,
    Heard,
    describe_parsed,
    describe_settled,
    examine,
)
from lawang.city import City, Source, load_city
from lawang.connector import Answer, Connector, Options
from lawang.domain.clock import Clock
from lawang.domain.errors import LawangError, SourceError
from lawang.sample import clean_for, write_sample
from lawang.settings import Settings
from sources_cli.explain import find_source, refuse_unset
from sources_cli.listening import ask
from sources_cli.pushing import refuse_pushed
from sources_cli.stored import read_past

#: Stands where a variable is not set while a file is read in place of the server.
NOWHERE = "http://127.0.0.1/"


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found, and the files of the sample that it wrote."""

    findings: Findings
    source: Source
    city: City
    written: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Keeping:
    """Where a sample goes: `folder`, or the pack's own for this source if None."""

    folder: Path | None


async def check_source(
    settings: Settings,
    source_id: str,
    sample: Path | None,
    keep: Keeping | None,
    *,
    clock: Clock,
    listen_for: timedelta | None = None,
) -> Checked:
    """Check one source by its server, or by the file `sample`; only `keep` writes anything.

    Raises LawangError for an unknown or unconfigured source and for files that cannot be used;
    what the source's server does wrong is in the findings.
    """
    city = load_city(settings.pack_dir, settings.data_dir, simulated=settings.demo)
    source = find_source(city, source_id)
    if sample is None:
        refuse_pushed(source)
        refuse_unset(source)
    else:
        source = without_references(source)
    options, connector = bind(source), get(source.connector)
    if sample is None:
        heard = await ask(source, connector, options, clock, listen_for)
    else:
        heard = read_answer(sample, clock)
    past, history = read_past(settings, source.id)
    findings = examine(heard, source, connector, options, city, past=past, history=history)
    written: list[Path] = []
    if keep is not None and heard.answers:
        answer = _most_telling(heard, connector, options)
        written = keep_sample(settings, keep, answer, source, connector, options, city)
    return Checked(findings, source, city, tuple(written))


def keep_sample(
    settings: Settings,
    keep: Keeping,
    answer: Answer,
    source: Source,
    connector: Connector,
    options: Options,
    city: City,
) -> list[Path]:
    """Write a masked sample with what it means, so that the contract suite can replay it."""
    own = settings.pack_dir / "samples" / source.id
    folder = keep.folder or next(own / name for name in _case_names() if not (own / name).exists())
    cleaned = clean_for(answer, source, options).answer
    expected = json.dumps(
        describe_sample(cleaned, source, connector, options, city), ensure_ascii=False, indent=1
    )
    return write_sample(
        folder,
        answer,
        source,
        options,
        with_options=keep.folder is not None,
        further={"expected.json": expected + "\n"},
    )


def _case_names() -> Any:
    yield "normal"
    number = 2
    while True:
        yield f"normal-{number}"
        number += 1


def describe_sample(
    answer: Answer, source: Source, connector: Connector, options: Options, city: City
) -> dict[str, Any]:
    """What a sample means, parsed and settled. Raises SourceError for what is no answer."""
    parsed = connector.parse(options, answer)
    heard = Heard((answer,), None, 0.0)
    found = examine(heard, source, connector, options, city)
    return {**describe_parsed(parsed), "settled": describe_settled(found)}


def read_answer(file: Path, clock: Clock) -> Heard:
    """A sample in place of a server, with the `[answer]` of the options.toml beside it, if any."""
    try:
        body = file.read_bytes()
        beside = file.parent / "options.toml"
        stated = tomllib.loads(beside.read_text("utf-8")) if beside.is_file() else {}
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise LawangError(f"{file} cannot be read: {reason}") from None
    answer = stated.get("answer", {})
    content_type = answer.get("content_type") or mimetypes.guess_type(file.name)[0] or ""
    fetched_at = answer.get("fetched_at")
    return Heard(
        (
            Answer(
                body,
                content_type,
                fetched_at if isinstance(fetched_at, datetime) else clock(),
                kind=answer.get("kind", ""),
                delivery=answer.get("delivery"),
            ),
        ),
        None,
        0.0,
    )


def _most_telling(heard: Heard, connector: Connector, options: Options) -> Answer:
    """The first answer with records; a sample needs no further pages."""
    for answer in heard.answers:
        try:
            parsed = connector.parse(options, answer)
        except SourceError:
            continue
        if parsed.records:
            return answer
    return heard.answers[0]


def without_references(source: Source) -> Source:
    """The source with an address that leads nowhere in the place of each unset variable."""
    if not source.unset:
        return source
    pattern = re.compile(rf"\$\{{(?:{'|'.join(map(re.escape, source.unset))})\}}")

    def fill(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {name: fill(each, name) for name, each in value.items()}
        if isinstance(value, list):
            return [fill(each) for each in value]
        if not isinstance(value, str):
            return value
        return _fill(value, key, source.connector, pattern)

    return replace(source, connection=fill(source.connection), unset=())


#: An address of another protocol, by connector and key.
_ELSEWHERE = {
    ("sql", "url"): "sqlite:////nowhere.sqlite3",
    ("mqtt", "url"): "mqtt://127.0.0.1",
    ("tabular", "location"): "/nowhere",
    ("arcgis", "url"): f"{NOWHERE}FeatureServer/0",
}


def _fill(value: str, key: str, connector: str, pattern: re.Pattern[str]) -> str:
    elsewhere = _ELSEWHERE.get((connector, key))
    if elsewhere is not None and pattern.search(value):
        return elsewhere
    # What only begins with a variable is an address; a path below it is kept.
    return pattern.sub(NOWHERE.rstrip("/") if "}/" in value else NOWHERE, value)
