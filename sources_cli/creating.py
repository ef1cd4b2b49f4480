"""`lawang sources new`: a live answer looked at, a file proposed, proven to load, and written."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from connectors.registry import bind, get
from lawang.check import Findings, Heard, examine
from lawang.city import City, Source, load_city
from lawang.city.source import read_source
from lawang.connector import Answer
from lawang.domain.clock import Clock
from lawang.domain.errors import LawangError, SourceError
from lawang.mapping import NEEDED
from lawang.propose import (
    Draft,
    MeasureDraft,
    Proposal,
    guess_paging,
    propose,
    with_time,
    write_toml,
)
from lawang.settings import Settings
from sources_cli.asking import TEMPLATES, Wishes
from sources_cli.checking import Keeping, keep_sample
from sources_cli.drafting import (
    PROBE,
    connection,
    network,
    probe_kinds,
    secret_variables,
    template,
    variables,
)
from sources_cli.explain import explain
from sources_cli.filenames import date_in_name
from sources_cli.listening import ask
from sources_cli.rows import WITH_ROWS, rows_of


@dataclass(frozen=True, slots=True)
class Created:
    """What was written, and what the file as it stands makes of the answer.

    `findings` is None where no answer could be looked at; `notes` are for the person to do.
    """

    file: Path
    sample: tuple[Path, ...]
    source: Source
    city: City
    findings: Findings | None
    variables: dict[str, str]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Bench:
    """Where drafts are tried: a folder of their own, the city, and the environment."""

    folder: Path
    wishes: Wishes
    city: City
    env: Mapping[str, str]

    def load(self, text: str) -> Source:
        """A draft as a source, its connector's options proven. Raises PackError."""
        file = self.folder / f"{self.wishes.id}.toml"
        file.write_text(text, encoding="utf-8")
        source = read_source(file, self.city.opds, self.city.categories, self.env)
        bind(source)
        return source


async def create_source(settings: Settings, wishes: Wishes, *, clock: Clock) -> Created:
    """Propose and write one source. Raises LawangError, and writes nothing, where it cannot be."""
    city = load_city(settings.pack_dir, settings.data_dir, simulated=settings.demo)
    with tempfile.TemporaryDirectory() as folder:
        bench = _Bench(Path(folder), wishes, city, _environment(wishes))
        return await _create(settings, bench, clock)


async def _create(settings: Settings, bench: _Bench, clock: Clock) -> Created:
    wishes, city = bench.wishes, bench.city
    connector = get(wishes.connector)
    draft = _first_draft(wishes, city)
    notes: list[str] = []
    heard: Heard | None = None
    if wishes.connector not in TEMPLATES:
        heard = await _look(bench, draft, clock)
        draft, notes = _complete(bench, draft, heard)
    text = write_toml(draft)
    source = bench.load(text)
    options = bind(source)
    file = settings.pack_dir / "sources" / f"{wishes.id}.toml"
    findings = None
    sample: list[Path] = []
    _write(file, text)
    if heard is not None:
        findings = examine(heard, source, connector, options, city)
        if 2 * findings.repeated > findings.records:
            notes.append(
                "many rows share a subject and a time: tell measures apart by where = "
                "\"column == 'word'\", or add them up by aggregate"
            )
        try:
            answer = _answer_with_body(heard)
            sample = keep_sample(settings, Keeping(None), answer, source, connector, options, city)
        except (LawangError, SourceError) as error:
            notes.append(f"no sample was kept: {error}")
    return Created(
        file=file,
        sample=tuple(sample),
        source=replace(source, file=file),
        city=city,
        findings=findings,
        variables=variables(wishes),
        notes=tuple(notes),
    )


def _environment(wishes: Wishes) -> Mapping[str, str]:
    """The environment, with the address that was given by flag."""
    env = dict(os.environ)
    if wishes.url:
        env[f"{wishes.prefix}_URL"] = wishes.url
    missing = [
        name
        for name in secret_variables(wishes)
        if not (env.get(name) or env.get(f"{name}_FILE")) and wishes.connector not in TEMPLATES
    ]
    if missing:
        raise LawangError(
            f"set {', '.join(missing)} to the key first (or {missing[0]}_FILE to the path of a "
            "file that holds it): without it no answer can be looked at"
        )
    return env


def _first_draft(wishes: Wishes, city: City) -> Draft:
    connector = get(wishes.connector)
    kinds = probe_kinds(wishes, connector)
    return Draft(
        name=wishes.name,
        opd=wishes.opd,
        connector=wishes.connector,
        yields=kinds,
        every_s=wishes.every_s,
        timeout_s=min(60.0, wishes.every_s * 0.8),
        connection=_with_what_is_needed(wishes, city),
        network=network(wishes),
        categories=tuple(city.categories),
        template=template(wishes, kinds),
    )


