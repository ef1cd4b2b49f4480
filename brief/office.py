"""The office of the morning: makes the brief when it is due, and sends it until it is sent.

It works in the poller that holds the clock. A turn is safe to repeat and to break off: a brief of a
day is made once, and a letter that was taken is not sent again.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from email.message import EmailMessage

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.combining import OrTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from brief.compose import Composer, Morning
from brief.mail import MailError, MailSettings, Postman, message_id, write_letter
from brief.pdf import draw_pdf
from brief.prose import Prose
from brief.workbook import make_workbook
from lawang.city import City
from lawang.domain.clock import Clock, utc_now
from lawang.domain.errors import LawangError, SettingsError, StoreError
from lawang.settings import Settings
from lawang.store.briefs import Brief, BriefFile, Letter, MailState
from lawang.store.history import History
from layouts.words import DEFAULT_LANGUAGE, LANGUAGES

log = structlog.get_logger(__name__)

#: How long a brief waits for the indicators of the night.
PATIENCE = timedelta(minutes=20)
#: Letters are tried again after this, doubled each time up to the most; then they are old news.
_RETRY_AFTER, _RETRY_MOST = timedelta(minutes=2), timedelta(hours=1)
_GIVE_UP_AFTER = timedelta(days=3)
_EVERY_S = 60.0


def read_time(settings: Settings) -> time:
    """When the brief is due, in the city's own time. Raises SettingsError."""
    try:
        return datetime.strptime(settings.brief_at, "%H:%M").time()  # noqa: DTZ007
    except ValueError:
        raise SettingsError(
            f"LAWANG_BRIEF_AT is {settings.brief_at!r}; it is a time like 06:00."
        ) from None


