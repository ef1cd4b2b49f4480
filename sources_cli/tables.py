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

from lawang.city import City
from lawang.domain.finding import Finding
from lawang.domain.health import Health, SourceState
from lawang.domain.quality import Quality
from sources_cli.deciding import Decided
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
    shown = table(
        None,
        *("source", "OPD", "connector", "yields", "every", "configured", "health", "age"),
        *("quality 24 h", "findings"),
    )
    for line in listing.lines:
        source = line.source
        live = "?" if line.health is None else line.health.value
        style = _HEALTH_STYLES[line.health] if line.health is not None else "dim"
        shown.add_row(
            Text(source.id, style="bold"),
            Text(line.opd_name),
            source.connector,
            ", ".join(source.yields),
            duration(source.every_s),
            _configured(line),
            Text(live, style=style),
            "" if line.age_s is None else duration(line.age_s),
            _quality(line.quality),
            Text(str(line.findings), style="bold red") if line.findings else "",
        )
    screen = console()
    screen.print(shown)
    if listing.live_note:
        say(screen, f"Health is not known: {listing.live_note}.", "dim")
    if listing.history_note:
        say(screen, f"Quality and findings are not known: {listing.history_note}.", "dim")
    else:
        say(screen, "Quality: complete, timely, valid, unique, in percent.", "dim")


def _quality(quality: Quality | None) -> Text:
    """The four figures in percent, the worst one giving the colour."""
    if quality is None:
        return Text("")
    parts = (quality.completeness, quality.timeliness, quality.validity, quality.uniqueness)
    known = [part for part in parts if part is not None]
    worst = min(known, default=1.0)
    style = "green" if worst >= 0.95 else "yellow" if worst >= 0.7 else "red"
    words = ("-" if part is None else str(int(100 * part)) for part in parts)
    return Text(" ".join(words), style=style)


def _configured(line: Line) -> Text:
    if line.mistake:
        return Text(line.mistake, style="bold red")
    if line.source.unset:
        return Text(f"not set: {', '.join(line.source.unset)}", style="yellow")
    return Text("simulated" if line.source.simulated else "yes", style="green")


def print_sample(written: Iterable[Path]) -> None:
    """Name the files of a sample, and what is left for a person to do."""
    files = [str(path) for path in written]
    if not files:
        return
    screen = console()
    say(screen, f"Sample written: {', '.join(files)}")
    say(
        screen,
        "Personal keys are dropped, numbers and addresses of persons masked. Names inside "
        "sentences cannot be recognised: read it before you pass it on.",
        "yellow",
    )


_COUNTS = {
    "incidents": "incidents",
    "series": "series of readings",
    "positions": "positions",
    "requests": "service requests",
    "alerts": "alerts",
}


def print_poll(state: SourceState) -> None:
    """Print the outcome of one poll."""
    took = f" in {state.duration_ms / 1000:.1f} s" if state.duration_ms is not None else ""
    known = [f"{count} {word}" for name, word in _COUNTS.items() if (count := getattr(state, name))]
    say(
        console(),
        f"{state.source_id}: {state.records or 0} records read{took}. In store: "
        f"{', '.join(known) or 'nothing'}; {state.quarantined} in quarantine, "
        f"{state.unlocated} without a region.",
    )
    if state.findings:
        say(
            console(),
            f"{state.findings} open findings: `lawang sources findings {state.source_id}`.",
            "yellow",
        )


def print_findings_list(findings: Iterable[Finding], city: City) -> None:
    """Print findings of data quality, one a row."""
    shown = table(None, "no.", "source", "kind", "series", "what", "times", "last seen", "state")
    for each in findings:
        series = " / ".join(part for part in (each.measure, each.subject) if part)
        decided = f" by {each.decided_by}" if each.decided_by else ""
        shown.add_row(
            str(each.id),
            Text(each.source_id, style="bold"),
            each.kind.value,
            Text(series),
            Text(each.detail),
            str(each.count),
            moment(each.last_seen, city),
            Text(f"{each.state.value}{decided}"),
        )
    if shown.rows:
        console().print(shown)
    else:
        say(console(), "No findings.", "green")


def print_decided(done: Decided) -> None:
    """Print what a decision changed."""
    finding = done.finding
    say(
        console(),
        f"Finding {finding.id} of {finding.source_id} is {finding.state.value} by "
        f"{finding.decided_by}; {done.series} series have a new last value.",
    )
    if not done.shown:
        say(console(), "Live state is not reached: walls follow when a poller starts.", "yellow")


def console() -> Console:
    """A terminal, or whatever stands in its place."""
    return Console(highlight=False)


def say(screen: Console, text: str, style: str = "") -> None:
    """Print a sentence as it is."""
    screen.print(Text(text, style=style), soft_wrap=True)


def table(title: str | None, *columns: str) -> Table:
    """A table that folds what is too long for its columns."""
    shown = Text(title, style="bold") if title else None
    made = Table(title=shown, title_justify="left", header_style="dim")
    for name in columns:
        made.add_column(name, overflow="fold")
    return made


def print_words(screen: Console, title: str, words: Mapping[str, int], hint: str) -> None:
    """Print words of a department with their counts; nothing where there are none."""
    if not words:
        return
    say(screen, f"{title} ({hint}):", "yellow")
    shown = table(None, "as they write it", "records")
    for word, count in list(words.items())[:_WORDS_SHOWN]:
        shown.add_row(Text(word or "(nothing)"), str(count))
    screen.print(shown)
    if len(words) > _WORDS_SHOWN:
        say(screen, f"... and {len(words) - _WORDS_SHOWN} more; --json has them.", "dim")


def counted(words: Mapping[str, int]) -> str:
    """Words with their counts, as a sentence has them."""
    return ", ".join(f"{word} {count}" for word, count in words.items()) or "none"


def moment(when: datetime, city: City) -> str:
    """An instant in the city's time."""
    return f"{when.astimezone(city.timezone):%Y-%m-%d %H:%M}"


def duration(seconds: float) -> str:
    """A length of time in its largest fitting unit."""
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
