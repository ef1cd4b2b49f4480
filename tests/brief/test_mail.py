"""Letters over a real SMTP server: encrypted or not at all, errors named, nothing secret said."""

from __future__ import annotations

import ssl
from datetime import date
from typing import Any

import pytest
from pydantic import SecretStr

from brief.mail import (
    MailError,
    MailSettings,
    Postman,
    message_id,
    read_mail_settings,
    write_letter,
)
from lawang.domain.errors import SettingsError
from lawang.settings import Settings
from tests.brief.conftest import PDF, XLSX, Tls, make_brief
from tests.brief.server import PASSWORD, USER, PostOffice, free_port, post_office

MAYOR = "walikota@kota.example"


def _settings(port: int, scheme: str = "smtp+plain", **changed: Any) -> MailSettings:
    given: dict[str, Any] = {
        "scheme": scheme, "host": "127.0.0.1", "port": port, "user": "", "password": "",
        "sender": "lawang@kota.example", "recipients": (MAYOR,), **changed,
    }  # fmt: skip
    return MailSettings(**given)


def _send(
    settings: MailSettings, context: ssl.SSLContext | None = None, recipient: str = MAYOR
) -> None:
    postman = Postman(settings, context=context, timeout_s=20)
    identity = message_id(settings.sender, date(2026, 11, 21), "id", 1, recipient)
    letter = write_letter(
        make_brief(), PDF, XLSX, sender=settings.sender, recipient=recipient, identity=identity
    )
    with postman.session() as server:
        postman.deliver(server, letter)


def _only(office: PostOffice) -> Any:
    ((_, letter),) = office.letters
    return letter


def test_a_letter_brings_sentences_page_and_workbook() -> None:
    with post_office() as office:
        _send(_settings(office.port))
    letter = _only(office)
    assert letter["Subject"] == make_brief().title
    assert letter["To"] == MAYOR
    text = letter.get_body(("plain",)).get_content()
    assert "Skor kota adalah 1,01 (hijau)." in text
    assert text.index("Data simulasi") < text.index("Skor kota")
    files = {each.get_filename(): each.get_content() for each in letter.iter_attachments()}
    assert files == {"lawang-jabo-2026-11-21.pdf": PDF, "lawang-jabo-2026-11-21.xlsx": XLSX}


def test_what_is_written_in_a_sentence_is_no_markup() -> None:
    with post_office() as office:
        _send(_settings(office.port))
    body = _only(office).get_body(("html",)).get_content()
    assert "&lt;b&gt;&amp;1&lt;/b&gt;" in body
    assert "<b>" not in body


def test_starttls_encrypts_before_anybody_signs_in(tls: Tls) -> None:
    with post_office(starttls=tls.server, auth=True) as office:
        settings = _settings(office.port, "smtp", user=USER, password=PASSWORD)
        _send(settings, tls.client)
    assert office.encrypted == [True]


def test_smtps_is_encrypted_from_the_first_byte(tls: Tls) -> None:
    with post_office(tls=tls.server) as office:
        _send(_settings(office.port, "smtps"), tls.client)
    assert len(office.letters) == 1


def test_without_starttls_nothing_is_sent() -> None:
    with post_office() as office, pytest.raises(MailError, match="no STARTTLS"):
        _send(_settings(office.port, "smtp", user=USER, password=PASSWORD))
    assert office.letters == []


def test_a_certificate_that_nobody_vouches_for_is_refused(tls: Tls) -> None:
    with (
        post_office(starttls=tls.server) as office,
        pytest.raises(MailError, match="certificate is not trusted"),
    ):
        _send(_settings(office.port, "smtp"))
    assert office.letters == []


def test_a_wrong_password_is_named_and_not_repeated(tls: Tls) -> None:
    with post_office(starttls=tls.server, auth=True) as office:
        wrong = _settings(office.port, "smtp", user=USER, password="salah-sekali")
        with pytest.raises(MailError, match=r"refused name and password \(535\)") as told:
            _send(wrong, tls.client)
    assert not told.value.final
    assert "salah-sekali" not in f"{told.value!r} {wrong!r} {told.value.__cause__!r}"


def test_a_server_that_is_down_is_tried_again_later() -> None:
    with pytest.raises(MailError, match="cannot be reached") as told:
        _send(_settings(free_port()))
    assert not told.value.final


