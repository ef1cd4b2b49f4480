"""A real SMTP server on loopback that answers as it is told to."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword, Session

USER, PASSWORD = "lawang", "rahasia@1"


@dataclass
class PostOffice:
    """What came in; `answers` are what recipients get at RCPT, `verdicts` at the end of a letter
    (taken one after the other, then 250)."""

    port: int = 0
    letters: list[tuple[str, EmailMessage]] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    verdicts: list[str] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)

    def to(self, recipient: str) -> list[EmailMessage]:
        return [letter for address, letter in self.letters if address == recipient]

    async def handle_RCPT(
        self, _server: Any, _session: Session, envelope: Envelope, address: str, _options: Any
    ) -> str:
        answer = self.answers.get(address, "250 OK")
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, _server: Any, session: Session, envelope: Envelope) -> str:
        if self.verdicts and not (verdict := self.verdicts.pop(0)).startswith("250"):
            return verdict
        content = envelope.content
        assert isinstance(content, bytes)
        letter = message_from_bytes(content, policy=default)
        self.letters += [(address, letter) for address in envelope.rcpt_tos]
        self.encrypted.append(session.ssl is not None)
        return "250 OK"


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _authenticate(_server: Any, _session: Any, _envelope: Any, _kind: str, data: Any) -> AuthResult:
    right = LoginPassword(USER.encode(), PASSWORD.encode())
    return AuthResult(success=data == right, handled=False)


@contextmanager
def post_office(
    starttls: ssl.SSLContext | None = None,
    tls: ssl.SSLContext | None = None,
    *,
    port: int = 0,
    auth: bool = False,
) -> Iterator[PostOffice]:
    """A server that runs for as long as it is needed."""
    office = PostOffice(port=port or free_port())
    further: dict[str, Any] = {"tls_context": starttls} if starttls else {}
    if auth:
        further |= {"authenticator": _authenticate, "auth_required": True}
    running = Controller(
        office, hostname="127.0.0.1", port=office.port, ssl_context=tls, ready_timeout=30, **further
    )
    running.start()
    try:
        yield office
    finally:
        running.stop()
