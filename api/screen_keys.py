"""Screens' keys as the web process knows them: a key is good until it is revoked."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable

from starlette.requests import HTTPConnection

from lawang.domain.clock import Clock
from lawang.domain.errors import StoreError
from lawang.store.screens import ScreenStore, ScreenToken

#: The cookie that a wall's key is kept in. No script can read it.
COOKIE = "lawang_screen"
#: The longest that browsers keep a cookie; every load of the wall begins it anew.
COOKIE_S = 400 * 86_400
#: So soon a revoked key is out.
CHECK_EVERY_S = 5.0
_KEPT_MOST = 1000


class ScreenKeys:
    """Looks keys up, each once in `CHECK_EVERY_S`.

    While history is away a key that was good stays good: a lost database must not end a wall.
    """

    def __init__(
        self,
        store: ScreenStore,
        clock: Clock,
        *,
        check_every_s: float = CHECK_EVERY_S,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._clock = clock
        self.check_every_s = check_every_s
        self._monotonic = monotonic
        self._kept: OrderedDict[str, tuple[ScreenToken | None, float]] = OrderedDict()

    async def find(self, key: str) -> ScreenToken | None:
        """What is stored of a key; None for a revoked or unknown one.

        Raises StoreError for one that was not seen before while history is away.
        """
        digest = hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()
        kept = self._kept.get(digest)
        now = self._monotonic()
        if kept is not None and now - kept[1] < self.check_every_s:
            return kept[0]
        try:
            found = await asyncio.to_thread(self._store.find_token, key, self._clock())
        except StoreError:
            if kept is None:
                raise
            # Away is asked after no more often than there: each call would wait for it anew.
            found, now = kept[0], self._monotonic()
        self._kept[digest] = (found, now)
        self._kept.move_to_end(digest)
        if len(self._kept) > _KEPT_MOST:
            self._kept.popitem(last=False)
        return found

    async def is_good(self, token: ScreenToken) -> bool:
        """Whether it is not revoked, as far as history can tell."""
        try:
            return await asyncio.to_thread(self._store.is_token_good, token.id)
        except StoreError:
            return True


def key_of(connection: HTTPConnection) -> str:
    """The key that a call comes with: in the wall's cookie, or `Authorization: Bearer`."""
    scheme, _, given = connection.headers.get("authorization", "").partition(" ")
    if scheme.casefold() == "bearer" and given.strip():
        return given.strip()
    return connection.cookies.get(COOKIE, "")
