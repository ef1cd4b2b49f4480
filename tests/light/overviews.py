"""An overview with every section, made of plain numbers: what the pages are tested with."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import cycle

from lawang.city import City
from lawang.domain.kpi import (
    Direction,
    Grey,
    Horizon,
    Kpi,
    KpiValue,
    Light,
    Span,
    light_of,
    roll_up,
)
from lawang.domain.maturity import Assessment, Stage
from lawang.kpi.evaluate import TrendPoint
from lawang.overview.model import (
    Absorption,
    Amount,
    Budget,
    Change,
    ChangeKind,
    Changes,
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
    Rung,
    Services,
    Silpa,
    StageCount,
    Standing,
)

#: Sunday, 22 November 2026, 06:00 WIB; the last complete day is the Saturday.
AT = datetime(2026, 11, 21, 23, 0, tzinfo=UTC)
LAST = date(2026, 11, 21)
#: Scores that indicators have in turn; None leaves one grey.
_SCORES = (1.02, 0.97, None, 1.2, 0.71, 1.0)


def value_of(
    kpi: Kpi, horizon: Horizon, score: float | None, *, grey: Grey | None = None, n: int = 1240
) -> KpiValue:
    """A value that has such a score against a target of 0.8 of a share, or of 100."""
    target = 0.8 if kpi.unit == "%" else 100.0
    grey = grey or (Grey.FEW if score is None else None)
    score = 0.5 if score is None else score
    up = kpi.direction is Direction.UP
    return KpiValue(
        kpi=kpi.id,
        region="",
        horizon=horizon,
        value=target * score if up else target / score,
        target=target,
        score=score,
        light=Light.GREY if grey else light_of(score, kpi.green, kpi.amber),
        grey=grey,
        num=target * score * n,
        den=float(n),
        n=n,
        days=horizon.days,
        observed_at=AT - timedelta(hours=7),
        age=timedelta(hours=7),
    )


def full_overview(city: City, *, span: Span = Span.MONTH, points: int = 60) -> Overview:
    """Every section, with all indicators of the city."""
    turns = cycle(_SCORES)
    given = {name: next(turns) for name in city.kpis}
    lines, after, before = {}, {}, {}
    for each in Span:
        horizon = Horizon.ending(each, LAST)
        after[each] = {name: value_of(kpi, horizon, given[name]) for name, kpi in city.kpis.items()}
        before[each] = {
            name: value_of(kpi, horizon.previous(), 0.95 if given[name] else None)
            for name, kpi in city.kpis.items()
        }
    for name, kpi in city.kpis.items():
        goal = after[Span.MONTH][name].target
        spark = tuple(
            TrendPoint(
                LAST - timedelta(days=points - 1 - n), (goal or 1) * (0.7 + n % 9 / 20), goal, 40
            )
            for n in range(points)
        )  # fmt: skip
        lines[name] = KpiLine(
            kpi=kpi,
            values={each: after[each][name] for each in Span},
            before={each: before[each][name] for each in Span},
            spark=spark,
            simulated=True,
        )
    scores = {
        each: tuple(
            roll_up(
                list(city.dimensions.values()), list(city.kpis.values()),
                Horizon.ending(each, LAST), after[each], before[each],
            )
        )
        for each in Span
    }  # fmt: skip
    return Overview(
        at=AT,
        version="7",
        last=LAST,
        span=span,
        simulated=True,
        scores=scores,
        lines=lines,
        changes=_changes(city),
        overdue=_overdue(),
        finance=_finance(city),
        services=_services(),
        districts=_districts(city),
        ladder=tuple(
            Rung(opd=opd, assessment=Assessment(stage, ()), sources=(), closed=20, in_time=18)
            for opd, stage in zip(city.opds, cycle(Stage), strict=False)
        ),
        milestones=_milestones(city),
    )


def _changes(city: City) -> Changes:
    horizon = Horizon.ending(Span.MONTH, LAST)
    past = Horizon.ending(Span.MONTH, LAST - timedelta(days=7))
    names = list(city.kpis)

    def change(name: str, kind: ChangeKind, then: float | None, now: float | None) -> Change:
        kpi = city.kpis[name]
        return Change(
            kpi=name,
            kind=kind,
            before=value_of(kpi, past, then),
            after=value_of(kpi, horizon, now),
        )

    return Changes(
        since=past.last,
        city=0.97,
        worse=(
            change(names[0], ChangeKind.LIGHT, 1.02, 0.71),
            change(names[1], ChangeKind.LOST, 1.0, None),
            *(change(name, ChangeKind.SCORE, 0.95, 0.9) for name in names[2:8]),
        ),
        better=tuple(change(name, ChangeKind.LIGHT, 0.8, 1.1) for name in names[8:12]),
    )


def _overdue() -> tuple[Overdue, ...]:
    return (
        Overdue(kind=OverdueKind.INCIDENTS, owner="pupr", count=38, of=120,
                oldest=AT - timedelta(days=41), sources=("elapor",)),
        Overdue(kind=OverdueKind.REQUESTS, owner="dpmptsp", count=12, of=212,
                oldest=AT - timedelta(days=9), sources=("perizinan",)),
        Overdue(kind=OverdueKind.DATA, owner="pupr", count=1, of=None,
                oldest=AT - timedelta(days=2), sources=("elapor",), subject="elapor"),
        Overdue(kind=OverdueKind.MILESTONE, owner="diskominfo", count=1, of=None,
                oldest=AT - timedelta(days=100), subject="m0"),
    )  # fmt: skip


def _budget(city: City, name: str, reached: float, due: float, year: float) -> Budget:
    kpi = city.kpis[name]
    horizon = Horizon.ending(Span.YEAR, LAST)
    score = reached / due
    value = KpiValue(
        kpi=name, region="", horizon=horizon, value=reached, target=due, score=score,
        light=light_of(score, kpi.green, kpi.amber), grey=None, num=reached, den=0.0, n=325,
        days=325, observed_at=AT - timedelta(hours=9), age=timedelta(hours=9),
    )  # fmt: skip
    return Budget(
        kpi=name,
        value=value,
        target_year=year,
        course=tuple(
            TrendPoint(date(2026, month, 28), reached * month / 11, due * month / 11, 28)
            for month in range(1, 11)
        ),
        forecast=Forecast(
            value=reached * 1.17, low=reached * 1.13, high=reached * 1.21, level=0.8,
            method="past_years", years=2, reached=reached, until=LAST, target=year,
        ),
    )  # fmt: skip


def _finance(city: City) -> Finance:
    given = city.programme.finance
    assert given is not None
    return Finance(
        revenue=_budget(city, given.revenue, 4.11e12, 4.52e12, 5.18e12),
        spending=_budget(city, given.spending, 3.72e12, 4.21e12, 5.21e12),
        own_revenue=_budget(city, given.own_revenue, 1.61e12, 1.79e12, 2.2e12),
        items=tuple(
            _budget(city, name, 2.632e11 / (n + 1), 2.5e11 / (n + 1), 3e11 / (n + 1))
            for n, name in enumerate(given.items)
        ),
        absorption=tuple(
            Absorption(key=opd, name=each.name, opd=opd, spent=1e10 * (40 + 3 * n), budget=1e12,
                       due=0.81, observed_at=AT - timedelta(hours=9))
            for n, (opd, each) in enumerate(list(city.opds.items())[:18])
        ),
        cash=Amount(
            value=4.31e11, observed_at=AT - timedelta(days=3), source="kas_daerah", stale=True
        ),
        silpa=Silpa(revenue=4.11e12, spending=3.72e12, financing=3e10, until=LAST),
    )  # fmt: skip


def _services() -> Services:
    return Services(
        promises=("surat_10_menit", "ktp_dicetak", "izin_tepat_janji", "tunggu_puskesmas",
                  "damkar_15_menit", "psc119_15_menit", "elapor_tepat_waktu", "lapor_tepat_waktu"),
        claimed="laporan_selesai",
        verified="laporan_selesai",
        reopened="laporan_dibuka_lagi",
        licences=tuple(
            StageCount(source="perizinan", status=status, count=count, past_promise=late,
                       oldest=AT - timedelta(days=days))
            for status, count, late, days in (
                ("diajukan", 61, 0, 3), ("diproses", 143, 12, 31), ("dikembalikan", 8, 0, 1),
            )
        ),
        unverifiable=("lapor_sp4n",),
    )  # fmt: skip


def _districts(city: City) -> Districts:
    name = city.programme.districts[0]
    kpi = city.kpis[name]
    horizon = Horizon.ending(Span.MONTH, LAST)
    standings = {0: Standing.WORSE, 1: Standing.WORSE, 2: Standing.BETTER, 17: Standing.FEW}
    rows = tuple(
        District(
            code=region.code,
            name=region.name,
            value=value_of(kpi, horizon, 0.8 + n / 50, n=40 + n),
            low=0.6,
            high=0.9,
            standing=standings.get(n, Standing.SAME),
        )
        for n, region in enumerate(city.kecamatan)
    )
    return Districts(
        kpi=name,
        choices=city.programme.districts[:4],
        city=value_of(kpi, horizon, 0.97),
        rows=rows,
        unplaced=31,
    )


def _milestones(city: City) -> tuple[MilestoneLine, ...]:
    states = cycle(MilestoneState)
    return tuple(
        MilestoneLine(milestone=each, state=next(states), progress=0.42, value=None)
        for each in city.programme.milestones
    )
