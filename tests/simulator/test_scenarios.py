from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from lawang.domain.errors import PackError, SettingsError
from simulator.app import DEPARTMENTS
from simulator.city_life import Town
from simulator.department import INTERNET, Department
from simulator.faults import Fault
from simulator.happenings import Happenings
from simulator.player import Player
from simulator.scenario import read_scenario, scenario_names
from simulator.settings import SimulatorSettings
from tests.simulator.conftest import NOW, PACK, HeldClock, Simulator, run_simulator

MINUTE = timedelta(minutes=1)
STEP = '[[step]]\nat_min = 0\nnote = "."\n'


@pytest.fixture
def quiet(town: Town) -> Town:
    return replace(town, happenings=Happenings())


@pytest.fixture
def departments() -> tuple[Department, ...]:
    """Four departments that only have faults: one at city hall, two beside it, one far away."""
    return (
        Department(id="elapor", name="e-lapor", protocol="-"),
        Department(id="gauges", name="Pengukur", protocol="MQTT", fault_kinds=("drift",)),
        Department(id="folder", name="Map berkas", protocol="CSV"),
        Department(id="far", name="Nasional", protocol="-", tags=frozenset({INTERNET})),
    )


@pytest.fixture
def player(quiet: Town, departments: Sequence[Department], tmp_path: Path) -> Player:
    return Player(quiet, departments, tmp_path)


def kinds(departments: Sequence[Department]) -> dict[str, str]:
    return {each.id: each.faults.present.kind for each in departments}


def write(folder: Path, *steps: str, title: str = "Percobaan") -> str:
    (folder / "try.toml").write_text(f'title = "{title}"\n' + "".join(steps))
    return "try"


def step(at_min: float, action: str = "") -> str:
    return f'\n[[step]]\nat_min = {at_min}\nnote = "minute {at_min}"\n{action}\n'


def test_there_are_four_scenarios() -> None:
    assert scenario_names() == ("banjir", "kebakaran", "normal", "pemadaman")


@pytest.mark.parametrize("name", scenario_names())
def test_every_scenario_fits_the_city_and_its_departments(
    name: str, town: Town, tmp_path: Path
) -> None:
    settings = SimulatorSettings(data_dir=tmp_path, pack_dir=PACK)
    departments = [maker.department(town, settings) for maker in DEPARTMENTS]
    try:
        assert read_scenario(name, town, departments).steps[0].at_min == 0
    finally:
        for department in departments:
            department.close()


MISTAKES = {
    "rainn = 3": "rainn: is not a known key here",
    'rain = { kecamatan = ["Sako"], mm_h = 0, minutes = 1 }': "mm_h",
    'rain = { kecamatan = ["Atlantis"], mm_h = 9, minutes = 1 }': "no kecamatan Atlantis",
    'fire = { kecamatan = "Sako", size = "huge" }': "size",
    'fault = { sources = ["nobody"], kind = "off" }': "nobody is no department",
    'fault = { sources = ["tag:nothing"], kind = "off" }': "tag:nothing is no department",
    'fault = { sources = ["*"], kind = "drift" }': "elapor: Unknown kind",
    'fault = { sources = ["*"], spare = ["*"], kind = "off" }': "leaves no department",
    'fault = { sources = ["*"], kind = "slow", options = { s = 1 } }': "has no option s",
    'fault = { sources = ["*"], kind = "off", stagger_min = 1 }': "needs minutes",
}


@pytest.mark.parametrize("action", MISTAKES)
def test_a_mistake_in_a_step_is_told_with_its_line(
    player: Player, tmp_path: Path, action: str
) -> None:
    with pytest.raises(PackError) as caught:
        player.start(write(tmp_path, STEP, action), NOW)
    assert caught.value.line == 5
    assert str(tmp_path / "try.toml") in str(caught.value)
    assert MISTAKES[action] in str(caught.value)


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("title = 3\n" + STEP, 1, "title: "),
        ("title = 'x'\n" + STEP.replace("0", "5") + STEP, None, "in the order of their at_min"),
        ("title = 'x'\n[[step]\n", 2, "not valid TOML"),
        ("title = 'x'\nstep = []\n", 2, "step"),
    ],
)
def test_a_mistake_in_the_file_is_told(
    player: Player, tmp_path: Path, text: str, line: int | None, problem: str
) -> None:
    (tmp_path / "try.toml").write_text(text)
    with pytest.raises(PackError) as caught:
        player.start("try", NOW)
    assert caught.value.line == line
    assert problem in str(caught.value)


