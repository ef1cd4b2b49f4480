"""What the integrator's commands found, as tables for a person at a terminal.

Whatever a department wrote goes into `Text`: brackets in it are no markup of ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from lawang.check import Findings
from lawang.city import City, Source
from lawang.domain.health import Health, SourceState
from lawang.domain.incident import Incident
from sources_cli.explain import explain
from sources_cli.listing import Line, Listing

_HEALTH_STYLES = {
    Health.FRESH: "green",
    Health.LATE: "yellow",
    Health.STALE: "dark_orange",
    Health.DOWN: "bold red",
    Health.REFUSED: "bold red",
    Health.NEVER: "dim",
}
_WORDS_SHOWN = 20


def print_listing(listing: Listing) -> None:
    """Print all sources, one a row."""
    table = _table(None, "source", "OPD", "connector", "every", "configured", "health", "age")
    for line in listing.lines:
        source = line.source
        live = "?" if line.health is None else line.health.value
        style = _HEALTH_STYLES[line.health] if line.health is not None else "dim"
        table.add_row(
            Text(source.id, style="bold"),
            Text(line.opd_name),
            source.connector,
            _duration(source.every_s),
            _configured(line),
            Text(live, style=style),
            "" if line.age_s is None else _duration(line.age_s),
        )
    console = _console()
    console.print(table)
    if listing.live_note:
        _say(console, f"Health is not known: {listing.live_note}.", "dim")


def _configured(line: Line) -> Text:
    if line.mistake:
        return Text(line.mistake, style="bold red")
    if line.source.unset:
        return Text(f"not set: {', '.join(line.source.unset)}", style="yellow")
    return Text("simulated" if line.source.simulated else "yes", style="green")


def print_findings(findings: Findings, source: Source, city: City) -> None:
    """Print what a check found, from what arrived to the verdict."""
    console = _console()
    _print_arrival(console, findings, source)
    _print_fields(console, findings)
    _print_first(console, findings.first, city)
    _print_rejects(console, findings)
    _print_places(console, findings)
    maps = f"add them to [map.{{}}] of {source.file.name}"
    _print_words(
        console, "Unknown categories", findings.unknown_categories, maps.format("category")
    )
    _print_words(console, "Unknown statuses", findings.unknown_statuses, maps.format("status"))
    _print_times(console, findings, city)
    _print_verdict(console, findings)


def print_sample(written: Iterable[Path]) -> None:
    """Name the files of a sample, and what is left for a person to do."""
    files = [str(path) for path in written]
    if not files:
        return
    console = _console()
    _say(console, f"Sample written: {', '.join(files)}")
    _say(
        console,
        "Personal keys are dropped, numbers and addresses of persons masked. Names inside "
        "sentences cannot be recognised: read it before you pass it on.",
        "yellow",
    )


def print_poll(state: SourceState) -> None:
    """Print the outcome of one poll."""
    took = f" in {state.duration_ms / 1000:.1f} s" if state.duration_ms is not None else ""
    _say(
        _console(),
        f"{state.source_id}: {state.records or 0} records read{took}. In store: "
        f"{state.incidents} incidents, {state.quarantined} in quarantine, "
        f"{state.unlocated} without a region.",
    )


def _print_arrival(console: Console, findings: Findings, source: Source) -> None:
    marked = " SIMULATED." if findings.simulated else ""
    kinds = ", ".join(kind or "no content type" for kind in findings.content_types)
    _say(
        console,
        f"{source.name} ({source.id}, {source.connector}): {findings.pages} pages, "
        f"{findings.size_bytes:,} bytes of {kinds}, in {findings.elapsed_s:.2f} s.{marked}",
        "bold",
    )
    repeated = findings.usable - findings.distinct
    again = f" ({repeated} of them again)" if repeated else ""
    _say(
        console,
        f"{findings.records} records: {findings.usable} can be used{again}, "
        f"{findings.records - findings.usable} would go to quarantine.",
    )


def _print_fields(console: Console, findings: Findings) -> None:
    is_mapped = any(use.expression for use in findings.fields)
    table = _table("Fields", "field", *(["from"] if is_mapped else []), "filled", "examples")
    for use in findings.fields:
        style = "green" if use.share == 1 else "yellow" if use.share else "dim"
        table.add_row(
            use.name,
            *([Text(use.expression or "")] if is_mapped else []),
            Text(f"{use.share:.0%}", style=style),
            Text(" | ".join(use.examples)),
        )
    console.print(table)


def _print_first(console: Console, first: Iterable[Incident], city: City) -> None:
    table = _table(
        "First records, as they would be stored", "id", "category", "status", "region", "reported"
    )
    for incident in first:
        region = incident.kelurahan or incident.kecamatan
        found = city.gazetteer.get(region) if region else None
        table.add_row(
            Text(incident.external_id),
            Text(incident.category),
            incident.status.value,
            Text(found.name if found else "not found", style="" if found else "yellow"),
            _moment(incident.requested_at, city),
        )
    if table.rows:
        console.print(table)


def _print_rejects(console: Console, findings: Findings) -> None:
    if not findings.rejects:
        return
    _say(console, f"Would go to quarantine: {_counted(findings.reject_reasons)}.", "red")
    table = _table(None, "reason", "why", "id", "what it holds")
    for reject in findings.rejects:
        table.add_row(
            Text(reject.reason, style="red"),
            Text(reject.detail),
            Text(reject.external_id or ""),
            Text(reject.sample),
        )
    console.print(table)


def _print_places(console: Console, findings: Findings) -> None:
    ways = {way or "not found": count for way, count in findings.placed_by.items()}
    _say(console, f"Regions, by the way they were found: {_counted(ways)}.")
    if findings.location_problems:
        _say(console, f"Coordinates: {_counted(findings.location_problems)}.", "yellow")
    hint = "they stay without a region; map a region, or add variants to the pack's tables"
    _print_words(console, "Places not found", findings.places_not_found, hint)


def _print_words(console: Console, title: str, words: Mapping[str, int], hint: str) -> None:
    if not words:
        return
    _say(console, f"{title} ({hint}):", "yellow")
    table = _table(None, "as they write it", "records")
    for word, count in list(words.items())[:_WORDS_SHOWN]:
        table.add_row(Text(word or "(nothing)"), str(count))
    console.print(table)
    if len(words) > _WORDS_SHOWN:
        _say(console, f"... and {len(words) - _WORDS_SHOWN} more; --json has them.", "dim")


def _print_times(console: Console, findings: Findings, city: City) -> None:
    if findings.oldest is None or findings.newest is None:
        return
    _say(
        console,
        f"Reported between {_moment(findings.oldest, city)} and "
        f"{_moment(findings.newest, city)} ({city.timezone.key}).",
    )
    if findings.newest_change is not None:
        _say(console, f"Newest change: {_moment(findings.newest_change, city)}.")
    if findings.in_future:
        _say(console, f"In the future, and not believed: {findings.in_future} records.", "yellow")
    if findings.without_change_time:
        _say(
            console,
            f"Without a usable time of change: {findings.without_change_time} records; the time "
            "of fetching stands in.",
            "yellow",
        )


def _print_verdict(console: Console, findings: Findings) -> None:
    if findings.error is not None:
        what = explain(findings.error.kind, findings.error.detail)
        _say(console, f"Broke off: {what}", "bold red")
    elif not findings.records:
        _say(console, "No record arrived, so nothing is proven.", "bold yellow")
    elif findings.is_good:
        _say(console, "Every record can be used.", "bold green")
    else:
        left = findings.records - findings.usable
        _say(console, f"{left} of {findings.records} records cannot be used.", "bold red")


def _console() -> Console:
    return Console(highlight=False)


def _say(console: Console, text: str, style: str = "") -> None:
    console.print(Text(text, style=style), soft_wrap=True)


def _table(title: str | None, *columns: str) -> Table:
    shown = Text(title, style="bold") if title else None
    table = Table(title=shown, title_justify="left", header_style="dim")
    for name in columns:
        table.add_column(name, overflow="fold")
    return table


def _counted(words: Mapping[str, int]) -> str:
    return ", ".join(f"{word} {count}" for word, count in words.items()) or "none"


def _moment(moment: datetime, city: City) -> str:
    return f"{moment.astimezone(city.timezone):%Y-%m-%d %H:%M}"


def _duration(seconds: float) -> str:
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
