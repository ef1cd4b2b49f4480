"""The office of the morning: made once, on time or late, and sent until everybody has it."""

from __future__ import annotations

import threading
import time as clocks
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta

import pytest
import structlog.testing

from brief.mail import MailSettings, Postman
from brief.office import BriefDesk, BriefOffice, read_time
from lawang.city import City
from lawang.domain.errors import LawangError, SettingsError, StoreError
from lawang.domain.incident import Incident
from lawang.settings import Settings
from lawang.store.briefs import BriefFile, MailState
from lawang.store.history import History
from lawang.store.kpis import KpiState
from tests.brief.server import PostOffice, free_port, post_office
from tests.conftest import HeldClock, build_incident

DAY = date(2026, 11, 21)
SIX = time(6, 0)
#: 06:00 WIB on DAY.
DUE = datetime(2026, 11, 20, 23, 0, tzinfo=UTC)
MAYOR, SECRETARY = "walikota@kota.example", "sekda@kota.example"
MINUTE = timedelta(minutes=1)


def worked_out(history: History, city: City, at: datetime) -> None:
    """Note that all indicators were looked at."""
    day = (at + timedelta(hours=7)).date() - timedelta(days=1)
    history.kpis.save_states(
        [KpiState(kpi=name, digest="x", through=day, computed_at=at) for name in city.kpis]
    )


def report(history: History, *incidents: Incident) -> None:
    history.settle("elapor", incidents, fetched_at=DUE, fence=1)


def mail_to(port: int, *recipients: str) -> MailSettings:
    return MailSettings(
        scheme="smtp+plain", host="127.0.0.1", port=port, user="", password="",
        sender="lawang@kota.example", recipients=recipients,
    )  # fmt: skip


def office_of(
    city: City, history: History, post: PostOffice | None = None, *recipients: str
) -> BriefOffice:
    mail = mail_to(post.port, *(recipients or (MAYOR,))) if post else None
    return BriefOffice(city, history, at=SIX, mail=mail)


def states_of(history: History) -> dict[str, MailState]:
    return {each.recipient: each.state for each in history.briefs.letters(DAY)}


# --- when it is made -----------------------------------------------------------------------------


def test_nothing_is_made_before_it_is_due(city: City, sqlite_history: History) -> None:
    worked_out(sqlite_history, city, DUE - MINUTE)
    office_of(city, sqlite_history).turn(DUE - MINUTE)
    assert sqlite_history.briefs.editions(DAY) == 0


def test_it_is_made_when_due_in_both_languages_with_both_files(
    city: City, sqlite_history: History
) -> None:
    worked_out(sqlite_history, city, DUE - MINUTE)
    office_of(city, sqlite_history).turn(DUE)
    for language in ("id", "en"):
        brief = sqlite_history.briefs.find(DAY, language)
        assert brief is not None
        assert (brief.edition, brief.last, brief.made_at) == (1, date(2026, 11, 20), DUE)
        assert sqlite_history.briefs.file(brief, BriefFile.PDF).startswith(b"%PDF-")
        assert sqlite_history.briefs.file(brief, BriefFile.XLSX).startswith(b"PK")


def test_a_second_turn_does_not_make_it_again(city: City, sqlite_history: History) -> None:
    worked_out(sqlite_history, city, DUE - MINUTE)
    office = office_of(city, sqlite_history)
    office.turn(DUE)
    report(sqlite_history, build_incident(requested_at=DUE - timedelta(hours=20)))
    office.turn(DUE + MINUTE)
    brief = sqlite_history.briefs.find(DAY, "id")
    assert brief is not None
    assert (brief.edition, brief.made_at) == (1, DUE)


def test_a_machine_that_was_off_makes_it_up_the_same_day(
    city: City, sqlite_history: History
) -> None:
    late = DUE + timedelta(hours=9)
    worked_out(sqlite_history, city, late - MINUTE)
    office_of(city, sqlite_history).turn(late)
    brief = sqlite_history.briefs.find(DAY, "id")
    assert brief is not None
    assert brief.made_at == late


def test_it_waits_for_the_indicators_of_the_night_but_not_for_ever(
    city: City, sqlite_history: History
) -> None:
    worked_out(sqlite_history, city, DUE - timedelta(hours=14))
    office = office_of(city, sqlite_history)
    office.turn(DUE + 19 * MINUTE)
    assert sqlite_history.briefs.editions(DAY) == 0
    office.turn(DUE + 20 * MINUTE)
    brief = sqlite_history.briefs.find(DAY, "id")
    assert brief is not None
    count = len(city.kpis)
    assert any(note.startswith(f"Belum lengkap: {count} dari {count}") for note in brief.notes)


def test_it_goes_on_as_soon_as_they_are_there(city: City, sqlite_history: History) -> None:
    office = office_of(city, sqlite_history)
    office.turn(DUE)
    worked_out(sqlite_history, city, DUE + MINUTE)
    office.turn(DUE + 2 * MINUTE)
    brief = sqlite_history.briefs.find(DAY, "id")
    assert brief is not None
    assert not any("Belum lengkap" in note for note in brief.notes)


