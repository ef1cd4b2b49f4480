"""Asks a source as a check may: nothing is written, moved or taken from anybody."""

from __future__ import annotations

from datetime import timedelta

from connectors.http import client_for
from connectors.network import reach_of
from connectors.tabular.options import TabularOptions
from lawang.check import Heard, hear
from lawang.city import Source
from lawang.connector import Connector, FetchContext, Options
from lawang.domain.clock import Clock

_MAX_BYTES = 20_000_000


async def ask(
    source: Source,
    connector: Connector,
    options: Options,
    clock: Clock,
    listen_for: timedelta | None = None,
) -> Heard:
    """Fetch once; a source that streams is listened to for `listen_for`, or one interval."""
    network, rules = reach_of(source, options)
    async with client_for(source, options) as client:
        context = FetchContext(
            client=client,
            clock=clock,
            timeout=timedelta(seconds=source.timeout_s),
            max_bytes=getattr(options, "max_bytes", _MAX_BYTES),
            # A broker hears no name from a passer-by: with the source's own the poller's session
            # would be taken over, and its messages lost.
            source_id="" if connector.streams else source.id,
            every=timedelta(seconds=source.every_s),
            network=network,
            rules=rules,
        )
        every = listen_for or timedelta(seconds=source.every_s)
        return await hear(connector, harmless(options), context, listen_for=every)


def harmless(options: Options) -> Options:
    """The same options, with which reading leaves the department's files where they are."""
    if isinstance(options, TabularOptions):
        return options.model_copy(update={"after": "keep"})
    return options
