"""All indicators of the pack, worked out a second time by pandas from the raw tables.

The engine reads history by SQL; `recompute` reads exported tables and kpi.toml as plain data, and
shares no line with it.
"""

from __future__ import annotations

import math
import shutil
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import text

from lawang.city import City
from lawang.domain.kpi import KpiValue, RollUp, Span
from lawang.kpi.daily import DailyFacts
from lawang.kpi.evaluate import Evaluator
from lawang.overview.read import OverviewReader
from lawang.settings import ROOT
from lawang.store.engine import open_engine
from lawang.store.history import History
from lawang.store.kpis import KpiStore
from tests.kpi import recompute
from tests.kpi.weeks import LAST, NOW, fill

_PACK = ROOT / "cities" / "palembang"
_TABLES = (
    "reading", "series", "incident", "incident_event", "service_request", "source_tally",
)  # fmt: skip
_TIMES = {
    "reading": ["at", "observed_at", "fetched_at"],
    "series": [],
    "incident": [
        "requested_at",
        "due_at",
        "closed_at",
        "verified_at",
        "observed_at",
        "fetched_at",
    ],
    "incident_event": ["at"],
    "service_request": ["requested_at", "due_at", "closed_at", "observed_at", "fetched_at"],
    "source_tally": ["bucket"],
}
#: Since when facts are worked out: before the first day of the longest horizon.
_SINCE = date(2025, 11, 1)
_NOW = pd.Timestamp(NOW)


@dataclass(frozen=True)
class Weeks:
    """The simulated weeks, their raw tables, and what the engine made of them."""

    city: City
    history: History
    store: KpiStore
    raw: recompute.Raw
    pack: recompute.Table
    facts: dict[str, pd.DataFrame]

    @property
    def evaluator(self) -> Evaluator:
        return Evaluator(self.city, self.store)

    def engine(self, span: Span) -> dict[str, KpiValue]:
        """The engine's values over a horizon up to the last complete day."""
        return self.evaluator.values(self.evaluator.horizon(span, NOW), NOW)

    def pandas(self, span: Span) -> dict[str, recompute.Outcome]:
        """What pandas makes of the same."""
        return self._outcomes(span, LAST, _NOW)

    def pandas_before(self, span: Span) -> dict[str, recompute.Outcome]:
        """The equal horizon before, as fresh as it was at its end."""
        last = recompute.end_before(span.value, LAST)
        return self._outcomes(span, last, recompute.end_of(last))

    def of(self, name: str, region: str = "") -> pd.DataFrame:
        """The rows of an indicator in the city, or in a kecamatan."""
        facts = self.facts[name]
        return facts[facts["region"] == region]

    def _outcomes(self, span: Span, last: date, now: pd.Timestamp) -> dict[str, recompute.Outcome]:
        return {
            name: recompute.outcome(kpi, self.pack["curves"], self.of(name), span.value, last, now)
            for name, kpi in self.pack["kpi"].items()
        }


@pytest.fixture(scope="module")
def weeks(
    city: City, _migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Weeks]:
    path = tmp_path_factory.mktemp("weeks") / "history.sqlite3"
    shutil.copyfile(_migrated_sqlite, path)
    history = History(open_engine(f"sqlite:///{path}"))
    fill(history, city)
    engine = DailyFacts(city, history.database)
    store = KpiStore(history.database)
    for name, kpi in city.kpis.items():
        store.replace(name, _SINCE, LAST, engine.compute(kpi, _SINCE, LAST, NOW))
    raw = _export(history, city)
    pack = recompute.read_pack(_PACK / "kpi.toml")
    facts = {name: recompute.daily(kpi, raw) for name, kpi in pack["kpi"].items()}
    yield Weeks(city, history, store, raw, pack, facts)
    history.close()


def _export(history: History, city: City) -> recompute.Raw:
    tables = {}
    with history.database.reading() as connection:
        for name in _TABLES:
            table = pd.read_sql(text(f"SELECT * FROM {name}"), connection)
            for column in _TIMES[name]:
                table[column] = pd.to_datetime(table[column], utc=True, format="ISO8601")
            tables[name] = table
    files = sorted((_PACK / "sources").glob("*.toml"))
    return recompute.Raw(
        tables=tables,
        sources={file.stem: tomllib.loads(file.read_text("utf-8")) for file in files},
        opds=list(tomllib.loads((_PACK / "opd.toml").read_text("utf-8"))),
        kecamatan=[region.code for region in city.kecamatan],
        now=_NOW,
        first=pd.Timestamp(_SINCE),
        last=pd.Timestamp(LAST),
    )


def _same(one: float | None, other: float | None) -> bool:
    """Equal to the last digit that is ever shown: 14 of the 15 or 16 that a float holds.

    The bits below hang on the order in which the database adds up.
    """
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=1e-14, abs_tol=1e-15)


def test_the_weeks_hold_something_for_every_indicator(weeks: Weeks) -> None:
    empty = [name for name, facts in weeks.facts.items() if facts.empty]
    assert empty == []


