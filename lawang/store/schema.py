"""The tables of history, as SQLAlchemy Core sees them. Migrations make them; a test compares."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Dialect,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Instant(TypeDecorator[datetime]):
    """An aware instant in UTC. SQLite keeps no zone, so it is taken off and put back here.

    For SQLite the text that SQLAlchemy would write is made by the interpreter's own fast routines:
    a row has five instants, and formatting them was a tenth of the cost of a large import.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else _in_utc(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return None if value is None else _in_utc(value)

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any] | None:
        return _to_sqlite if dialect.name == "sqlite" else super().bind_processor(dialect)

    def result_processor(self, dialect: Dialect, coltype: Any) -> Callable[[Any], Any] | None:
        if dialect.name == "sqlite":
            return _from_sqlite
        return super().result_processor(dialect, coltype)


def _in_utc(value: datetime) -> datetime:
    if value.tzinfo is UTC:
        return value
    if value.tzinfo is None:
        raise ValueError("history takes aware instants only")
    return value.astimezone(UTC)


def _to_sqlite(value: datetime | None) -> str | None:
    # The last six characters are the zone, which is +00:00.
    return None if value is None else _in_utc(value).isoformat(" ", "microseconds")[:-6]


def _from_sqlite(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value).replace(tzinfo=UTC)


Json = JSON().with_variant(JSONB(), "postgresql")
#: SQLite numbers rows by itself only in a column of the type INTEGER.
RowId = BigInteger().with_variant(Integer(), "sqlite")

incident = Table(
    "incident",
    metadata,
    Column("id", String(200), primary_key=True),
    Column("source_id", String(60), nullable=False),
    Column("external_id", String(120), nullable=False),
    Column("category", String(60), nullable=False),
    Column("category_raw", Text),
    Column("status", String(30), nullable=False),
    Column("status_raw", Text),
    Column("status_note", Text),
    Column("description", Text, nullable=False),
    Column("address", Text),
    Column("agency", Text),
    Column("media_url", Text),
    Column("latitude", Float),
    Column("longitude", Float),
    Column("kecamatan", String(20)),
    Column("kelurahan", String(20)),
    Column("placed_by", String(20), nullable=False),
    Column("location_problem", String(20), nullable=False),
    Column("requested_at", Instant, nullable=False),
    Column("due_at", Instant),
    Column("closed_at", Instant, comment="null while open"),
    Column("observed_at", Instant, nullable=False),
    Column("observed_estimated", Boolean, nullable=False),
    Column("fetched_at", Instant, nullable=False),
    Column("reopened", Integer, nullable=False),
    Column("simulated", Boolean, nullable=False),
    Column("version", Integer, nullable=False, comment="how many events led to this state"),
    Column("verified_at", Instant, comment="when another than who closed it confirmed that"),
    comment="Current state, derived from incident_event; can be rebuilt from it",
)
Index("ix_incident_requested_at", incident.c.requested_at, incident.c.id)
Index("ix_incident_closed_at", incident.c.closed_at)
Index(
    "ix_incident_open",
    incident.c.kecamatan,
    sqlite_where=text("closed_at IS NULL"),
    postgresql_where=text("closed_at IS NULL"),
)

