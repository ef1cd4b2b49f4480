"""Mornings made up by a seed: any figure may be missing, old, nought, huge or below nought."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta

from brief.compose import Morning, SourceNight
from lawang.city import City
from lawang.domain.health import Health
from lawang.domain.kpi import (
    Combine,
    Grey,
    Horizon,
    Kpi,
    KpiValue,
    Light,
    Span,
    light_of,
    roll_up,
    score_of,
)
from lawang.domain.programme import Milestone
from lawang.kpi.evaluate import TrendPoint
from lawang.overview.changes import compare
from lawang.overview.model import (
    Absorption,
    Amount,
    Budget,
    District,
    Districts,
    Finance,
    Forecast,
    KpiLine,
    MilestoneLine,
    MilestoneState,
    Overdue,
    OverdueKind,
    Overview,
    Services,
    Silpa,
    Standing,
)
from lawang.store.history import Counts

DAY = date(2026, 11, 21)
LAST = date(2026, 11, 20)
#: 06:00 WIB on DAY.
AT = datetime(2026, 11, 20, 23, 0, tzinfo=UTC)
_GREYS = (Grey.NO_DATA, Grey.STALE, Grey.FEW, Grey.NO_TARGET)


def make_morning(city: City, seed: int, *, bare: bool = False) -> Morning:
    """A morning of any kind; `bare` leaves all sections out but scores."""
    chance = random.Random(seed)
    values = {
        span: {
            name: _value(kpi, Horizon.ending(span, LAST), chance) for name, kpi in city.kpis.items()
        }
        for span in Span
    }
    before = {
        span: {
            name: _value(kpi, Horizon.ending(span, LAST).previous(), chance)
            for name, kpi in city.kpis.items()
        }
        for span in Span
    }
    kpis, dimensions = list(city.kpis.values()), list(city.dimensions.values())
    scores = {
        span: tuple(
            roll_up(
                dimensions, kpis, Horizon.ending(span, LAST), values[span],
                {} if bare else before[span],
            )
        )
        for span in Span
    }  # fmt: skip
    lines = {
        name: KpiLine(
            kpi=kpi,
            values={span: values[span][name] for span in Span},
            before={span: before[span][name] for span in Span},
            spark=_spark(values[Span.MONTH][name], chance),
            simulated=True,
        )
        for name, kpi in city.kpis.items()
    }
    nothing = compare(LAST - timedelta(days=1), None, {}, {})
    overview = Overview(
        at=AT,
        version=str(seed),
        last=LAST,
        span=Span.MONTH,
        simulated=True,
        scores=scores,
        lines=lines,
        changes=nothing
        if bare
        else compare(LAST - timedelta(days=1), 1.0, before[Span.MONTH], values[Span.MONTH]),
        overdue=() if bare else _overdue(city, chance),
        finance=None if bare else _finance(city, lines, chance),
        services=None if bare else _services(lines, chance),
        districts=None if bare else _districts(city, lines, chance),
        ladder=(),
        milestones=() if bare else _milestones(city, chance),
    )
    open_ones = chance.randrange(0, 5000)
    return Morning(
        day=DAY,
        at=AT,
        made_at=AT + timedelta(seconds=2),
        overview=overview,
        week=nothing
        if bare
        else compare(LAST - timedelta(days=7), None, before[Span.QUARTER], values[Span.MONTH]),
        incidents=Counts(
            new_today=chance.randrange(0, 900),
            open=open_ones,
            past_due=chance.randrange(0, open_ones + 1),
            done_today=chance.randrange(0, 900),
        ),
        night=(AT - timedelta(hours=12), AT),
        sources=tuple(_source(name, chance) for name in city.sources),
        pending=tuple(chance.sample(sorted(city.kpis), chance.choice((0, 0, 1, 7)))),
    )


def _value(kpi: Kpi, horizon: Horizon, chance: random.Random) -> KpiValue:
    size = chance.choice((0.0, 0.3, 0.97, 1.0, 7.4, 812.0, 3.2e6, 4.8e12))
    if kpi.unit == "%":
        size = chance.random()
    value = chance.choice((size, size, size * chance.random(), None))
    target = chance.choice((size, size * 1.1, size * 1.1, 0.0, None))
    score = None if value is None or target is None else score_of(kpi.direction, value, target)
    grey = Grey.NO_DATA if value is None else Grey.NO_TARGET if target is None else None
    if grey is None and chance.random() < 0.1:
        grey = chance.choice(_GREYS[1:3])
    light = Light.GREY if grey or score is None else light_of(score, kpi.green, kpi.amber)
    return KpiValue(
        kpi=kpi.id, region="", horizon=horizon, value=value, target=target, score=score,
        light=light, grey=grey, num=value or 0.0, den=1.0, n=chance.randrange(0, 40_000),
        days=horizon.days,
        observed_at=None
        if value is None and chance.random() < 0.5
        else AT - timedelta(hours=chance.randrange(1, 4000)),
    )  # fmt: skip


def _spark(value: KpiValue, chance: random.Random) -> tuple[TrendPoint, ...]:
    days = sorted(chance.sample(range(60), chance.randrange(0, 60)), reverse=True)
    return tuple(
        TrendPoint(LAST - timedelta(days=back), (value.value or 1.0) * chance.random(),
                   value.target, 3)
        for back in days
    )  # fmt: skip


def _overdue(city: City, chance: random.Random) -> tuple[Overdue, ...]:
    return tuple(
        Overdue(
            kind=kind,
            owner=owner,
            count=(count := chance.randrange(1, 400)),
            of=None if kind is OverdueKind.DATA else count + chance.randrange(0, 400),
            oldest=AT - timedelta(days=chance.randrange(1, 90)),
            subject="elapor" if kind is OverdueKind.DATA else "",
        )
        for kind in OverdueKind
        for owner in chance.sample(sorted(city.opds), chance.randrange(0, 12))
    )


def _finance(city: City, lines: dict[str, KpiLine], chance: random.Random) -> Finance:
    money = [
        name for name, kpi in city.kpis.items() if kpi.combine is Combine.SUM and kpi.unit == "Rp"
    ]
    budgets = [_budget(lines[name], chance) for name in money[:6]]
    absorption = [
        Absorption(
            key=name, name=city.opds[name].name, opd=name, spent=chance.random() * 4e11,
            budget=chance.choice((4e11, 9e10, 0.0)), due=chance.choice((0.8123, None)),
            observed_at=AT - timedelta(days=2),
        )
        for name in sorted(city.opds)[:9]
    ]  # fmt: skip
    return Finance(
        revenue=budgets[0],
        spending=budgets[1],
        own_revenue=budgets[2],
        items=tuple(budgets[3:]),
        absorption=tuple(sorted(absorption, key=lambda each: each.share or 0.0)),
        cash=chance.choice(
            (
                None,
                Amount(value=5.5e11, observed_at=AT, source="sipd", stale=chance.random() < 0.5),
            )
        ),
        silpa=chance.choice(
            (
                None,
                Silpa(revenue=4.1e12, spending=3.9e12 + chance.random() * 1e12, financing=1.3e11,
                      until=LAST),
            )
        ),
    )  # fmt: skip


def _budget(line: KpiLine, chance: random.Random) -> Budget:
    value = line.values[Span.YEAR]
    year = chance.choice((None, 5e12, (value.target or 1e9) * 1.2))
    middle = chance.random() * 6e12
    forecast = Forecast(
        value=middle, low=middle * 0.93, high=middle * 1.04, level=0.8, method="past_years",
        years=3, reached=value.value or 0.0, until=LAST, target=year,
    )  # fmt: skip
    return Budget(
        kpi=line.kpi.id,
        value=value,
        target_year=year,
        course=chance.choice(((), (TrendPoint(LAST - timedelta(days=3), 1.0, 2.0, 1),))),
        forecast=chance.choice((None, forecast)),
    )


def _services(lines: dict[str, KpiLine], chance: random.Random) -> Services:
    shares = [name for name, line in lines.items() if line.kpi.unit == "%"]
    picked = chance.sample(shares, 9)
    return Services(
        promises=tuple(picked[3:]), claimed=picked[0], verified=picked[1], reopened=picked[2],
        licences=(),
    )  # fmt: skip


def _districts(city: City, lines: dict[str, KpiLine], chance: random.Random) -> Districts:
    name = next(name for name, line in lines.items() if line.kpi.unit == "%")
    value = lines[name].values[Span.MONTH]
    return Districts(
        kpi=name,
        choices=(name,),
        city=value,
        rows=tuple(
            District(code=each.code, name=each.name, value=value, low=0.4, high=0.6,
                     standing=chance.choice(tuple(Standing)))
            for each in city.kecamatan
        ),
        unplaced=3,
    )  # fmt: skip


def _milestones(city: City, chance: random.Random) -> tuple[MilestoneLine, ...]:
    return tuple(
        MilestoneLine(
            milestone=Milestone(
                id=f"m{number}", name_id=f"Tahap {number} jaringan serat", name_en=f"Step {number}",
                dimension="governance", owner=chance.choice(sorted(city.opds)),
                due=chance.choice((None, LAST + timedelta(days=chance.randrange(-90, 90)))),
                simulated=True,
            ),
            state=chance.choice(tuple(MilestoneState)), progress=None, value=None,
        )
        for number in range(1, 13)
    )  # fmt: skip


def _source(name: str, chance: random.Random) -> SourceNight:
    health = chance.choice(tuple(Health))
    down_s = chance.choice((0.0, 0.0, 37 * 60.0, 12 * 3600.0))
    return SourceNight(
        source=name,
        health=health,
        last_success=chance.choice((None, AT - timedelta(hours=chance.randrange(1, 99)))),
        down_s=down_s,
        failed=health in (Health.DOWN, Health.REFUSED, Health.NEVER) or down_s > 3600,
    )
