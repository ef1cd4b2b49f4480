"""An opened indicator with everything a page can show, made of plain numbers."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from lawang.city import City
from lawang.domain.health import Health
from lawang.domain.kpi import Combine, Span
from lawang.domain.programme import Annotation
from lawang.domain.quality import Quality
from lawang.kpi.evaluate import TrendPoint
from lawang.kpi.explain import Part
from lawang.overview.model import Forecast, Gap, KpiDetail, RecordsLink, SourceLine
from tests.light.overviews import AT, LAST, full_overview

_QUALITY = Quality(
    completeness=0.97, timeliness=0.99, validity=0.98, uniqueness=1.0, polls=96, failures=1,
    records=400,
)  # fmt: skip


def full_detail(
    city: City, name: str, *, span: Span = Span.MONTH, days: int = 400, hostile: str = ""
) -> KpiDetail:
    """Days with a gap and an outage, two notes, all kecamatan; `hostile` goes wherever it can."""
    overview = full_overview(city, span=span)
    kpi = city.kpis[name]
    line = overview.lines[name]
    goal = line.values[Span.MONTH].target or 1.0
    gap = Gap(first=LAST - timedelta(days=20), last=LAST - timedelta(days=16))
    trend = tuple(
        TrendPoint(day, goal * (0.8 + (back % 11) / 25), goal, 30)
        for back in range(days - 1, -1, -1)
        if not gap.first <= (day := LAST - timedelta(days=back)) <= gap.last
    )
    assert overview.districts is not None
    is_sum = kpi.combine is Combine.SUM
    return KpiDetail(
        at=AT,
        version="7",
        span=span,
        line=line,
        trend=trend,
        gaps=(gap,),
        course=tuple(
            TrendPoint(date(2026, month, 28), month * 9e10, month * 1e11, 28)
            for month in range(1, 11)
        )
        if is_sum
        else (),
        annotations=(
            Annotation(
                first=LAST - timedelta(days=60), last=LAST - timedelta(days=50),
                text_id=f"Banjir {hostile}", text_en=f"A flood {hostile}",
            ),
            Annotation(
                first=LAST - timedelta(days=9), last=LAST - timedelta(days=9),
                text_id="Aturan baru", text_en="A new rule", simulated=True,
            ),
        ),
        districts=None if is_sum else replace(overview.districts, kpi=name),
        district_trends={}
        if is_sum
        else {
            each.code: tuple(
                TrendPoint(
                    LAST - timedelta(days=7 * back), goal * (0.8 + (back + n) % 7 / 30), goal, 9
                )
                for back in range(51, -1, -1)
            )
            for n, each in enumerate(city.kecamatan)
        },
        parts=tuple(
            Part(key=f"p{n}", name=f"Bagian {n} {hostile}", value=goal, num=1.0, den=1.0, n=7)
            for n in range(3)
        ),
        records=(RecordsLink(source="elapor", api="/api/v1/incidents?source=elapor"),),
        held=3,
        sources=(
            SourceLine(
                source="elapor", health=Health.LATE, age_s=7200.0, day=_QUALITY, month=_QUALITY,
                findings=2,
            ),
        ),
        outages=(("elapor", AT - timedelta(days=40), AT - timedelta(days=38)),),
        forecast=Forecast(
            value=1.2e12, low=1.1e12, high=1.3e12, level=0.8, method="past_years", years=2,
            reached=9e11, until=LAST, target=1.25e12,
        )
        if is_sum
        else None,
    )  # fmt: skip
