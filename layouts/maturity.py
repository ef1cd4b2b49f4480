"""The words of the maturity ladder. Its rules are made from the thresholds that decide."""

from __future__ import annotations

import math

from lawang.domain.maturity import (
    CLOSED_WITHIN_DAYS,
    LEAST_CLOSED,
    LEAST_IN_TIME,
    LEAST_TIMELINESS,
    LEAST_VALIDITY,
    MOST_UNKNOWN,
    MOST_UNPLACED,
    Reason,
    ReasonCode,
    Stage,
)
from layouts.words import Words

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


def stage_word(say: Words, stage: Stage) -> str:
    """The name of a stage."""
    return {
        Stage.AD_HOC: lambda: say("Ad hoc"),
        Stage.INITIATIVE: lambda: say("Initiative"),
        Stage.SCATTERED: lambda: say("Scattered"),
        Stage.INTEGRATED: lambda: say("Integrated"),
        Stage.SMART: lambda: say("Smart"),
    }[stage]()


def rule_text(say: Words, stage: Stage) -> str:
    """What makes a department stand on a stage."""
    if stage is Stage.AD_HOC:
        return say("Nothing of the department has been heard yet.")
    if stage is Stage.INITIATIVE:
        return say("Only files that somebody exports by hand.")
    if stage is Stage.SCATTERED:
        return say("Its own server is reached, but late or in part.")
    if stage is Stage.INTEGRATED:
        return say(
            "All its sources are fresh, at least {timely} of the polls due succeed, at least "
            "{valid} of the records are valid, at most {unplaced} of the incidents are without "
            "a region and {unknown} without a known category or status.",
            timely=percent(LEAST_TIMELINESS),
            valid=percent(LEAST_VALIDITY),
            unplaced=percent(MOST_UNPLACED),
            unknown=percent(MOST_UNKNOWN),
        )
    return say(
        "Integrated, and in {days} days at least {count} of its incidents or requests with a due "
        "time closed, {share} of them or more in time.",
        days=CLOSED_WITHIN_DAYS,
        count=LEAST_CLOSED,
        share=percent(LEAST_IN_TIME),
    )


def reason_text(say: Words, reason: Reason) -> str:
    """Why a department stands where it stands, without the name of the source it is about."""
    value = reason.value or 0.0
    match reason.code:
        case ReasonCode.NO_SOURCE:
            return say("no source is connected")
        case ReasonCode.NEVER_HEARD:
            return say("not heard yet")
        case ReasonCode.FILES_ONLY:
            return say("comes as files")
        case ReasonCode.REFUSED:
            return say("refuses us")
        case ReasonCode.LATE:
            return say("late, last heard {age} ago", age=_age(say, value))
        case ReasonCode.STOPPED:
            return say("down, last heard {age} ago", age=_age(say, value))
        case ReasonCode.UNTIMELY:
            return say("{share} of the polls due succeeded", share=percent(value))
        case ReasonCode.INVALID:
            return say("{share} of the records are valid", share=percent(value))
        case ReasonCode.UNPLACED:
            return say("{share} of the incidents without a region", share=percent(value, up=True))
        case ReasonCode.UNKNOWN_WORDS:
            return say("{share} with an unknown category or status", share=percent(value, up=True))
        case ReasonCode.FEW_CLOSED:
            return say(
                "{count} closed with a due time in {days} days",
                count=int(value),
                days=CLOSED_WITHIN_DAYS,
            )
        case ReasonCode.NOT_IN_TIME | ReasonCode.IN_TIME:
            return say("{share} closed in time", share=percent(value))


def percent(share: float, up: bool = False) -> str:
    """A share as whole percents: rounded so that it does not seem better than it is.

    `up` is for shares of what is wrong.
    """
    whole = math.ceil(share * 100 - 1e-9) if up else math.floor(share * 100 + 1e-9)
    return f"{whole}%"


def _age(say: Words, seconds: float) -> str:
    if seconds < _MINUTE:
        return say("{n} s", n=int(seconds))
    if seconds < _HOUR:
        return say("{n} min", n=int(seconds // _MINUTE))
    if seconds < _DAY:
        return say("{n} h", n=int(seconds // _HOUR))
    return say("{n} d", n=int(seconds // _DAY))
