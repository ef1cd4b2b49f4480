"""`lawang sources check`: one fetch, or one file in its place, examined."""

from __future__ import annotations

import mimetypes
import re
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from connectors.http import client_for
from connectors.registry import bind, get
from lawang.check import Findings, Heard, examine, hear
from lawang.city import City, Source, load_city
from lawang.connector import Answer, Connector, FetchContext, Options
from lawang.domain.clock import Clock
from lawang.domain.errors import LawangError, SourceError
from lawang.sample import write_sample
from lawang.settings import Settings
from sources_cli.explain import find_source, refuse_unset

#: Stands where a variable is not set while a file is read in place of the server.
_NOWHERE = "http://127.0.0.1/"


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found, and the files of the sample that it wrote."""

    findings: Findings
    source: Source
    city: City
    written: tuple[Path, ...]


async def check_source(
    settings: Settings,
    source_id: str,
    sample: Path | None,
    save_to: Path | None,
    *,
    clock: Clock,
) -> Checked:
    """Check one source by its server, or by the file `sample`; only `save_to` is written to.

    Raises LawangError for an unknown or unconfigured source and for files that cannot be used;
    what the source's server does wrong is in the findings.
    """
    city = load_city(settings.pack_dir, settings.data_dir, simulated=settings.demo)
    source = find_source(city, source_id)
    if sample is None:
        refuse_unset(source)
    else:
        source = _without_references(source)
    options, connector = bind(source), get(source.connector)
    if sample is None:
        heard = await _ask(source, connector, options, clock)
    else:
        heard = _read(sample, clock)
    findings = examine(heard, source, connector, options, city)
    written: list[Path] = []
    if save_to is not None and heard.answers:
        answer = _most_telling(heard, connector, options)
        written = write_sample(save_to, answer, source, options)
    return Checked(findings, source, city, tuple(written))


async def _ask(source: Source, connector: Connector, options: Options, clock: Clock) -> Heard:
    timeout = timedelta(seconds=source.timeout_s)
    async with client_for(timeout) as client:
        limit = getattr(options, "max_bytes", 20_000_000)
        return await hear(connector, options, FetchContext(client, clock, timeout, limit))


def _read(file: Path, clock: Clock) -> Heard:
    try:
        body = file.read_bytes()
    except OSError as error:
        raise LawangError(f"{file} cannot be read: {error.strerror or error}") from None
    content_type = mimetypes.guess_type(file.name)[0] or ""
    return Heard((Answer(body, content_type, clock()),), None, 0.0)


def _most_telling(heard: Heard, connector: Connector, options: Options) -> Answer:
    """The first answer with records; a sample needs no further pages."""
    for answer in heard.answers:
        try:
            parsed = connector.parse(options, answer)
        except SourceError:
            continue
        if parsed.reports or parsed.rejects:
            return answer
    return heard.answers[0]


def _without_references(source: Source) -> Source:
    """The source with an address that leads nowhere in the place of each unset variable."""
    if not source.unset:
        return source
    pattern = re.compile(rf"\$\{{(?:{'|'.join(map(re.escape, source.unset))})\}}")

    def fill(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: fill(each) for key, each in value.items()}
        if isinstance(value, list):
            return [fill(each) for each in value]
        return pattern.sub(_NOWHERE, value) if isinstance(value, str) else value

    return replace(source, connection=fill(source.connection), unset=())
