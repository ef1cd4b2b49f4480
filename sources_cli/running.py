"""`lawang sources run`: one real poll, under the lease that every poller needs."""

from __future__ import annotations

import asyncio

from connectors.http import client_for
from connectors.network import reach_of
from connectors.registry import bind, get
from lawang.domain.clock import Clock
from lawang.domain.errors import LawangError, NeedsPerson, StoreError
from lawang.domain.health import SourceState
from lawang.installation import Installation, open_installation
from lawang.polling.lease import RENEW_S, ClockLease
from lawang.polling.poll import Bound, Poller
from lawang.settings import Settings
from lawang.store.live import LiveStore
from sources_cli.explain import as_lawang_error, find_source, refuse_unset


async def poll_once(settings: Settings, source_id: str, *, clock: Clock) -> SourceState:
    """Poll a source once into the installation's stores; the state it leads to.

    Only while no poller holds the clock: otherwise, and when the source or a store fails, raises
    LawangError. A failed poll is recorded as any other. The wall shows what was stored as soon as
    a poller runs again.
    """
    installation = open_installation(settings)
    try:
        source = find_source(installation.city, source_id)
        refuse_unset(source)
        if get(source.connector).streams:
            raise LawangError(
                f"{source.id} streams: it is heard for as long as a poller runs (`lawang up`, "
                "`lawang poll`), not once; `lawang sources check` listens for a while"
            )
        options = bind(source)
        limit = getattr(options, "max_bytes", 20_000_000)
        bound = Bound(source, get(source.connector), options, limit)
        live = installation.open_live()
        try:
            state = await _poll_with_lease(installation, live, bound, clock)
        except StoreError as error:
            raise as_lawang_error(source, error) from None
        finally:
            live.close()
    finally:
        installation.close()
    if state.failures:
        raise as_lawang_error(source, NeedsPerson(state.error_kind, state.error_detail))
    return state


async def _poll_with_lease(
    installation: Installation, live: LiveStore, bound: Bound, clock: Clock
) -> SourceState:
    await asyncio.to_thread(live.ping)
    lease = ClockLease(live, installation.history)
    fence = await asyncio.to_thread(lease.tick)
    if fence is None:
        raise LawangError(
            f"another poller holds the clock and polls {bound.source.id} every "
            f"{bound.source.every_s:g} s by itself; nothing was written"
        )
    poller = Poller(
        installation.city,
        installation.history,
        live,
        clock=clock,
        client_for=client_for,
        reach_for=reach_of,
    )
    poller.fence = fence
    polling = asyncio.create_task(poller.poll(bound))
    try:
        # A slow source takes longer than the lease lasts; if it is lost, history refuses to write.
        while not (await asyncio.wait({polling}, timeout=RENEW_S))[0]:
            await asyncio.to_thread(lease.tick)
        return polling.result()
    finally:
        polling.cancel()
        await asyncio.to_thread(lease.give_up)
        await poller.close()
