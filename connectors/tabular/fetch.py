"""Reads what is new among a department's files, each once, the oldest first."""

from __future__ import annotations

import asyncio
import hashlib
import mimetypes
import re
from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from connectors.tabular.options import TabularOptions
from connectors.tabular.parse import BOOKKEEPING, PROBLEM, parse_answer
from connectors.tabular.places import Content, File, Place, open_place
from lawang.connector import Answer, Cursor, FetchContext
from lawang.domain.errors import NeedsPerson, RetryLater, SourceError

#: A file of this name marks everything in its folder as made up.
SIMULATED_MARK = "_simulated"
_KEY, _NEWEST = "file:", "newest"
_TEMPORARY_STARTS = ("~$", ".", "_simulated")
_TEMPORARY_ENDS = (".tmp", ".part", ".partial", ".filepart", ".crdownload", ".swp", ".bak", "~")
_BEGINNING = datetime.min.replace(tzinfo=UTC)
_DIGITS = re.compile(r"\d+")


async def read_answers(
    options: TabularOptions, cursor: Cursor, context: FetchContext
) -> AsyncGenerator[Answer, None]:
    """One answer for each new or changed file, with the file's name as its kind.

    Of several versions of a delivery the newest that can be read counts. A file that cannot be
    read is an answer too, so that the others go on. Raises what the place raises, and
    RetryLater("silent") when nothing new came for longer than `silent_after_s`.
    """
    async with open_place(options, context) as place:
        listed = await place.find()
        run = _Run(options, cursor, context, place, listed)
        for versions in run.due():
            for file in versions:
                answer = await run.take(file)
                if answer is None:
                    break
                if answer is _LATER:
                    continue
                yield answer
                if answer.delivery is not None:
                    # The next one is asked for: this one is stored, and the ones before it past.
                    for done in versions[versions.index(file) :]:
                        await run.put_away(done)
                    break
        if run.notes:
            yield Answer(
                body=b"",
                content_type=BOOKKEEPING,
                fetched_at=context.clock(),
                simulated=run.is_simulated,
                validators=run.notes,
            )
        run.check_silence()


#: Stands for a file that is still being written: an older version of it may do meanwhile.
_LATER = Answer(b"", BOOKKEEPING, _BEGINNING)


