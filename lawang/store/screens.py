"""Screens in history: their heartbeats, what they were told to do, and the keys they come with."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, delete, func, or_, select, update

from lawang.domain.screen import Beat, Command, CommandKind, Filters, Measure, Window
from lawang.domain.status import Computed, Override
from lawang.store import schema
from lawang.store.database import Database

#: A token in use notes so at most this often, or every heartbeat of every wall would write twice.
_USED_EVERY = timedelta(minutes=1)
#: Commands that nobody can take any more are kept this long, for who wants to know who did what.
COMMANDS_KEPT = timedelta(days=30)
_TOKEN_MARK = "lawang-layar-"  # noqa: S105 - what a key begins with is no key
_ONLY = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenToken:
    """A screen's key without the key itself. `screen_id` None: it opens every screen."""

    id: int
    name: str
    screen_id: str | None
    made_by: str
    made_at: datetime
    revoked_at: datetime | None = None
    last_used: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusRow:
    """What is stored of the city's status: how far the rules are, and a person's word.

    `number` grows with every write, so that of two who worked from one state only one writes.
    """

    number: int = 0
    computed: Computed | None = None
    override: Override | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusChange:
    """One line of the status's log. `by` is empty where the rules moved it.

    `level` is the one shown from then on; `until` the end of what a person set.
    """

    at: datetime
    level: int
    before: int | None
    by: str = ""
    reason: str = ""
    until: datetime | None = None


