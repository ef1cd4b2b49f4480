"""What the routes work on."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import SecretStr

from lawang.city import City
from lawang.domain.clock import Clock
from lawang.overview.read import OverviewReader
from lawang.push import Feed
from lawang.store.history import History
from lawang.store.live import LiveStore


@dataclass(frozen=True, slots=True)
class Services:
    """One a web process. Without an `operator_token` only this machine may act."""

    city: City
    history: History
    live: LiveStore
    feed: Feed
    build: str
    clock: Clock
    operator_token: SecretStr
    #: Shared with the pages, so that the same facts are read once.
    reader: OverviewReader | None = None
