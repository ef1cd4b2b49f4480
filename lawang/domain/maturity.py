"""How far a department is integrated: five stages, worked out from what is true now. Pure.

The thresholds are the constants below. The rules printed on the page are made from the same
constants, so that what is said and what is done cannot differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from lawang.domain.health import Health
from lawang.domain.quality import Quality

#: The connector that reads files which somebody exported and put down.
FILES = "tabular"
#: Least share of due polls that succeeded, and of records that were valid, to count as integrated.
LEAST_TIMELINESS = 0.9
LEAST_VALIDITY = 0.95
#: Most incidents without a kecamatan, and without a known category or status.
MOST_UNPLACED = 0.1
MOST_UNKNOWN = 0.05
#: To be smart, a department closes so many with a due time in 30 days, and this share by then.
LEAST_CLOSED = 10
LEAST_IN_TIME = 0.8
CLOSED_WITHIN_DAYS = 30


class Stage(StrEnum):
    """The five stages, lowest first."""

    AD_HOC = "ad_hoc"
    INITIATIVE = "inisiatif"
    SCATTERED = "scattered"
    INTEGRATED = "integratif"
    SMART = "smart"


class ReasonCode(StrEnum):
    """Why a department stands where it stands.

    The value beside it is a share from 0 to 1, seconds (late, stopped) or a count (few_closed).
    """

    NO_SOURCE = "no_source"
    NEVER_HEARD = "never_heard"
    FILES_ONLY = "files_only"
    REFUSED = "refused"
    LATE = "late"
    STOPPED = "stopped"
    UNTIMELY = "untimely"
    INVALID = "invalid"
    UNPLACED = "unplaced"
    UNKNOWN_WORDS = "unknown_words"
    FEW_CLOSED = "few_closed"
    NOT_IN_TIME = "not_in_time"
    IN_TIME = "in_time"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFacts:
    """What the stage of a department follows from, of one of its sources.

    `age_s` is how old its last success is, None before the first. Shares are from 0 to 1, or None
    where there is nothing to share: `unplaced` of its incidents without a kecamatan, `unknown` of
    those without a known category or status.
    """

    source_id: str
    connector: str
    health: Health
    age_s: float | None
    day: Quality
    month: Quality
    unplaced: float | None = None
    unknown: float | None = None

    @property
    def is_heard(self) -> bool:
        return self.age_s is not None


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason, about a source or ("") about the whole department."""

    code: ReasonCode
    source_id: str = ""
    value: float | None = None


@dataclass(frozen=True, slots=True)
class Assessment:
    """The stage of a department and what keeps it there."""

    stage: Stage
    reasons: tuple[Reason, ...]


def assess(sources: Sequence[SourceFacts], closed: int, in_time: int) -> Assessment:
    """The stage of one department.

    `closed` are its incidents and requests with a due time that closed in the last 30 days,
    `in_time` those of them that closed by then.
    """
    silent = [
        Reason(ReasonCode.NEVER_HEARD, each.source_id) for each in sources if not each.is_heard
    ]
    heard = [each for each in sources if each.is_heard]
    if not heard:
        return Assessment(Stage.AD_HOC, tuple(silent) or (Reason(ReasonCode.NO_SOURCE),))
    if all(each.connector == FILES for each in heard):
        files = [Reason(ReasonCode.FILES_ONLY, each.source_id) for each in heard]
        return Assessment(Stage.INITIATIVE, (*files, *silent))
    wanting = [*silent, *(reason for each in heard for reason in _shortcomings(each))]
    if wanting:
        return Assessment(Stage.SCATTERED, tuple(wanting))
    if closed < LEAST_CLOSED:
        return Assessment(Stage.INTEGRATED, (Reason(ReasonCode.FEW_CLOSED, value=closed),))
    share = in_time / closed
    if share < LEAST_IN_TIME:
        return Assessment(Stage.INTEGRATED, (Reason(ReasonCode.NOT_IN_TIME, value=share),))
    return Assessment(Stage.SMART, (Reason(ReasonCode.IN_TIME, value=share),))


_BY_HEALTH = {
    Health.REFUSED: ReasonCode.REFUSED,
    Health.LATE: ReasonCode.LATE,
    Health.STALE: ReasonCode.LATE,
    Health.DOWN: ReasonCode.STOPPED,
}


def _shortcomings(source: SourceFacts) -> list[Reason]:
    """What keeps a source that is heard from being fresh, valid and on shared codes."""
    found: list[Reason] = []
    if source.health in _BY_HEALTH:
        found.append(Reason(_BY_HEALTH[source.health], source.source_id, source.age_s))
    shares = (
        (ReasonCode.UNTIMELY, _lately(source, "timeliness"), LEAST_TIMELINESS, True),
        (ReasonCode.INVALID, _lately(source, "validity"), LEAST_VALIDITY, True),
        (ReasonCode.UNPLACED, source.unplaced, MOST_UNPLACED, False),
        (ReasonCode.UNKNOWN_WORDS, source.unknown, MOST_UNKNOWN, False),
    )
    for code, share, limit, is_least in shares:
        if share is not None and (share < limit if is_least else share > limit):
            found.append(Reason(code, source.source_id, share))
    return found


def _lately(source: SourceFacts, name: str) -> float | None:
    """A figure of the last day; of a source that is polled more rarely, that of 30 days."""
    day: float | None = getattr(source.day, name)
    month: float | None = getattr(source.month, name)
    return month if day is None else day
