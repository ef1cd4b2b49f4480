"""Plays a scenario: lets each of its steps happen when it is due."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import structlog

from simulator.city_life import Town
from simulator.department import Department
from simulator.faults import Fault
from simulator.scenario import (
    SCENARIOS,
    Action,
    FaultStep,
    FireStep,
    RainStep,
    Scenario,
    Step,
    TideStep,
    read_scenario,
    scenario_names,
)

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, eq=False)
class _Lasting:
    """A fault that a scenario has set; `end` is None where only another step ends it."""

    end: datetime | None
    department: Department
    fault: Fault


@dataclass
class _Play:
    """`done` steps of a scenario have happened; `lasting` are the faults it has set, in order."""

    scenario: Scenario
    speed: float
    started: datetime
    done: int
    lasting: list[_Lasting]

    def at(self, step: Step) -> datetime:
        return self.after(self.started, step.at_min)

    def after(self, at: datetime, minutes: float) -> datetime:
        return at + timedelta(minutes=minutes / self.speed)


class Player:
    """Plays one scenario at a time. Belongs to the event loop of the server, as faults do.

    What has begun stays: rain that fell does not un-fall when another scenario is started. Faults
    that a scenario set and nobody has changed since end with it.
    """

    def __init__(
        self, town: Town, departments: Sequence[Department], folder: Path = SCENARIOS
    ) -> None:
        self._town = town
        self._departments = departments
        self._by_id = {department.id: department for department in departments}
        self._folder = folder
        self._play: _Play | None = None

    def start(self, name: str, at: datetime, speed: float = 1.0) -> None:
        """Play a scenario from `at` on, in place of the present one.

        With `speed` 10 its steps, and what lasts a while, take a tenth of their minutes; water
        keeps its own pace. Raises SettingsError for an unknown name and PackError for a mistake
        in the file; then the present one goes on.
        """
        scenario = read_scenario(name, self._town, self._departments, self._folder)
        self.stop()
        self._play = _Play(scenario, speed, at, 0, [])
        _log.info("scenario", name=name, speed=speed)
        self.follow(at)

    def stop(self) -> None:
        """Play nothing any more."""
        play, self._play = self._play, None
        while play is not None and play.lasting:
            _end(play, play.lasting[-1])

    def follow(self, now: datetime) -> None:
        """Let happen what is due by now, in its order."""
        play = self._play
        if play is None:
            return
        self._mend_ended(play, now)
        for step in play.scenario.steps[play.done :]:
            at = play.at(step)
            if at > now:
                break
            play.done += 1
            _log.info("scenario step", name=play.scenario.name, at_min=step.at_min, note=step.note)
            for action in step.actions:
                self._do(play, action, at)
        self._mend_ended(play, now)

    def to_plain(self) -> dict[str, Any]:
        """What is played: `step` is the last that happened, `next` the one to come, or None."""
        play = self._play
        available = list(scenario_names(self._folder))
        if play is None:
            return {"name": None, "available": available}
        steps = play.scenario.steps
        return {
            "name": play.scenario.name,
            "title": play.scenario.title,
            "speed": play.speed,
            "started": play.started.isoformat(),
            "steps": len(steps),
            "step": _told(play, play.done - 1),
            "next": _told(play, play.done) if play.done < len(steps) else None,
            "available": available,
        }

    def _do(self, play: _Play, action: Action, at: datetime) -> None:
        happenings = self._town.happenings
        match action:
            case RainStep():
                for code in action.kecamatan:
                    happenings.rain(code, at, action.mm_h, action.minutes / play.speed)
            case TideStep():
                happenings.tide(at, action.cm, action.minutes / play.speed)
            case FireStep():
                happenings.blaze(action.kecamatan, at, action.size)
            case FaultStep():
                for department_id, minutes in action.departments:
                    department = self._by_id[department_id]
                    end = None if minutes is None else play.after(at, minutes)
                    _set(play, _Lasting(end, department, action.fault))

    def _mend_ended(self, play: _Play, now: datetime) -> None:
        for each in [each for each in play.lasting if each.end is not None and each.end <= now]:
            _end(play, each)


def _set(play: _Play, new: _Lasting) -> None:
    if new.fault == Fault():
        play.lasting = [each for each in play.lasting if each.department is not new.department]
    else:
        play.lasting.append(new)
    new.department.faults.set(new.fault)


def _end(play: _Play, ended: _Lasting) -> None:
    """End a fault, unless somebody has set another one meanwhile; one set before may go on."""
    play.lasting.remove(ended)
    others = [each.fault for each in play.lasting if each.department is ended.department]
    if ended.department.faults.present == ended.fault:
        ended.department.faults.set(others[-1] if others else Fault())


def _told(play: _Play, number: int) -> dict[str, Any] | None:
    if number < 0:
        return None
    step = play.scenario.steps[number]
    at = play.at(step).isoformat()
    return {"number": number + 1, "at_min": step.at_min, "at": at, "note": step.note}
