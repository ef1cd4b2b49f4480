"""Hands briefs in at the city's mail server: encrypted, one letter a recipient, errors named.

What goes wrong becomes a `MailError` whose sentence names neither a password nor an address, and
repeats nothing of the server's answer but its code.
"""

from __future__ import annotations

import hashlib
import html
import os
import re
import smtplib
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from urllib.parse import unquote, urlsplit

from lawang.city.environment import variable
from lawang.domain.errors import LawangError, SettingsError
from lawang.settings import Settings
from lawang.store.briefs import Brief

TIMEOUT_S = 20.0
_PORTS = {"smtp": 587, "smtps": 465, "smtp+plain": 25}
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
#: Addresses as mail servers take them without extensions; no white space, so no further header.
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,189}")
_XLSX = ("application", "vnd.openxmlformats-officedocument.spreadsheetml.sheet")


class MailError(LawangError):
    """A letter was not taken. `final`: this server will never take it for this recipient."""

    def __init__(self, sentence: str, *, final: bool = False) -> None:
        self.final = final
        super().__init__(sentence)


@dataclass(frozen=True, slots=True, kw_only=True)
class MailSettings:
    """Where briefs are handed in, from whom, to whom. `scheme` says how it is encrypted."""

    scheme: str
    host: str
    port: int
    user: str
    password: str = field(repr=False)
    sender: str
    recipients: tuple[str, ...]


def read_mail_settings(
    settings: Settings, env: Mapping[str, str] = os.environ
) -> MailSettings | None:
    """The settings of mail, or None where no server is named. Raises SettingsError."""
    url = settings.smtp_url.get_secret_value() or variable(env, "LAWANG_SMTP_URL")
    if not url:
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise SettingsError(f"LAWANG_SMTP_URL is no address. {_EXAMPLE}") from None
    host = parts.hostname or ""
    if parts.scheme not in _PORTS or not host or parts.path not in ("", "/"):
        raise SettingsError(f"LAWANG_SMTP_URL cannot be used. {_EXAMPLE}")
    if parts.scheme == "smtp+plain" and host not in _LOOPBACK:
        raise SettingsError(
            f"LAWANG_SMTP_URL: smtp+plain:// is for a relay on this machine, not for {host}. "
            "Use smtp:// (STARTTLS) or smtps://."
        )
    if bool(parts.username) != bool(parts.password):
        raise SettingsError("LAWANG_SMTP_URL has a name without a password, or the reverse.")
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if not (user + password).isascii() or not (user + password).isprintable():
        raise SettingsError(
            "LAWANG_SMTP_URL: name and password are letters, digits and signs of ASCII only; "
            "mail servers are not told others."
        )
    recipients = tuple(
        dict.fromkeys(each.strip() for each in settings.brief_to.split(",") if each.strip())
    )
    sender = settings.brief_from.strip()
    if not recipients:
        raise SettingsError("LAWANG_SMTP_URL is set, but LAWANG_BRIEF_TO names nobody.")
    for name, address in (
        ("LAWANG_BRIEF_FROM", sender),
        *(("LAWANG_BRIEF_TO", each) for each in recipients),
    ):
        if not _ADDRESS.fullmatch(address):
            raise SettingsError(f"{name}: {address!r} is no mail address like nama@kota.go.id.")
    return MailSettings(
        scheme=parts.scheme,
        host=host,
        port=port or _PORTS[parts.scheme],
        user=user,
        password=password,
        sender=sender,
        recipients=recipients,
    )


_EXAMPLE = (
    "It is like smtp://name:password@mail.example:587 (STARTTLS), smtps://... or smtp+plain://"
    "localhost:25; characters such as @ in a password are written %40."
)


def message_id(sender: str, day: date, language: str, edition: int, recipient: str) -> str:
    """The same for each attempt, so that a mail server can tell a copy."""
    digest = hashlib.sha256(recipient.lower().encode()).hexdigest()[:16]
    domain = sender.rpartition("@")[2]
    return f"<brief.{day:%Y%m%d}.{language}.{edition}.{digest}@{domain}>"


def write_letter(
    brief: Brief, pdf: bytes, xlsx: bytes, *, sender: str, recipient: str, identity: str
) -> EmailMessage:
    """The letter: sentences as text and as HTML, the page and the workbook beside them.

    A line break in an address or title raises ValueError; none gets here.
    """
    letter = EmailMessage(policy=SMTP)
    letter["Subject"] = brief.title
    letter["From"] = sender
    letter["To"] = recipient
    letter["Date"] = format_datetime(brief.made_at)
    letter["Message-ID"] = identity
    letter["Content-Language"] = brief.language
    # Whoever is away must not answer to it.
    letter["Auto-Submitted"] = "auto-generated"
    letter.set_content(_as_text(brief))
    letter.add_alternative(_as_html(brief), subtype="html")
    name = f"lawang-jabo-{brief.day:%Y-%m-%d}"
    letter.add_attachment(pdf, maintype="application", subtype="pdf", filename=f"{name}.pdf")
    letter.add_attachment(xlsx, maintype=_XLSX[0], subtype=_XLSX[1], filename=f"{name}.xlsx")
    return letter


