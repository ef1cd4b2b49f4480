"""Turns CAP documents into bulletins. Pure: no clock, no network, no memory."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from xml.etree.ElementTree import Element
from zoneinfo import ZoneInfo

from connectors.cap.index import read_entries, read_inline
from connectors.cap.options import CapOptions
from connectors.cap.places import Places, read_places
from connectors.cap.xml import children, name_of, open_xml, text_of
from lawang.connector import Answer, Parsed
from lawang.domain.alert import Bulletin, MessageType, Severity
from lawang.domain.errors import RetryLater
from lawang.domain.incident import Reject
from lawang.domain.privacy import mask
from lawang.domain.values import read_identity, read_link, read_text, read_time, read_word

_TYPES = {each.value: each for each in MessageType}
#: They answer a message; they warn of nothing.
_NOT_FOR_US = frozenset({"ack", "error"})
_SEVERITIES = list(Severity)
_MOST_REFERENCES = 200
#: CAP wants an offset in every time. Where one is missing, it is the city's.
_ZONE = ZoneInfo("Asia/Jakarta")
_NO_EVENT = "Pembatalan"


def parse_answer(options: CapOptions, answer: Answer) -> Parsed:
    """The bulletins of a document, or of those inside an index.

    Raises RetryLater("garbage") for what is neither CAP, RSS nor Atom.
    """
    if answer.kind == "unread":
        return Parsed(rejects=[_unread(answer.body)])
    root = open_xml(answer.body)
    if answer.kind == "alert" and name_of(root) != "alert":
        raise RetryLater("garbage", "XML, but no CAP document")
    if name_of(root) != "alert":
        read_entries(root, options.url)  # whether it is an index at all
    parsed = Parsed()
    watermark: datetime | None = None
    for alert in read_inline(root):
        sent = _read_alert(alert, options, parsed)
        if sent is not None and (watermark is None or sent > watermark):
            watermark = sent
    return Parsed(rejects=parsed.rejects, bulletins=parsed.bulletins, watermark=watermark)


def _unread(body: bytes) -> Reject:
    kind, _, detail = body.decode("utf-8", "replace").partition("\n")
    return Reject(reason=kind, detail=f"a document that the index names: {detail or kind}")


def _read_alert(alert: Element, options: CapOptions, parsed: Parsed) -> datetime | None:
    """Add what one message means to `parsed`; the time at which it was sent, if it was taken."""
    word = text_of(alert, "msgType").casefold()
    if word in _NOT_FOR_US:
        return None
    identity = read_identity(text_of(alert, "identifier") or None)
    status = read_word(text_of(alert, "status")) or "no status"

    def reject(reason: str, detail: str) -> None:
        sample = _name_sender(alert, None) or ""
        parsed.rejects.append(
            Reject(reason=reason, detail=detail, external_id=identity, sample=sample)
        )

    if identity is None:
        reject("no_id", "identifier is missing or of no usable length")
        return None
    if status.casefold() != "actual" and not options.accept_tests:
        reject("not_actual", f"its status is {status}, which warns nobody")
        return None
    if word not in _TYPES:
        reject(
            "bad_record", f"msgType is {read_word(word) or 'missing'}, not Alert, Update or Cancel"
        )
        return None
    sent = read_time(text_of(alert, "sent"), _ZONE)
    if sent is None:
        reject("bad_time", "sent is missing or unusable")
        return None
    info = choose_info(list(children(alert, "info")), options.language)
    if info is None and _TYPES[word] is not MessageType.CANCEL:
        reject("bad_record", "it has no info block")
        return None
    places = read_places([] if info is None else children(info, "area"))
    for problem in places.problems[:10]:
        reject("bad_place", problem)
    bulletin = _bulletin(alert, info, places, options, identity, sent, _TYPES[word])
    parsed.bulletins.append(bulletin)
    return sent


def choose_info(infos: Sequence[Element], language: str) -> Element | None:
    """The block in the language wanted, else in English, else any; the most severe of several."""
    wanted = language.casefold().split("-")[0]
    for each in (wanted, "en", ""):
        # CAP 1.2, 3.2.2: without a language it is en-US.
        spoken = [
            info
            for info in infos
            if (text_of(info, "language") or "en-US").casefold().startswith(each)
        ]
        if spoken:
            return min(spoken, key=lambda info: _SEVERITIES.index(_severity(info)))
    return None


def _severity(info: Element) -> Severity:
    try:
        return Severity(text_of(info, "severity").casefold())
    except ValueError:
        return Severity.UNKNOWN


def _bulletin(
    alert: Element,
    info: Element | None,
    places: Places,
    options: CapOptions,
    identity: str,
    sent: datetime,
    kind: MessageType,
) -> Bulletin:
    said = Element("info") if info is None else info
    geometry = places.geometry
    whole_city = {name.casefold() for name in options.city_names}
    named = any(name.casefold() in whole_city for name in places.names)
    status = read_word(text_of(alert, "status")) or ""
    return Bulletin(
        external_id=identity,
        sent_at=sent,
        event=read_word(text_of(said, "event")) or _NO_EVENT,
        headline=_text(said, "headline"),
        message_type=kind,
        severity=_severity(said),
        urgency=_word(said, "urgency"),
        certainty=_word(said, "certainty"),
        description=_text(said, "description"),
        instruction=_text(said, "instruction"),
        sender=_name_sender(alert, info),
        areas=tuple(places.names),
        geometry=geometry,
        references=_references(text_of(alert, "references")),
        everywhere=geometry is None and named,
        onset_at=read_time(text_of(said, "onset"), _ZONE),
        effective_at=read_time(text_of(said, "effective"), _ZONE),
        expires_at=read_time(text_of(said, "expires"), _ZONE),
        link=read_link(text_of(said, "web")),
        facts={} if status.casefold() == "actual" else {"status": status},
    )


def _name_sender(alert: Element, info: Element | None) -> str | None:
    """The office by its name; else what stands behind the @ of its address."""
    stated = "" if info is None else text_of(info, "senderName")
    return mask(read_word(stated or text_of(alert, "sender").rpartition("@")[2]) or "") or None


def _word(info: Element, name: str) -> str | None:
    word = read_word(text_of(info, name))
    return word.casefold() if word else None


def _text(info: Element, name: str) -> str:
    """Free text: a forecaster may have put his number into it."""
    return mask(read_text(text_of(info, name)) or "")


def _references(text: str) -> tuple[str, ...]:
    """The identifiers of "sender,identifier,sent sender,identifier,sent ..."."""
    found = []
    for reference in text.split()[:_MOST_REFERENCES]:
        parts = reference.split(",")
        identity = read_identity(parts[1] if len(parts) > 1 else parts[0])
        if identity:
            found.append(identity)
    return tuple(dict.fromkeys(found))