@dataclass(slots=True)
class _Run:
    """One poll's look at the files."""

    options: TabularOptions
    cursor: Cursor
    context: FetchContext
    place: Place
    listed: list[File]
    #: What is to be remembered or forgotten beside what answers bring themselves.
    notes: dict[str, str] = field(default_factory=dict)
    files: list[File] = field(default_factory=list)
    newest: datetime | None = None
    is_simulated: bool = False
    has_read: bool = False

    def __post_init__(self) -> None:
        names = {file.name for file in self.listed}
        self.is_simulated = any(PurePosixPath(name).name == SIMULATED_MARK for name in names)
        self.files = [file for file in self.listed if self._is_meant(file.name, names)]
        kept = {_KEY + file.name for file in self.files}
        for key, value in self.cursor.validators.items():
            if key.startswith(_KEY) and value and key not in kept:
                self.notes[key] = ""
        known = self.cursor.validators.get(_NEWEST, "")
        self.newest = datetime.fromisoformat(known) if known else None
        for file in self.files:
            self._see(file.changed_at)

    def due(self) -> list[list[File]]:
        """The deliveries with something new, versions newest first; the oldest delivery first."""
        deliveries: dict[str, list[File]] = {}
        for file in self.files:
            deliveries.setdefault(self.options.delivery_of(file.name), []).append(file)
        versions = [sorted(each, key=self._age, reverse=True) for each in deliveries.values()]
        new = [each for each in versions if self._is_new(each[0])]
        new.sort(key=lambda each: self._age(each[0])[1:])
        return new[-self.options.max_files :]

    async def take(self, file: File) -> Answer | None:
        """The file's answer; None when there is nothing new in it, `_LATER` if it is not whole."""
        digest, stamp = self._known(file)
        if not self._is_new(file):
            return None
        if not self._is_complete(file):
            return _LATER
        try:
            content = await self._read(file, stamp)
        except SourceError as error:
            if error.kind != "too_large":
                raise
            content = _problem(file, "it is larger than max_bytes allows")
        if content is None:
            return None if not file.stamp else _LATER
        self.is_simulated = self.is_simulated or content.simulated
        found = hashlib.sha256(content.body).hexdigest()
        remembered = f"{found} {content.stamp}"
        if found == digest:
            self.notes[_KEY + file.name] = remembered
            return None
        self.has_read = True
        self._see(content.changed_at or self.context.clock())
        return await asyncio.to_thread(self._answer, file, content, remembered)

    async def put_away(self, file: File) -> None:
        """Do what `after` says with a file that was stored."""
        marker = file.name + self.options.done_suffix
        names = [file.name, marker] if self.options.done_suffix else [file.name]
        for name in names:
            if self.options.after == "delete":
                await self.place.remove(name)
            elif self.options.move_to:
                await self.place.move(name, self.options.move_to)

    def check_silence(self) -> None:
        """Raise RetryLater("silent") when the department has handed over nothing for too long."""
        limit = self.options.silent_after_s
        if limit is None or self.has_read:
            return
        if self.newest is None:
            raise RetryLater("silent", "no file has come yet")
        if self.context.clock() - self.newest > timedelta(seconds=limit):
            raise RetryLater("silent", f"no new file since {self.newest:%Y-%m-%d %H:%M} UTC")

    def _answer(self, file: File, content: Content, remembered: str) -> Answer:
        validators = {_KEY + file.name: remembered}
        if self.newest is not None:
            validators[_NEWEST] = self.newest.isoformat()
        guessed = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        answer = Answer(
            body=content.body,
            content_type=content.content_type or guessed,
            fetched_at=self.context.clock(),
            kind=file.name,
            simulated=content.simulated or self.is_simulated,
            validators=validators,
            delivery=self.options.delivery_of(file.name),
        )
        return answer if self._is_usable(answer) else replace(answer, delivery=None)

    def _is_usable(self, answer: Answer) -> bool:
        """Whether a file may replace what an earlier version brought: a broken one must not."""
        if answer.content_type == PROBLEM:
            return False
        try:
            parsed = parse_answer(self.options, answer)
        except SourceError:
            return False
        return not parsed.rejects or len(parsed.rejects) < parsed.records

    async def _read(self, file: File, stamp: str) -> Content | None:
        if file.problem:
            return _problem(file, file.problem)
        if file.size is not None and file.size > min(
            self.options.max_bytes, self.context.max_bytes
        ):
            raise NeedsPerson("too_large")
        return await self.place.read(file, stamp)

    def _known(self, file: File) -> tuple[str, str]:
        """The digest and the stamp of a file when it was last read."""
        digest, _, stamp = self.cursor.validators.get(_KEY + file.name, "").partition(" ")
        return digest, stamp

    def _is_new(self, file: File) -> bool:
        return not file.stamp or self._known(file)[1] != file.stamp

    def _is_meant(self, name: str, names: Iterable[str]) -> bool:
        own = PurePosixPath(name).name
        suffix = self.options.done_suffix
        if own.startswith(_TEMPORARY_STARTS) or own.lower().endswith(_TEMPORARY_ENDS):
            return False
        if suffix and (name.endswith(suffix) or name + suffix not in names):
            return False
        return _fits(name, self.options.pattern) and self.options.name_groups(name) is not None

    def _is_complete(self, file: File) -> bool:
        """Whether nobody writes it any more, as far as the time of its last change tells.

        A change in the future comes from a clock that is wrong, or a copy; it is not awaited.
        """
        if self.options.done_suffix or file.changed_at is None:
            return True
        age = (self.context.clock() - file.changed_at).total_seconds()
        return abs(age) >= self.options.settle_s

    def _age(self, file: File) -> tuple[int, datetime, tuple[tuple[str, int], ...]]:
        """Sorts the versions of one delivery: a stated revision first, then time, then name."""
        stated = (self.options.name_groups(file.name) or {}).get("revision", "")
        revision = int(stated) if stated.isdecimal() and len(stated) < 9 else 0
        return revision, file.changed_at or _BEGINNING, _naturally(file.name)

    def _see(self, moment: datetime | None) -> None:
        # A wrong clock must not make a department look alive for years.
        if moment is not None:
            moment = min(moment, self.context.clock())
            self.newest = moment if self.newest is None else max(self.newest, moment)


def _fits(name: str, pattern: str) -> bool:
    """Part by part, so that * does not reach into folders."""
    parts, wanted = PurePosixPath(name).parts, PurePosixPath(pattern).parts
    return len(parts) == len(wanted) and all(map(fnmatchcase, parts, wanted))


def _naturally(name: str) -> tuple[tuple[str, int], ...]:
    """A name as people sort it: rev2 before rev10."""
    numbers = [int(found[:18]) for found in _DIGITS.findall(name)]
    return tuple(zip(_DIGITS.split(name), [*numbers, -1], strict=True))


def _problem(file: File, sentence: str) -> Content:
    return Content(sentence.encode(), file.stamp, file.changed_at, PROBLEM)