def test_making_it_again_adds_an_edition_and_keeps_the_first(
    city: City, sqlite_history: History
) -> None:
    worked_out(sqlite_history, city, DUE)
    desk = BriefDesk(city, sqlite_history, at=SIX)
    assert desk.make(DUE) is not None
    assert desk.make(DUE + MINUTE) is None
    again = desk.make(DUE + MINUTE, again=True)
    assert again is not None
    assert {each.edition for each in again} == {2}
    first = sqlite_history.briefs.find(DAY, "id", 1)
    assert first is not None
    assert first.made_at == DUE


def test_a_brief_of_a_day_that_is_over_says_that_it_was_made_afterwards(
    city: City, sqlite_history: History
) -> None:
    worked_out(sqlite_history, city, DUE)
    made = BriefDesk(city, sqlite_history, at=SIX).make(DUE + timedelta(days=3), DAY)
    assert made is not None
    assert made[0].last == date(2026, 11, 20)
    assert any("Disusun kemudian, 24 Nov 2026" in note for note in made[0].notes)


def test_a_brief_of_a_day_to_come_is_refused(city: City, sqlite_history: History) -> None:
    desk = BriefDesk(city, sqlite_history, at=SIX)
    with pytest.raises(LawangError, match="has not begun"):
        desk.make(DUE, DAY + timedelta(days=1))


def test_incidents_of_the_day_before_are_counted(city: City, sqlite_history: History) -> None:
    worked_out(sqlite_history, city, DUE)
    yesterday = DUE - timedelta(hours=20)
    report(
        sqlite_history,
        build_incident(requested_at=yesterday, due_at=yesterday + timedelta(hours=1)),
        build_incident(external_id="b", requested_at=DUE - timedelta(hours=1)),
    )
    made = BriefDesk(city, sqlite_history, at=SIX).make(DUE)
    assert made is not None
    assert (
        "Pada 20 Nov 2026 masuk 1 laporan dan 0 selesai; di akhir hari 1 masih terbuka, 1 di "
        "antaranya lewat tenggat." in made[0].sentences
    )


def test_an_edition_made_at_night_is_not_that_of_the_morning(
    city: City, sqlite_history: History
) -> None:
    worked_out(sqlite_history, city, DUE)
    with post_office() as post:
        office = office_of(city, sqlite_history, post)
        at_night = DUE - timedelta(hours=4)
        BriefDesk(city, sqlite_history, at=SIX).make(at_night)
        office.turn(at_night + MINUTE)
        assert post.letters == []
        office.turn(DUE)
        office.turn(DUE + MINUTE)
    assert [each.edition for each in sqlite_history.briefs.letters(DAY)] == [2]
    assert sqlite_history.briefs.editions(DAY) == 2
    assert len(post.to(MAYOR)) == 1


@pytest.mark.parametrize("wrong", ["6", "25:00", "06.00", ""])
def test_a_time_that_is_none_is_refused(wrong: str) -> None:
    with pytest.raises(SettingsError, match="a time like 06:00"):
        read_time(Settings(brief_at=wrong))


# --- to whom it goes -----------------------------------------------------------------------------


@pytest.fixture
def ready(city: City, sqlite_history: History) -> History:
    worked_out(sqlite_history, city, DUE)
    return sqlite_history


def test_each_recipient_gets_one_letter(city: City, ready: History) -> None:
    with post_office() as post:
        office = office_of(city, ready, post, MAYOR, SECRETARY)
        office.turn(DUE)
        office.turn(DUE + 5 * MINUTE)
    assert len(post.to(MAYOR)) == len(post.to(SECRETARY)) == 1
    assert set(states_of(ready).values()) == {MailState.SENT}


def test_after_a_restart_nobody_gets_a_second_copy(city: City, ready: History) -> None:
    with post_office() as post:
        office_of(city, ready, post).turn(DUE)
        office_of(city, ready, post, MAYOR, SECRETARY).turn(DUE + timedelta(hours=1))
    assert len(post.to(MAYOR)) == 1
    assert len(post.to(SECRETARY)) == 1


def test_a_server_that_is_down_gets_it_when_it_is_back(city: City, ready: History) -> None:
    port = free_port()
    office = BriefOffice(city, ready, at=SIX, mail=mail_to(port, MAYOR))
    with structlog.testing.capture_logs() as logged:
        office.turn(DUE)
        office.turn(DUE + 2 * MINUTE)
        assert states_of(ready) == {MAYOR: MailState.WAITING}
        with post_office(port=port) as post:
            office.turn(DUE + 10 * MINUTE)
    assert len(post.to(MAYOR)) == 1
    assert states_of(ready) == {MAYOR: MailState.SENT}
    told = [each["event"] for each in logged if "brief" in each["event"]]
    assert [each for each in told if "held up" in each or "goes out" in each] == [
        "the brief is held up; it is tried again",
        "the brief goes out again",
    ]