def test_an_unknown_scenario_is_refused_with_those_there_are(
    player: Player, tmp_path: Path
) -> None:
    write(tmp_path, STEP)
    with pytest.raises(SettingsError, match="Choose one of: try"):
        player.start("../secrets", NOW)


def test_steps_happen_when_they_are_due(player: Player, quiet: Town, tmp_path: Path) -> None:
    rain = 'rain = { kecamatan = ["Sako", "16.71.10"], mm_h = 50, minutes = 30 }'
    player.start(write(tmp_path, step(0), step(10, rain)), NOW)
    player.follow(NOW + 9 * MINUTE)
    assert quiet.happenings.rains == ()
    player.follow(NOW + 12 * MINUTE)
    assert [(rain.kecamatan, rain.at) for rain in quiet.happenings.rains] == [
        ("16.71.08", NOW + 10 * MINUTE),
        ("16.71.10", NOW + 10 * MINUTE),
    ]
    player.follow(NOW + 13 * MINUTE)
    assert len(quiet.happenings.rains) == 2


def test_speed_hastens_steps_and_what_lasts(
    player: Player, quiet: Town, departments: Sequence[Department], tmp_path: Path
) -> None:
    tide = (
        'tide = { cm = 50, minutes = 100 }\nfault = { sources = ["*"], kind = "off", minutes = 20 }'
    )
    player.start(write(tmp_path, step(0), step(30, tide)), NOW, speed=10)
    player.follow(NOW + 3 * MINUTE)
    assert quiet.happenings.tides[0].minutes == 10
    assert set(kinds(departments).values()) == {"off"}
    player.follow(NOW + 5 * MINUTE)
    assert set(kinds(departments).values()) == {"none"}


def test_faults_hit_those_named_and_not_those_spared(
    player: Player, departments: Sequence[Department], tmp_path: Path
) -> None:
    fault = 'fault = { sources = ["*"], spare = ["elapor", "tag:internet"], kind = "off" }'
    player.start(write(tmp_path, step(0, fault)), NOW)
    assert kinds(departments) == {"elapor": "none", "gauges": "off", "folder": "off", "far": "none"}


def test_a_departments_own_kind_of_fault_can_be_played(
    player: Player, departments: Sequence[Department], tmp_path: Path
) -> None:
    fault = 'fault = { sources = ["gauges"], kind = "drift", options = { amount = 2.5 } }'
    player.start(write(tmp_path, step(0, fault)), NOW)
    assert departments[1].faults.present == Fault("drift", 2.5)


def test_departments_come_back_one_by_one(
    player: Player, departments: Sequence[Department], tmp_path: Path
) -> None:
    fault = 'fault = { sources = ["*"], kind = "off", minutes = 10, stagger_min = 1 }'
    player.start(write(tmp_path, step(0, fault)), NOW)
    off = []
    for minute in range(9, 14):
        player.follow(NOW + minute * MINUTE)
        off.append(sum(kind == "off" for kind in kinds(departments).values()))
    assert off == [4, 3, 2, 1, 0]


def test_a_short_fault_inside_a_long_one_leaves_the_long_one(
    player: Player, departments: Sequence[Department], tmp_path: Path
) -> None:
    long = 'fault = { sources = ["*"], kind = "slow", minutes = 30 }'
    short = 'fault = { sources = ["far"], kind = "off", minutes = 5 }'
    player.start(write(tmp_path, step(0, long), step(5, short)), NOW)
    seen = []
    for minute in (4, 6, 11, 31):
        player.follow(NOW + minute * MINUTE)
        seen.append(kinds(departments)["far"])
    assert seen == ["slow", "off", "slow", "none"]


def test_a_fault_set_by_hand_is_left_alone(
    player: Player, departments: Sequence[Department], tmp_path: Path
) -> None:
    fault = 'fault = { sources = ["*"], kind = "off", minutes = 5 }'
    player.start(write(tmp_path, step(0, fault)), NOW)
    departments[0].faults.set(Fault("500"))
    player.follow(NOW + 6 * MINUTE)
    assert kinds(departments)["elapor"] == "500"


