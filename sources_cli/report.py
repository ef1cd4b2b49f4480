"""What a check found, printed from what arrived to the verdict."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from lawang.check import Findings, MeasureUse, Record
from lawang.city import City, Source
from lawang.domain.alert import Alert
from lawang.domain.incident import Incident
from lawang.domain.measure import Reading
from lawang.domain.position import Position
from lawang.domain.service import ServiceRequest
from sources_cli.explain import explain
from sources_cli.tables import console, counted, moment, print_words, say, table

_KEYS_SHOWN = 60


def print_findings(findings: Findings, source: Source, city: City) -> None:
    """Print what a check found."""
    screen = console()
    _print_arrival(screen, findings, source)
    _print_personal(screen, findings, source)
    _print_fields(screen, findings)
    _print_measures(screen, findings, city)
    _print_first(screen, findings, city)
    _print_rejects(screen, findings)
    _print_places(screen, findings)
    _print_alerts(screen, findings)
    _print_services(screen, findings)
    maps = f"add them to [map.{{}}] of {source.file.name}"
    for title, words, name in (
        ("Unknown categories", findings.unknown_categories, "category"),
        ("Unknown statuses", findings.unknown_statuses, "status"),
    ):
        print_words(screen, title, words, maps.format(name))
    hint = f"add them to words of [services.*] of {source.file.name}"
    print_words(screen, "Unknown services", findings.unknown_services, hint)
    _print_times(screen, findings, city)
    _print_verdict(screen, findings)


def _print_arrival(screen: Console, findings: Findings, source: Source) -> None:
    marked = " SIMULATED." if findings.simulated else ""
    kinds = ", ".join(kind or "no content type" for kind in findings.content_types)
    say(
        screen,
        f"{source.name} ({source.id}, {source.connector}): {findings.pages} answers, "
        f"{findings.size_bytes:,} bytes of {kinds or 'nothing'}, in {findings.elapsed_s:.2f} s."
        f"{marked}",
        "bold",
    )
    if findings.waits_s:
        waits = ", ".join(f"{wait:.2f}" for wait in findings.waits_s[:10])
        more = " ..." if len(findings.waits_s) > 10 else ""
        say(screen, f"Waited for each answer, in seconds: {waits}{more}", "dim")
    again = findings.records - findings.held - sum(findings.reject_reasons.values())
    repeated = findings.repeated + again - findings.distinct
    twice = f" ({repeated} came more than once)" if repeated > 0 else ""
    say(
        screen,
        f"{findings.records} records ({counted(findings.counts)}): {findings.usable} can be "
        f"used{twice}, {sum(findings.reject_reasons.values())} would go to quarantine, "
        f"{findings.held} would be held back.",
    )


def _print_personal(screen: Console, findings: Findings, source: Source) -> None:
    keys = findings.personal
    for title, paths, style in (
        ("Personal keys dropped before anything reads them", keys.dropped, "green"),
        ("Personal keys masked", keys.masked, "green"),
        (
            f"Keys that look personal; nothing reads them, but [personal] drop of "
            f"{source.file.name} should name them",
            keys.unread,
            "yellow",
        ),
        ("Keys that look personal AND ARE READ: is that right?", keys.read, "bold red"),
    ):
        if paths:
            say(screen, f"{title}: {', '.join(paths)}.", style)
    if findings.shape:
        known = list(findings.shape)
        more = f" and {len(known) - _KEYS_SHOWN} more" if len(known) > _KEYS_SHOWN else ""
        say(screen, f"Keys of a record: {', '.join(known[:_KEYS_SHOWN])}{more}.", "dim")


def _print_fields(screen: Console, findings: Findings) -> None:
    is_mapped = any(use.expression for use in findings.fields)
    shown = table("Fields", "field", *(["from"] if is_mapped else []), "filled", "examples")
    for use in findings.fields:
        style = "green" if use.share == 1 else "yellow" if use.share else "dim"
        shown.add_row(
            use.name,
            *([Text(use.expression or "")] if is_mapped else []),
            Text(f"{use.share:.0%}", style=style),
            Text(" | ".join(use.examples)),
        )
    if shown.rows:
        screen.print(shown)


def _print_measures(screen: Console, findings: Findings, city: City) -> None:
    if not findings.measures:
        return
    shown = table(
        "Measures", "measure", "from", "readings", "subjects", "least", "greatest", "unit",
        "newest", "held back",
    )  # fmt: skip
    for use in findings.measures:
        shown.add_row(
            Text(use.name),
            Text(_origin(use)),
            Text(str(use.readings), style="green" if use.readings else "yellow"),
            str(use.subjects),
            "" if use.least is None else f"{use.least:,.10g}",
            "" if use.greatest is None else f"{use.greatest:,.10g}",
            Text(use.unit),
            "" if use.newest is None else moment(use.newest, city),
            Text(counted(use.held) if use.held else "", style="red"),
        )
    screen.print(shown)
    for use in findings.measures:
        for example in use.held_examples:
            say(screen, f"{use.name}: {example}", "red")
    if findings.history:
        say(screen, f"Note: {findings.history}.", "dim")


def _origin(use: MeasureUse) -> str:
    parts = [use.aggregate or "", use.expression or ""]
    parts += [f"× {use.factor}" if use.factor else "", f"where {use.where}" if use.where else ""]
    return " ".join(part for part in parts if part)


def _print_first(screen: Console, findings: Findings, city: City) -> None:
    shown = table("First records, as they would be stored", "id", "what", "state", "region", "time")
    for record in findings.first:
        identity, what, state = _summary(record)
        when = (
            record.requested_at
            if isinstance(record, Incident | ServiceRequest)
            else (record.at if isinstance(record, Reading) else record.observed_at)
        )
        name = _region(record, city)
        shown.add_row(
            Text(identity),
            Text(what),
            state,
            Text(name or "-", style="" if name else "yellow"),
            moment(when, city),
        )
    if shown.rows:
        screen.print(shown)


def _summary(record: Record) -> tuple[str, str, str]:
    match record:
        case Incident():
            return record.external_id, record.category, record.status.value
        case Reading():
            return record.subject, f"{record.measure} = {record.value:,.10g}", record.held
        case Position():
            return record.external_id, record.kind, record.status.value
        case ServiceRequest():
            return record.external_id, record.service, record.status.value
        case Alert():
            return record.external_id, record.event, record.severity.value


def _region(record: Record, city: City) -> str:
    if isinstance(record, Alert):
        codes = list(record.regions)
    else:
        codes = [code for code in (record.kelurahan or record.kecamatan,) if code]
    found = [city.gazetteer.get(code) for code in codes[:3]]
    return ", ".join(region.name for region in found if region)


def _print_rejects(screen: Console, findings: Findings) -> None:
    if not findings.rejects:
        return
    say(screen, f"Would go to quarantine: {counted(findings.reject_reasons)}.", "red")
    shown = table(None, "reason", "why", "id", "what it holds")
    for reject in findings.rejects:
        shown.add_row(
            Text(reject.reason, style="red"),
            Text(reject.detail),
            Text(reject.external_id or ""),
            Text(reject.sample),
        )
    screen.print(shown)


def _print_places(screen: Console, findings: Findings) -> None:
    ways = {way or "not found": count for way, count in findings.placed_by.items()}
    if ways:
        say(screen, f"Regions, by the way they were found: {counted(ways)}.")
    if findings.location_problems:
        say(screen, f"Coordinates: {counted(findings.location_problems)}.", "yellow")
    hint = "they stay without a region; map a region, or add variants to the pack's tables"
    print_words(screen, "Places not found", findings.places_not_found, hint)


def _print_alerts(screen: Console, findings: Findings) -> None:
    if findings.alerts is None:
        return
    found = findings.alerts
    say(
        screen,
        f"{found.messages} messages: {found.in_force} in force, {found.touching} touch the city.",
    )
    hint = "right for places outside of the city; else map a region"
    print_words(screen, "Areas that are no region of the city", found.areas_not_found, hint)


def _print_services(screen: Console, findings: Findings) -> None:
    if not findings.services:
        return
    shown = table("Services", "service", "name", "requests", "with a promised time")
    for use in findings.services:
        shown.add_row(use.name, Text(use.title), str(use.requests), str(use.promised))
    screen.print(shown)


def _print_times(screen: Console, findings: Findings, city: City) -> None:
    if findings.oldest is None or findings.newest is None:
        return
    say(
        screen,
        f"Between {moment(findings.oldest, city)} and {moment(findings.newest, city)} "
        f"({city.timezone.key}).",
    )
    if findings.newest_change is not None:
        say(screen, f"Newest change: {moment(findings.newest_change, city)}.")
    if findings.in_future:
        say(screen, f"In the future, and not believed: {findings.in_future} records.", "yellow")
    if findings.without_change_time:
        say(
            screen,
            f"Without a usable time of change: {findings.without_change_time} records; the time "
            "of fetching stands in.",
            "yellow",
        )


def _print_verdict(screen: Console, findings: Findings) -> None:
    if findings.error is not None:
        what = explain(findings.error.kind, findings.error.detail)
        say(screen, f"Broke off: {what}", "bold red")
    elif not findings.records and findings.may_be_empty:
        say(screen, "Nothing arrived, which this source may rightly say.", "bold green")
    elif not findings.records:
        say(screen, "No record arrived, so nothing is proven.", "bold yellow")
    elif findings.is_good:
        say(screen, "Every record can be used.", "bold green")
    else:
        left = findings.records - findings.usable
        say(screen, f"{left} of {findings.records} records cannot be used.", "bold red")