class BriefDesk:
    """Makes and stores briefs, and keeps their letters. Blocking; raises StoreError."""

    def __init__(
        self, city: City, history: History, *, at: time, mail: MailSettings | None = None
    ) -> None:
        self._city = city
        self._store = history.briefs
        self.composer = Composer(city, history, at)
        self.mail = mail

    def make(
        self, now: datetime, day: date | None = None, *, again: bool = False
    ) -> list[Brief] | None:
        """Make the brief of a day (today's) in all languages; None where it was made already.

        `again` adds an edition to those that are there. Raises LawangError for a day to come.
        """
        today = self.composer.today(now)
        day = day or today
        if day > today:
            raise LawangError(f"{day} has not begun yet: today is {today}.")
        edition = self._store.editions(day) + 1
        if edition > 1 and not again:
            return None
        morning = self.composer.compose(now, day)
        made = [self._write(morning, language, edition) for language in LANGUAGES]
        briefs = [brief for brief, _ in made]
        return briefs if self._store.save(briefs, [files for _, files in made]) else None

    def _write(
        self, morning: Morning, language: str, edition: int
    ) -> tuple[Brief, tuple[bytes, bytes]]:
        prose = Prose(morning, self._city, language)
        pdf = draw_pdf(morning, self._city, language, edition)
        xlsx = make_workbook(morning, self._city, language)
        brief = Brief(
            day=morning.day,
            language=language,
            edition=edition,
            made_at=morning.made_at,
            last=morning.overview.last,
            title=prose.title(),
            notes=prose.notes(),
            paragraphs=prose.paragraphs(),
            simulated=morning.overview.simulated,
            pdf_size=len(pdf),
            pdf_digest=hashlib.sha256(pdf).hexdigest(),
            xlsx_size=len(xlsx),
            xlsx_digest=hashlib.sha256(xlsx).hexdigest(),
        )
        return brief, (pdf, xlsx)

    # --- letters -----------------------------------------------------------------------------

    def queue(self, brief: Brief, now: datetime) -> int:
        """Note a letter for each recipient who has none of this brief; how many are new."""
        if self.mail is None:
            return 0
        key = (brief.day, brief.language, brief.edition)
        return self._store.queue(
            [
                Letter(
                    day=brief.day,
                    language=brief.language,
                    edition=brief.edition,
                    recipient=each,
                    message_id=message_id(self.mail.sender, *key, each),
                    state=MailState.WAITING,
                    attempts=0,
                    tried_at=None,
                    next_at=now,
                    error="",
                )
                for each in self.mail.recipients
            ]
        )

    def send(
        self,
        postman: Postman,
        letters: Sequence[Letter],
        now: datetime,
        may_go_on: Callable[[], bool] = lambda: True,
    ) -> list[Letter]:
        """Try letters over one connection; each as it stands afterwards.

        One that somebody else is trying is left out.
        """
        tried: list[Letter] = []
        try:
            with postman.session() as server:
                for letter in letters:
                    if not may_go_on():
                        break
                    # Noted before it is tried: a second process does not try it meanwhile.
                    claimed = self._claim(letter, now)
                    if claimed is None:
                        continue
                    try:
                        postman.deliver(server, self._letter(claimed, postman.settings.sender))
                    except MailError as error:
                        tried.append(self._note(claimed, error))
                    else:
                        tried.append(self._note(claimed, None))
        except MailError as error:
            # The server was not reached, or did not let us in: nobody got anything.
            done = {_key(each) for each in tried}
            tried += [
                self._note(claimed, error)
                for each in letters
                if _key(each) not in done and (claimed := self._claim(each, now)) is not None
            ]
        return tried

    def give_up(self, letter: Letter) -> Letter:
        """Nobody wants the news of days ago."""
        given_up = replace(letter, state=MailState.REFUSED, error=letter.error or "it is too old")
        self._store.note(given_up)
        return given_up

    def _claim(self, letter: Letter, now: datetime) -> Letter | None:
        wait = min(_RETRY_AFTER * 2 ** min(letter.attempts, 10), _RETRY_MOST)
        claimed = replace(letter, attempts=letter.attempts + 1, tried_at=now, next_at=now + wait)
        return claimed if self._store.claim(letter, claimed) else None

    def _note(self, letter: Letter, error: MailError | None) -> Letter:
        if error is None:
            noted = replace(letter, state=MailState.SENT, error="")
        else:
            state = MailState.REFUSED if error.final else MailState.WAITING
            noted = replace(letter, state=state, error=str(error))
        self._store.note(noted)
        return noted

    def _letter(self, letter: Letter, sender: str) -> EmailMessage:
        brief = self._store.find(letter.day, letter.language, letter.edition)
        if brief is None:
            raise MailError("its brief is gone", final=True)
        return write_letter(
            brief,
            self._store.file(brief, BriefFile.PDF),
            self._store.file(brief, BriefFile.XLSX),
            sender=sender,
            recipient=letter.recipient,
            identity=letter.message_id,
        )