def test_another_scenario_ends_the_faults_of_the_first(
    player: Player, departments: Sequence[Department], tmp_path: Path
) -> None:
    player.start(write(tmp_path, step(0, 'fault = { sources = ["*"], kind = "off" }')), NOW)
    player.start(write(tmp_path, step(0)), NOW + MINUTE)
    assert set(kinds(departments).values()) == {"none"}


def test_a_broken_scenario_leaves_the_present_one_playing(player: Player, tmp_path: Path) -> None:
    player.start(write(tmp_path, step(0), step(5)), NOW)
    (tmp_path / "broken.toml").write_text("title =")
    with pytest.raises(PackError):
        player.start("broken", NOW)
    assert player.to_plain()["name"] == "try"


def test_it_tells_the_present_step_and_the_next(player: Player, tmp_path: Path) -> None:
    assert player.to_plain() == {"name": None, "available": []}
    player.start(write(tmp_path, step(0), step(5)), NOW)
    told = player.to_plain()
    assert (told["step"]["number"], told["next"]["number"], told["steps"]) == (1, 2, 2)
    assert told["next"]["at"] == (NOW + 5 * MINUTE).isoformat()
    player.follow(NOW + 5 * MINUTE)
    assert player.to_plain()["next"] is None


def test_a_scenario_is_started_over_http(simulator: Simulator) -> None:
    url = f"{simulator.url}/_scenario"
    answer = httpx.post(url, json={"name": "pemadaman", "speed": 2}, trust_env=False)
    assert answer.json()["title"] == "Internet padam"
    faults = httpx.get(f"{simulator.url}/_health", trust_env=False).json()["faults"]
    assert (faults["sp4n"], faults["elapor"]) == ("off", "none")
    httpx.post(url, json={"name": "normal"}, trust_env=False).raise_for_status()
    faults = httpx.get(f"{simulator.url}/_health", trust_env=False).json()["faults"]
    assert set(faults.values()) == {"none"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"name": 3}',
        b'{"name": "nothing"}',
        b'{"nam": "normal"}',
        b'{"name": "normal", "speed": 0}',
        b'{"name": "normal", "speed": true}',
        b'{"name": "normal", "speed": NaN}',
    ],
)
def test_what_is_no_scenario_is_refused(simulator: Simulator, body: bytes) -> None:
    answer = httpx.post(f"{simulator.url}/_scenario", content=body, trust_env=False)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_a_fire_reaches_elapor(tmp_path: Path) -> None:
    clock = HeldClock(NOW)
    with run_simulator(tmp_path, clock, tick_s=0.02, scenario="kebakaran") as running:
        clock.forward(minutes=3)
        await_that(lambda: running_step(running) == 2)
        clock.forward(hours=1)
        await_that(lambda: smoke_in(running))


def test_a_scenario_of_which_much_is_over_rained_before_the_simulator_started(
    tmp_path: Path,
) -> None:
    clock = HeldClock(NOW)
    begun = {"scenario_speed": 2.0, "scenario_begun_min": 60.0}
    with run_simulator(tmp_path, clock, scenario="banjir", **begun) as running:
        played = httpx.get(f"{running.url}/_scenario", trust_env=False).json()
    rains = Happenings(tmp_path / "happenings.jsonl").rains
    assert (played["step"]["at_min"], played["speed"], min(rain.at for rain in rains)) == (
        60,
        2,
        NOW - 30 * MINUTE,
    )


def await_that(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


def running_step(running: Simulator) -> object:
    return httpx.get(f"{running.url}/_scenario", trust_env=False).json()["step"]["number"]


def smoke_in(running: Simulator) -> list[str]:
    found = running.api.get("requests.json", params={"service_code": "LNY"}).json()
    return [each for each in found if "-B2-A" in each["service_request_id"]]


def test_the_example_of_the_manual_can_be_played(
    player: Player, quiet: Town, tmp_path: Path
) -> None:
    manual = Path(__file__).resolve().parents[2] / "docs" / "simulator.md"
    example = manual.read_text().partition("```toml\n")[2].partition("```")[0]
    (tmp_path / "try.toml").write_text(example)
    player.start("try", NOW)
    player.follow(NOW + 5 * MINUTE)
    assert len(quiet.happenings.rains) == len(quiet.happenings.blazes) == 1