@pytest.mark.parametrize(("answer", "final"), [("451 busy", False), ("550 nobody", True)])
def test_a_refused_recipient_is_final_only_where_the_server_says_so(
    answer: str, final: bool
) -> None:
    with post_office() as office:
        office.answers[MAYOR] = answer
        with pytest.raises(MailError, match=rf"refused the recipient \({answer[:3]}\)") as told:
            _send(_settings(office.port))
    assert told.value.final is final
    assert MAYOR not in str(told.value)


@pytest.mark.parametrize(("verdict", "final"), [("452 full", False), ("554 spam", True)])
def test_a_refused_letter_is_final_only_where_the_server_says_so(verdict: str, final: bool) -> None:
    with post_office() as office:
        office.verdicts.append(verdict)
        with pytest.raises(MailError, match="refused the letter") as told:
            _send(_settings(office.port))
    assert told.value.final is final


def test_a_copy_can_be_told_by_its_message_id() -> None:
    day = date(2026, 11, 21)
    first = message_id("a@kota.example", day, "id", 1, MAYOR)
    assert first == message_id("a@kota.example", day, "id", 1, MAYOR.upper())
    others = {
        message_id("a@kota.example", day, "id", 1, "b@kota.example"),
        message_id("a@kota.example", day, "id", 2, MAYOR),
        message_id("a@kota.example", date(2026, 11, 22), "id", 1, MAYOR),
    }
    assert first not in others
    assert len(others) == 3


@pytest.mark.parametrize("place", ["sender", "recipient"])
def test_a_line_break_in_an_address_makes_no_header(place: str) -> None:
    given = {"sender": "a@kota.example", "recipient": MAYOR, place: "a@b.id\r\nBcc: x@y.id"}
    with pytest.raises(ValueError, match="linefeed"):
        write_letter(make_brief(), PDF, XLSX, identity="<1@b>", **given)


def _read(url: str, to: str = MAYOR, sender: str = "lawang@kota.example") -> MailSettings | None:
    settings = Settings(smtp_url=SecretStr(url), brief_from=sender, brief_to=to)
    return read_mail_settings(settings, {})


def test_an_address_of_a_mail_server_is_read() -> None:
    found = _read("smtp://lawang:p%40ss@mail.kota.example", f" {MAYOR}, b@kota.example,{MAYOR}")
    assert found == MailSettings(
        scheme="smtp", host="mail.kota.example", port=587, user="lawang", password="p@ss",
        sender="lawang@kota.example", recipients=(MAYOR, "b@kota.example"),
    )  # fmt: skip


def test_without_a_mail_server_nothing_is_sent() -> None:
    assert _read("") is None


def test_the_address_may_be_in_a_file_of_its_own(tmp_path: Any) -> None:
    (tmp_path / "smtp").write_text("smtps://a:b@mail.kota.example\n")
    settings = Settings(brief_from="a@kota.example", brief_to=MAYOR)
    found = read_mail_settings(settings, {"LAWANG_SMTP_URL_FILE": str(tmp_path / "smtp")})
    assert found is not None
    assert (found.scheme, found.port) == ("smtps", 465)


@pytest.mark.parametrize(
    ("url", "to", "told"),
    [
        ("http://u:rahasia@mail.example", MAYOR, "cannot be used"),
        ("smtp://u:rahasia@mail.example:no", MAYOR, "is no address"),
        ("smtp+plain://u:rahasia@mail.example", MAYOR, "a relay on this machine"),
        ("smtp://u@mail.example", MAYOR, "name without a password"),
        ("smtp://u:rahasia%C3%A9@mail.example", MAYOR, "of ASCII only"),
        ("smtp://u:rahasia%0A@mail.example", MAYOR, "of ASCII only"),
        ("smtp://u:rahasia@mail.example", "", "names nobody"),
        ("smtp://u:rahasia@mail.example", "a@b\nBcc: c@d", "no mail address"),
        ("smtp://u:rahasia@mail.example", "walikota", "no mail address"),
    ],
)
def test_a_mistake_in_the_settings_is_told_without_the_password(
    url: str, to: str, told: str
) -> None:
    with pytest.raises(SettingsError, match=told) as error:
        _read(url, to)
    assert "rahasia" not in str(error.value)
