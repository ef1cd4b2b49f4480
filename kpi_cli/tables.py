"""Indicators as tables for a person at a terminal."""

from __future__ import annotations

from datetime import date, timedelta

from rich.text import Text

from kpi_cli.checking import Checked
from lawang.city import City
from lawang.domain.kpi import Combine, Kpi, KpiValue, Light, Target
from lawang.kpi.explain import Explanation, describe
from sources_cli.tables import console, say, table

_STYLES = {Light.GREEN: "green", Light.AMBER: "yellow", Light.RED: "bold red", Light.GREY: "dim"}
_PARTS_SHOWN = 30


def print_definitions(city: City) -> None:
    """Print all indicators, one a row, and their weights by dimension."""
    shown = table(None, "indicator", "name", "dimension", "weight", "owner", "target", "made from")
    for kpi in city.kpis.values():
        shown.add_row(
            Text(kpi.id, style="bold"),
            Text(kpi.name_id),
            Text(kpi.dimension),
            f"{kpi.weight:g}",
            Text(city.opds[kpi.owner].name),
            Text(_target(kpi) + (" (simulated)" if kpi.simulated_target else "")),
            Text(describe(kpi, city)),
        )
    screen = console()
    screen.print(shown)
    say(screen, f"{len(city.kpis)} indicators in {len(city.dimensions)} dimensions.", "dim")


def print_checked(checked: Checked) -> None:
    """Print every indicator over the horizon, as its records have it now."""
    horizon = checked.horizon
    shown = table(
        f"{horizon.span.value}: {horizon.first} to {horizon.last}",
        "indicator", "value", "target", "score", "light", "n", "days", "held", "as shown",
    )  # fmt: skip
    for each in checked.explained:
        value = each.value
        shown.add_row(
            Text(each.kpi.id, style="bold"),
            _figure(each.kpi, value.value),
            _figure(each.kpi, value.target),
            "" if value.score is None else f"{value.score:.3f}",
            _light(value),
            str(value.n),
            f"{horizon.days - len(each.missing)}/{horizon.days}",
            Text(str(each.held), style="bold red") if each.held else "",
            Text("yes") if each.agrees else Text("no", style="bold red"),
        )
    screen = console()
    screen.print(shown)
    counting = sum(each.value.counts for each in checked.explained)
    say(screen, f"{counting} of {len(checked.explained)} count.", "dim")
    if not all(each.agrees for each in checked.explained):
        say(screen, "Where it is not as shown: wait a minute, or `lawang kpi rebuild`.", "bold")


def print_explained(checked: Checked) -> None:
    """Print one indicator in full."""
    (explained,) = checked.explained
    kpi, value, horizon = explained.kpi, explained.value, checked.horizon
    screen = console()
    say(screen, f"{kpi.id}: {kpi.name_id}", "bold")
    say(screen, kpi.definition_id)
    say(screen, f"Made from {describe(kpi, checked.city)}; {_way(kpi)}.")
    say(screen, f"{horizon.span.value}: {horizon.first} to {horizon.last}")
    say(screen, f"  value   {_figure(kpi, value.value)}  ({_arithmetic(kpi, value)})")
    say(screen, f"  target  {_figure(kpi, value.target)}  ({kpi.target_source or 'none is set'})")
    score = "none" if value.score is None else f"{value.score:.4f}"
    say(screen, f"  score   {score}  {_light(value)}")
    say(screen, f"  cohort  {value.n} (at least {kpi.minimum} are needed)")
    say(screen, f"  as of   {_moment(value)}")
    _print_days(explained)
    _print_parts(explained)
    if explained.missing:
        say(screen, f"Missing: {_name_days(explained.missing)}.", "yellow")
    if explained.held:
        say(
            screen,
            f"{explained.held} readings are held back: `lawang sources findings`.",
            "bold red",
        )
    if not explained.agrees:
        shown = _figure(kpi, explained.stored.value)
        say(screen, f"The pages show {shown}: wait a minute, or `lawang kpi rebuild`.", "bold red")


def _print_days(explained: Explanation) -> None:
    shown = table(None, "day", "num", "den", "n", "observed at")
    for each in explained.days:
        shown.add_row(
            each.day.isoformat(),
            f"{each.num:,.6g}" if abs(each.num) < 1e6 else f"{each.num:,.0f}",
            f"{each.den:,.6g}" if abs(each.den) < 1e6 else f"{each.den:,.0f}",
            str(each.n),
            each.observed_at.isoformat(timespec="seconds"),
        )
    console().print(shown)


def _print_parts(explained: Explanation) -> None:
    if not explained.parts:
        return
    shown = table(None, "part", "name", "value", "num", "den", "n")
    for part in explained.parts[:_PARTS_SHOWN]:
        shown.add_row(
            Text(part.key or "(city)"),
            Text(part.name),
            _figure(explained.kpi, part.value),
            f"{part.num:,.2f}",
            f"{part.den:,.2f}",
            str(part.n),
        )
    screen = console()
    screen.print(shown)
    if len(explained.parts) > _PARTS_SHOWN:
        say(screen, f"and {len(explained.parts) - _PARTS_SHOWN} smaller ones", "dim")


def _figure(kpi: Kpi, value: float | None) -> str:
    if value is None:
        return ""
    if kpi.unit == "%":
        return f"{value:.2%}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.4g}"


def _light(value: KpiValue) -> Text:
    word = value.grey.value if value.grey else value.light.value
    return Text(word, style=_STYLES[value.light])


def _target(kpi: Kpi) -> str:
    target: Target | None = kpi.target
    if target is None:
        return ""
    if target.per_day is not None:
        return f"{_figure(kpi, target.per_day)} a day"
    if target.levels:
        return f"{_figure(kpi, min(target.levels))} to {_figure(kpi, max(target.levels))}"
    if target.years:
        return ", ".join(f"{year}: {_figure(kpi, each)}" for year, each in target.years.items())
    curve = f" by {target.curve.id}" if target.curve else ""
    if target.year is not None:
        return f"{_figure(kpi, target.year)} a year{curve}"
    return f"{_figure(kpi, target.level)}{curve}"


def _way(kpi: Kpi) -> str:
    return {
        Combine.SUM: "days are summed up",
        Combine.RATIO: "numerators and denominators of the days are summed up",
        Combine.LAST: "the newest day counts",
    }[kpi.combine]


def _arithmetic(kpi: Kpi, value: KpiValue) -> str:
    if value.value is None:
        return "nothing to divide" if value.days else "no day is known"
    if kpi.combine is Combine.SUM:
        return f"sum of {value.days} days"
    return f"{value.num:,.6g} / {value.den:,.6g}"


def _moment(value: KpiValue) -> str:
    if value.observed_at is None or value.age is None:
        return "nothing is known"
    hours = value.age / timedelta(hours=1)
    return f"{value.observed_at.isoformat(timespec='minutes')} ({hours:.1f} hours old)"


def _name_days(days: tuple[date, ...]) -> str:
    shown = ", ".join(day.isoformat() for day in days[:10])
    return f"{shown} and {len(days) - 10} more" if len(days) > 10 else shown
