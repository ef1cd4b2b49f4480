"""The commands about the city's own rules: `lawang rules list | state | test`.

A room of its own beside `kpi_cli`; it shares the way of printing of `sources_cli`.
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from lawang.settings import Settings

rules_cli = typer.Typer(
    help="The rules that raise alerts: what they are, how they stand, and what they would say.",
    no_args_is_help=True,
)

DataDir = Annotated[
    Path | None, typer.Option("--data-dir", help="Folder of the embedded stores (LAWANG_DATA_DIR).")
]
AsJson = Annotated[bool, typer.Option("--json", help="JSON on standard output.")]
_TIMES = ["%Y-%m-%dT%H:%M", "%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]


@rules_cli.command("list")
def list_rules(as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Every rule of the pack: when it raises an alert, who acts, and when it is silent."""
    from rules_cli.listing import read_city, rules_to_plain
    from rules_cli.tables import print_rules

    city = read_city(_settings(data_dir))
    if as_json:
        _print_json(rules_to_plain(city))
    else:
        print_rules(city)


@rules_cli.command()
def state(as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """How the rules stand: open alerts, what is about to become one, what nobody can tell."""
    from lawang.domain.clock import utc_now
    from rules_cli.listing import read_state, state_to_plain
    from rules_cli.tables import print_state

    standing = read_state(_settings(data_dir))
    if as_json:
        _print_json(state_to_plain(standing, utc_now()))
    else:
        print_state(standing, utc_now())


@rules_cli.command("test")
def play_recording(
    file: Annotated[
        Path | None, typer.Argument(help="A recording, as lines of JSON; without it, history.")
    ] = None,
    expect: Annotated[
        Path | None,
        typer.Option("--expect", help="Transitions it has to lead to; else NAME.expected.jsonl."),
    ] = None,
    since: Annotated[
        datetime | None, typer.Option(formats=_TIMES, help="Of history: from then, in city time.")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(formats=_TIMES, help="Of history: to then, in city time.")
    ] = None,
    rule: Annotated[list[str] | None, typer.Option("--rule", help="Only these.")] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Play a recording, or a stretch of history, through the rules; say when each would change.

    Nothing is written. Ends with 1 where what was expected is something else.
    """
    from lawang.rules.replay import compare, transition_to_plain
    from rules_cli.playing import find_expected, play_file, play_history
    from rules_cli.tables import print_difference, print_transitions

    settings = _settings(data_dir)
    if file is not None:
        if since or until:
            raise typer.BadParameter("--since and --until are of history: leave the file out.")
        found, city = play_file(settings, file, rule or ())
    else:
        found, city = play_history(settings, since, until, rule or ())
    plain = [transition_to_plain(each) for each in found]
    if as_json:
        for each in plain:
            print(json.dumps(each, ensure_ascii=False))
    else:
        print_transitions(found, city)
    expected = find_expected(file, expect)
    if expected is None:
        return
    extra, missing = compare(plain, expected)
    if extra or missing:
        print_difference(extra, missing)
        raise typer.Exit(1)


def _settings(data_dir: Path | None) -> Settings:
    return Settings() if data_dir is None else Settings(data_dir=data_dir)


def _print_json(content: Any) -> None:
    print(json.dumps(content, ensure_ascii=False, indent=2))
