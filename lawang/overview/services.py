"""The services section: which promises are kept, what is verified, where applications stand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select

from lawang.city import City
from lawang.domain.formula import sources_of
from lawang.domain.service import RequestStatus
from lawang.overview.model import Services, StageCount
from lawang.store import schema
from lawang.store.history import History

#: In the order of their way through an office.
_STAGES = tuple(each.value for each in RequestStatus if each.is_open)


def read_services(city: City, history: History, now: datetime) -> Services | None:
    """The services section as of `now`; None where the pack's programme has none.

    Raises StoreError. Of millions of requests only those still open are read.
    """
    programme = city.programme.services
    if programme is None:
        return None
    return Services(
        promises=programme.promises,
        claimed=programme.claimed,
        verified=programme.verified,
        reopened=programme.reopened,
        licences=count_stages(history, programme.licences, now),
        unverifiable=_unverifiable(city, programme.claimed),
    )


def count_stages(history: History, sources: Sequence[str], now: datetime) -> tuple[StageCount, ...]:
    """Open applications of each source by status, in the order of `sources` and of the stages.

    `oldest` is when the longest waiting one was asked for; past its promise is one whose due time
    is before `now`. A stage in which nothing stands is left out.
    """
    if not sources:
        return ()
    table = schema.service_request
    statement = (
        select(
            table.c.source_id,
            table.c.status,
            func.count().label("open"),
            func.count().filter(table.c.due_at < now).label("late"),
            func.min(table.c.requested_at).label("oldest"),
        )
        # As the partial index says it, so that the database sees that the index is enough.
        .where(table.c.source_id.in_(sources), schema.OPEN_REQUEST)
        .group_by(table.c.source_id, table.c.status)
    )
    with history.database.reading() as connection:
        found = [
            StageCount(
                source=row.source_id,
                status=row.status,
                count=int(row.open),
                past_promise=int(row.late),
                oldest=row.oldest,
            )
            for row in connection.execute(statement)
        ]
    return tuple(
        sorted(found, key=lambda each: (sources.index(each.source), _STAGES.index(each.status)))
    )


def _unverifiable(city: City, claimed: str) -> tuple[str, ...]:
    """The sources of what is claimed that never say whether a closing was verified."""
    kpi = city.kpis.get(claimed)
    names = sources_of(kpi.formula) if kpi is not None else ()
    return tuple(
        name for name in names if name in city.sources and not city.sources[name].tells_verification
    )