def _as_text(brief: Brief) -> str:
    parts = [brief.title, *brief.notes]
    parts += ["\n".join((each.title.upper(), *each.sentences)) for each in brief.paragraphs]
    return "\n\n".join(parts) + "\n"


def _as_html(brief: Brief) -> str:
    parts = [
        f'<!DOCTYPE html><html lang="{brief.language}"><head><meta charset="utf-8">',
        f"<title>{html.escape(brief.title)}</title></head>",
        '<body style="font-family:sans-serif;max-width:42em">',
        f"<h1 style='font-size:1.3em'>{html.escape(brief.title)}</h1>",
        *(f"<p><strong>{html.escape(note)}</strong></p>" for note in brief.notes),
    ]
    for each in brief.paragraphs:
        parts.append(f"<h2 style='font-size:1.05em'>{html.escape(each.title)}</h2>")
        parts.append(f"<p>{'<br>'.join(html.escape(text) for text in each.sentences)}</p>")
    return "\n".join((*parts, "</body></html>"))


class Postman:
    """Speaks to the mail server. Blocking; every step ends within `timeout_s`."""

    def __init__(
        self,
        settings: MailSettings,
        *,
        context: ssl.SSLContext | None = None,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self.settings = settings
        self._context = context or ssl.create_default_context()
        self._timeout_s = timeout_s

    @contextmanager
    def session(self) -> Iterator[smtplib.SMTP]:
        """A connection that is encrypted and signed in. Raises MailError."""
        with _told():
            server = self._open()
        try:
            with _told():
                if self.settings.user:
                    server.login(self.settings.user, self.settings.password)
            yield server
        finally:
            try:
                server.quit()
            except (smtplib.SMTPException, OSError):
                server.close()

    def _open(self) -> smtplib.SMTP:
        given, name = self.settings, _own_name()
        if given.scheme == "smtps":
            return smtplib.SMTP_SSL(
                given.host, given.port, name, timeout=self._timeout_s, context=self._context
            )
        server = smtplib.SMTP(given.host, given.port, name, timeout=self._timeout_s)
        try:
            server.ehlo()
            if given.scheme == "smtp":
                if not server.has_extn("starttls"):
                    raise MailError(
                        "the mail server offers no STARTTLS, and nothing is sent without it"
                    )
                server.starttls(context=self._context)
                server.ehlo()
        except BaseException:
            server.close()
            raise
        return server

    def deliver(self, server: smtplib.SMTP, letter: EmailMessage) -> None:
        """Hand one letter in. Raises MailError; the connection serves the next one then, too."""
        with _told():
            server.send_message(letter)


def _own_name() -> str:
    """How we greet. Asking the resolver for a full name may take long on a closed network."""
    name = socket.gethostname()
    return name if "." in name and name.isascii() else "[127.0.0.1]"


@contextmanager
def _told() -> Iterator[None]:
    """Turn what the library raises into a MailError."""
    try:
        yield
    except smtplib.SMTPRecipientsRefused as error:
        code = next(iter(error.recipients.values()))[0]
        raise MailError(
            f"the mail server refused the recipient ({code})", final=_is_final(code)
        ) from None
    except smtplib.SMTPAuthenticationError as error:
        raise MailError(f"the mail server refused name and password ({error.smtp_code})") from None
    except smtplib.SMTPSenderRefused as error:
        raise MailError(f"the mail server refused the sender ({error.smtp_code})") from None
    except smtplib.SMTPDataError as error:
        raise MailError(
            f"the mail server refused the letter ({error.smtp_code})",
            final=_is_final(error.smtp_code),
        ) from None
    except smtplib.SMTPResponseException as error:
        raise MailError(f"the mail server answered {error.smtp_code}") from None
    except smtplib.SMTPNotSupportedError:
        raise MailError("the mail server does not take what this letter needs") from None
    except smtplib.SMTPServerDisconnected:
        raise MailError("the mail server hung up, or did not answer in time") from None
    except ssl.SSLCertVerificationError as error:
        raise MailError(
            f"the mail server's certificate is not trusted ({error.verify_message})"
        ) from None
    except ssl.SSLError:
        raise MailError("no encrypted connection to the mail server came about") from None
    except TimeoutError:
        raise MailError("the mail server did not answer in time") from None
    except OSError as error:
        raise MailError(f"the mail server cannot be reached ({type(error).__name__})") from None
    except smtplib.SMTPException as error:
        raise MailError(f"the mail was not taken ({type(error).__name__})") from None


def _is_final(code: int) -> bool:
    return 500 <= code < 600
