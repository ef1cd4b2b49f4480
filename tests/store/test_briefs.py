"""Briefs in history: each edition once, all or none, and letters that are noted as they stand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

from lawang.store.briefs import BriefFile, Letter, MailState
from lawang.store.history import History
from tests.brief.conftest import PDF, XLSX, make_brief

DAY = date(2026, 11, 21)
NOW = datetime.fromisoformat("2026-11-20T23:00:00+00:00")
FILES = (PDF, XLSX)


def letter(recipient: str = "a@kota.example") -> Letter:
    return Letter(
        day=DAY, language="id", edition=1, recipient=recipient, message_id=f"<{recipient}>",
        state=MailState.WAITING, attempts=0, tried_at=None, next_at=NOW, error="",
    )  # fmt: skip


def test_a_brief_is_read_as_it_was_saved(history: History) -> None:
    brief = make_brief()
    assert history.briefs.save([brief], [FILES])
    assert history.briefs.newest("id") == brief
    assert history.briefs.file(brief, BriefFile.PDF) == PDF
    assert history.briefs.file(brief, BriefFile.XLSX) == XLSX


def test_an_edition_is_never_replaced_and_a_morning_is_saved_whole_or_not(
    history: History,
) -> None:
    first = make_brief()
    history.briefs.save([first], [FILES])
    other = replace(first, title="Lain")
    english = make_brief("en")
    assert not history.briefs.save([other, english], [FILES, FILES])
    assert history.briefs.find(DAY, "id") == first
    assert history.briefs.find(DAY, "en") is None


def test_the_newest_edition_is_found_unless_another_is_named(history: History) -> None:
    for number in (1, 2):
        history.briefs.save([make_brief(edition=number)], [FILES])
    newest, first = history.briefs.find(DAY, "id"), history.briefs.find(DAY, "id", 1)
    assert newest is not None
    assert first is not None
    assert (newest.edition, first.edition) == (2, 1)
    assert history.briefs.editions(DAY) == 2
    assert history.briefs.find(DAY, "id", 3) is None


def test_briefs_are_listed_newest_first(history: History) -> None:
    for back in (2, 0, 1):
        history.briefs.save([make_brief(day=DAY - timedelta(days=back))], [FILES])
    listed = [each.day for each in history.briefs.recent("id", 2)]
    assert listed == [DAY, DAY - timedelta(days=1)]
    earlier = [each.day for each in history.briefs.recent("id", 9, before=listed[1])]
    assert earlier == [DAY - timedelta(days=2)]


def test_a_letter_is_queued_once(history: History) -> None:
    assert history.briefs.queue([letter()]) == 1
    sent = replace(letter(), state=MailState.SENT, attempts=1)
    history.briefs.note(sent)
    assert history.briefs.queue([letter(), letter("b@kota.example")]) == 1
    assert history.briefs.letters(DAY)[0] == sent


def test_a_letter_is_due_when_its_time_has_come_and_it_still_waits(history: History) -> None:
    later = replace(letter("b@kota.example"), next_at=NOW + timedelta(minutes=5))
    history.briefs.queue([letter(), later])
    assert history.briefs.due(NOW) == [letter()]
    history.briefs.note(replace(letter(), state=MailState.REFUSED))
    assert history.briefs.due(NOW + timedelta(minutes=5)) == [later]


def test_letters_are_counted_without_their_addresses(history: History) -> None:
    history.briefs.queue([letter(), letter("b@kota.example")])
    history.briefs.note(replace(letter(), state=MailState.REFUSED, error="refused (550)"))
    (count,) = history.briefs.mail_counts([DAY]).values()
    assert (count.waiting, count.sent, count.refused) == (1, 0, 1)
    assert count.errors == ("refused (550)",)
