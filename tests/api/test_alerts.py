"""Alerts by the API: listed, acted on by a named person, with a log."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from api.alerts import SHELF_MOST
from lawang.city import City
from lawang.domain.alarm import Judgement, Transition, TransitionKind, Watch, WatchState
from lawang.domain.clock import utc_now
from lawang.rules.panel import AlarmsPanel
from lawang.store.alarms import Step
from lawang.store.engine import open_engine
from lawang.store.history import History
from tests.api.conftest import Web, make_installation, sentence_of, serve_web
from tests.rules.desk import rule

HOSTILE = "<script>alert(1)</script>"


@dataclass
class Centre:
    """A web process without a board; `begun` is when its first alert was raised."""

    web: Web
    history: History
    city: City
    begun: datetime

    def list(self, **query: Any) -> dict[str, Any]:
        answer = self.web.client.get("/api/v1/alerts", params=query)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def act(self, alert: int, action: str, **body: Any) -> httpx.Response:
        content = {"action": action, "by": "Sari", **body}
        return self.web.client.post(f"/api/v1/alerts/{alert}", json=content)

    def raise_one(self, subject: str, minute: int = 0) -> int:
        """A new alert about `subject`; its number."""
        self.keep(subject, WatchState.ACTIVE, TransitionKind.RAISED, minute)
        return int(self.history.alarms.open()[0].id)

    def keep(self, subject: str, state: WatchState, kind: TransitionKind, minute: int) -> None:
        at = self.begun + timedelta(minutes=minute)
        known = state is not WatchState.UNKNOWN
        watch = Watch(
            rule="uji", key=subject, state=state, since=at, region="16.71.01",
            began_at=at, raised_at=at, why="" if known else "vanished",
        )  # fmt: skip
        judgement = Judgement(
            key=subject, holds=True if known else None, value=280.5, at=at, mark=str(minute),
            subject=subject, subject_name=HOSTILE,
        )  # fmt: skip
        step = Step(
            watch=watch,
            judgement=judgement,
            transitions=(Transition(rule="uji", key=subject, kind=kind, at=at),),
            severity=rule().severity,
            simulated=True,
        )
        self.history.alarms.apply([step], at)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def centre(
    request: pytest.FixtureRequest,
    city: City,
    valkey_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Centre]:
    folder = tmp_path_factory.mktemp("alerts")
    if request.param == "postgresql":
        postgres = request.getfixturevalue("postgres")
        name = postgres.create_database(request.getfixturevalue("_migrated_postgresql"))
        url = postgres.url(name)
    else:
        path = folder / "history.sqlite3"
        path.write_bytes(request.getfixturevalue("_migrated_sqlite").read_bytes())
        url = f"sqlite:///{path}"
    watched = replace(city, rules={"uji": rule()})
    with closing(History(open_engine(url))) as history:
        installation = make_installation(watched, history, valkey_url, folder)
        with serve_web(installation) as web:
            yield Centre(web, history, watched, utc_now() - timedelta(hours=1))


def test_an_alert_is_told_with_its_words_and_the_age_of_its_value(centre: Centre) -> None:
    number = centre.raise_one("satu")
    (found,) = [each for each in centre.list()["alerts"] if each["id"] == number]
    assert found["text_en"].startswith(f"280.5 at {HOSTILE}, Ilir Barat II, since ")
    assert found["text_id"].startswith("280,5 di ")
    assert (found["owner"], found["owner_name"], found["steps_en"]) == ("bpbd", "BPBD", ["Check"])
    assert found["age_s"] > 3000
    assert found["simulated"] is True


def test_unknown_ones_are_counted_and_stay_open(centre: Centre) -> None:
    number = centre.raise_one("dua", 1)
    before = centre.list()["unknown"]
    centre.keep("dua", WatchState.UNKNOWN, TransitionKind.UNKNOWN, 2)
    listed = centre.list()
    assert listed["unknown"] == before + 1
    (found,) = [each for each in centre.list(state="unknown")["alerts"] if each["id"] == number]
    assert (found["state"], found["why"], found["ended_at"]) == ("unknown", "vanished", None)


def test_pages_follow_each_other_without_a_gap(centre: Centre) -> None:
    made = {centre.raise_one(f"halaman-{n}", 10 + n // 2) for n in range(5)}
    seen: list[int] = []
    after: str | None = None
    while True:
        query = {"limit": 2, **({"after": after} if after else {})}
        page = centre.list(**query)
        seen += [each["id"] for each in page["alerts"]]
        after = page["next"]
        if after is None:
            break
    assert len(seen) == len(set(seen)) == page["total"]
    assert made <= set(seen)


def test_a_person_acknowledges_shelves_unshelves_and_resolves(centre: Centre) -> None:
    number = centre.raise_one("orang", 20)
    until = (utc_now() + timedelta(hours=2)).isoformat()
    answers = [
        centre.act(number, "acknowledge"),
        centre.act(number, "shelve", note="uji pompa", until=until),
        centre.act(number, "unshelve"),
        centre.act(number, "resolve", note="pompa berjalan"),
    ]
    assert [each.status_code for each in answers] == [200] * 4, answers[-1].text
    shelved = answers[1].json()["alert"]
    assert (shelved["shelved"], shelved["shelved_by"]) == (True, "Sari")
    assert answers[2].json()["alert"]["shelved"] is False
    assert answers[3].json()["alert"]["state"] == "resolved"
    told = centre.web.client.get(f"/api/v1/alerts/{number}").json()
    assert [(each["kind"], each["by"]) for each in told["events"]] == [
        ("raised", ""),
        ("acknowledged", "Sari"),
        ("shelved", "Sari"),
        ("unshelved", "Sari"),
        ("resolved", "Sari"),
    ]
    assert number not in [each["id"] for each in centre.list()["alerts"]]
    over = centre.act(number, "acknowledge")
    assert over.status_code == 409
    assert "over already" in sentence_of(over)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"action": "shelve", "note": "x"}, 422),
        ({"action": "shelve", "note": "", "until": "2999-01-01T00:00:00Z"}, 422),
        ({"action": "shelve", "note": "x", "until": "2020-01-01T00:00:00Z"}, 422),
        ({"action": "shelve", "note": "x", "until": "2999-01-01T00:00:00Z"}, 422),
        ({"action": "acknowledge", "until": "2999-01-01T00:00:00Z"}, 422),
        ({"action": "resolve"}, 422),
        ({"action": "delete"}, 422),
        ({"action": "acknowledge", "by": "x\x00y"}, 422),
        ({"action": "unshelve"}, 409),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_sentence(
    centre: Centre, body: dict[str, str], status: int
) -> None:
    number = centre.raise_one("tolak", 30)
    answer = centre.act(number, **{"by": "Sari", **body})  # type: ignore[arg-type]
    assert answer.status_code == status, answer.text
    assert sentence_of(answer)


@pytest.mark.parametrize("number", [0, -1, 10**12, 10**30])
def test_an_alert_that_is_not_there_is_not_found(centre: Centre, number: int) -> None:
    assert centre.web.client.get(f"/api/v1/alerts/{number}").status_code == 404
    assert centre.act(number, "acknowledge").status_code == 404


@pytest.mark.parametrize(
    "query", [{"states": "active"}, {"state": "gone"}, {"after": "x"}, {"limit": 0}]
)
def test_a_mistaken_query_is_refused(centre: Centre, query: dict[str, Any]) -> None:
    assert centre.web.client.get("/api/v1/alerts", params=query).status_code in (400, 422)


def test_who_comes_through_a_proxy_may_look_but_not_act(centre: Centre) -> None:
    number = centre.raise_one("proxy", 40)
    headers = {"x-forwarded-for": "203.0.113.9"}
    url = f"/api/v1/alerts/{number}"
    assert centre.web.client.get(url, headers=headers).status_code == 200
    body = {"action": "acknowledge", "by": "Sari"}
    answer = centre.web.client.post(url, json=body, headers=headers)
    assert answer.status_code == 403
    assert centre.history.alarms.get(number).acked_at is None  # type: ignore[union-attr]


def test_the_panel_and_the_api_tell_the_same(centre: Centre) -> None:
    panel = AlarmsPanel(centre.city, centre.history)(utc_now())
    listed = centre.list(limit=1000)
    shown = {str(each["id"]) for each in listed["alerts"] if not each["shelved"]}
    assert set(panel["alarms"]) == shown


def test_the_longest_shelf_is_a_week() -> None:
    assert timedelta(days=7) == SHELF_MOST
