"""Service alerts: closed stops, detours, what they are due to."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from google.transit import gtfs_realtime_pb2 as gtfs

from connectors.gtfs_rt.feed import read_instant
from connectors.gtfs_rt.options import GtfsRealtimeOptions
from lawang.domain.alert import Bulletin, Severity
from lawang.domain.privacy import mask
from lawang.domain.values import read_identity, read_link, read_text, read_word

_SEVERITIES = {
    gtfs.Alert.SeverityLevel.INFO: Severity.MINOR,
    gtfs.Alert.SeverityLevel.WARNING: Severity.MODERATE,
    gtfs.Alert.SeverityLevel.SEVERE: Severity.SEVERE,
}
#: What stops a service, where the feed states no severity of its own.
_GRAVE = frozenset({gtfs.Alert.Effect.NO_SERVICE})
_NOTABLE = frozenset(
    {
        gtfs.Alert.Effect.REDUCED_SERVICE,
        gtfs.Alert.Effect.SIGNIFICANT_DELAYS,
        gtfs.Alert.Effect.DETOUR,
    }
)
_EVENT = "Gangguan angkutan umum"
_MOST_NAMED = 100


def read_alert(entity: gtfs.FeedEntity, options: GtfsRealtimeOptions, at: datetime) -> Bulletin:
    """One alert as of a feed made at `at`.

    An alert ends when the feed no longer tells it, which no message says: so each lapses by itself
    unless it is told again, and not later than its last period.
    """
    alert = entity.alert
    starts = [found for each in alert.active_period if (found := read_instant(each.start))]
    ends = [read_instant(each.end) for each in alert.active_period]
    last_end = None if not ends or None in ends else max(end for end in ends if end)
    header = _say(alert.header_text.translation, options.language)
    text = _say(alert.description_text.translation, options.language)
    started = min(starts, default=None)
    lapses = _lapse(at, options.alert_holds_s)
    facts = {
        "sebab": gtfs.Alert.Cause.Name(alert.cause),
        "akibat": gtfs.Alert.Effect.Name(alert.effect),
        "trayek": _list(each.route_id or each.trip.route_id for each in alert.informed_entity),
        "halte": _list(each.stop_id for each in alert.informed_entity),
    }
    return Bulletin(
        external_id=read_identity(entity.id) or "tanpa-id",
        # The schema gives no time of sending; one that moves with each feed would be none either.
        sent_at=started if started is not None and started <= at else at,
        event=_EVENT,
        headline=header,
        severity=_severity(alert),
        urgency="immediate" if started is None or started <= at else "future",
        certainty="observed",
        description=text,
        areas=(),
        everywhere=options.everywhere,
        onset_at=started,
        expires_at=lapses if last_end is None else min(last_end, lapses),
        link=read_link(_say(alert.url.translation, options.language)),
        facts={name: value for name, value in facts.items() if value},
    )


def _say(translations: Iterable[gtfs.TranslatedString.Translation], language: str) -> str:
    """The text in the language wanted, else the one without a language, else the first."""
    texts = list(translations)
    wanted = language.casefold().split("-")[0]
    for each in (wanted, "", None):
        for found in texts:
            spoken = found.language.casefold().split("-")[0]
            if each is None or spoken == each:
                return mask(read_text(found.text) or "")
    return ""


def _lapse(at: datetime, holds_s: int) -> datetime:
    """In whole steps of `holds_s`, so that an alert told every few seconds does not change."""
    steps = int(at.timestamp()) // holds_s
    return datetime.fromtimestamp(0, UTC) + timedelta(seconds=(steps + 2) * holds_s)


def _severity(alert: gtfs.Alert) -> Severity:
    if alert.severity_level in _SEVERITIES:
        return _SEVERITIES[alert.severity_level]
    if alert.effect in _GRAVE:
        return Severity.SEVERE
    return Severity.MODERATE if alert.effect in _NOTABLE else Severity.MINOR


def _list(names: Iterable[str]) -> str:
    """Each name once, in order, as one line."""
    found = dict.fromkeys(word for name in names if (word := read_word(name)))
    return ", ".join(list(found)[:_MOST_NAMED])