def test_the_weeks_hold_what_goes_wrong_in_real_ones(weeks: Weeks) -> None:
    readings = weeks.raw.tables["reading"]
    assert {"", "out_of_range", "magnitude", "falling"} <= set(readings["held"])
    assert weeks.raw.tables["incident"]["reopened"].sum() > 10
    assert weeks.raw.tables["incident"]["verified_at"].notna().sum() > 10
    assert weeks.raw.tables["service_request"]["closed_at"].isna().sum() > 10


def test_every_daily_fact_of_city_and_kecamatan_agrees(weeks: Weeks) -> None:
    for name in weeks.city.kpis:
        made = {
            (each.region, pd.Timestamp(each.day)): each
            for each in weeks.store.days(name, _SINCE, LAST, region=None)
        }
        expected = {(row.region, row.day): row for row in weeks.facts[name].itertuples()}
        assert set(made) == set(expected), name
        for key, row in expected.items():
            each = made[key]
            assert _same(each.num, row.num), (name, key, each, row)
            assert _same(each.den, row.den), (name, key, each, row)
            assert each.n == row.n, (name, key, each, row)
            assert pd.Timestamp(each.observed_at) == row.observed_at, (name, key, each, row)


def _assert_agrees(name: str, each: KpiValue, expected: recompute.Outcome) -> None:
    assert _same(each.value, expected.value), (name, each, expected)
    assert _same(each.target, expected.target), (name, each, expected)
    assert _same(each.score, expected.score), (name, each, expected)
    assert each.n == expected.n, (name, each, expected)
    assert (each.grey.value if each.grey else None) == expected.grey, (name, each, expected)


def test_every_indicator_of_the_city_is_worked_out_again(weeks: Weeks) -> None:
    assert set(weeks.facts) == set(weeks.city.kpis)


@pytest.mark.parametrize("span", list(Span))
def test_every_value_target_and_score_agrees(weeks: Weeks, span: Span) -> None:
    made = weeks.engine(span)
    for name, expected in weeks.pandas(span).items():
        _assert_agrees(name, made[name], expected)


def test_every_value_of_a_kecamatan_agrees(weeks: Weeks) -> None:
    span = Span.MONTH
    horizon = weeks.evaluator.horizon(span, NOW)
    for name, kpi in weeks.pack["kpi"].items():
        made = weeks.evaluator.by_kecamatan(weeks.city.kpis[name], horizon, NOW)
        for code in {row.region for row in weeks.facts[name].itertuples()} - {""}:
            expected = recompute.outcome(
                kpi, weeks.pack["curves"], weeks.of(name, code), span.value, LAST, _NOW,
                city=weeks.of(name),
            )  # fmt: skip
            _assert_agrees(f"{name} {code}", made[code], expected)


@pytest.mark.parametrize("span", list(Span))
def test_the_roll_up_of_dimensions_and_city_agrees(weeks: Weeks, span: Span) -> None:
    rolled = weeks.evaluator.scores(span, NOW)
    made = {each.id: each.score for each in rolled if each.score is not None}
    expected = recompute.roll_up(weeks.pack, weeks.pandas(span))
    assert set(made) == set(expected)
    for name, score in expected.items():
        assert _same(made[name], score), name


def _assert_drivers_agree(rolled: Iterable[RollUp], weeks: Weeks, span: Span) -> None:
    expected = recompute.drivers(weeks.pack, weeks.pandas(span), weeks.pandas_before(span))
    made = {
        each.id: {driver.kpi: driver.contribution for driver in each.drivers}
        for each in rolled
        if each.change is not None
    }
    assert {name: set(moves) for name, moves in made.items()} == {
        name: set(moves) for name, moves in expected.items()
    }
    for name, moves in expected.items():
        for kpi, moved in moves.items():
            assert _same(made[name][kpi], moved), (name, kpi, made[name][kpi], moved)


@pytest.mark.parametrize("span", list(Span))
def test_the_drivers_of_each_change_agree(weeks: Weeks, span: Span) -> None:
    _assert_drivers_agree(weeks.evaluator.scores(span, NOW), weeks, span)


def test_there_are_changes_to_be_explained_within_the_weeks(weeks: Weeks) -> None:
    moves = recompute.drivers(weeks.pack, weeks.pandas(Span.WEEK), weeks.pandas_before(Span.WEEK))
    assert len(moves[""]) > 60
    assert len(moves) == 1 + len(weeks.city.dimensions)


def test_the_page_tells_the_same_over_all_horizons(weeks: Weeks) -> None:
    overview = OverviewReader(weeks.city, weeks.history).read(NOW, {})
    for span in Span:
        after, before = weeks.pandas(span), weeks.pandas_before(span)
        for name, line in overview.lines.items():
            _assert_agrees(f"{name} {span}", line.values[span], after[name])
            _assert_agrees(f"{name} before {span}", line.before[span], before[name])
        expected = recompute.roll_up(weeks.pack, after)
        for each in overview.scores[span]:
            assert _same(each.score, expected.get(each.id)), (span, each.id)
        _assert_drivers_agree(overview.scores[span], weeks, span)


def test_most_indicators_count_in_the_month(weeks: Weeks) -> None:
    counting = [name for name, each in weeks.pandas(Span.MONTH).items() if each.grey is None]
    assert len(counting) >= 60
