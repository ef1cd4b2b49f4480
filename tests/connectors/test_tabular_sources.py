"""The pack's sources of files: from the simulated departments' folders to readings."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from connectors import registry
from lawang.city import City, load_city
from lawang.connector import Answer, Cursor, Parsed
from lawang.domain.errors import RetryLater
from lawang.domain.measure import Measurement
from lawang.settings import ROOT
from simulator import apbd, ibu_hamil, paten
from simulator.city_life import Town
from simulator.department import Department
from simulator.faults import Fault
from simulator.settings import SimulatorSettings
from tests.simulator.conftest import NOW, HeldClock

SOURCES = {
    "paten": paten,
    "ibu_hamil": ibu_hamil,
    "apbd": apbd,
    "apbd_opd": apbd,
    "apbd_pembiayaan": apbd,
    "kas_daerah": apbd,
}
_PACK = ROOT / "cities" / "palembang"


@dataclass
class Reader:
    """One source as polling reads it, and its department."""

    source_id: str
    city: City
    department: Department
    clock: HeldClock
    context: Any
    cursor: Cursor = field(default_factory=Cursor)
    answers: list[Answer] = field(default_factory=list)

    def poll(self) -> Parsed:
        """Everything that is new."""
        source = self.city.sources[self.source_id]
        options, connector = registry.bind(source), registry.get(source.connector)
        remembered = dict(self.cursor.validators)
        everything = Parsed()
        self.answers = []

        async def run() -> None:
            async with self.context() as given:
                async for answer in connector.fetch(options, self.cursor, given):
                    remembered.update(answer.validators)
                    parsed = connector.parse(options, answer)
                    everything.measurements.extend(parsed.measurements)
                    everything.rejects.extend(parsed.rejects)
                    if answer.body:
                        self.answers.append(answer)

        asyncio.run(run())
        self.cursor = Cursor(validators={k: v for k, v in remembered.items() if v})
        return everything

    def fault(self, kind: str) -> None:
        self.department.faults.set(Fault(kind))
        self.department.advance(self.clock())


@pytest.fixture
def reader(tmp_path: Path, context: Any) -> Iterator[Callable[[str], Reader]]:
    made: list[Reader] = []

    def make(source_id: str) -> Reader:
        env = {"LAWANG_SIMULATOR_DIR": str(tmp_path)}
        city = load_city(_PACK, simulated=True, env=env)
        clock = HeldClock(NOW)
        settings = SimulatorSettings(data_dir=tmp_path, pack_dir=_PACK, clock=clock)
        department = SOURCES[source_id].department(Town.of(city), settings)
        department.advance(clock())
        made.append(Reader(source_id, city, department, clock, context))
        return made[-1]

    yield make
    for each in made:
        each.department.close()


@pytest.mark.parametrize("source_id", SOURCES)
def test_everything_of_a_sound_department_is_read(
    reader: Callable[[str], Reader], source_id: str
) -> None:
    source = reader(source_id)
    parsed = source.poll()
    assert parsed.rejects == []
    assert {each.measure for each in parsed.measurements} == set(
        source.city.sources[source_id].measures
    )
    assert all(answer.simulated for answer in source.answers)
    assert source.poll().measurements == []


@pytest.mark.parametrize("source_id", ["paten", "ibu_hamil"])
def test_every_region_is_known(reader: Callable[[str], Reader], source_id: str) -> None:
    source = reader(source_id)
    regions = {each.region for each in source.poll().measurements}
    assert len(regions) >= 18
    unknown = [name for name in regions if name and not source.city.gazetteer.resolve(name)]
    assert unknown == []


@pytest.mark.parametrize("source_id", SOURCES)
def test_every_value_lies_in_the_expected_range(
    reader: Callable[[str], Reader], source_id: str
) -> None:
    source = reader(source_id)
    measures = source.city.sources[source_id].measures

    def is_outside(each: Measurement) -> bool:
        least, most = measures[each.measure].expected
        return (least is not None and each.value < least) or (
            most is not None and each.value > most
        )

    assert [each for each in source.poll().measurements if is_outside(each)] == []


def test_no_person_gets_past_the_register(reader: Callable[[str], Reader]) -> None:
    source = reader("ibu_hamil")
    parsed = source.poll()
    source.fault("wrong_types")
    told = repr((parsed, source.poll()))
    for planted in ("9916710101", "0812-0000", "Nurhayati", "Kusumawati", "Rujuk"):
        assert planted not in told


def test_a_week_without_high_risk_is_a_zero(reader: Callable[[str], Reader]) -> None:
    values = [m.value for m in reader("ibu_hamil").poll().measurements if m.measure == "anemia"]
    assert 0 in values
    assert sum(values) > 0


def test_a_corrected_month_comes_as_the_same_delivery(reader: Callable[[str], Reader]) -> None:
    source = reader("apbd")
    source.clock.now = datetime.fromisoformat("2026-08-06T12:00:00+07:00")
    folder = Path(source.city.sources["apbd"].connection["location"])
    for file in folder.glob("apbd_*"):
        file.unlink()
    source.department.advance(source.clock())
    before = {(m.at, m.subject, m.measure): m.value for m in source.poll().measurements}
    source.clock.forward(days=7)
    source.department.advance(source.clock())
    corrected = source.poll().measurements
    (answer,) = source.answers
    assert (answer.kind, answer.delivery) == ("apbd_pendapatan_2026-07_rev2.csv", "2026-07")
    changed = [m for m in corrected if before[(m.at, m.subject, m.measure)] != m.value]
    assert [(m.subject, m.measure) for m in changed] == [("4.1.01.16", "realisasi_pendapatan")]


def test_a_slip_is_a_thousand_times_its_own_history(reader: Callable[[str], Reader]) -> None:
    source = reader("apbd")
    before = {(m.at, m.subject, m.measure): m.value for m in source.poll().measurements}
    source.fault("slip")
    ratios = Counter(
        round(m.value / before[(m.at, m.subject, m.measure)]) for m in source.poll().measurements
    )
    assert ratios == {1: 19, 1000: 1}


@pytest.mark.parametrize("kind", ["garbage", "truncated", "huge"])
def test_a_spoilt_workbook_is_one_bad_file_until_it_is_mended(
    reader: Callable[[str], Reader], kind: str
) -> None:
    source = reader("ibu_hamil")
    source.poll()
    source.fault(kind)
    parsed = source.poll()
    assert [each.reason for each in parsed.rejects] == ["bad_file"]
    assert [answer.delivery for answer in source.answers] == [None]
    source.fault("none")
    mended = source.poll()
    assert mended.rejects == []
    assert mended.measurements


def test_a_share_that_is_away_is_told_and_comes_back(reader: Callable[[str], Reader]) -> None:
    source = reader("paten")
    source.poll()
    source.fault("off")
    with pytest.raises(RetryLater, match="unreachable"):
        source.poll()
    source.fault("none")
    assert source.poll().measurements == []


def test_a_department_that_sends_no_more_is_silent(reader: Callable[[str], Reader]) -> None:
    source = reader("paten")
    source.poll()
    source.fault("slow")
    source.clock.forward(days=14)
    source.department.advance(source.clock())
    settled = source.context

    def later() -> Any:
        from contextlib import asynccontextmanager
        from dataclasses import replace

        @asynccontextmanager
        async def make() -> Any:
            async with settled() as given:
                yield replace(given, clock=source.clock)

        return make()

    source.context = later
    with pytest.raises(RetryLater, match="silent"):
        source.poll()


def test_a_real_department_waits_for_its_folder() -> None:
    for source_id in SOURCES:
        source = load_city(_PACK, env={}).sources[source_id]
        registry.bind(source)
        assert source.unset == (f"LAWANG_{source_id.upper()}_FOLDER",)


_SAMPLES = sorted(path for name in SOURCES for path in (_PACK / "samples" / name).iterdir())


@pytest.mark.parametrize("folder", _SAMPLES, ids=lambda path: "-".join(path.parts[-2:]))
def test_no_sample_means_a_person(folder: Path) -> None:
    expected = json.dumps(json.loads((folder / "expected.json").read_text(encoding="utf-8")))
    assert "9916710101" not in expected
    assert "0812-0000" not in expected
