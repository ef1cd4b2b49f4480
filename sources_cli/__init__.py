"""The integrator's commands: `lawang sources list | check | new | run | findings | ...`.

A room of its own beside `cli.py`, as it joins connectors to the kernel, which the kernel may not.
"""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from lawang.settings import Settings

sources_cli = typer.Typer(
    help="The departments' systems: which there are, what each one sends, and how to add one.",
    no_args_is_help=True,
)

SourceId = Annotated[str, typer.Argument(metavar="ID", help="A file of sources/, without .toml.")]
DataDir = Annotated[
    Path | None, typer.Option("--data-dir", help="Folder of the embedded stores (LAWANG_DATA_DIR).")
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
Number = Annotated[int, typer.Argument(metavar="N", help="The number of `sources findings`.")]
By = Annotated[str, typer.Option("--by", metavar="NAME", help="Who decides.")]
Note = Annotated[str, typer.Option("--note", help="Why.")]


@sources_cli.command("list")
def list_sources(as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Every source: configured or not, and how it is where an installation runs."""
    from lawang.domain.clock import utc_now
    from sources_cli.listing import listing_to_plain, read_listing
    from sources_cli.tables import print_listing

    listing = read_listing(_settings(data_dir), utc_now())
    if as_json:
        _print_json(listing_to_plain(listing))
    else:
        print_listing(listing)


@sources_cli.command()
def check(
    source_id: SourceId,
    sample: Annotated[
        Path | None,
        typer.Option("--sample", metavar="FILE", help="Read this answer; ask no server."),
    ] = None,
    save_sample: Annotated[
        bool,
        typer.Option("--save-sample", help="Keep an answer, masked, in the pack's samples/ID/."),
    ] = False,
    sample_dir: Annotated[
        Path | None,
        typer.Option("--sample-dir", metavar="DIR", help="Keep the masked answer there instead."),
    ] = None,
    listen_s: Annotated[
        float | None,
        typer.Option("--for", metavar="SECONDS", min=0.1, help="How long to listen to a stream."),
    ] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Fetch once, store nothing, and say what arrived and what would become of it.

    Ends with 0 if records arrived and every one can be used, with 1 if not, and with 2 if the
    source could not be read. Of warnings none at all is good news, and a stream may be quiet.
    """
    from lawang.check import findings_to_plain
    from lawang.domain.clock import utc_now
    from sources_cli.checking import Keeping, check_source
    from sources_cli.explain import as_lawang_error
    from sources_cli.report import print_findings
    from sources_cli.tables import print_sample

    keep = Keeping(sample_dir) if save_sample or sample_dir is not None else None
    listen_for = None if listen_s is None else timedelta(seconds=listen_s)
    done = asyncio.run(
        check_source(
            _settings(data_dir), source_id, sample, keep, clock=utc_now, listen_for=listen_for
        )
    )
    findings = done.findings
    if as_json:
        _print_json(findings_to_plain(findings) | {"sample": [str(path) for path in done.written]})
    elif findings.pages or findings.error is None:
        print_findings(findings, done.source, done.city)
        print_sample(done.written)
    if findings.error is not None:
        raise as_lawang_error(done.source, findings.error)
    if not findings.is_good:
        raise typer.Exit(1)


@sources_cli.command()
def new(
    source_id: Annotated[str, typer.Option("--id", help="Small letters, digits, _ or -.")] = "",
    name: Annotated[str, typer.Option("--name", help="What it is called on the wall.")] = "",
    opd: Annotated[str, typer.Option("--opd", help="A department of opd.toml.")] = "",
    connector: Annotated[
        str, typer.Option("--connector", help="rest, tabular, sql, ckan, arcgis, ...")
    ] = "",
    url: Annotated[str, typer.Option("--url", help="Its address; for files, the folder.")] = "",
    yields: Annotated[
        str, typer.Option("--yields", help="What it holds, by commas; a proposal if left out.")
    ] = "",
    auth: Annotated[str, typer.Option("--auth", help="none, header, bearer or basic (rest).")] = "",
    header: Annotated[str, typer.Option("--header", help="The header of the key.")] = "",
    token_env: Annotated[
        str, typer.Option("--token-env", help="The variable that holds the key.")
    ] = "",
    resource: Annotated[str, typer.Option("--resource", help="ckan: the resource's id.")] = "",
    query: Annotated[str, typer.Option("--query", help="sql: one SELECT.")] = "",
    pattern: Annotated[str, typer.Option("--pattern", help="tabular: which files.")] = "",
    every_s: Annotated[float, typer.Option("--every", help="Seconds between polls.")] = 0,
    private: Annotated[
        bool, typer.Option("--private", help="Its server is inside the city's network.")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Ask nothing: flags and proposals stand.")
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Look at a department's live answer, propose the mapping, and write the source's file.

    Nothing is ever overwritten. Ends with 0 when the file was written, whatever is left to do.
    """
    from lawang.domain.clock import utc_now
    from sources_cli.asking import Wishes, ask_wishes
    from sources_cli.creating import create_source
    from sources_cli.proposal import print_created

    settings = _settings(data_dir)
    wishes = Wishes(
        id=source_id, name=name, opd=opd, connector=connector, url=url,
        yields=tuple(filter(None, yields.replace(" ", "").split(","))), auth=auth, header=header,
        token_env=token_env, resource=resource, query=query, pattern=pattern, every_s=every_s,
        private=private,
    )  # fmt: skip
    created = asyncio.run(
        create_source(settings, ask_wishes(settings, wishes, is_quiet=yes), clock=utc_now)
    )
    print_created(created)


@sources_cli.command()
def run(source_id: SourceId, data_dir: DataDir = None) -> None:
    """Poll a source once, into the stores of this installation, if no poller is at work there."""
    from lawang.domain.clock import utc_now
    from lawang.logs import set_up_logs
    from sources_cli.running import poll_once
    from sources_cli.tables import print_poll

    settings = _settings(data_dir)
    set_up_logs(settings.log_format)
    print_poll(asyncio.run(poll_once(settings, source_id, clock=utc_now)))


@sources_cli.command()
def findings(
    source_id: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="Of this source only.")
    ] = None,
    decided: Annotated[bool, typer.Option("--all", help="Those decided or over as well.")] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """What looks wrong in the data of sources, and waits for a person to accept or dismiss it."""
    from sources_cli.deciding import findings_to_json, list_findings
    from sources_cli.tables import print_findings_list

    found, city = list_findings(_settings(data_dir), source_id, decided=decided)
    if as_json:
        _print_json({"findings": findings_to_json(found)})
    else:
        print_findings_list(found, city)


@sources_cli.command()
def accept(number: Number, by: By, note: Note = "", data_dir: DataDir = None) -> None:
    """Count the readings that a finding holds back: somebody looked, and they are right."""
    _decide(number, by, note, data_dir, accept=True)


@sources_cli.command()
def dismiss(number: Number, by: By, note: Note = "", data_dir: DataDir = None) -> None:
    """Leave the readings that a finding holds back out for good: they are wrong."""
    _decide(number, by, note, data_dir, accept=False)


def _decide(number: int, by: str, note: str, data_dir: Path | None, *, accept: bool) -> None:
    from lawang.domain.clock import utc_now
    from sources_cli.deciding import decide
    from sources_cli.tables import print_decided

    settings = _settings(data_dir)
    print_decided(decide(settings, number, accept=accept, by=by, note=note, at=utc_now()))


def _settings(data_dir: Path | None) -> Settings:
    return Settings() if data_dir is None else Settings(data_dir=data_dir)


def _print_json(document: Any) -> None:
    print(json.dumps(document, ensure_ascii=False, indent=1))