def test_a_letter_is_not_tried_again_at_once(city: City, ready: History) -> None:
    with post_office() as post:
        post.answers[MAYOR] = "451 later"
        office = office_of(city, ready, post)
        office.turn(DUE)
        post.answers.clear()
        office.turn(DUE + MINUTE)
        assert post.letters == []
        office.turn(DUE + 2 * MINUTE)
    assert len(post.to(MAYOR)) == 1


def test_every_attempt_carries_the_same_message_id(city: City, ready: History) -> None:
    with post_office() as post:
        post.verdicts.append("451 later")
        office = office_of(city, ready, post)
        office.turn(DUE)
        (waiting,) = ready.briefs.letters(DAY)
        office.turn(DUE + 2 * MINUTE)
    (letter,) = post.to(MAYOR)
    assert letter["Message-ID"] == waiting.message_id
    assert waiting.attempts == 1


def test_a_refused_recipient_does_not_block_the_others(city: City, ready: History) -> None:
    with post_office() as post, structlog.testing.capture_logs() as logged:
        post.answers[MAYOR] = "550 no such person"
        office = office_of(city, ready, post, MAYOR, SECRETARY)
        office.turn(DUE)
        office.turn(DUE + timedelta(hours=2))
    assert states_of(ready) == {MAYOR: MailState.REFUSED, SECRETARY: MailState.SENT}
    assert len([each for each in logged if "was refused" in each["event"]]) == 1
    assert not any(MAYOR in str(each) for each in logged)


def test_news_of_days_ago_is_not_sent(city: City, ready: History) -> None:
    port = free_port()
    office = BriefOffice(city, ready, at=SIX, mail=mail_to(port, MAYOR))
    office.turn(DUE)
    later = DUE + timedelta(days=3, hours=1)
    with post_office(port=port) as post:
        office.turn(later)
    days = {str(each["Subject"]) for each in post.to(MAYOR)}
    assert not any("21 November" in each for each in days)
    assert states_of(ready) == {MAYOR: MailState.REFUSED}


def test_an_office_that_lost_the_clock_sends_nothing(city: City, ready: History) -> None:
    with post_office() as post:
        desk = BriefDesk(city, ready, at=SIX, mail=mail_to(post.port, MAYOR))
        made = desk.make(DUE)
        assert made is not None
        desk.queue(made[0], DUE)
        assert desk.mail is not None
        desk.send(Postman(desk.mail), ready.briefs.due(DUE), DUE, lambda: False)
    assert post.letters == []
    assert states_of(ready) == {MAYOR: MailState.WAITING}


def test_two_who_read_the_same_list_send_one_letter(city: City, ready: History) -> None:
    with post_office() as post:
        desk = BriefDesk(city, ready, at=SIX, mail=mail_to(post.port, MAYOR))
        made = desk.make(DUE)
        assert made is not None
        desk.queue(made[0], DUE)
        assert desk.mail is not None
        listed = ready.briefs.due(DUE)
        first = desk.send(Postman(desk.mail), listed, DUE)
        second = desk.send(Postman(desk.mail), listed, DUE)
    assert (len(first), second, len(post.to(MAYOR))) == (1, [], 1)
    assert states_of(ready) == {MAYOR: MailState.SENT}


def test_who_was_taken_off_the_list_gets_no_letter_that_waits(city: City, ready: History) -> None:
    port = free_port()
    BriefOffice(city, ready, at=SIX, mail=mail_to(port, MAYOR, SECRETARY)).turn(DUE)
    with post_office(port=port) as post:
        office_of(city, ready, post, MAYOR).turn(DUE + timedelta(hours=1))
    assert (len(post.to(MAYOR)), post.to(SECRETARY)) == (1, [])


def test_mail_that_fails_is_told_also_after_history_was_away(
    city: City, ready: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = HeldClock(DUE)
    mail = mail_to(free_port(), MAYOR)
    office = BriefOffice(city, ready, at=SIX, mail=mail, clock=clock)
    with structlog.testing.capture_logs() as logged:
        with monkeypatch.context() as away:
            away.setattr(ready.briefs, "first_since", _raise_away)
            office._take_turn()
        office._take_turn()
    told = [each["error"] for each in logged if "held up" in each["event"]]
    assert [text.split(" ")[0:3] for text in told] == [
        ["history", "does", "not"],
        ["the", "mail", "server"],
    ]


def _raise_away(*_: object) -> None:
    raise StoreError("store_down", "away")


# --- as a chore of the poller --------------------------------------------------------------------


def _wait(condition: Callable[[], bool], seconds: float = 60) -> bool:
    end = clocks.monotonic() + seconds
    while not condition() and clocks.monotonic() < end:
        threading.Event().wait(0.05)
    return condition()


def test_it_works_by_itself_while_the_clock_is_held(city: City, ready: History) -> None:
    held = threading.Event()
    office = BriefOffice(city, ready, at=SIX, clock=HeldClock(DUE), every_s=1)
    office.start(held.is_set)
    try:
        assert ready.briefs.editions(DAY) == 0
        held.set()
        assert _wait(lambda: ready.briefs.editions(DAY) == 1)
    finally:
        office.stop()
    office.stop()
