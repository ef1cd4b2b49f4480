"""Scenarios: what happens to the simulated city, minute by minute, read from TOML files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from lawang.city.toml import mistake, read_model
from lawang.domain.errors import SettingsError
from simulator.city_life import Town
from simulator.department import Department
from simulator.faults import Fault, FaultError, read_fault
from simulator.happenings import Size

SCENARIOS = Path(__file__).parent / "scenarios"

Minutes = Annotated[float, Field(gt=0, le=2_880)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class _Rain(_Strict):
    kecamatan: list[str] = Field(min_length=1)
    mm_h: float = Field(gt=0, le=200)
    minutes: Minutes


class _Tide(_Strict):
    cm: float = Field(ge=-200, le=300)
    minutes: Minutes


class _Fault(_Strict):
    sources: list[str] = Field(min_length=1)
    spare: list[str] = []
    kind: str
    options: dict[str, float] = {}
    minutes: Minutes | None = None
    stagger_min: float = Field(0.0, ge=0, le=240)


class _Fire(_Strict):
    kecamatan: str
    size: Size


class _Step(_Strict):
    at_min: float = Field(ge=0, le=10_080)
    note: str = Field(min_length=1)
    rain: _Rain | None = None
    tide: _Tide | None = None
    fault: _Fault | None = None
    fire: _Fire | None = None


class _File(_Strict):
    title: str = Field(min_length=1)
    step: list[_Step] = Field(min_length=1)

    @model_validator(mode="after")
    def _in_order(self) -> _File:
        times = [step.at_min for step in self.step]
        if times != sorted(times):
            raise ValueError("steps must stand in the order of their at_min")
        return self


@dataclass(frozen=True, slots=True)
class RainStep:
    """Rain over kecamatan (codes)."""

    kecamatan: tuple[str, ...]
    mm_h: float
    minutes: float


@dataclass(frozen=True, slots=True)
class TideStep:
    """The river higher by `cm`, for `minutes`."""

    cm: float
    minutes: float


@dataclass(frozen=True, slots=True)
class FaultStep:
    """A fault of departments (ids), each with the minutes after which it ends by itself.

    None stands until another step, or somebody, mends it.
    """

    fault: Fault
    departments: tuple[tuple[str, float | None], ...]


@dataclass(frozen=True, slots=True)
class FireStep:
    """A fire in a kecamatan (code)."""

    kecamatan: str
    size: Size


Action = RainStep | TideStep | FaultStep | FireStep


@dataclass(frozen=True, slots=True)
class Step:
    """What happens `at_min` minutes after the start."""

    at_min: float
    note: str
    actions: tuple[Action, ...]


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario that fits one town and its departments. It has at least one step."""

    name: str
    title: str
    steps: tuple[Step, ...]


def scenario_names(folder: Path = SCENARIOS) -> tuple[str, ...]:
    """The scenarios there are."""
    return tuple(sorted(file.stem for file in folder.glob("*.toml")))


def scenario_file(name: str, folder: Path = SCENARIOS) -> Path:
    """The file of a scenario. Raises SettingsError, naming those there are."""
    names = scenario_names(folder)
    if name not in names:
        raise SettingsError(f"There is no such scenario. Choose one of: {', '.join(names)}.")
    return folder / f"{name}.toml"


def read_scenario(
    name: str, town: Town, departments: Sequence[Department], folder: Path = SCENARIOS
) -> Scenario:
    """Read and check a scenario against the town and its departments.

    Raises SettingsError for an unknown name, PackError (file, line, key) for a mistake in the file.
    """
    file = scenario_file(name, folder)
    read = read_model(file, _File)
    steps = tuple(
        _bound(file, number, step, town, departments) for number, step in enumerate(read.step)
    )
    return Scenario(name, read.title, steps)


def _bound(
    file: Path, number: int, step: _Step, town: Town, departments: Sequence[Department]
) -> Step:
    path = ("step", str(number))
    actions: list[Action] = []
    if step.rain is not None:
        codes = tuple(
            _kecamatan(file, (*path, "rain", "kecamatan"), name, town)
            for name in step.rain.kecamatan
        )
        actions.append(RainStep(codes, step.rain.mm_h, step.rain.minutes))
    if step.tide is not None:
        actions.append(TideStep(step.tide.cm, step.tide.minutes))
    if step.fault is not None:
        actions.append(_fault(file, (*path, "fault"), step.fault, departments))
    if step.fire is not None:
        code = _kecamatan(file, (*path, "fire", "kecamatan"), step.fire.kecamatan, town)
        actions.append(FireStep(code, step.fire.size))
    return Step(step.at_min, step.note, tuple(actions))


def _kecamatan(file: Path, path: tuple[str, ...], name: str, town: Town) -> str:
    """The code of a kecamatan given by its code or its name."""
    known = {place.kecamatan: place.kecamatan_name for place in town.neighbourhoods}
    for code, its_name in known.items():
        if name == code or name.casefold() == its_name.casefold():
            return code
    raise mistake(file, path, f"there is no kecamatan {name} in {town.name}")


def _fault(
    file: Path, path: tuple[str, ...], asked: _Fault, departments: Sequence[Department]
) -> FaultStep:
    chosen = _chosen(file, (*path, "sources"), asked.sources, departments)
    spared = _chosen(file, (*path, "spare"), asked.spare, departments)
    hit = [each for each in departments if each.id in chosen and each.id not in spared]
    if not hit:
        raise mistake(file, (*path, "spare"), "leaves no department over")
    for department in hit:
        try:
            fault = read_fault({"kind": asked.kind, **asked.options}, department.fault_kinds)
        except FaultError as error:
            raise mistake(file, path, f"{department.id}: {error}") from error
    if asked.stagger_min and asked.minutes is None:
        raise mistake(file, (*path, "stagger_min"), "needs minutes, which it prolongs")
    minutes = asked.minutes
    return FaultStep(
        fault,
        tuple(
            (each.id, None if minutes is None else minutes + turn * asked.stagger_min)
            for turn, each in enumerate(hit)
        ),
    )


def _chosen(
    file: Path, path: tuple[str, ...], names: Sequence[str], departments: Sequence[Department]
) -> set[str]:
    """Ids of the departments named: by `*` (all), by `tag:NAME`, or by their own id."""
    chosen: set[str] = set()
    for name in names:
        tag = name.removeprefix("tag:") if name.startswith("tag:") else None
        found = {each.id for each in departments if name in ("*", each.id) or tag in each.tags}
        if not found:
            raise mistake(
                file, path, f'{name} is no department; use an id, "*", or "tag:" with a tag'
            )
        chosen |= found
    return chosen
