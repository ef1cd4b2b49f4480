"""Briefs by the API: listed, read, downloaded, and to whom they went is nobody's business."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from lawang.store.briefs import Letter, MailState
from lawang.store.history import History
from tests.api.conftest import Web
from tests.brief.conftest import PDF, XLSX, make_brief

DAY = date(2026, 11, 21)


@pytest.fixture(scope="module", autouse=True)
def _stored(full_history: History) -> None:
    store = full_history.briefs
    for edition in (1, 2):
        store.save([make_brief("id", edition), make_brief("en", edition)], [(PDF, XLSX)] * 2)
    store.save([make_brief(day=DAY - timedelta(days=1))], [(PDF, XLSX)])
    letters = [
        Letter(
            day=DAY, language="id", edition=2, recipient=f"{name}@kota.example",
            message_id=f"<{name}>", state=MailState.WAITING, attempts=1, tried_at=None,
            next_at=make_brief().made_at, error="the mail server cannot be reached",
        )
        for name in ("walikota", "sekda")
    ]  # fmt: skip
    store.queue(letters)


def test_every_edition_is_listed_newest_first_with_its_sentences(web: Web) -> None:
    answer = web.client.get("/api/v1/briefs").json()
    listed = [(each["day"], each["edition"]) for each in answer["briefs"]]
    assert listed == [("2026-11-21", 2), ("2026-11-21", 1), ("2026-11-20", 1)]
    first = answer["briefs"][0]
    assert first["tells_of"] == "2026-11-20"
    assert first["simulated"] is True
    assert first["paragraphs"][0]["sentences"][0] == "Skor kota adalah 1,01 (hijau)."
    assert (first["pdf_bytes"], first["xlsx_bytes"]) == (len(PDF), len(XLSX))


def test_the_state_of_mail_is_counted_and_names_nobody(web: Web) -> None:
    answer = web.client.get("/api/v1/briefs")
    assert answer.json()["briefs"][0]["mail"] == {
        "waiting": 2, "sent": 0, "refused": 0, "errors": ["the mail server cannot be reached"],
    }  # fmt: skip
    assert answer.json()["briefs"][1]["mail"] is None
    assert "kota.example" not in answer.text


@pytest.mark.parametrize(
    ("kind", "content", "media"),
    [
        ("pdf", PDF, "application/pdf"),
        ("xlsx", XLSX, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ],
)
def test_a_file_is_sent_with_its_type_and_name(
    web: Web, kind: str, content: bytes, media: str
) -> None:
    answer = web.client.get(f"/api/v1/briefs/2026-11-21.{kind}")
    assert answer.status_code == 200
    assert answer.content == content
    assert answer.headers["content-type"] == media
    assert answer.headers["content-disposition"] == (
        f'inline; filename="lawang-jabo-2026-11-21-id-2.{kind}"'
    )


def test_a_file_that_is_known_is_not_sent_again(web: Web) -> None:
    path = "/api/v1/briefs/2026-11-21.pdf"
    tag = web.client.get(path).headers["etag"]
    again = web.client.get(path, headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")


def test_one_brief_is_read_in_either_language_and_edition(web: Web) -> None:
    path = "/api/v1/briefs/2026-11-21.json"
    assert web.client.get(path).json()["edition"] == 2
    other = web.client.get(path, params={"language": "en", "edition": 1}).json()
    assert (other["language"], other["edition"]) == ("en", 1)


@pytest.mark.parametrize("kind", ["pdf", "xlsx", "json"])
def test_a_brief_that_was_not_made_is_told_in_a_sentence(web: Web, kind: str) -> None:
    answer = web.client.get(f"/api/v1/briefs/2026-11-19.{kind}")
    assert answer.status_code == 404
    assert "No such brief was made." in answer.json()["error"]["message"]


@pytest.mark.parametrize("path", ["2026-11-21.exe", "kemarin.pdf", "2026-11-21.pdf?edition=0"])
def test_an_address_that_makes_no_sense_is_refused(web: Web, path: str) -> None:
    assert web.client.get(f"/api/v1/briefs/{path}").status_code == 422