class BriefOffice:
    """Takes a turn when the brief is due and every minute, in one thread of its own."""

    def __init__(
        self,
        city: City,
        history: History,
        *,
        at: time,
        mail: MailSettings | None = None,
        clock: Clock = utc_now,
        every_s: float = _EVERY_S,
        postman: Postman | None = None,
    ) -> None:
        self._desk = BriefDesk(city, history, at=at, mail=mail)
        self._store = history.briefs
        self._zone = city.timezone
        self._at = at
        self._postman = postman or (Postman(mail) if mail else None)
        self._clock = clock
        self._every_s = every_s
        self._is_idle = not city.kpis
        self._may_write: Callable[[], bool] = lambda: True
        self._scheduler: BackgroundScheduler | None = None
        self._stopping = threading.Event()
        self._at_work = threading.Lock()
        self._began: datetime | None = None
        #: What is wrong with history and with mail, as it was said last.
        self._failing = {"history": "", "mail": ""}

    def start(self, may_write: Callable[[], bool] = lambda: True) -> None:
        """Begin; nothing to do in a city without indicators."""
        if self._is_idle or self._scheduler is not None:
            return
        self._may_write = may_write
        self._stopping = threading.Event()
        self._began = self._clock()
        scheduler = BackgroundScheduler(
            timezone=self._zone,
            executors={"default": ThreadPoolExecutor(1)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        daily = CronTrigger(hour=self._at.hour, minute=self._at.minute, timezone=self._zone)
        often = IntervalTrigger(seconds=max(1, round(self._every_s)), timezone=self._zone)
        scheduler.add_job(self._take_turn, OrTrigger([daily, often]), id="brief")
        scheduler.start()
        self._scheduler = scheduler

    def stop(self) -> None:
        """End after the letter under way, and wait for it."""
        self._stopping.set()
        if self._scheduler is not None:
            self._scheduler.shutdown(wait=False)
            self._scheduler = None
        if self._at_work.acquire(timeout=10):
            self._at_work.release()

    def _goes_on(self) -> bool:
        return not self._stopping.is_set() and self._may_write()

    def _take_turn(self) -> None:
        with self._at_work:
            if not self._goes_on():
                return
            try:
                self.turn(self._clock())
                self._tell("history", "")
            except StoreError as error:
                self._tell("history", f"history does not answer ({error.kind})")
            except Exception:
                log.exception("the brief stumbled; the next turn tries again")

    def turn(self, now: datetime) -> None:
        """Make what is due and send what waits. Raises StoreError."""
        day = self._desk.composer.today(now)
        due_at = self._desk.composer.due_at(day)
        brief = self._store.first_since(day, DEFAULT_LANGUAGE, due_at)
        if now >= due_at and brief is None and not self._waits(now, due_at):
            # An edition that somebody made before is not that of the morning.
            made = self._desk.make(now, again=True)
            if made:
                log.info("the morning brief was made", day=str(day), late_s=_seconds(now - due_at))
            brief = self._store.first_since(day, DEFAULT_LANGUAGE, due_at)
        if self._postman is None:
            return
        if brief is not None:
            self._desk.queue(brief, now)
        self._send(self._postman, now)

    def _waits(self, now: datetime, due_at: datetime) -> bool:
        """Whether indicators of the night are still worked out, and there is time for that."""
        since = max(due_at, self._began or due_at)
        return now < since + PATIENCE and bool(self._desk.composer.pending(now))

    def _send(self, postman: Postman, now: datetime) -> None:
        due = self._store.due(now)
        for letter in due:
            if now - self._desk.composer.due_at(letter.day) > _GIVE_UP_AFTER:
                self._desk.give_up(letter)
                log.warning("a brief was not sent in three days", day=str(letter.day))
        # Who was taken off the list gets nothing more, though a letter still waits.
        fresh = [
            each
            for each in due
            if now - self._desk.composer.due_at(each.day) <= _GIVE_UP_AFTER
            and each.recipient in postman.settings.recipients
        ]
        if not fresh:
            return
        tried = self._desk.send(postman, fresh, now, self._goes_on)
        for each in tried:
            if each.state is MailState.REFUSED:
                log.warning(
                    "a recipient of the brief was refused; `lawang brief list` names it",
                    day=str(each.day), error=each.error,
                )  # fmt: skip
        waiting = [each for each in tried if each.state is MailState.WAITING]
        self._tell("mail", waiting[0].error if waiting else "")

    def _tell(self, part: str, problem: str) -> None:
        """Say a problem of a part once, and once that it is over."""
        if problem and not self._failing[part]:
            log.warning("the brief is held up; it is tried again", error=problem)
        elif not problem and self._failing[part]:
            log.info("the brief goes out again")
        self._failing[part] = problem


def _key(letter: Letter) -> tuple[date, str, int, str]:
    return letter.day, letter.language, letter.edition, letter.recipient


def _seconds(length: timedelta) -> int:
    return round(length.total_seconds())
