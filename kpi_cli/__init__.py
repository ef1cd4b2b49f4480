"""The commands about indicators: `lawang kpi list | check | rebuild`.

A room of its own beside `sources_cli`, whose ways of reading and printing it shares.
"""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from lawang.domain.kpi import Span
from lawang.settings import Settings

kpi_cli = typer.Typer(
    help="The indicators: what they are, what they say, and from which records.",
    no_args_is_help=True,
)

DataDir = Annotated[
    Path | None, typer.Option("--data-dir", help="Folder of the embedded stores (LAWANG_DATA_DIR).")
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
OfSpan = Annotated[Span, typer.Option("--span", help="The horizon.")]
Day = Annotated[
    datetime | None,
    typer.Option("--day", formats=["%Y-%m-%d"], help="Its last day; else the last complete one."),
]


@kpi_cli.command("list")
def list_kpis(as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Every indicator of the pack: what it is made from, and what it is held to."""
    from kpi_cli.checking import definitions, definitions_to_plain
    from kpi_cli.tables import print_definitions

    city = definitions(_settings(data_dir))
    if as_json:
        _print_json(definitions_to_plain(city))
    else:
        print_definitions(city)


@kpi_cli.command()
def check(
    kpi_id: Annotated[str | None, typer.Argument(metavar="[ID]", help="This one, in full.")] = None,
    span: OfSpan = Span.MONTH,
    day: Day = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Work numbers out from their records, and compare them with what the pages show.

    Ends with 1 where they differ, which for up to a minute after a change they may.
    """
    from kpi_cli.checking import check_kpis, checked_to_plain
    from kpi_cli.tables import print_checked, print_explained
    from lawang.domain.clock import utc_now

    checked = check_kpis(_settings(data_dir), kpi_id, span, _date(day), utc_now())
    if as_json:
        _print_json(checked_to_plain(checked))
    elif kpi_id is None:
        print_checked(checked)
    else:
        print_explained(checked)
    if not all(each.agrees for each in checked.explained):
        raise typer.Exit(1)


@kpi_cli.command()
def rebuild(
    kpi_id: Annotated[str | None, typer.Argument(metavar="[ID]", help="Only this one.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Work out every day of all indicators from their records anew; records stay as they are."""
    from kpi_cli.checking import rebuild_kpis
    from lawang.domain.clock import utc_now

    turn = rebuild_kpis(_settings(data_dir), kpi_id, utc_now())
    print(f"Worked out anew: {len(turn.rebuilt)} indicators, {turn.changed} daily facts changed.")


def _date(given: datetime | None) -> date | None:
    return None if given is None else given.date()


def _settings(data_dir: Path | None) -> Settings:
    return Settings() if data_dir is None else Settings(data_dir=data_dir)


def _print_json(document: Any) -> None:
    print(json.dumps(document, ensure_ascii=False, indent=1))