def _with_what_is_needed(wishes: Wishes, city: City) -> dict[str, Any]:
    made = connection(wishes)
    if wishes.connector == "bmkg":
        box = city.bbox
        made["latitude"] = round((box.south + box.north) / 2, 3)
        made["longitude"] = round((box.west + box.east) / 2, 3)
    return made


async def _look(bench: _Bench, draft: Draft, clock: Clock) -> Heard:
    """Fetch as the draft says; LawangError with what to do when nothing comes."""
    source = bench.load(_probe_text(draft))
    heard = await ask(source, get(draft.connector), bind(source), clock)
    if heard.error is not None and not any(answer.body for answer in heard.answers):
        hint = "; if that is right, add --private" if heard.error.kind == "private_address" else ""
        raise LawangError(
            f"no answer to look at: {explain(heard.error.kind, heard.error.detail)}{hint}"
        )
    if not any(answer.body for answer in heard.answers):
        raise LawangError("no answer came, so there is nothing to look at; are there files, rows?")
    return heard


def _probe_text(draft: Draft) -> str:
    """A file with which an answer can be fetched, whatever is in it."""
    if draft.connector not in WITH_ROWS:
        return write_toml(draft)
    return write_toml(draft) + _probe_tables(draft.yields)


def _probe_tables(yields: tuple[str, ...]) -> str:
    lines = ["[fields]", *(f'{key} = "{path}"' for key, path in PROBE["fields"].items())]
    if "alerts" in yields:
        lines.append('event = "event"')
    if "readings" in yields:
        lines += ["[measures.apa_pun]", 'name_id = "-"', 'name_en = "-"', 'aggregate = "count"']
    return "\n" + "\n".join(lines) + "\n"


def _complete(bench: _Bench, draft: Draft, heard: Heard) -> tuple[Draft, list[str]]:
    """The draft with what the answer tells, and what it does not tell."""
    wishes, city = bench.wishes, bench.city
    if wishes.connector not in WITH_ROWS:
        return _from_words(bench, draft, heard), []
    answer = _answer_with_body(heard)
    source = bench.load(_probe_text(draft))
    try:
        found, document = rows_of(wishes.connector, answer, bind(source))
    except SourceError as error:
        raise LawangError(f"no answer to look at: {explain(error.kind, error.detail)}") from None
    proposal = propose(found.rows, city.gazetteer, city.bbox, wishes.yields)
    made = dict(draft.connection)
    if wishes.connector == "rest":
        made["records"] = found.expression
        paging = guess_paging(document, len(found.rows))
        if paging is not None:
            made["paging"] = paging
    if wishes.connector == "tabular" and "observed_at" not in proposal.fields:
        dated = date_in_name(answer.kind)
        if dated is not None and "readings" in proposal.yields:
            made["name_regex"] = dated.regex
            proposal = with_time(proposal, "_name.tanggal", dated.form, dated.period)
    notes = list(proposal.notes)
    completed = replace(
        draft,
        yields=proposal.yields,
        connection=made,
        proposal=proposal,
        template=(),
    )
    return _without_gaps(completed, proposal), notes


def _without_gaps(draft: Draft, proposal: Proposal) -> Draft:
    """A draft that loads although a field it needs was not found: a person has to name it."""
    fields = dict(proposal.fields)
    for kind in proposal.yields:
        for name in NEEDED[kind]:
            fields.setdefault(name, "_belum_ditentukan")
    measures = proposal.measures
    if "readings" in proposal.yields and not measures:
        measures = {"contoh": MeasureDraft("Contoh", "", "gauge", "instant", "_belum_ditentukan")}
    return replace(draft, proposal=replace(proposal, fields=fields, measures=measures))


def _from_words(bench: _Bench, draft: Draft, heard: Heard) -> Draft:
    """For a protocol whose fields are fixed: the words of its answer, to be mapped."""
    source = bench.load(write_toml(draft))
    found = examine(heard, source, get(draft.connector), bind(source), bench.city)
    proposal = Proposal(
        yields=draft.yields,
        fields={},
        times=(),
        decimal=".",
        measures={},
        drop=(),
        category_words=tuple(word for word in found.unknown_categories if word),
        status_words=tuple(word for word in found.unknown_statuses if word),
    )
    return replace(draft, proposal=proposal)


def _answer_with_body(heard: Heard) -> Answer:
    """The largest answer: beside it stand descriptions and indexes."""
    return max(heard.answers, key=lambda answer: len(answer.body))


def _write(file: Path, text: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8") as out:
            out.write(text)
    except FileExistsError:
        raise LawangError(f"{file} is there already, and is never overwritten") from None
    except OSError as error:
        raise LawangError(f"{file} cannot be written: {error.strerror or error}") from None
