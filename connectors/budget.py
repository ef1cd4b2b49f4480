"""How often one provider may be asked, kept across all sources of this process.

A provider that allows so many requests a minute counts those of our address, whichever of our
sources made them. So sources that read the same provider draw on one budget.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable
from ipaddress import ip_address

import httpx

from lawang.domain.errors import RetryLater

_MINUTE_S = 60.0
#: Second levels under which others register: example.go.id is one provider, go.id is not.
_SECOND_LEVELS = frozenset({"ac", "co", "desa", "go", "mil", "my", "net", "or", "sch", "web"})


class Budget:
    """At most so many requests in any minute. Safe to use from several threads.

    `clock` gives seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._taken: deque[float] = deque()
        self._lock = threading.Lock()

    def wait_s(self, per_minute: int) -> float:
        """Take one request of `per_minute`, and return 0; or how long to wait for the next."""
        with self._lock:
            now = self._clock()
            while self._taken and now - self._taken[0] >= _MINUTE_S:
                self._taken.popleft()
            if len(self._taken) < per_minute:
                self._taken.append(now)
                return 0.0
            return _MINUTE_S - (now - self._taken[-per_minute])


_budgets: dict[str, Budget] = {}
_lock = threading.Lock()


def budget_for(url: str) -> Budget:
    """The one budget of whoever serves `url`."""
    with _lock:
        return _budgets.setdefault(provider_of(url), Budget())


def take(url: str, per_minute: int) -> None:
    """Take one request to `url`'s provider; RetryLater("rate_limited") when none is left."""
    wait_s = budget_for(url).wait_s(per_minute)
    if wait_s > 0:
        detail = f"our own limit of {per_minute} requests a minute is used up"
        raise RetryLater("rate_limited", detail, math.ceil(wait_s))


def provider_of(url: str) -> str:
    """What the addresses of one provider share: its domain; host and port of a bare address.

    >>> provider_of("https://data.bmkg.go.id/DataMKG/TEWS/")
    'bmkg.go.id'
    """
    parts = httpx.URL(url)
    labels = parts.host.lower().removesuffix(".").split(".")
    try:
        ip_address(parts.host)
    except ValueError:
        if len(labels) > 1:
            return ".".join(labels[-3:] if labels[-2] in _SECOND_LEVELS else labels[-2:])
    return parts.netloc.decode("ascii")
