"""The licences of DPMPTSP: how they come, and how the centre reads them."""

from __future__ import annotations

import json
from datetime import timedelta

import httpx
import pytest

from lawang.connector import Cursor
from lawang.domain.errors import NeedsPerson, RetryLater
from simulator.city_life import Town
from simulator.perizinan.licences import BY_CODE, LICENCES, LONGEST, Office
from simulator.register import Register, Standing
from tests.simulator.conftest import NOW, Simulator
from tests.simulator.reading import Reading, faulty, read_source


@pytest.fixture(scope="module")
def licences(town: Town) -> list[Standing]:
    office = Office(town, 1671, 1.0)
    return Register(office.licences_on, town.timezone, LONGEST).changed(
        NOW - timedelta(days=60), NOW
    )


@pytest.fixture(scope="module")
def found(shared: Simulator) -> Reading:
    """One whole poll."""
    return read_source(shared, "perizinan")


def test_stages_come_in_order_and_end_in_time(licences: list[Standing]) -> None:
    for each in licences:
        stages = [step.stage for step in each.filing.steps]
        assert stages[:2] == ["10", "20"]
        assert stages[-1] in ("50", "90")
        assert ("40" in stages) is BY_CODE[each.filing.code].inspected
        times = [step.at for step in each.filing.steps]
        assert times == sorted(times)
        assert times[-1] - times[0] < LONGEST


def test_every_kind_is_asked_for(licences: list[Standing]) -> None:
    assert {each.filing.code for each in licences} == {each.code for each in LICENCES}


def test_sixty_days_come_without_rejects(found: Reading) -> None:
    requests = found.all("applications")
    assert found.all("rejects") == []
    assert 1_500 < len({each.external_id for each in requests}) == len(requests) < 6_000
    assert {each.status for each in requests} == {"10", "20", "40", "50", "90"}


def test_every_word_is_known(found: Reading) -> None:
    known = {word for each in found.source.services.values() for word in each.words}
    for each in found.all("applications"):
        assert each.service.casefold() in known
        assert each.status in found.source.status_map
        assert each.region is not None


def test_only_an_outcome_closes(found: Reading) -> None:
    for each in found.all("applications"):
        assert (each.closed_at is not None) is (each.status in ("50", "90"))


def test_nobodys_name_is_read(found: Reading) -> None:
    assert "Alamsyah" in found.text
    for planted in ("Alamsyah", "9916710101", "0812-0000", "Sungai Lestari"):
        assert planted not in found.meaning


def test_the_next_poll_brings_what_changed(simulator: Simulator, found: Reading) -> None:
    newest = max(parsed.watermark for parsed in found.parsed if parsed.watermark)
    after = read_source(simulator, "perizinan", Cursor(newest))
    assert 0 < len(after.all("applications")) < 200


def test_a_wrong_key_is_told_inside_a_good_status(simulator: Simulator) -> None:
    url = f"{simulator.url}/perizinan/api/izin/daftar"
    answer = httpx.post(url, json={}, headers={"user_key": "x"}, trust_env=False)
    assert answer.status_code == 200
    assert answer.json()["responizin"]["kode"] == 401


@pytest.mark.parametrize("body", ["[1]", "{", '{"filter": 7}', '{"filter": {"kd_daerah": "1"}}'])
def test_what_cannot_be_is_refused(simulator: Simulator, body: str) -> None:
    url = f"{simulator.url}/perizinan/api/izin/daftar"
    answer = httpx.post(url, content=body, headers={"user_key": "demo"}, trust_env=False)
    assert json.loads(answer.text)["responizin"]["kode"] in (400, 404)


@pytest.mark.parametrize(
    ("fault", "error", "kind"),
    [
        ("off", RetryLater, "unreachable"),
        ("auth", NeedsPerson, "refused"),
        ("truncated", RetryLater, "garbage"),
    ],
)
def test_a_fault_is_told(
    simulator: Simulator, fault: str, error: type[Exception], kind: str
) -> None:
    with faulty(simulator, "perizinan", fault), pytest.raises(error, match=kind):
        read_source(simulator, "perizinan")
