"""Morning briefs in history: made once, never rewritten, and to whom they still have to be sent.

A brief is what was known when it was made. Making it again adds an edition; nothing replaces one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Row, Update, func, select, tuple_, update

from lawang.domain.errors import StoreError
from lawang.store import schema
from lawang.store.database import Database


class BriefFile(StrEnum):
    """The two files of a brief."""

    PDF = "pdf"
    XLSX = "xlsx"


class MailState(StrEnum):
    """Where one letter stands. REFUSED: the server will never take it; nobody tries again."""

    WAITING = "waiting"
    SENT = "sent"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    """Some sentences under a heading, in the brief's language. Plain text, no markup."""

    title: str
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """A stored brief, without its files.

    `day` is the local day it was made for (its morning), `last` the day it tells of, `made_at` what
    it is as of (UTC). `notes` are what has to be said before anything else: simulated data, and
    what was not worked out yet. Sizes are in bytes; digests are SHA-256, in hexadecimal.
    """

    day: date
    language: str
    edition: int
    made_at: datetime
    last: date
    title: str
    notes: tuple[str, ...]
    paragraphs: tuple[Paragraph, ...]
    simulated: bool
    pdf_size: int
    pdf_digest: str
    xlsx_size: int
    xlsx_digest: str

    @property
    def sentences(self) -> tuple[str, ...]:
        """All sentences in their order, notes first."""
        return self.notes + tuple(text for each in self.paragraphs for text in each.sentences)


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One brief to one recipient. `error` names what went wrong last, without secrets."""

    day: date
    language: str
    edition: int
    recipient: str
    message_id: str
    state: MailState
    attempts: int
    tried_at: datetime | None
    next_at: datetime
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MailCount:
    """How many letters of one brief stand where; `errors` are what the waiting ones met last."""

    waiting: int = 0
    sent: int = 0
    refused: int = 0
    errors: tuple[str, ...] = ()


class BriefStore:
    """Reads and writes `brief` and `brief_mail`. Methods are one transaction each."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, briefs: Sequence[Brief], files: Sequence[tuple[bytes, bytes]]) -> bool:
        """Store briefs of one morning, each with its PDF and XLSX: all, or none.

        False where an edition of that number is there already, whoever made it.
        """
        table = schema.brief
        rows = [
            {**_row_of(brief), "pdf": pdf, "xlsx": xlsx}
            for brief, (pdf, xlsx) in zip(briefs, files, strict=True)
        ]
        keys = [(each.day, each.language, each.edition) for each in briefs]
        with self._database.writing() as connection:
            there = connection.execute(
                select(func.count()).where(
                    tuple_(table.c.day, table.c.language, table.c.edition).in_(keys)
                )
            ).scalar_one()
            if there:
                return False
            connection.execute(table.insert(), rows)
        return True

    def editions(self, day: date) -> int:
        """The newest edition of a day; 0 where none was made."""
        table = schema.brief
        with self._database.reading() as connection:
            found = connection.execute(
                select(func.max(table.c.edition)).where(table.c.day == day)
            ).scalar_one()
        return int(found or 0)

    def first_since(self, day: date, language: str, since: datetime) -> Brief | None:
        """The oldest edition of a day that was made at `since` or later."""
        table = schema.brief
        wanted = select(*_HEAD).where(
            table.c.day == day, table.c.language == language, table.c.made_at >= since
        )
        with self._database.reading() as connection:
            row = connection.execute(wanted.order_by(table.c.edition).limit(1)).first()
        return None if row is None else _brief_of(row)

    def find(self, day: date, language: str, edition: int | None = None) -> Brief | None:
        """A brief of a day; its newest edition where none is named."""
        table = schema.brief
        wanted = select(*_HEAD).where(table.c.day == day, table.c.language == language)
        if edition is not None:
            wanted = wanted.where(table.c.edition == edition)
        with self._database.reading() as connection:
            row = connection.execute(wanted.order_by(table.c.edition.desc()).limit(1)).first()
        return None if row is None else _brief_of(row)

    def newest(self, language: str) -> Brief | None:
        """The newest edition of the newest day."""
        found = self.recent(language, 1)
        return found[0] if found else None

    def recent(self, language: str, limit: int, before: date | None = None) -> list[Brief]:
        """Every edition, newest first; those of days before `before`."""
        table = schema.brief
        wanted = select(*_HEAD).where(table.c.language == language)
        if before is not None:
            wanted = wanted.where(table.c.day < before)
        with self._database.reading() as connection:
            rows = connection.execute(
                wanted.order_by(table.c.day.desc(), table.c.edition.desc()).limit(limit)
            ).all()
        return [_brief_of(row) for row in rows]

    def file(self, brief: Brief, kind: BriefFile) -> bytes:
        """The bytes of one file. Raises StoreError where the brief is gone."""
        table = schema.brief
        with self._database.reading() as connection:
            found = connection.execute(
                select(table.c[kind.value]).where(
                    table.c.day == brief.day,
                    table.c.language == brief.language,
                    table.c.edition == brief.edition,
                )
            ).scalar()
        if found is None:
            raise StoreError("store_down", "a brief that was there is gone")
        return bytes(found)

    # --- letters -----------------------------------------------------------------------------

    def queue(self, letters: Sequence[Letter]) -> int:
        """Note letters that have to be sent; how many were not known yet."""
        table = schema.brief_mail
        if not letters:
            return 0
        with self._database.writing() as connection:
            known = {
                _letter_key(row) for row in connection.execute(
                    select(table).where(table.c.day.in_({each.day for each in letters}))
                )
            }  # fmt: skip
            new = [each for each in letters if _letter_key(each) not in known]
            if new:
                connection.execute(table.insert(), [_letter_row(each) for each in new])
        return len(new)

    def due(self, now: datetime) -> list[Letter]:
        """Letters to be tried now, oldest day first."""
        table = schema.brief_mail
        with self._database.reading() as connection:
            rows = connection.execute(
                select(table)
                .where(table.c.state == MailState.WAITING.value, table.c.next_at <= now)
                .order_by(table.c.day, table.c.edition, table.c.recipient)
            ).all()
        return [_letter_of(row) for row in rows]

    def letters(self, day: date) -> list[Letter]:
        """All letters of a day's briefs."""
        table = schema.brief_mail
        with self._database.reading() as connection:
            rows = connection.execute(
                select(table)
                .where(table.c.day == day)
                .order_by(table.c.edition, table.c.language, table.c.recipient)
            ).all()
        return [_letter_of(row) for row in rows]

    def note(self, letter: Letter) -> None:
        """Keep where a letter stands now."""
        with self._database.writing() as connection:
            connection.execute(_rewrite(letter))

    def claim(self, known: Letter, claimed: Letter) -> bool:
        """Keep that a letter is being tried; False where somebody else has since it was read."""
        table = schema.brief_mail
        with self._database.writing() as connection:
            return bool(
                connection.execute(
                    _rewrite(claimed).where(
                        table.c.state == known.state.value, table.c.attempts == known.attempts
                    )
                ).rowcount
            )

    def letter_counts(self) -> dict[MailState, int]:
        """How many letters of all days stand where; every state is there."""
        table = schema.brief_mail
        counted = select(table.c.state, func.count().label("letters")).group_by(table.c.state)
        with self._database.reading() as connection:
            found = {row.state: row.letters for row in connection.execute(counted)}
        return {state: found.get(state.value, 0) for state in MailState}

    def mail_counts(self, days: Sequence[date]) -> dict[tuple[date, str, int], MailCount]:
        """How the letters of some days stand, by (day, language, edition); none: left out."""
        table = schema.brief_mail
        counted: dict[tuple[date, str, int], dict[str, int]] = {}
        errors: dict[tuple[date, str, int], set[str]] = {}
        with self._database.reading() as connection:
            rows = connection.execute(select(table).where(table.c.day.in_(days))).all()
        for row in rows:
            key = (row.day, row.language, row.edition)
            states = counted.setdefault(key, {})
            states[row.state] = states.get(row.state, 0) + 1
            if row.error:
                errors.setdefault(key, set()).add(row.error)
        return {
            key: MailCount(**states, errors=tuple(sorted(errors.get(key, ()))))
            for key, states in counted.items()
        }


