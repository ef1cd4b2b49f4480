"""The commands about screens: `lawang screens list | check | token`.

A room of its own beside `kpi_cli` and `sources_cli`, whose ways of printing it shares.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from lawang.settings import Settings

screens_cli = typer.Typer(
    help="The walls: what each shows and when, whether the file is right, and their keys.",
    no_args_is_help=True,
)
token_cli = typer.Typer(
    help="Keys for walls: they read, can be revoked, and are shown once.", no_args_is_help=True
)
screens_cli.add_typer(token_cli, name="token")

DataDir = Annotated[
    Path | None, typer.Option("--data-dir", help="Folder of the embedded stores (LAWANG_DATA_DIR).")
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]


@screens_cli.command("list")
def list_screens(as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Every screen of the pack: how it is, what it should show now and what comes next."""
    from screens_cli.listing import read_screens_now, screens_to_plain
    from screens_cli.tables import print_screens

    found = read_screens_now(_settings(data_dir))
    if as_json:
        _print_json(screens_to_plain(found))
    else:
        print_screens(found)


@screens_cli.command()
def check(as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Read the pack's screens.toml as the centre does; ends with 2 and file, line and key of a
    mistake."""
    from screens_cli.listing import check_file
    from screens_cli.tables import print_programme

    programme = check_file(_settings(data_dir))
    if as_json:
        _print_json(
            {
                "screens": list(programme.screens),
                "scenes": list(programme.scenes),
                "playlists": list(programme.playlists),
                "schedule": [each.id for each in programme.schedule],
                "interrupts": [each.id for each in programme.interrupts],
                "status_levels": [each.number for each in programme.status.levels],
            }
        )
    else:
        print_programme(programme)


@token_cli.command("new")
def new_token(
    name: Annotated[str, typer.Argument(help="Which wall or room it is for.")],
    by: Annotated[str, typer.Option("--by", help="Your name.")],
    screen: Annotated[
        str | None, typer.Option("--screen", help="It opens only this screen.")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Make a key and print it. It is shown this once: only its digest is kept."""
    from screens_cli.tokens import make

    token, key = make(_settings(data_dir), name, by, screen)
    # The key alone on standard output, so that a script gets nothing else.
    typer.echo(f"Key {token.id} for {token.name}; it is not shown again:", err=True)
    typer.echo(key)
    wall = f"/wall/{screen}" if screen else "/wall/<screen>"
    typer.echo(f"Open once on the wall: http://<server>{wall}?token={key}", err=True)


@token_cli.command("list")
def list_tokens(as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """All keys, without the keys: for whom, by whom, when used last, whether revoked."""
    from screens_cli.tables import print_tokens
    from screens_cli.tokens import known, to_plain

    found = known(_settings(data_dir))
    if as_json:
        _print_json([to_plain(each) for each in found])
    else:
        print_tokens(found)


@token_cli.command()
def revoke(
    number: Annotated[int, typer.Argument(help="Its number in the list.")],
    data_dir: DataDir = None,
) -> None:
    """Make a key worthless, from its wall's next heartbeat on."""
    from screens_cli.tokens import revoke as revoke_token

    revoke_token(_settings(data_dir), number)
    typer.echo(f"Key {number} is revoked.")


def _settings(data_dir: Path | None) -> Settings:
    return Settings() if data_dir is None else Settings(data_dir=data_dir)


def _print_json(document: Any) -> None:
    print(json.dumps(document, ensure_ascii=False, indent=1))
