"""The ladder: each stage, what keeps a department off the next one, and rules that say the same."""

from __future__ import annotations

from typing import Any

import pytest

from lawang.domain import maturity
from lawang.domain.health import Health
from lawang.domain.maturity import Reason, ReasonCode, SourceFacts, Stage, assess
from lawang.domain.quality import Quality
from layouts.maturity import percent, reason_text, rule_text
from layouts.words import LANGUAGES, words


def quality(**changes: Any) -> Quality:
    values: dict[str, Any] = {
        "completeness": 1.0,
        "timeliness": 1.0,
        "validity": 1.0,
        "uniqueness": 1.0,
        "polls": 96,
        "failures": 0,
        "records": 960,
    }
    return Quality(**{**values, **changes})


def source(**changes: Any) -> SourceFacts:
    values: dict[str, Any] = {
        "source_id": "a",
        "connector": "rest",
        "health": Health.FRESH,
        "age_s": 3.0,
        "day": quality(),
        "month": quality(),
        "unplaced": 0.0,
        "unknown": 0.0,
    }
    return SourceFacts(**{**values, **changes})


SILENT = source(source_id="b", health=Health.NEVER, age_s=None)


def codes(sources: list[SourceFacts], closed: int = 0, in_time: int = 0) -> tuple[Stage, list[str]]:
    found = assess(sources, closed, in_time)
    return found.stage, [each.code.value for each in found.reasons]


def test_without_a_source_a_department_is_ad_hoc() -> None:
    assert codes([]) == (Stage.AD_HOC, ["no_source"])


def test_a_source_that_was_never_heard_connects_nothing() -> None:
    assert codes([SILENT]) == (Stage.AD_HOC, ["never_heard"])


def test_files_alone_are_an_initiative_however_fresh() -> None:
    assert codes([source(connector="tabular")], 100, 100) == (Stage.INITIATIVE, ["files_only"])


def test_files_beside_a_server_of_its_own_do_not_hold_a_department_back() -> None:
    assert codes([source(connector="tabular"), source()])[0] is Stage.INTEGRATED


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"health": Health.LATE, "age_s": 10_800}, "late"),
        ({"health": Health.STALE}, "late"),
        ({"health": Health.DOWN}, "stopped"),
        ({"health": Health.REFUSED}, "refused"),
        ({"day": quality(timeliness=0.899)}, "untimely"),
        ({"day": quality(validity=0.949)}, "invalid"),
        ({"unplaced": 0.101}, "unplaced"),
        ({"unknown": 0.051}, "unknown_words"),
    ],
)
def test_one_shortcoming_keeps_it_scattered(changes: dict[str, Any], reason: str) -> None:
    assert codes([source(**changes)], 100, 100) == (Stage.SCATTERED, [reason])


@pytest.mark.parametrize(
    "changes",
    [
        {"day": quality(timeliness=0.9)},
        {"day": quality(validity=0.95)},
        {"unplaced": 0.1},
        {"unknown": 0.05},
        {"unplaced": None, "unknown": None},
    ],
)
def test_what_lies_just_on_a_threshold_is_enough(changes: dict[str, Any]) -> None:
    assert codes([source(**changes)])[0] is Stage.INTEGRATED


def test_one_silent_source_keeps_a_department_scattered() -> None:
    assert codes([source(), SILENT]) == (Stage.SCATTERED, ["never_heard"])


def test_a_source_without_records_today_is_judged_by_its_month() -> None:
    today = quality(timeliness=None, validity=None, records=0)
    assert codes([source(day=today)])[0] is Stage.INTEGRATED
    assert codes([source(day=today, month=quality(validity=0.5))]) == (
        Stage.SCATTERED,
        ["invalid"],
    )


def test_every_shortcoming_of_every_source_is_named() -> None:
    bad = source(source_id="c", health=Health.LATE, unplaced=0.12)
    found = assess([source(), SILENT, bad], 0, 0).reasons
    assert [(each.source_id, each.code.value) for each in found] == [
        ("b", "never_heard"),
        ("c", "late"),
        ("c", "unplaced"),
    ]


@pytest.mark.parametrize(
    ("closed", "in_time", "expected"),
    [
        (0, 0, (Stage.INTEGRATED, ["few_closed"])),
        (9, 9, (Stage.INTEGRATED, ["few_closed"])),
        (10, 7, (Stage.INTEGRATED, ["not_in_time"])),
        (10, 8, (Stage.SMART, ["in_time"])),
    ],
)
def test_smart_is_who_closes_in_time(
    closed: int, in_time: int, expected: tuple[Stage, list[str]]
) -> None:
    assert codes([source()], closed, in_time) == expected


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_printed_rules_hold_every_threshold(language: str) -> None:
    say = words(language)
    integrated = rule_text(say, Stage.INTEGRATED)
    for share in (
        maturity.LEAST_TIMELINESS,
        maturity.LEAST_VALIDITY,
        maturity.MOST_UNPLACED,
        maturity.MOST_UNKNOWN,
    ):
        assert percent(share) in integrated
    smart = rule_text(say, Stage.SMART)
    for text in (
        str(maturity.CLOSED_WITHIN_DAYS),
        str(maturity.LEAST_CLOSED),
        percent(maturity.LEAST_IN_TIME),
    ):
        assert text in smart


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_stage_and_reason_has_its_words(language: str) -> None:
    say = words(language)
    rules = [rule_text(say, stage) for stage in Stage]
    reasons = [reason_text(say, Reason(code, "a", 0.5)) for code in ReasonCode]
    assert all(rules)
    assert all(reasons)
    assert not any("{" in text for text in [*rules, *reasons])


def test_reasons_say_how_late_and_how_much() -> None:
    say = words("id")
    late = reason_text(say, Reason(ReasonCode.LATE, "a", 3 * 3600 + 60))
    assert late == "terlambat, terakhir terdengar 3 jam lalu"
    assert reason_text(say, Reason(ReasonCode.UNPLACED, "a", 0.12)) == "12% laporan tanpa wilayah"


def test_a_share_never_looks_better_than_it_is() -> None:
    assert (percent(0.9999), percent(0.1001, up=True), percent(0.29)) == ("99%", "11%", "29%")
