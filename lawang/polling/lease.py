"""One clock in the whole installation: a lease in Valkey that one poller holds and renews.

A second poller stands by and takes over when the lease runs out: within `TTL_S` plus `RENEW_S`,
13 s at worst, after the first one died without giving it back. The fencing number that comes with
the lease is written with every record; a poller that slept through the loss of its lease is
refused by history.
"""

from __future__ import annotations

import secrets
import socket
import time
from collections.abc import Callable

import structlog

from lawang.domain.errors import StoreError
from lawang.store.history import History
from lawang.store.live import LiveStore

log = structlog.get_logger(__name__)

TTL_S = 10.0
RENEW_S = 3.0
_NAME = "clock"


class ClockLease:
    """The right to poll. `tick` is to be called every `RENEW_S`; `fence` is None without it."""

    def __init__(
        self,
        live: LiveStore,
        history: History,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._live = live
        self._history = history
        self._monotonic = monotonic
        self._holder = f"{socket.gethostname()}-{secrets.token_hex(6)}"
        self._valid_until = 0.0
        self._fence: int | None = None

    @property
    def fence(self) -> int | None:
        """The fencing number while the lease is surely ours, else None."""
        if self._fence is not None and self._monotonic() < self._valid_until:
            return self._fence
        return None

    def tick(self) -> int | None:
        """Renew the lease, or try to take it; returns the fencing number or None.

        A store that does not answer counts as not renewed: the lease is ours until it runs out.
        """
        asked_at = self._monotonic()
        try:
            if self._fence is not None and self._renew():
                self._valid_until = asked_at + TTL_S - 1.0
            else:
                self._take(asked_at)
        except StoreError as error:
            log.debug("lease not renewed", kind=error.kind)
        return self.fence

    def _renew(self) -> bool:
        return self._live.renew_lease(_NAME, self._holder, int(TTL_S * 1000))

    def _take(self, asked_at: float) -> None:
        self._fence = None
        # Asked first: a lease taken by one who then cannot read history would be kept from others.
        written = self._history.highest_fence()
        fence = self._live.take_lease(_NAME, self._holder, int(TTL_S * 1000))
        if fence is None:
            return
        # After a lost cache the counter begins anew, below what history has seen.
        self._fence = fence if fence > written else self._live.raise_fence(_NAME, written)
        self._valid_until = asked_at + TTL_S - 1.0

    def lose(self) -> None:
        """Take note that another poller has written with a higher number."""
        self._fence = None

    def give_up(self) -> None:
        """Give the lease back, so that a standing-by poller takes over at once."""
        self._fence = None
        try:
            self._live.release_lease(_NAME, self._holder)
        except StoreError as error:
            log.debug("lease not given back", kind=error.kind)