incident_event = Table(
    "incident_event",
    metadata,
    Column("seq", RowId, primary_key=True, autoincrement=True),
    Column("incident_id", String(200), nullable=False),
    Column("version", Integer, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("at", Instant, nullable=False),
    Column("fetched_at", Instant, nullable=False),
    Column("open_delta", Integer, nullable=False),
    Column("status", String(30), comment="the status it led to, where it changed"),
    Column("changes", Json, nullable=False),
    # Two writers that read the same state cannot both append to it.
    UniqueConstraint("incident_id", "version", name="uq_incident_event_incident_id"),
    comment="Append-only: what happened to each incident",
)
Index("ix_incident_event_at", incident_event.c.at)

quarantine = Table(
    "quarantine",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("source_id", String(60), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("external_id", Text),
    Column("reason", String(40), nullable=False),
    Column("detail", Text, nullable=False),
    Column("sample", Text, nullable=False),
    Column("first_seen", Instant, nullable=False),
    Column("last_seen", Instant, nullable=False),
    UniqueConstraint("source_id", "digest", name="uq_quarantine_source_id"),
    comment="Records that could not be used, once each, with the reason",
)

source_state = Table(
    "source_state",
    metadata,
    Column("source_id", String(60), primary_key=True),
    Column("fence", BigInteger, nullable=False, comment="number of the clock that wrote last"),
    Column("watermark", Instant),
    Column("validators", Json, nullable=False),
    Column("state", Json, nullable=False),
    Column("updated_at", Instant, nullable=False),
    comment="Where each source's polling stands; moves only with the records it stands for",
)

source_outage = Table(
    "source_outage",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("source_id", String(60), nullable=False),
    Column("began_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("error_kind", String(40), nullable=False),
    Column("error_detail", Text, nullable=False),
    comment="From the first failed poll to the next successful one",
)
Index("ix_source_outage_source_id", source_outage.c.source_id, source_outage.c.began_at)
#: Two pollers that hand over to each other cannot both begin an outage.
RUNNING = text("ended_at IS NULL")
Index(
    "ix_source_outage_running",
    source_outage.c.source_id,
    unique=True,
    sqlite_where=RUNNING,
    postgresql_where=RUNNING,
)

series = Table(
    "series",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("source_id", String(60), nullable=False),
    Column("measure", String(60), nullable=False),
    Column("subject", String(200), nullable=False, comment="empty: the whole city"),
    Column("subject_name", Text),
    Column("kecamatan", String(20)),
    Column("kelurahan", String(20)),
    Column("placed_by", String(20), nullable=False),
    Column("location_problem", String(20), nullable=False),
    Column("latitude", Float),
    Column("longitude", Float),
    Column("simulated", Boolean, nullable=False),
    Column("last_at", Instant, comment="of the newest reading that is not held back"),
    Column("last_value", Float),
    Column("last_observed_at", Instant),
    Column("last_estimated", Boolean),
    Column("last_fetched_at", Instant),
    Column("recent", Json, nullable=False, comment="[at, value] accepted lately, oldest first"),
    UniqueConstraint("source_id", "measure", "subject", name="uq_series_source_id"),
    comment="One measure of one source at one subject, with its newest reading",
)
Index("ix_series_measure", series.c.measure, series.c.kecamatan)

reading = Table(
    "reading",
    metadata,
    Column("series_id", RowId, primary_key=True, autoincrement=False),
    Column("at", Instant, primary_key=True, comment="the moment, or the start of the period"),
    Column("value", Float, nullable=False, comment="in the base unit of the measure"),
    Column("observed_at", Instant, nullable=False),
    Column("observed_estimated", Boolean, nullable=False),
    Column("fetched_at", Instant, nullable=False),
    Column("held", String(30), nullable=False, comment="kind of the finding, or empty"),
    Column("delivery", String(200), comment="the file or batch that brought it"),
    comment="Values over time; a held one counts nowhere until a person accepts it",
)
Index(
    "ix_reading_delivery",
    reading.c.delivery,
    reading.c.series_id,
    sqlite_where=text("delivery IS NOT NULL"),
    postgresql_where=text("delivery IS NOT NULL"),
)
Index(
    "ix_reading_held",
    reading.c.series_id,
    reading.c.held,
    sqlite_where=text("held <> ''"),
    postgresql_where=text("held <> ''"),
)

reading_correction = Table(
    "reading_correction",
    metadata,
    Column("seq", RowId, primary_key=True, autoincrement=True),
    Column("series_id", RowId, nullable=False),
    Column("at", Instant, nullable=False),
    Column("before", Float, nullable=False),
    Column("after", Float, comment="null: withdrawn by a later delivery"),
    Column("delivery", String(200)),
    Column("corrected_at", Instant, nullable=False),
    comment="Append-only: what a reading was before its source said otherwise",
)
Index("ix_reading_correction_series_id", reading_correction.c.series_id, reading_correction.c.at)

position = Table(
    "position",
    metadata,
    Column("id", String(200), primary_key=True),
    Column("source_id", String(60), nullable=False),
    Column("external_id", String(120), nullable=False),
    Column("kind", String(60), nullable=False),
    Column("name", Text),
    Column("latitude", Float),
    Column("longitude", Float),
    Column("heading", Float),
    Column("speed_kmh", Float),
    Column("status", String(30), nullable=False),
    Column("status_raw", Text),
    Column("link", Text),
    Column("owner", Text),
    Column("kecamatan", String(20)),
    Column("kelurahan", String(20)),
    Column("placed_by", String(20), nullable=False),
    Column("location_problem", String(20), nullable=False),
    Column("facts", Json, nullable=False),
    Column("observed_at", Instant, nullable=False),
    Column("observed_estimated", Boolean, nullable=False),
    Column("fetched_at", Instant, nullable=False),
    Column("simulated", Boolean, nullable=False),
    comment="The last known position of each thing",
)
Index("ix_position_source_id", position.c.source_id)

alert = Table(
    "alert",
    metadata,
    Column("id", String(300), primary_key=True),
    Column("source_id", String(60), nullable=False),
    Column("external_id", String(220), nullable=False),
    Column("message_type", String(20), nullable=False),
    Column("severity", String(20), nullable=False),
    Column("urgency", String(60)),
    Column("certainty", String(60)),
    Column("event", Text, nullable=False),
    Column("headline", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("instruction", Text, nullable=False),
    Column("sender", Text),
    Column("areas", Json, nullable=False),
    Column("areas_not_found", Json, nullable=False),
    Column("regions", Json, nullable=False),
    Column("touches_city", Boolean, nullable=False),
    Column("geometry", Json),
    Column("references", Json, nullable=False),
    Column("facts", Json, nullable=False),
    Column("link", Text),
    Column("sent_at", Instant, nullable=False),
    Column("effective_at", Instant),
    Column("onset_at", Instant),
    Column("expires_at", Instant),
    Column("observed_at", Instant, nullable=False),
    Column("fetched_at", Instant, nullable=False),
    Column("simulated", Boolean, nullable=False),
    Column("ended_at", Instant, comment="when a later message updated or cancelled it"),
    Column("ended_by", String(220)),
    comment="Messages of warning as they came, and what ended them",
)
Index("ix_alert_source_id", alert.c.source_id, alert.c.sent_at)
Index("ix_alert_sent_at", alert.c.sent_at)

service_request = Table(
    "service_request",
    metadata,
    Column("id", String(200), primary_key=True),
    Column("source_id", String(60), nullable=False),
    Column("external_id", String(120), nullable=False),
    Column("service", String(60), nullable=False),
    Column("service_raw", Text),
    Column("status", String(30), nullable=False),
    Column("status_raw", Text),
    Column("stage", Text),
    Column("office", Text),
    Column("kecamatan", String(20)),
    Column("kelurahan", String(20)),
    Column("placed_by", String(20), nullable=False),
    Column("location_problem", String(20), nullable=False),
    Column("requested_at", Instant, nullable=False),
    Column("due_at", Instant),
    Column("closed_at", Instant),
    Column("observed_at", Instant, nullable=False),
    Column("observed_estimated", Boolean, nullable=False),
    Column("fetched_at", Instant, nullable=False),
    Column("simulated", Boolean, nullable=False),
    comment="Letters, licences and cards that were asked for",
)
Index("ix_service_request_requested_at", service_request.c.requested_at, service_request.c.id)
Index("ix_service_request_source_id", service_request.c.source_id, service_request.c.closed_at)
#: Requests to which an office still owes an outcome (`RequestStatus.is_open`), among millions.
OPEN_REQUEST = text("status NOT IN ('selesai', 'ditolak', 'dibatalkan')")
Index(
    "ix_service_request_open",
    service_request.c.source_id,
    service_request.c.status,
    service_request.c.due_at,
    service_request.c.requested_at,
    sqlite_where=OPEN_REQUEST,
    postgresql_where=OPEN_REQUEST,
)

finding = Table(
    "finding",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("source_id", String(60), nullable=False),
    Column("kind", String(30), nullable=False),
    Column("measure", String(60), nullable=False),
    Column("subject", String(200), nullable=False),
    Column("detail", Text, nullable=False),
    Column("sample", Text, nullable=False),
    Column("count", Integer, nullable=False, comment="records held back, or times seen"),
    Column("at", Instant, comment="what the newest of them is about"),
    Column("value", Float),
    Column("usual", Float, comment="what the series usually holds"),
    Column("first_seen", Instant, nullable=False),
    Column("last_seen", Instant, nullable=False),
    Column("state", String(20), nullable=False),
    Column("decided_at", Instant),
    Column("decided_by", String(120)),
    Column("note", Text),
    comment="What looks wrong in a source's data, and what a person decided about it",
)
#: One open finding of a kind for a series; once decided, a new one may be opened.
OPEN = text("state = 'open'")
Index(
    "ix_finding_open",
    finding.c.source_id,
    finding.c.kind,
    finding.c.measure,
    finding.c.subject,
    unique=True,
    sqlite_where=OPEN,
    postgresql_where=OPEN,
)
Index("ix_finding_last_seen", finding.c.last_seen)

source_tally = Table(
    "source_tally",
    metadata,
    Column("source_id", String(60), primary_key=True),
    Column("bucket", Instant, primary_key=True, comment="the start of a quarter of an hour"),
    Column("polls", Integer, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("records", Integer, nullable=False),
    Column("unusable", Integer, nullable=False, comment="rejected or held back"),
    Column("unknown", Integer, nullable=False, comment="without a known region, category, status"),
    Column("repeated", Integer, nullable=False),
    Column("filled", Integer, nullable=False),
    Column("fillable", Integer, nullable=False),
    comment="What the polls of each quarter of an hour brought, for quality and heartbeat bars",
)

source_sample = Table(
    "source_sample",
    metadata,
    Column("source_id", String(60), primary_key=True),
    Column("taken_at", Instant, nullable=False),
    Column("content_type", Text, nullable=False),
    Column("body", Text, nullable=False, comment="shortened; personal data dropped or masked"),
    Column("shape", Json, nullable=False),
    Column("learned", Integer, nullable=False, comment="answers that the shape was learned from"),
    comment="The last raw answer of each source, masked, and the shape its records have",
)

# --- inbox
inbox = Table(
    "inbox",
    metadata,
    Column("number", RowId, primary_key=True, autoincrement=True),
    Column("source_id", String(60), nullable=False),
    Column("key", String(80), nullable=False),
    Column("body", LargeBinary, comment="null once it was taken and a day has gone by"),
    Column("content_type", String(100), nullable=False),
    Column("received_at", Instant, nullable=False),
    UniqueConstraint("source_id", "key", name="uq_inbox_source_id"),
    comment="What was pushed: verified, without personal data, taken by number",
    # A number is never given twice, or a reader who remembers the last one would miss a message.
    sqlite_autoincrement=True,
)
Index("ix_inbox_waiting", inbox.c.source_id, inbox.c.number)

inbox_heard = Table(
    "inbox_heard",
    metadata,
    Column("source_id", String(60), primary_key=True),
    Column("heard_at", Instant, nullable=False),
    comment="When each pushing source was heard last, heartbeats included",
)

# --- kpi
kpi_day = Table(
    "kpi_day",
    metadata,
    Column("kpi", String(60), primary_key=True),
    Column("region", String(20), primary_key=True, comment="empty: the city; else a kecamatan"),
    Column("day", Date, primary_key=True, comment="a local day of the city"),
    Column("num", Float, nullable=False),
    Column("den", Float, nullable=False),
    Column("n", Integer, nullable=False, comment="records behind it"),
    Column("observed_at", Instant, nullable=False, comment="the newest moment it is true of"),
    comment="What each local day adds to each indicator; made from the records",
    # The days of an indicator lie together, whenever they were written: horizons are read by key.
    sqlite_with_rowid=False,
)

kpi_state = Table(
    "kpi_state",
    metadata,
    Column("kpi", String(60), primary_key=True),
    Column("digest", String(64), nullable=False, comment="of the formula its days were made by"),
    Column("through", Date, comment="the last day that is final but for corrections"),
    Column("computed_at", Instant, nullable=False),
    comment="How far each indicator is worked out, and by which formula",
)

kpi_touch = Table(
    "kpi_touch",
    metadata,
    Column("source_id", String(60), primary_key=True),
    Column("what", String(60), primary_key=True, comment="a measure, @incident or @request"),
    Column("day", Date, primary_key=True, comment="in UTC"),
    Column("number", Integer, nullable=False, comment="grows with every touch"),
    comment="Days whose records changed since the indicators were worked out",
)

kpi_revision = Table(
    "kpi_revision",
    metadata,
    Column("kpi", String(60), primary_key=True),
    Column("number", BigInteger, nullable=False, comment="grows with every change of its days"),
    comment="How often the daily facts of each indicator have changed",
)

# --- brief
brief = Table(
    "brief",
    metadata,
    Column("day", Date, primary_key=True, comment="the local day it was made for"),
    Column("language", String(8), primary_key=True),
    Column("edition", Integer, primary_key=True, comment="from 1; making it again adds one"),
    Column("made_at", Instant, nullable=False, comment="what it is as of"),
    Column("last", Date, nullable=False, comment="the local day it tells of"),
    Column("title", Text, nullable=False),
    Column("notes", Json, nullable=False),
    Column("paragraphs", Json, nullable=False),
    Column("simulated", Boolean, nullable=False),
    Column("pdf_size", Integer, nullable=False),
    Column("pdf_digest", String(64), nullable=False),
    Column("xlsx_size", Integer, nullable=False),
    Column("xlsx_digest", String(64), nullable=False),
    # Last, so that a list of briefs does not read past them.
    Column("pdf", LargeBinary, nullable=False),
    Column("xlsx", LargeBinary, nullable=False),
    comment="Morning briefs as they were made; never changed",
)

brief_mail = Table(
    "brief_mail",
    metadata,
    Column("day", Date, primary_key=True),
    Column("language", String(8), primary_key=True),
    Column("edition", Integer, primary_key=True),
    Column("recipient", String(254), primary_key=True),
    Column("message_id", String(250), nullable=False),
    Column("state", String(20), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("tried_at", Instant),
    Column("next_at", Instant, nullable=False, comment="not before then"),
    Column("error", Text, nullable=False, comment="what went wrong last; no secret"),
    comment="To whom each brief is to be sent, and how far that is",
)
Index("ix_brief_mail_next_at", brief_mail.c.state, brief_mail.c.next_at)

# --- screens
screen_beat = Table(
    "screen_beat",
    metadata,
    Column("screen_id", String(60), primary_key=True),
    Column("build", String(80), nullable=False),
    Column("scene", String(60), nullable=False),
    Column("seen_at", Instant, nullable=False, comment="by the server's clock"),
    Column("oldest_panel_s", Float, comment="age of the oldest panel it shows"),
    Column("fps", Float),
    Column("heap_bytes", BigInteger),
    Column("errors", Integer, nullable=False),
    Column("last_error", Text, nullable=False),
    Column("skew_s", Float, comment="how far its own clock is ahead"),
    Column("sound_armed", Boolean),
    comment="The last heartbeat of each screen",
)

screen_command = Table(
    "screen_command",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("screen_id", String(60), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("by", String(120), nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False, comment="nobody takes it any more"),
    Column("scene", String(60), nullable=False),
    Column("filters", Json, nullable=False),
    Column("until", Instant, comment="the end of what lasts: a scene by hand, silence"),
    Column("taken_at", Instant),
    comment="What screens were told to do, by whom, each taken once",
)
Index("ix_screen_command_screen_id", screen_command.c.screen_id, screen_command.c.id)

screen_token = Table(
    "screen_token",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("name", String(120), nullable=False),
    Column("screen_id", String(60), comment="null: it opens every screen"),
    Column("digest", String(64), nullable=False, comment="SHA-256 of the key; the key is not kept"),
    Column("made_by", String(120), nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("revoked_at", Instant),
    Column("last_used", Instant),
    UniqueConstraint("digest", name="uq_screen_token_digest"),
    comment="Keys with which screens read, and nothing else",
)

city_status = Table(
    "city_status",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False, comment="always 1"),
    Column("number", Integer, nullable=False, comment="grows with every write"),
    Column("level", Integer, comment="by the rules"),
    Column("since", Instant),
    Column("lower_since", Instant, comment="since when less was called for"),
    Column("lower_most", Integer, nullable=False, comment="the most called for since"),
    Column("override", Json, comment="what a person set"),
    comment="The city's status: how far the rules are, and a person's word",
)

city_status_log = Table(
    "city_status_log",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("at", Instant, nullable=False),
    Column("level", Integer, nullable=False),
    Column("before", Integer),
    Column("by", String(120), nullable=False, comment="empty: the rules"),
    Column("reason", Text, nullable=False),
    Column("until", Instant),
    comment="Every change of the city's status",
)

# --- alarms
alarm = Table(
    "alarm",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("rule", String(60), nullable=False),
    Column("key", String(330), nullable=False, comment="what the rule watches; empty: the city"),
    Column("region", String(20), nullable=False, comment="empty: the city; else a kecamatan"),
    Column("subject", String(300), nullable=False),
    Column("subject_name", Text, nullable=False),
    Column("state", String(20), nullable=False),
    Column("severity", String(20), nullable=False),
    Column("value", Float),
    Column("observed_at", Instant, comment="when the value was true"),
    Column("why", String(30), nullable=False, comment="of an unknown one, the reason"),
    Column("mark", String(80), nullable=False, comment="another one whenever its facts are"),
    Column("simulated", Boolean, nullable=False),
    Column("began_at", Instant, nullable=False, comment="when the condition began to hold"),
    Column("active_at", Instant, nullable=False, comment="when it was raised"),
    Column("ended_at", Instant, comment="null while open"),
    Column("acked_at", Instant),
    Column("acked_by", String(120)),
    Column("shelved_until", Instant),
    Column("shelved_by", String(120)),
    Column("shelved_reason", Text),
    Column("version", Integer, nullable=False, comment="grows with each change"),
    comment="Alarms of the city's own rules, from raising to end",
)
#: A watched thing has one open alarm at most, whoever raises it.
OPEN_ALARM = text("ended_at IS NULL")
Index(
    "ix_alarm_open",
    alarm.c.rule,
    alarm.c.key,
    unique=True,
    sqlite_where=OPEN_ALARM,
    postgresql_where=OPEN_ALARM,
)
Index("ix_alarm_active_at", alarm.c.active_at, alarm.c.id)
Index("ix_alarm_ended_at", alarm.c.ended_at)

alarm_event = Table(
    "alarm_event",
    metadata,
    Column("seq", RowId, primary_key=True, autoincrement=True),
    Column("alarm_id", RowId, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("at", Instant, nullable=False),
    Column("by", String(120), nullable=False, comment="empty: the rule itself"),
    Column("note", Text, nullable=False),
    Column("value", Float),
    comment="Append-only: what happened to each alarm, and who did it",
)
Index("ix_alarm_event_alarm_id", alarm_event.c.alarm_id, alarm_event.c.seq)

alarm_watch = Table(
    "alarm_watch",
    metadata,
    Column("rule", String(60), primary_key=True),
    Column("key", String(330), primary_key=True),
    Column("state", String(20), nullable=False),
    Column("since", Instant, nullable=False),
    Column("region", String(20), nullable=False),
    Column("began_at", Instant),
    Column("raised_at", Instant, comment="of the open alarm"),
    Column("quieted", String(80), nullable=False, comment="the mark at which a person resolved it"),
    Column("why", String(30), nullable=False),
    comment="What rules watch that is not simply normal; evaluation goes on from here",
)