class ScreenStore:
    """Reads and writes the tables about screens and the status. Methods are one transaction each;
    they raise StoreError when the database cannot answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # --- heartbeats ---------------------------------------------------------------------------

    def note_beat(self, beat: Beat) -> Beat | None:
        """Keep the last heartbeat of a screen. Returns the one before; None for its first one."""
        table = schema.screen_beat
        with self._database.writing() as connection:
            before = connection.execute(
                select(table).where(table.c.screen_id == beat.screen_id)
            ).first()
            self._database.upsert(connection, table, [asdict(beat)])
        return None if before is None else Beat(**before._mapping)

    def beats(self) -> dict[str, Beat]:
        """The last heartbeat of every screen that was ever heard."""
        with self._database.reading() as connection:
            rows = connection.execute(select(schema.screen_beat)).all()
        return {row.screen_id: Beat(**row._mapping) for row in rows}

    # --- commands -----------------------------------------------------------------------------

    def tell(self, command: Command) -> Command:
        """Queue a command, whose `id` is given here; what a scene or silence was before it ends.

        Commands that ended long ago are dropped on the way.
        """
        table = schema.screen_command
        values = _row_of(command)
        with self._database.writing() as connection:
            connection.execute(
                delete(table).where(table.c.expires_at < command.made_at - COMMANDS_KEPT)
            )
            for ended in _ENDS.get(command.kind, ()):
                connection.execute(
                    update(table)
                    .where(
                        table.c.screen_id == command.screen_id,
                        table.c.kind == ended.value,
                        or_(table.c.until.is_(None), table.c.until > command.made_at),
                    )
                    .values(until=command.made_at)
                )
            number = connection.execute(
                table.insert().values(values).returning(table.c.id)
            ).scalar_one()
        return _command_of({**values, "id": number})

    def take(self, screen_id: str, now: datetime) -> list[Command]:
        """The commands that wait for a screen, oldest first; nobody gets them a second time."""
        table = schema.screen_command
        waiting = (
            table.c.screen_id == screen_id,
            table.c.taken_at.is_(None),
            table.c.expires_at > now,
        )
        with self._database.reading() as connection:
            if connection.execute(select(table.c.id).where(*waiting).limit(1)).first() is None:
                return []
        with self._database.writing() as connection:
            rows = connection.execute(
                update(table).where(*waiting).values(taken_at=now).returning(*table.c)
            ).all()
        return sorted((_command_of(row._mapping) for row in rows), key=lambda each: each.id)

    def commands(self, screen_id: str, limit: int = 20) -> list[Command]:
        """What a screen was told last, newest first, taken or not."""
        table = schema.screen_command
        wanted = select(table).where(table.c.screen_id == screen_id)
        with self._database.reading() as connection:
            rows = connection.execute(wanted.order_by(table.c.id.desc()).limit(limit)).all()
        return [_command_of(row._mapping) for row in rows]

    def lasting(self, kind: CommandKind, now: datetime) -> dict[str, Command]:
        """By screen, the newest command of a kind that still lasts."""
        table = schema.screen_command
        wanted = select(table).where(
            table.c.kind == kind.value, table.c.until > now, table.c.made_at <= now
        )
        with self._database.reading() as connection:
            rows = connection.execute(wanted.order_by(table.c.id)).all()
        return {row.screen_id: _command_of(row._mapping) for row in rows}

    # --- tokens -------------------------------------------------------------------------------

    def make_token(
        self, name: str, by: str, now: datetime, screen_id: str | None = None
    ) -> tuple[ScreenToken, str]:
        """A new key and what is stored of it. The key is returned this once and never again."""
        table = schema.screen_token
        key = _TOKEN_MARK + secrets.token_urlsafe(32)
        values = {"name": name, "screen_id": screen_id, "made_by": by, "made_at": now}
        with self._database.writing() as connection:
            row = connection.execute(
                table.insert().values(**values, digest=_digest(key)).returning(table.c.id)
            ).one()
        return ScreenToken(id=row.id, **values), key  # type: ignore[arg-type]

    def find_token(self, key: str, now: datetime) -> ScreenToken | None:
        """The token of a key, unless it was revoked; notes that it was used."""
        table = schema.screen_token
        # By its digest: what an index tells by its timing is about a hash, not about the key.
        wanted = select(table).where(table.c.digest == _digest(key), table.c.revoked_at.is_(None))
        with self._database.reading() as connection:
            row = connection.execute(wanted).first()
        if row is None:
            return None
        if row.last_used is None or now - row.last_used >= _USED_EVERY:
            with self._database.writing() as connection:
                connection.execute(update(table).where(table.c.id == row.id).values(last_used=now))
        return _token_of(row)

    def is_token_good(self, token_id: int) -> bool:
        """Whether a token is there and was not revoked. Asking does not count as its use."""
        table = schema.screen_token
        wanted = select(table.c.id).where(table.c.id == token_id, table.c.revoked_at.is_(None))
        with self._database.reading() as connection:
            return connection.execute(wanted).first() is not None

    def revoke_token(self, token_id: int, now: datetime) -> bool:
        """Make a key worthless from now on; False where there is none, or it is already."""
        table = schema.screen_token
        with self._database.writing() as connection:
            done = connection.execute(
                update(table)
                .where(table.c.id == token_id, table.c.revoked_at.is_(None))
                .values(revoked_at=now)
            )
        return bool(done.rowcount)

    def tokens(self) -> list[ScreenToken]:
        """All tokens, revoked ones too, oldest first."""
        table = schema.screen_token
        with self._database.reading() as connection:
            rows = connection.execute(select(table).order_by(table.c.id)).all()
        return [_token_of(row) for row in rows]

    # --- the city's status --------------------------------------------------------------------

    def status(self) -> StatusRow:
        """What is stored of the status; nothing before the first time."""
        with self._database.reading() as connection:
            row = connection.execute(select(schema.city_status)).first()
        if row is None:
            return StatusRow()
        computed = None
        if row.level is not None:
            computed = Computed(
                level=row.level,
                since=row.since,
                lower_since=row.lower_since,
                lower_most=row.lower_most,
            )
        override = Override(**_moments(row.override)) if row.override else None
        return StatusRow(number=row.number, computed=computed, override=override)

    def save_status(self, row: StatusRow, changes: tuple[StatusChange, ...] = ()) -> bool:
        """Write a state that was worked out from number `row.number`, with its lines of the log.

        False, and nothing written, where somebody else wrote in the meantime.
        """
        table = schema.city_status
        computed, override = row.computed, row.override
        values: dict[str, Any] = {
            "number": row.number + 1,
            "level": computed.level if computed else None,
            "since": computed.since if computed else None,
            "lower_since": computed.lower_since if computed else None,
            "lower_most": computed.lower_most if computed else 1,
            "override": asdict(override) if override else None,
        }
        with self._database.writing() as connection:
            if row.number == 0:
                insert = self._database.insert(table).values(id=_ONLY, **values)
                done = connection.execute(insert.on_conflict_do_nothing())
            else:
                done = connection.execute(
                    update(table).where(table.c.number == row.number).values(**values)
                )
            if not done.rowcount:
                return False
            if changes:
                connection.execute(
                    schema.city_status_log.insert(), [asdict(each) for each in changes]
                )
        return True

    def status_log(self, limit: int = 50) -> list[StatusChange]:
        """What happened to the status, newest first."""
        table = schema.city_status_log
        with self._database.reading() as connection:
            rows = connection.execute(select(table).order_by(table.c.id.desc()).limit(limit)).all()
        return [
            StatusChange(**{name: value for name, value in row._mapping.items() if name != "id"})
            for row in rows
        ]

    def count_waiting(self, now: datetime) -> dict[str, int]:
        """How many commands wait for each screen; screens without any are left out."""
        table = schema.screen_command
        wanted = (
            select(table.c.screen_id, func.count())
            .where(table.c.taken_at.is_(None), table.c.expires_at > now)
            .group_by(table.c.screen_id)
        )
        with self._database.reading() as connection:
            return {row[0]: int(row[1]) for row in connection.execute(wanted)}


#: What a new command of a kind puts an end to.
_ENDS = {
    CommandKind.SCENE: (CommandKind.SCENE,),
    CommandKind.RESUME: (CommandKind.SCENE,),
    CommandKind.MUTE: (CommandKind.MUTE,),
    CommandKind.UNMUTE: (CommandKind.MUTE,),
}


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()


def _row_of(command: Command) -> dict[str, Any]:
    values = asdict(command)
    values.pop("id")
    values["kind"] = command.kind.value
    return values


def _command_of(row: Mapping[Any, Any]) -> Command:
    values = dict(row)
    given = dict(values["filters"])
    window, measure = given.pop("window", None), given.pop("measure", None)
    filters = Filters(
        window=Window(window) if window else None,
        measure=Measure(measure) if measure else None,
        **{name: tuple(names) for name, names in given.items()},
    )
    return Command(**{**values, "kind": CommandKind(values["kind"]), "filters": filters})


def _token_of(row: Row[Any]) -> ScreenToken:
    values = {name: value for name, value in row._mapping.items() if name != "digest"}
    return ScreenToken(**values)


def _moments(override: Mapping[str, Any]) -> dict[str, Any]:
    """An override from JSON, whose instants are text there."""
    return {
        **override,
        "since": datetime.fromisoformat(override["since"]),
        "until": datetime.fromisoformat(override["until"]),
    }