_HEAD: list[ColumnElement[Any]] = [
    column for column in schema.brief.columns if column.name not in ("pdf", "xlsx")
]


def _row_of(brief: Brief) -> dict[str, Any]:
    row = {
        name: getattr(brief, name) for name in Brief.__dataclass_fields__ if name != "paragraphs"
    }
    return {
        **row,
        "notes": list(brief.notes),
        "paragraphs": [
            {"title": each.title, "sentences": list(each.sentences)} for each in brief.paragraphs
        ],
    }


def _brief_of(row: Row[Any]) -> Brief:
    values = dict(row._mapping)
    return Brief(
        **{
            **values,
            "notes": tuple(values["notes"]),
            "paragraphs": tuple(
                Paragraph(title=each["title"], sentences=tuple(each["sentences"]))
                for each in values["paragraphs"]
            ),
        }
    )


def _rewrite(letter: Letter) -> Update:
    table, row = schema.brief_mail, _letter_row(letter)
    keys = ("day", "language", "edition", "recipient")
    return (
        update(table)
        .where(*(table.c[name] == row[name] for name in keys))
        .values({name: value for name, value in row.items() if name not in keys})
    )


def _letter_row(letter: Letter) -> dict[str, Any]:
    row = {name: getattr(letter, name) for name in Letter.__dataclass_fields__}
    return {**row, "state": letter.state.value}


def _letter_of(row: Row[Any]) -> Letter:
    return Letter(**{**row._mapping, "state": MailState(row.state)})


def _letter_key(of: Row[Any] | Letter) -> tuple[date, str, int, str]:
    return of.day, of.language, of.edition, of.recipient
