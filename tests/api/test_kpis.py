"""Indicators and scores by the API, as pages and other programs ask for them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from lawang.city import City
from lawang.domain.clock import utc_now
from lawang.domain.formula import IncidentFigure, IncidentFormula, ReadingFormula
from lawang.domain.incident import Incident, Status
from lawang.domain.kpi import (
    Combine,
    Curve,
    Dimension,
    Direction,
    Kpi,
    Target,
)
from lawang.kpi.cells import last_complete_day
from lawang.kpi.worker import Indicators
from lawang.store.engine import open_engine
from lawang.store.history import History
from tests.api.conftest import Web, board_of, make_installation, serve_web, until
from tests.conftest import build_incident

WIB = ZoneInfo("Asia/Jakarta")
CURVE = Curve("rata", (((12, 31), 1.0),), "uji")


def kpi(name: str, dimension: str, **changes: Any) -> Kpi:
    values: dict[str, Any] = {
        "id": name,
        "name_id": f"Nama {name}",
        "name_en": f"Name {name}",
        "definition_id": "Kalimat.",
        "definition_en": "A sentence.",
        "dimension": dimension,
        "owner": "diskominfo",
        "unit": "%",
        "direction": Direction.UP,
        "combine": Combine.RATIO,
        "formula": IncidentFormula(figure=IncidentFigure.WITHIN_DUE, sources=("elapor",)),
        "target": Target(level=0.8),
        "minimum": 10,
        "target_source": "uji",
        **changes,
    }
    return Kpi(**values)


KPIS = {
    each.id: each
    for each in (
        kpi("tepat_waktu", "layanan"),
        kpi(
            "jumlah",
            "layanan",
            direction=Direction.DOWN,
            combine=Combine.SUM,
            formula=IncidentFormula(
                figure=IncidentFigure.COUNT, sources=("elapor",), categories=("banjir",)
            ),
            target=Target(year=3650.0, curve=CURVE),
        ),
        kpi(
            "pbb",
            "keuangan",
            combine=Combine.SUM,
            unit="Rp",
            formula=ReadingFormula(source="pbb", measure="pbb_penerimaan"),
        ),
    )
}


def noon(day: date) -> datetime:
    return datetime.combine(day, clock_time(12), WIB).astimezone(UTC)


def reports() -> list[Incident]:
    """Two reports a day for thirty days: one closed in time, one still open and overdue."""
    last = last_complete_day(utc_now(), WIB)
    made = []
    for back in range(30):
        asked = noon(last - timedelta(days=back))
        for number, status in enumerate((Status.DONE, Status.WAITING)):
            made.append(
                build_incident(
                    external_id=f"k{back}-{number}",
                    status=status,
                    status_raw="x",
                    category="banjir",
                    kecamatan="16.71.06" if back % 3 else None,
                    kelurahan=None,
                    requested_at=asked,
                    observed_at=asked + timedelta(hours=1),
                    due_at=asked + timedelta(hours=2),
                )
            )
    return made


@pytest.fixture(scope="module")
def web(
    city: City, _migrated_sqlite: Path, valkey_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Web]:
    folder = tmp_path_factory.mktemp("kpis")
    path = folder / "history.sqlite3"
    path.write_bytes(_migrated_sqlite.read_bytes())
    dimensions = {
        "layanan": Dimension(id="layanan", name_id="Layanan", name_en="Services", weight=2.0),
        "keuangan": Dimension(id="keuangan", name_id="Keuangan", name_en="Finance", weight=1.0),
    }
    own = replace(city, kpis=KPIS, dimensions=dimensions, curves={"rata": CURVE})
    with closing(History(open_engine(f"sqlite:///{path}"))) as history:
        now = utc_now()
        history.settle("elapor", reports(), fetched_at=now, fence=1)
        Indicators(own, history).update(now)
        installation = make_installation(own, history, valkey_url, folder)
        with board_of(installation), serve_web(installation) as running:
            until(lambda: running.client.get("/readyz").status_code == 200, "a ready web process")
            yield running


def ask(web: Web, path: str, **parameters: Any) -> Any:
    answer = web.client.get(f"/api/v1/{path}", params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_every_indicator_has_its_definition_and_value(web: Web) -> None:
    found = ask(web, "kpis")
    assert [each["definition"]["id"] for each in found["kpis"]] == list(KPIS)
    value = found["kpis"][0]["value"]
    # One of two is closed in time, every day: 0.5 / 0.8.
    assert (value["value"], value["target"], value["score"]) == (0.5, 0.8, 0.625)
    assert (value["light"], value["cohort"], value["days"]) == ("red", 60, 30)
    assert value["fresh"] is True


def test_an_indicator_without_data_is_grey_and_not_counted(web: Web) -> None:
    found = ask(web, "kpis")
    assert (found["counting"], found["total"]) == (2, 3)
    value = found["kpis"][2]["value"]
    assert (value["grey"], value["value"], value["fresh"]) == ("no_data", None, None)


@pytest.mark.parametrize(("span", "cohort"), [("day", 2), ("week", 14), ("month", 60)])
def test_the_horizon_can_be_chosen(web: Web, span: str, cohort: int) -> None:
    found = ask(web, "kpis", span=span)
    assert found["kpis"][0]["value"]["cohort"] == cohort
    assert found["first"] <= found["last"]


def test_a_small_cohort_is_grey(web: Web) -> None:
    assert ask(web, "kpis", span="day")["kpis"][0]["value"]["grey"] == "few"


def test_a_share_has_its_interval(web: Web) -> None:
    low, high = ask(web, "kpis")["kpis"][0]["value"]["interval"]
    assert 0.37 < low < 0.5 < high < 0.63
    assert ask(web, "kpis")["kpis"][1]["value"]["interval"] is None


def test_the_list_can_be_narrowed(web: Web) -> None:
    found = ask(web, "kpis", dimension="keuangan")
    assert [each["definition"]["id"] for each in found["kpis"]] == ["pbb"]
    assert ask(web, "kpis", light="grey")["total"] == 1
    assert ask(web, "kpis", owner="bpbd")["kpis"] == []


def test_one_indicator_opens_down_to_its_records(web: Web) -> None:
    found = ask(web, "kpis/tepat_waktu", days=7)
    assert [each["span"] for each in found["values"]] == ["day", "week", "month", "quarter", "year"]
    assert len(found["trend"]) == 7
    assert {each["value"] for each in found["trend"]} == {0.5}
    assert [each["key"] for each in found["parts"]] == ["elapor"]
    assert found["sources"][0]["standing"]["findings"] == 0
    (records,) = found["records"]
    listed = web.client.get(records["url"])
    assert listed.json()["total"] == 60


def test_each_kecamatan_has_its_cohort_and_interval(web: Web) -> None:
    found = {each["code"]: each["value"] for each in ask(web, "kpis/tepat_waktu")["kecamatan"]}
    assert len(found) == 18
    assert (found["16.71.06"]["cohort"], found["16.71.06"]["value"]) == (40, 0.5)
    assert found["16.71.01"]["grey"] == "no_data"


def test_a_count_is_nought_where_nothing_happened(web: Web) -> None:
    found = {each["code"]: each["value"] for each in ask(web, "kpis/jumlah")["kecamatan"]}
    assert (found["16.71.01"]["value"], found["16.71.01"]["target"]) == (0.0, None)


def test_a_sum_grows_beside_its_curve(web: Web) -> None:
    found = ask(web, "kpis/jumlah")["cumulative"]
    assert found[-1]["value"] >= 2 * len(found) - 2
    assert found[-1]["target"] > found[0]["target"]


def test_scores_say_how_many_count_and_what_moved_them(web: Web) -> None:
    (found,) = ask(web, "scores", span="week")["scores"]
    assert (found["city"]["counting"], found["city"]["total"]) == (2, 3)
    layanan, keuangan = found["dimensions"]
    assert (keuangan["score"], keuangan["light"], keuangan["counting"]) == (None, "grey", 0)
    assert layanan["score"] == pytest.approx(found["city"]["score"])
    moved = sum(each["contribution"] for each in found["city"]["drivers"])
    assert moved == pytest.approx(found["city"]["change"], abs=1e-12)


def test_all_horizons_stand_side_by_side(web: Web) -> None:
    found = ask(web, "scores")["scores"]
    assert [each["span"] for each in found] == ["day", "week", "month", "quarter", "year"]


def test_scores_can_be_looked_at_as_of_a_past_day(web: Web) -> None:
    last = last_complete_day(utc_now(), WIB) - timedelta(days=10)
    (found,) = ask(web, "scores", span="week", day=last.isoformat())["scores"]
    assert found["last"] == last.isoformat()
    assert found["city"]["counting"] == 2


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("kpis/nein", 404),
        ("kpis?span=decade", 422),
        ("kpis?dimensi=x", 422),
        ("kpis/pbb?days=0", 422),
        ("scores?day=2999-01-01", 422),
        ("scores?day=gestern", 422),
    ],
)
def test_a_bad_question_is_refused(web: Web, path: str, status: int) -> None:
    assert web.client.get(f"/api/v1/{path}").status_code == status
