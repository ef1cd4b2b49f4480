"""The integrator's commands: `lawang sources list | check ID | run ID`.

A room of its own beside `cli.py`, as it joins connectors to the kernel, which the kernel may not.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Annotated, Any

import typer

from lawang.settings import Settings

sources_cli = typer.Typer(
    help="The departments' systems: which there are, what each one sends, and one poll by hand.",
    no_args_is_help=True,
)

SourceId = Annotated[str, typer.Argument(metavar="ID", help="A file of sources/, without .toml.")]
DataDir = Annotated[
    Path | None, typer.Option("--data-dir", help="Folder of the embedded stores (LAWANG_DATA_DIR).")
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]


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
        Path | None,
        typer.Option("--save-sample", metavar="DIR", help="Keep an answer there, masked."),
    ] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Fetch once, store nothing, and say what arrived and what would become of it.

    Ends with 0 if records arrived and every one can be used, with 1 if not, and with 2 if the
    source could not be read.
    """
    from lawang.check import findings_to_plain
    from lawang.domain.clock import utc_now
    from sources_cli.checking import check_source
    from sources_cli.explain import as_lawang_error
    from sources_cli.tables import print_findings, print_sample

    done = asyncio.run(
        check_source(_settings(data_dir), source_id, sample, save_sample, clock=utc_now)
    )
    findings = done.findings
    if as_json:
        _print_json(findings_to_plain(findings) | {"sample": [str(path) for path in done.written]})
    elif findings.pages:
        print_findings(findings, done.source, done.city)
        print_sample(done.written)
    if findings.error is not None:
        raise as_lawang_error(done.source, findings.error)
    if not findings.is_good:
        raise typer.Exit(1)


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


def _settings(data_dir: Path | None) -> Settings:
    return Settings() if data_dir is None else Settings(data_dir=data_dir)


def _print_json(document: Any) -> None:
    print(json.dumps(document, ensure_ascii=False, indent=1))
