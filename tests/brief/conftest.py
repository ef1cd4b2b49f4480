"""What letters are sent by: certificates of the tests' own, and a brief in history."""

from __future__ import annotations

import hashlib
import ssl
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from lawang.store.briefs import Brief, Paragraph
from tests.connectors.certificates import Authority, server_side

PDF, XLSX = b"%PDF-1.7 of a test", b"PK of a test"


@dataclass(frozen=True)
class Tls:
    """Both sides of one encrypted connection."""

    server: ssl.SSLContext
    client: ssl.SSLContext


@pytest.fixture(scope="package")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    folder: Path = tmp_path_factory.mktemp("certificates")
    authority = Authority(folder, "post")
    return Tls(
        server=server_side(authority.issue("127.0.0.1")),
        client=ssl.create_default_context(cafile=str(authority.file)),
    )


def make_brief(language: str = "id", edition: int = 1, day: date = date(2026, 11, 21)) -> Brief:
    return Brief(
        day=day, language=language, edition=edition,
        made_at=datetime(2026, 11, 20, 23, 0, 2, tzinfo=UTC), last=date(2026, 11, 20),
        title="Ringkasan pagi Kota Palembang, Sabtu, 21 November 2026",
        notes=("Data simulasi: 26 dari 26 sumber adalah simulasi.",),
        paragraphs=(
            Paragraph(title="Kota", sentences=("Skor kota adalah 1,01 (hijau).", "<b>&1</b>")),
        ),
        simulated=True, pdf_size=len(PDF), pdf_digest=hashlib.sha256(PDF).hexdigest(),
        xlsx_size=len(XLSX), xlsx_digest=hashlib.sha256(XLSX).hexdigest(),
    )  # fmt: skip
