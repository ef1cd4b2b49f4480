"""Warnings of what is about to fall: an Alert at a storm's onset, an Update, and its end.

Every second storm or so is called off by a Cancel when it is over; the others run out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Literal
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo

from shapely import MultiPoint

from simulator.city_life import Storm, random_for
from simulator.weather import Weather

SENDER = "peringatan@bmkg-tiruan.example"
#: A message stands in the index for so long.
_LISTED = timedelta(hours=12)
_LONGEST_STORM = timedelta(hours=24)
_REACH_DEGREES = 0.018
_VERY_HARD_MM_H, _HARD_MM_H = 50.0, 35.0


@dataclass(frozen=True, slots=True)
class Message:
    """One CAP message about a storm. `before` are those that it refers to, oldest first."""

    storm: Storm
    kind: Literal["Alert", "Update", "Cancel"]
    sent: datetime
    before: tuple[Message, ...] = ()

    @property
    def code(self) -> str:
        """The part of its address and identifier that is its own."""
        return f"CSS{self.storm.key.replace('-', '')}{self.kind[0]}"

    @property
    def identifier(self) -> str:
        return f"2.49.0.1.360.0.SIMULASI.{self.code}"

    @property
    def headline(self) -> str:
        names = ", ".join(dict.fromkeys(place.kecamatan_name for place in self.storm.area))
        if self.kind == "Cancel":
            return f"Hujan lebat di {names} sudah berakhir"
        verb = "masih terjadi" if self.kind == "Update" else "berpotensi terjadi"
        return f"Hujan sedang hingga lebat disertai kilat {verb} di {names}"


class Nowcast:
    """The messages that are out. They follow from the storms alone."""

    def __init__(self, weather: Weather, seed: int, zone: ZoneInfo) -> None:
        self._weather = weather
        self._seed = seed
        self._zone = zone

    def messages(self, now: datetime) -> list[Message]:
        """Those in the index at an instant, newest first."""
        storms = self._weather.storms(now - _LISTED - _LONGEST_STORM, now)
        found = [message for storm in storms for message in self._about(storm)]
        listed = [each for each in found if now - _LISTED <= each.sent <= now]
        return sorted(listed, key=lambda each: (each.sent, each.code), reverse=True)

    def find(self, code: str, now: datetime) -> Message | None:
        """The message of a code, if it is out."""
        return next((each for each in self.messages(now) if each.code == code), None)

    def _about(self, storm: Storm) -> list[Message]:
        alert = Message(storm, "Alert", storm.start)
        middle = storm.start + timedelta(minutes=round(storm.minutes * 0.45))
        update = Message(storm, "Update", middle, (alert,))
        if random_for(self._seed, "nowcast", storm.key).random() < 0.5:
            return [alert, update]
        return [alert, update, Message(storm, "Cancel", storm.end, (alert, update))]

    def index(self, now: datetime, root: str, skew: timedelta) -> str:
        """The RSS index; `root` is the address of the documents' folder."""
        items = "".join(
            f"<item><title>{escape(each.headline)}</title>"
            f"<link>{escape(f'{root}/{each.code}_alert.xml')}</link>"
            f"<description>{escape(each.headline)} (simulasi)</description>"
            f"<author>{SENDER}</author>"
            f'<guid isPermaLink="false">{each.identifier}</guid>'
            f"<pubDate>{_rfc822(each.sent + skew, self._zone)}</pubDate></item>"
            for each in self.messages(now)
        )
        return (
            '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel>'
            "<title>Peringatan dini cuaca (simulasi)</title>"
            f"<link>{escape(root)}</link>"
            "<description>Peringatan tiruan, dibuat oleh simulator</description>"
            f"<language>id</language>{items}</channel></rss>"
        )

    def document(self, message: Message, skew: timedelta) -> str:
        """The CAP 1.2 document."""
        storm = message.storm

        def stamp(at: datetime) -> str:
            local = (at + skew).astimezone(self._zone)
            return local.isoformat(timespec="seconds")

        hard = storm.mm_h * (0.8 if message.kind == "Update" else 1.0)
        severity = "Severe" if hard >= _VERY_HARD_MM_H else "Moderate"
        if hard < _HARD_MM_H or message.kind == "Cancel":
            severity = "Minor"
        references = " ".join(
            f"{SENDER},{each.identifier},{stamp(each.sent)}" for each in message.before
        )
        ends = storm.end if message.kind == "Cancel" else storm.end + timedelta(minutes=30)
        shape = MultiPoint([(each.longitude, each.latitude) for each in storm.area])
        corners = shape.convex_hull.buffer(_REACH_DEGREES, quad_segs=3).exterior.coords
        polygon = " ".join(f"{latitude:.3f},{longitude:.3f}" for longitude, latitude in corners)
        names = dict.fromkeys(place.kecamatan_name for place in storm.area)
        codes = dict.fromkeys(place.kecamatan for place in storm.area)
        geocodes = "".join(
            f"<geocode><valueName>KEMENDAGRI</valueName><value>{code}</value></geocode>"
            for code in codes
        )
        return (
            '<?xml version="1.0" encoding="UTF-8"?>'
            '<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">'
            f"<identifier>{message.identifier}</identifier><sender>{SENDER}</sender>"
            f"<sent>{stamp(message.sent)}</sent><status>Actual</status>"
            f"<msgType>{message.kind}</msgType><scope>Public</scope>"
            "<note>Simulasi: dibuat oleh simulator, bukan peringatan BMKG</note>"
            + (f"<references>{references}</references>" if references else "")
            + "<info><language>id-ID</language><category>Met</category>"
            "<event>Hujan Lebat dan Petir</event><urgency>Immediate</urgency>"
            f"<severity>{severity}</severity><certainty>Observed</certainty>"
            f"<effective>{stamp(message.sent)}</effective><onset>{stamp(storm.start)}</onset>"
            f"<expires>{stamp(ends)}</expires>"
            "<senderName>BMKG tiruan (simulasi)</senderName>"
            f"<headline>{escape(message.headline)}</headline>"
            f"<description>Simulasi. {escape(message.headline)}, dan dapat meluas ke sekitarnya."
            "</description>"
            "<instruction>Hindari genangan dan pohon besar.</instruction>"
            f"<area><areaDesc>{escape(', '.join(names))}</areaDesc>"
            f"<polygon>{polygon}</polygon>{geocodes}</area></info></alert>"
        )


def _rfc822(at: datetime, zone: ZoneInfo) -> str:
    """As RSS dates things."""
    return format_datetime(at.astimezone(zone))
