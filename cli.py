"""The command line: `lawang up | web | poll | simulate | sources | kpi | rules | bench ...`."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from brief.cli import brief_cli
from kpi_cli import kpi_cli
from lawang import __version__
from lawang.domain.errors import BoundaryError, LawangError
from lawang.settings import Settings
from rules_cli import rules_cli
from screens_cli import screens_cli
from sources_cli import sources_cli

if TYPE_CHECKING:
    from lawang.city.imported import ImportReport

cli = typer.Typer(
    name="lawang",
    help="Lawang Jabo: a city's command centre. Every number with its age.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
boundaries_cli = typer.Typer(
    help="The lines on the map: the pack's approximate ones, or an official file.",
    no_args_is_help=True,
)
cli.add_typer(boundaries_cli, name="boundaries")
cli.add_typer(sources_cli, name="sources")
cli.add_typer(kpi_cli, name="kpi")
cli.add_typer(rules_cli, name="rules")
cli.add_typer(screens_cli, name="screens")
cli.add_typer(brief_cli, name="brief")
console = Console(stderr=True)

DataDir = Annotated[
    Path | None, typer.Option("--data-dir", help="Folder of the embedded stores (LAWANG_DATA_DIR).")
]
ScenarioSpeed = Annotated[
    float,
    typer.Option(
        "--scenario-speed", min=0.1, max=100, help="The scenario alone, so many times as fast."
    ),
]
ScenarioBegun = Annotated[
    float,
    typer.Option(
        "--scenario-begun", min=0, max=2880, help="Minutes of the scenario that are over already."
    ),
]


def main() -> None:
    """Run the command line; a mistake is one sentence and exit code 2, not a trace."""
    try:
        cli()
    except LawangError as error:
        console.print(
            f"lawang: {error}", style="bold red", markup=False, highlight=False, soft_wrap=True
        )
        sys.exit(2)


@cli.command()
def version() -> None:
    """Print the version."""
    print(__version__)


@cli.command()
def up(
    demo: Annotated[
        bool, typer.Option("--demo", help="With simulated departments, to look around.")
    ] = False,
    port: Annotated[int | None, typer.Option(help="Port of the web process.")] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    data_dir: DataDir = None,
    seed: Annotated[int, typer.Option(help="Seed of the simulated city.")] = 1671,
    factor: Annotated[float, typer.Option(help="Volume of the simulated city; 1 is real.")] = 1.0,
    scenario: Annotated[str, typer.Option(help="What happens to the simulated city.")] = "",
    scenario_speed: ScenarioSpeed = 1.0,
    scenario_begun: ScenarioBegun = 0.0,
) -> None:
    """Run everything on this machine: Valkey, poller, web, and in a demo the departments."""
    from lawang.store.embedded import EmbeddedValkey
    from lawang.supervise import Child, Supervisor, refuse_busy_port

    settings = _settings(data_dir=data_dir, port=port, host=host)
    if scenario:
        _check_scenario(scenario, demo)
    refuse_busy_port(settings.host, settings.port, "the pages")
    simulator_url = settings.simulator_url
    simulated_env: dict[str, str] = {}
    if demo:
        refuse_busy_port("127.0.0.1", settings.port + 1, "the simulated departments")
        refuse_busy_port("127.0.0.1", settings.port + 2, "the simulated MQTT broker")
        simulator_url = f"http://127.0.0.1:{settings.port + 1}"
        simulated_env = {
            "LAWANG_SIMULATOR_DIR": str((settings.data_dir / "simulator").resolve()),
            "LAWANG_SIMULATOR_MQTT": f"127.0.0.1:{settings.port + 2}",
        }
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    env = {
        "LAWANG_DATA_DIR": str(settings.data_dir.resolve()),
        "LAWANG_PORT": str(settings.port),
        "LAWANG_HOST": settings.host,
        "LAWANG_CITY": str(settings.pack_dir),
        **({"LAWANG_SIMULATOR_URL": simulator_url} if simulator_url else {}),
        **simulated_env,
    }
    _check_before_start(settings.model_copy(update={"simulator_url": simulator_url}), env)

    valkey: EmbeddedValkey | None = None
    if not settings.redis_url.get_secret_value():
        valkey = EmbeddedValkey(settings.data_dir)
        valkey.start()
        console.print(f"   valkey │ live state (pid {valkey.pid})", highlight=False)
        env["LAWANG_REDIS_URL"] = valkey.url
    me = [sys.executable, "-m", "cli"]
    env["PYTHONPATH"] = os.pathsep.join(part for part in sys.path if part)
    children = [
        Child(
            "poller",
            "polls the sources, computes the board",
            [*me, "poll"],
            env,
            # Else every department would be found dead once, and left alone for an interval.
            after=f"{simulator_url}/_health" if demo else "",
        ),
        Child("web", "serves pages, stream and API", [*me, "web"], env),
    ]
    if demo:
        serve = [*me, "simulate", "--port", str(settings.port + 1), "--seed", str(seed)]
        serve += ["--factor", str(factor), "--mqtt-port", str(settings.port + 2)]
        serve += ["--push-url", _own_address(settings)]
        if scenario:
            serve += ["--scenario", scenario, "--scenario-speed", str(scenario_speed)]
            serve += ["--scenario-begun", str(scenario_begun)]
        children.insert(0, Child("simulator", "simulated departments", serve, env))

    shown_host = "localhost" if settings.host in ("127.0.0.1", "0.0.0.0") else settings.host  # noqa: S104
    address = f"http://{shown_host}:{settings.port}"

    def announce(seconds: float) -> None:
        console.print(
            f"\n  Lawang Jabo is open at {address}  ({seconds:.1f} s)\n"
            f"  Wall {address}/wall · Mayor {address}/mayor · Sources {address}/sources · "
            f"API {address}/docs"
            + (f"\n  Simulated departments {simulator_url}" if demo else "")
            + "\n  Ctrl-C ends it.\n",
            highlight=False,
            soft_wrap=True,
        )

    def say(line: str) -> None:
        console.print(line, highlight=False, markup=False, soft_wrap=True)

    supervisor = Supervisor(children, valkey, say)
    supervisor.run(f"http://127.0.0.1:{settings.port}/healthz", announce)


def _check_scenario(name: str, demo: bool) -> None:
    from lawang.domain.errors import SettingsError
    from simulator.scenario import scenario_file

    if not demo:
        raise SettingsError("--scenario needs --demo: only the simulated city plays one.")
    scenario_file(name)


def _own_address(settings: Settings) -> str:
    """Where another process of this machine reaches the web process."""
    everywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104
    host = everywhere.get(settings.host, settings.host)
    return f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"


def _check_before_start(settings: Settings, env: dict[str, str]) -> None:
    """Read the pack once before anything starts: a mistake in it is said here, and only once."""
    from brief.mail import read_mail_settings
    from brief.office import read_time
    from connectors.registry import bind
    from lawang.city import load_city
    from lawang.tiles import read_tiles

    read_tiles(settings)
    read_time(settings)
    read_mail_settings(settings)
    city = load_city(
        settings.pack_dir, settings.data_dir, env={**os.environ, **env}, simulated=settings.demo
    )
    for source in city.sources.values():
        bind(source)


@cli.command()
def web(port: Annotated[int | None, typer.Option()] = None, data_dir: DataDir = None) -> None:
    """Run one web process. Start as many as needed behind a proxy: they keep no state."""
    import uvicorn

    from lawang.installation import open_installation
    from lawang.logs import set_up_logs
    from lawang.process import allow_many_files, bind_to_parent

    bind_to_parent()
    settings = _settings(data_dir=data_dir, port=port)
    set_up_logs(settings.log_format)
    from app import create_web

    installation = open_installation(settings)
    allow_many_files()
    uvicorn.run(
        create_web(installation),  # type: ignore[arg-type]
        host=settings.host,
        port=settings.port,
        log_level="warning",
        access_log=False,
        server_header=False,
        # Streams never end by themselves; without a limit a stop would wait for them for ever.
        timeout_graceful_shutdown=2,
        # One browser reconnecting at once must not fill the queue of waiting connections.
        backlog=4096,
    )
    installation.close()


@cli.command()
def poll(data_dir: DataDir = None) -> None:
    """Run one poller. A second one stands by and takes over when the first one falls."""
    from brief.mail import read_mail_settings
    from brief.office import BriefOffice, read_time
    from connectors.http import client_for
    from connectors.network import reach_of
    from connectors.registry import bind, get
    from lawang.build import build_id
    from lawang.installation import open_installation
    from lawang.logs import set_up_logs
    from lawang.polling.poll import Bound
    from lawang.polling.service import PollerService
    from lawang.process import bind_to_parent
    from lawang.screens.desk import follow_programme

    bind_to_parent()
    settings = _settings(data_dir=data_dir)
    set_up_logs(settings.log_format)
    at, mail = read_time(settings), read_mail_settings(settings)
    installation = open_installation(settings)
    bound = []
    for source in installation.city.sources.values():
        options = bind(source)
        bound.append(
            Bound(source, get(source.connector), options, getattr(options, "max_bytes", 20_000_000))
        )

    async def run() -> None:
        service = PollerService(
            installation.city,
            bound,
            installation.history,
            installation.open_live(),
            client_for=client_for,
            reach_for=reach_of,
            chores=[BriefOffice(installation.city, installation.history, at=at, mail=mail)],
            programme=follow_programme(installation.city, settings.pack_dir),
            build=build_id(settings.pack_dir),
        )
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, service.stop)
        await service.run()

    asyncio.run(run())
    installation.close()


@cli.command()
def simulate(
    port: Annotated[int, typer.Option()] = 8051,
    host: Annotated[str, typer.Option()] = "127.0.0.1",
    seed: Annotated[int, typer.Option(help="The same seed and clock make the same city.")] = 1671,
    factor: Annotated[
        float, typer.Option(help="Volume; 1 is what was read of the real city.")
    ] = 1.0,
    mqtt_port: Annotated[
        int, typer.Option(help="Port of the MQTT broker on 127.0.0.1; 0: none.")
    ] = 0,
    push_url: Annotated[
        str, typer.Option(help="The web process that webhooks are posted to; empty: none are.")
    ] = "",
    scenario: Annotated[
        str, typer.Option(help="A scenario to play from the start: banjir, kebakaran, ...")
    ] = "",
    scenario_speed: ScenarioSpeed = 1.0,
    scenario_begun: ScenarioBegun = 0.0,
    data_dir: DataDir = None,
) -> None:
    """Run the simulated departments: real servers, invented people, faults on demand."""
    from lawang.logs import set_up_logs
    from lawang.process import bind_to_parent
    from simulator.serve import serve

    bind_to_parent()
    settings = _settings(data_dir=data_dir)
    set_up_logs(settings.log_format)
    serve(
        host=host,
        port=port,
        data_dir=settings.data_dir / "simulator",
        seed=seed,
        factor=factor,
        mqtt_port=mqtt_port,
        push_url=push_url,
        scenario=scenario,
        scenario_speed=scenario_speed,
        scenario_begun_min=scenario_begun,
    )


@boundaries_cli.command("import")
def boundaries_import(
    file: Annotated[Path, typer.Argument(help="GeoJSON in WGS84, kelurahan or kecamatan level.")],
    data_dir: DataDir = None,
) -> None:
    """Replace the approximate boundaries by an official file; changes nothing on any mistake."""
    from lawang import boundaries

    settings = _settings(data_dir=data_dir)
    try:
        report = boundaries.import_boundaries(settings.pack_dir, file, settings.data_dir)
    except BoundaryError as error:
        console.print("Not imported; nothing was changed. Mend this and try again:", style="bold")
        for problem in error.problems:
            console.print(f"  · {problem}", highlight=False, markup=False)
        raise typer.Exit(1) from None
    print(f"Imported. {_describe(report)}")
    print("Restart `lawang up` (or the web and poll processes) to use them; `undo` goes back.")


@boundaries_cli.command("undo")
def boundaries_undo(data_dir: DataDir = None) -> None:
    """Go back to the boundaries before the last import."""
    from lawang import boundaries
    from lawang.city.pack import read_city_file

    settings = _settings(data_dir=data_dir)
    slug = read_city_file(settings.pack_dir).slug
    before = boundaries.undo(settings.data_dir, slug)
    print(
        f"Taken back. In force again: {_describe(before)}"
        if before is not None
        else "Taken back. In force again: the pack's own boundaries."
    )
    print("Restart `lawang up` (or the web and poll processes) to use them.")


@boundaries_cli.command("build")
def boundaries_build() -> None:
    """Compute the pack's approximate boundaries again from its points, outline and river."""
    from lawang import boundaries

    settings = _settings()
    boundaries.build(settings.pack_dir)
    print(f"Written to {settings.pack_dir / 'regions'}.")


def _describe(report: ImportReport) -> str:
    """What one import holds, in words."""
    what = (
        f"{report.file}: {report.regions} {report.level}, matched by {report.matched_by}, "
        f"{report.area_km2:.2f} km2."
    )
    return " ".join((what, *report.notes))


@cli.command()
def bench(
    name: Annotated[str, typer.Argument(help="A module of benchmarks/, or `all`.")],
    as_json: Annotated[bool, typer.Option("--json", help="End with one JSON object.")] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="A short look; writes no results.")
    ] = False,
    minutes: Annotated[
        float | None,
        typer.Option(min=0.1, help="How long `poll` or `soak` is watched in a full run."),
    ] = None,
) -> None:
    """Run a benchmark: a claim of this project, measured beside what it is measured against."""
    from benchmarks import run

    figures = run(name, quick=quick, minutes=minutes)
    if as_json:
        print(json.dumps(figures))


def _settings(**given: Any) -> Settings:
    return Settings(**{name: value for name, value in given.items() if value is not None})


if __name__ == "__main__":
    main()
