"""`lawang kpi list | check | rebuild`: the work, without the printing."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from lawang.check.plain import to_plain
from lawang.city import City, load_city
from lawang.domain.errors import LawangError, SettingsError, StoreError
from lawang.domain.kpi import Horizon, Kpi, KpiValue, Span
from lawang.kpi.cells import last_complete_day
from lawang.kpi.explain import Explainer, Explanation, describe
from lawang.kpi.worker import Indicators, Turn
from lawang.settings import Settings
from lawang.store.engine import is_current, migrate, open_engine
from lawang.store.history import History
from sources_cli.explain import explain
from sources_cli.stored import history_for_reading


@dataclass(frozen=True, slots=True)
class Checked:
    """What was worked out from the records, over one horizon."""

    city: City
    horizon: Horizon
    explained: tuple[Explanation, ...]


def definitions(settings: Settings) -> City:
    """The city whose pack defines them. Raises PackError; LawangError where there is none."""
    city = load_city(settings.pack_dir, settings.data_dir, simulated=settings.demo)
    if not city.kpis:
        raise SettingsError(
            f"the pack {settings.pack_dir} has no kpi.toml: there are no indicators"
        )
    return city


def check_kpis(
    settings: Settings, kpi_id: str | None, span: Span, last: date | None, now: datetime
) -> Checked:
    """Explain one indicator, or all. Nothing is written. Raises LawangError."""
    city = definitions(settings)
    complete = last_complete_day(now, city.timezone)
    if last is not None and last > complete:
        raise LawangError(f"{last} is not over yet: the last complete day is {complete}")
    kpis = [_find(city, kpi_id)] if kpi_id else list(city.kpis.values())
    horizon = Horizon.ending(span, last or complete)
    try:
        with history_for_reading(settings) as history:
            if not is_current(history.database.engine):
                raise SettingsError(
                    "history here is of an older version: start `lawang up` or `lawang poll` once"
                )
            explainer = Explainer(city, history)
            explained = tuple(explainer.explain(kpi, horizon, now) for kpi in kpis)
    except StoreError as error:
        raise LawangError(explain(error.kind, error.detail)) from None
    return Checked(city, horizon, explained)


def rebuild_kpis(settings: Settings, kpi_id: str | None, now: datetime) -> Turn:
    """Work the days of one indicator, or of all, out anew. Raises LawangError."""
    city = definitions(settings)
    names = [_find(city, kpi_id).id] if kpi_id else None
    with history_for_reading(settings):
        pass  # without an installation nothing is made
    engine = open_engine(settings.sql_url)
    try:
        migrate(engine)
        return Indicators(city, History(engine)).rebuild(now, names)
    except StoreError as error:
        raise LawangError(explain(error.kind, error.detail)) from None
    finally:
        engine.dispose()


def _find(city: City, kpi_id: str) -> Kpi:
    if kpi_id in city.kpis:
        return city.kpis[kpi_id]
    near = difflib.get_close_matches(kpi_id, city.kpis, n=3)
    hint = f" Did you mean {', '.join(near)}?" if near else " `lawang kpi list` names them all."
    raise LawangError(f"there is no indicator {kpi_id!r}.{hint}")


def definitions_to_plain(city: City) -> dict[str, Any]:
    """A JSON-ready mapping."""
    return {
        "kpis": [
            {
                "id": kpi.id,
                "name_id": kpi.name_id,
                "name_en": kpi.name_en,
                "dimension": kpi.dimension,
                "owner": kpi.owner,
                "unit": kpi.unit,
                "direction": kpi.direction.value,
                "combine": kpi.combine.value,
                "formula": describe(kpi, city),
                "weight": kpi.weight,
                "target_source": kpi.target_source,
                "simulated_target": kpi.simulated_target,
            }
            for kpi in city.kpis.values()
        ]
    }


def checked_to_plain(checked: Checked) -> dict[str, Any]:
    """A JSON-ready mapping."""
    horizon = checked.horizon
    return {
        "span": horizon.span.value,
        "first": horizon.first.isoformat(),
        "last": horizon.last.isoformat(),
        "kpis": [_explained_to_plain(each, checked.city) for each in checked.explained],
    }


def _explained_to_plain(explained: Explanation, city: City) -> dict[str, Any]:
    return {
        "id": explained.kpi.id,
        "formula": describe(explained.kpi, city),
        "agrees": explained.agrees,
        "stored": explained.stored.value,
        **value_to_plain(explained.value),
        "held": explained.held,
        "missing": [day.isoformat() for day in explained.missing],
        "days": [
            {
                "day": each.day.isoformat(),
                "num": each.num,
                "den": each.den,
                "n": each.n,
                "observed_at": each.observed_at.isoformat(),
            }
            for each in explained.days
        ],
        "parts": [to_plain(part) for part in explained.parts],
    }


def value_to_plain(value: KpiValue) -> dict[str, Any]:
    """Value, target and score, JSON-ready."""
    return {
        "value": value.value,
        "target": value.target,
        "score": value.score,
        "light": value.light.value,
        "grey": value.grey.value if value.grey else None,
        "num": value.num,
        "den": value.den,
        "n": value.n,
        "observed_at": value.observed_at.isoformat() if value.observed_at else None,
    }
