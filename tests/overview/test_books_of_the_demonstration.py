"""From BPKAD's simulated files to the finance section: it says what the books say."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from fnmatch import fnmatch
from pathlib import Path

import pytest

from connectors import registry
from lawang.check import Heard
from lawang.check.examine import gather
from lawang.city import City, load_city
from lawang.connector import Answer
from lawang.domain.facts import Facts
from lawang.kpi.daily import DailyFacts
from lawang.overview.finance import read_finance
from lawang.overview.model import Finance
from lawang.settings import ROOT
from lawang.store.history import History
from simulator.apbd.books import revenue_on, spending_until
from simulator.apbd.files import plan
from simulator.apbd.treasury import balance_on, financing_until
from simulator.city_life import Town
from simulator.drop import Sending
from simulator.faults import Fault
from tests.kpi.desk import WIB, wib

_SEED = 1671
_SOURCES = ("apbd", "apbd_opd", "apbd_pembiayaan", "kas_daerah")
#: The files of July came on 5 August; the newest page of the cash book is of the 19th.
NOW = wib(2026, 8, 20, 9)
JULY = date(2026, 7, 31)


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> City:
    folder = tmp_path_factory.mktemp("simulator")
    env = {"LAWANG_SIMULATOR_URL": "http://127.0.0.1:9", "LAWANG_SIMULATOR_DIR": str(folder)}
    return load_city(ROOT / "cities" / "palembang", simulated=True, env=env)


def _settle(pack: City, history: History, sending: Sending, fault: Fault) -> None:
    """One file, parsed and settled as a poll does."""
    (source,) = [
        pack.sources[name]
        for name in _SOURCES
        if fnmatch(sending.name, pack.sources[name].connection["pattern"])
    ]
    answer = Answer(
        body=sending.make(fault),
        content_type="text/csv",
        fetched_at=sending.at,
        kind=sending.name,
        delivery=Path(sending.name).stem.split("_rev")[0].rsplit("_", 1)[1],
    )
    connector = registry.get(source.connector)
    got = gather(Heard((answer,), None, 0.0), source, connector, registry.bind(source), pack)
    assert got.rejects == []
    facts = Facts(zone=WIB, measures=source.measures, readings=got.settled("readings"))
    history.settle(source.id, [], [], fetched_at=sending.at, fence=1, facts=facts)


def _read(pack: City, history: History, *, with_slip: bool = False) -> Finance:
    town = Town.of(pack)
    sent = [each for each in plan(town, _SEED, NOW) if each.at >= datetime(2026, 1, 20, tzinfo=UTC)]
    for each in sorted(sent, key=lambda sending: sending.at):
        spoilt = with_slip and each is sent[-1]
        _settle(pack, history, each, Fault("slip") if spoilt else Fault())
    names = ("pendapatan_daerah", "belanja_daerah", "pad", "retribusi")
    engine = DailyFacts(pack, history.database)
    first, last = date(2026, 1, 1), date(2026, 8, 19)
    for name in names:
        history.kpis.replace(name, first, last, engine.compute(pack.kpis[name], first, last, NOW))
    programme = pack.programme
    assert programme.finance is not None
    fewer = replace(programme, finance=replace(programme.finance, items=("retribusi",)))
    found = read_finance(replace(pack, programme=fewer), history, NOW)
    assert found is not None
    return found


def test_the_section_says_what_the_books_say(pack: City, sqlite_history: History) -> None:
    found, town = _read(pack, sqlite_history), Town.of(pack)
    came = sum(each.realised for each in revenue_on(_SEED, JULY))
    spent = {each.code: each for each in spending_until(town, _SEED, JULY)}
    financing = financing_until(town, _SEED, JULY)
    net = sum(each.realised * (1 if each.code < "6.2" else -1) for each in financing)
    assert found.silpa is not None
    assert found.silpa.until == JULY
    assert found.silpa.revenue == pytest.approx(came, abs=1)
    assert found.silpa.financing == net
    assert found.silpa.value == pytest.approx(balance_on(town, _SEED, JULY), abs=2)
    assert found.cash is not None
    assert found.cash.value == balance_on(town, _SEED, date(2026, 8, 19))
    assert {each.key: each.spent for each in found.absorption} == {
        code: each.realised for code, each in spent.items()
    }
    assert found.absorption[0].key == "perkimtan"


def test_the_sums_stop_before_a_slip_of_a_thousand(pack: City, sqlite_history: History) -> None:
    """July's corrected file is the newest one, and what it says of PBB is held back."""
    found = _read(pack, sqlite_history, with_slip=True)
    june = date(2026, 6, 30)
    came = sum(each.realised for each in revenue_on(_SEED, june))
    for budget in (found.revenue, found.own_revenue):
        assert budget.forecast is not None
        assert (budget.forecast.until, budget.course[-1].day) == (june, june)
    assert found.revenue.forecast is not None
    assert found.revenue.forecast.reached == pytest.approx(came, abs=1)
    assert found.silpa is not None
    assert found.silpa.until == june
    assert found.silpa.value == pytest.approx(balance_on(Town.of(pack), _SEED, june), abs=2)
    (fees,) = found.items
    assert fees.course[-1].day == JULY
