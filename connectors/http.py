"""The policy under which this installation reads other people's HTTP servers.

A reply is read whole or not at all: within one deadline for everything (a server that drips bytes
does not escape it), within a size counted after decompression, over verified TLS, and from a host
and an address that the source may ask (`connectors.network`). What goes wrong becomes a
`SourceError` whose detail names host and status and nothing else: addresses may carry keys, bodies
may carry citizens' data.

A client of `client_for` checks every request it is given, wherever its address came from. Through a
proxy it is the proxy that looks names up and connects: then the list of hosts holds, and addresses
written as such are judged, but not what a name leads to. The proxy has to judge that.
"""

from __future__ import annotations

import asyncio
import logging
import math
import ssl
import time
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any
from urllib.request import getproxies, proxy_bypass

import httpcore
import httpx

from connectors.network import Resolve, Rules, hosts_of, look_up, network_of
from lawang import __version__
from lawang.city import Source
from lawang.city.network import Network, load_authorities, load_certificate
from lawang.connector import Answer, FetchContext, Options
from lawang.domain.clock import Clock
from lawang.domain.errors import NeedsPerson, RetryLater, SourceError

_MOST_REDIRECTS = 5
_PORTS = {"http": 80, "https": 443}
#: What goes along to another host. Any other header may be a key.
_FOR_EVERYBODY = frozenset(
    {"accept", "accept-encoding", "user-agent", "if-none-match", "if-modified-since"}
)
_BAD_PROXY = "the proxy of the environment (HTTPS_PROXY) is no http or https address"
_UNKNOWN_NAME = "its name is not known"
#: A wish to be left alone for longer than this is taken as this long.
LONGEST_WISH = timedelta(days=1)
# Servers commonly close idle connections after 5 s; reusing one at that very moment fails.
_KEEPALIVE_S = 3.0
_LIMITS = httpx.Limits(
    max_connections=4, max_keepalive_connections=2, keepalive_expiry=_KEEPALIVE_S
)
_GZIP = 31  # zlib's window size with the gzip header expected


# They log every address they request and every header that comes back, and with these any key
# in a query. The level stands against a root logger that is told to show everything.
for _talkative in ("httpx", "httpcore"):
    logging.getLogger(_talkative).setLevel(logging.WARNING)


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole reply: status 2xx with its body, or 304 with none."""

    status: int
    body: bytes
    headers: httpx.Headers

    @property
    def not_modified(self) -> bool:
        """Whether the server says that we have the present content already."""
        return self.status == 304

    @property
    def content_type(self) -> str:
        """The Content-Type header, "" when it is missing."""
        return str(self.headers.get("content-type", ""))

    @property
    def etag(self) -> str:
        """The ETag header, "" when it is missing."""
        return str(self.headers.get("etag", ""))

    @property
    def last_modified(self) -> str:
        """The Last-Modified header where it can tell contents apart, else "".

        It counts whole seconds: stamped in the second of its reply (or of no known one), it would
        be the same after one more change (RFC 9110, 8.8.2.2).
        """
        stated = str(self.headers.get("last-modified", ""))
        changed = _read_http_date(stated)
        answered = _read_http_date(self.headers.get("date", ""))
        return stated if changed and answered and changed < answered else ""

    @property
    def is_simulated(self) -> bool:
        """Whether the server marks what it says as made up."""
        return self.headers.get("x-simulated", "").strip().lower() in ("true", "1", "yes")

    def answer(
        self,
        kind: str,
        fetched_at: datetime,
        *,
        body: bytes | None = None,
        validators: dict[str, str] | None = None,
        complete: bool = False,
    ) -> Answer:
        """It as an answer of the source, with `body` in place of its own where one is given."""
        return Answer(
            body=self.body if body is None else body,
            content_type=self.content_type,
            fetched_at=fetched_at,
            kind=kind,
            simulated=self.is_simulated,
            validators=validators or {},
            complete=complete,
        )


def client_for(
    source: Source, options: Options | None = None, *, timeout: timedelta | None = None
) -> httpx.AsyncClient:
    """A client bound to one source's hosts and `[network]`; the caller closes it.

    `timeout` is that of each step of a request, the source's `timeout_s` unless given.
    Raises ValueError where a certificate's file changed for the worse since the start.
    """
    given = timeout or timedelta(seconds=source.timeout_s)
    return open_client(network_of(source), hosts_of(source, options), given)


def open_client(
    network: Network,
    allowed: Iterable[str],
    timeout: timedelta,
    *,
    resolve: Resolve = look_up,
) -> httpx.AsyncClient:
    """A client that asks only `allowed` hosts ("name", "name:port") and those of `network`.

    Its proxy, or else the environment's, is used; the environment's never for this machine itself.
    Authorities of the environment (SSL_CERT_FILE) are trusted beside those of `network`.
    """
    return httpx.AsyncClient(
        transport=_GuardedTransport(network, Rules.of(network, allowed), resolve),
        timeout=timeout.total_seconds(),
        follow_redirects=False,
        # Only what is unpacked here, where the unpacked size is bounded.
        headers={"User-Agent": f"lawang-jabo/{__version__}", "Accept-Encoding": "gzip"},
    )


async def addresses_for(client: httpx.AsyncClient, host: str, port: int) -> tuple[str, ...]:
    """The addresses to which the policy of a client of `open_client` lets other protocols go.

    For what is not HTTP (SFTP): connect to one of these, not to the name. Raises NeedsPerson:
    host_not_allowed, private_address; RetryLater: unreachable (the name is not known).
    """
    transport = client._transport
    if not isinstance(transport, _GuardedTransport):
        raise TypeError("a client of open_client was expected")
    return await transport.addresses(host, port)


@cache
def _trusted(
    ca_file: str | None, client_cert: str | None = None, client_key: str | None = None
) -> ssl.SSLContext:
    """Loading the authorities takes some 20 ms; hundreds of sources share them."""
    context = httpx.create_ssl_context()
    if ca_file is not None:
        load_authorities(context, ca_file)
    if client_cert is not None:
        load_certificate(context, client_cert, client_key)
    return context


class _GuardedTransport(httpx.AsyncBaseTransport):
    """Checks each request's host, and sends it directly to judged addresses or by a proxy."""

    def __init__(self, network: Network, rules: Rules, resolve: Resolve) -> None:
        self._rules = rules
        self._resolve = resolve
        self._proxy = network.proxy.get_secret_value() if network.proxy else ""
        self._ca_file = network.ca_file
        self._tls = _trusted(network.ca_file, network.client_cert, network.client_key)
        self._direct = _DirectTransport(self._tls, _JudgingBackend(rules, resolve))
        self._proxied: dict[str, httpx.AsyncHTTPTransport] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        if url.scheme not in _PORTS or not url.raw_host:
            raise NeedsPerson("host_not_allowed", f"{url.scheme}: is not http or https")
        host = url.raw_host.decode("ascii")
        port = url.port or _PORTS[url.scheme]
        self._rules.check_host(host, port)
        return await self._way_to(url.scheme, host).handle_async_request(request)

    async def addresses(self, host: str, port: int) -> tuple[str, ...]:
        """The judged addresses of a host."""
        self._rules.check_host(host, port)
        try:
            return await self._rules.resolve(host, port, self._resolve)
        except (OSError, UnicodeError):
            raise RetryLater("unreachable", f"{host}:{port}: {_UNKNOWN_NAME}") from None

    async def aclose(self) -> None:
        for transport in (self._direct, *self._proxied.values()):
            await transport.aclose()

    def _way_to(self, scheme: str, host: str) -> httpx.AsyncHTTPTransport:
        address = self._proxy or _proxy_of_environment(scheme, host)
        if not address:
            return self._direct
        if address not in self._proxied:
            # The proxy does not get to see the certificate that is meant for the department.
            tls = _trusted(self._ca_file) if address.startswith("https:") else None
            try:
                proxy = httpx.Proxy(address, ssl_context=tls)
            except (ValueError, httpx.InvalidURL):
                raise RetryLater("unreachable", _BAD_PROXY) from None
            if proxy.url.scheme not in _PORTS:
                raise RetryLater("unreachable", _BAD_PROXY)
            transport = httpx.AsyncHTTPTransport(verify=self._tls, limits=_LIMITS, proxy=proxy)
            self._proxied[address] = transport
        return self._proxied[address]


class _DirectTransport(httpx.AsyncHTTPTransport):
    """httpx's own, connecting by `backend`, which httpx has no parameter for."""

    def __init__(self, tls: ssl.SSLContext, backend: httpcore.AsyncNetworkBackend) -> None:
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls,
            max_connections=_LIMITS.max_connections,
            max_keepalive_connections=_LIMITS.max_keepalive_connections,
            keepalive_expiry=_LIMITS.keepalive_expiry,
            network_backend=backend,
        )


class _JudgingBackend(httpcore.AsyncNetworkBackend):
    """Connects to addresses that were judged just before; TLS goes on to verify the name."""

    def __init__(self, rules: Rules, resolve: Resolve) -> None:
        self._rules = rules
        self._resolve = resolve
        self._tcp = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first of the host's addresses that answers, within `timeout` seconds."""
        until = None if timeout is None else time.monotonic() + timeout
        try:
            async with asyncio.timeout(timeout):
                addresses = await self._rules.resolve(host, port, self._resolve)
        except TimeoutError:
            raise httpcore.ConnectTimeout("no answer about the name") from None
        except (OSError, UnicodeError):
            raise httpcore.ConnectError(_UNKNOWN_NAME) from None
        for number, address in enumerate(addresses, start=1):
            # One address that swallows everything must not use up the time of the others.
            left = None if until is None else (until - time.monotonic())
            share = None if left is None else max(left, 0.001) / (len(addresses) - number + 1)
            try:
                return await self._tcp.connect_tcp(
                    address, port, share, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if number == len(addresses):
                    raise
        raise httpcore.ConnectError(_UNKNOWN_NAME)

    async def sleep(self, seconds: float) -> None:
        """Wait between attempts."""
        await self._tcp.sleep(seconds)


def _proxy_of_environment(scheme: str, host: str) -> str:
    """The environment's proxy for a host (HTTPS_PROXY, ALL_PROXY, NO_PROXY), "" without one."""
    if host in ("127.0.0.1", "localhost", "::1") or proxy_bypass(host):
        return ""
    known = getproxies()
    address = known.get(scheme) or known.get("all") or ""
    return address if "://" in address or not address else f"http://{address}"


async def ask(
    context: FetchContext,
    url: str,
    *,
    max_bytes: int,
    method: str = "GET",
    params: dict[str, str] | None = None,
    headers: dict[str, str] | None = None,
    json: dict[str, Any] | None = None,
    form: dict[str, str] | None = None,
) -> Reply:
    """Ask `url` for a poll: with its client and time-out, for no more than either limit allows.

    Raises what `send` raises.
    """
    return await send(
        context.client,
        method,
        url,
        clock=context.clock,
        timeout=context.timeout,
        max_bytes=min(max_bytes, context.max_bytes),
        params=params,
        headers=headers,
        json=json,
        form=form,
    )


async def send(
    client: httpx.AsyncClient,
    method: str,
    url: str,
    *,
    clock: Clock,
    timeout: timedelta,
    max_bytes: int,
    params: dict[str, str] | None = None,
    headers: dict[str, str] | None = None,
    json: dict[str, Any] | None = None,
    form: dict[str, str] | None = None,
) -> Reply:
    """Ask `url` as this module's policy says; `timeout` spans the whole of it, redirects too.

    `json` or `form` is the body of a POST, which is never sent to a redirected address.
    Raises RetryLater: unreachable, timeout, rate_limited (429, or 503 that names a time; with
    `retry_after_s`), bad_status, garbage (an encoding that cannot be unpacked); and NeedsPerson:
    refused (401, 403, a proxy's 407), not_found (404, 410), too_large, host_not_allowed,
    private_address, redirected (to a host that is not allowed, off TLS, or a POST).
    """
    limit_s = timeout.total_seconds()
    try:
        host = _name_host(httpx.URL(url))
    except (httpx.InvalidURL, ValueError):
        # An answer may have given it, so it is not repeated.
        raise RetryLater("garbage", "an address that is none") from None
    try:
        async with asyncio.timeout(limit_s):
            # Merged, as an address may have parameters of its own.
            asked = httpx.URL(url).copy_merge_params(params or {})
            request = client.build_request(method, asked, headers=headers, json=json, data=form)
            return await _follow(client, request, clock, max_bytes)
    except (TimeoutError, httpx.TimeoutException):
        raise RetryLater("timeout", f"{host}: no whole answer within {limit_s:g} s") from None
    except httpx.ProxyError as error:
        if str(error).startswith("407"):
            raise error_for(407, host) from None
        raise RetryLater("unreachable", f"{host}: the proxy does not lead there") from None
    except (httpx.HTTPError, OSError) as error:
        # `from None`: httpx's errors hold the request, and with it the key in its address.
        raise RetryLater("unreachable", f"{host}: {_describe(error)}") from None


def error_for(status: int, where: str, retry_after_s: float | None = None) -> SourceError:
    """What a refusing status means for the poll; `where` is shown beside the status."""
    detail = f"{where}: {status}"
    if status in (401, 403):
        return NeedsPerson("refused", detail)
    if status == 407:
        return NeedsPerson("refused", f"{detail}, the proxy wants another user or password")
    if status in (404, 410):
        return NeedsPerson("not_found", detail)
    if status == 429 or (status == 503 and retry_after_s is not None):
        return RetryLater("rate_limited", detail, retry_after_s)
    return RetryLater("bad_status", detail, retry_after_s)


def read_retry_after(headers: httpx.Headers, now: datetime) -> float | None:
    """Seconds to wait by `Retry-After`, in either of its forms; None without a usable one.

    A date is measured against the reply's own `Date` where it has one, so that a server whose
    clock is wrong still gets the pause it means. Between 0 and `LONGEST_WISH`.
    """
    wish = headers.get("retry-after", "").strip()
    if wish.isascii() and wish.isdigit():
        seconds = float(wish)
    elif (until := _read_http_date(wish)) is not None:
        its_now = _read_http_date(headers.get("date", "")) or now
        seconds = (until - its_now).total_seconds()
    else:
        return None
    return min(max(seconds, 0.0), LONGEST_WISH.total_seconds())


def _read_http_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


async def _follow(
    client: httpx.AsyncClient, request: httpx.Request, clock: Clock, max_bytes: int
) -> Reply:
    came_from: httpx.URL | None = None
    for _ in range(_MOST_REDIRECTS + 1):
        response = await _send_to_allowed(client, request, came_from)
        try:
            if not response.has_redirect_location:
                return await _read(response, clock, max_bytes)
            target = _redirected_to(response)
        finally:
            await response.aclose()
        if request.method != "GET":
            raise NeedsPerson("redirected", f"{_name_host(request.url)}: a {request.method}")
        came_from = request.url
        stays = _is_same_server(came_from, target)
        headers = {
            name: value
            for name, value in request.headers.items()
            if name in _FOR_EVERYBODY or (stays and name != "host")
        }
        request = client.build_request("GET", target, headers=headers)
    where = _name_host(request.url)
    raise NeedsPerson("redirected", f"{where}: more than {_MOST_REDIRECTS} redirects")


async def _send_to_allowed(
    client: httpx.AsyncClient, request: httpx.Request, came_from: httpx.URL | None
) -> httpx.Response:
    """Send; a host that is not allowed and that a redirect named is told as a redirect."""
    try:
        return await client.send(request, stream=True)
    except NeedsPerson as error:
        if came_from is None or error.kind != "host_not_allowed":
            raise
    target = f"{request.url.scheme}://{_name_host(request.url)}"
    raise NeedsPerson("redirected", f"{_name_host(came_from)}: to {target}")


def _redirected_to(response: httpx.Response) -> httpx.URL:
    """Where a redirect leads, if TLS is not given up on the way; its host is checked when asked."""
    asked = response.request.url
    try:
        target = asked.join(response.headers["location"])
    except (httpx.InvalidURL, ValueError):
        raise NeedsPerson("redirected", f"{_name_host(asked)}: to no address") from None
    downgraded = asked.scheme == "https" and target.scheme != "https"
    # A user in the address would be sent as one of ours.
    if downgraded or target.scheme not in _PORTS or target.userinfo:
        detail = f"{_name_host(asked)}: to {target.scheme}://{_name_host(target)}"
        raise NeedsPerson("redirected", detail)
    return target


def _is_same_server(before: httpx.URL, after: httpx.URL) -> bool:
    """Whether keys may go along: the same host and port, or its TLS side at the usual port."""
    same_port = _port(before) == _port(after)
    to_tls = (_port(before), _port(after), after.scheme) == (80, 443, "https")
    same_scheme = before.scheme == after.scheme
    return before.host == after.host and (to_tls or (same_port and same_scheme))


def _port(url: httpx.URL) -> int | None:
    return url.port or _PORTS.get(url.scheme)


async def _read(response: httpx.Response, clock: Clock, max_bytes: int) -> Reply:
    host = _name_host(response.request.url)
    asked = response.request.headers
    asked_for_change = "if-none-match" in asked or "if-modified-since" in asked
    if response.status_code == 304 and asked_for_change:
        return Reply(304, b"", response.headers)
    if not response.is_success:
        wish = read_retry_after(response.headers, clock())
        raise error_for(response.status_code, host, wish)
    stated = response.headers.get("content-length", "")
    if stated.isascii() and stated.isdigit() and float(stated) > max_bytes:
        raise _too_large(host, max_bytes)
    body = await _read_body(response, host, max_bytes)
    return Reply(response.status_code, body, response.headers)


async def _read_body(response: httpx.Response, host: str, max_bytes: int) -> bytes:
    encoding = response.headers.get("content-encoding", "").strip().lower()
    if encoding in ("gzip", "x-gzip"):
        return await _unpack(response, host, max_bytes)
    if encoding not in ("", "identity"):
        raise RetryLater("garbage", f"{host}: content encoding that was not asked for")
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > max_bytes:
            raise _too_large(host, max_bytes)
    return bytes(body)


async def _unpack(response: httpx.Response, host: str, max_bytes: int) -> bytes:
    """Unpack at most one byte more than allowed: a few kilobytes can unpack into gigabytes."""
    unzip = zlib.decompressobj(wbits=_GZIP)
    body = bytearray()
    async for chunk in response.aiter_raw():
        try:
            body += unzip.decompress(chunk, max_bytes + 1 - len(body))
        except zlib.error:
            raise RetryLater("garbage", f"{host}: broken gzip") from None
        if len(body) > max_bytes:
            raise _too_large(host, max_bytes)
        if unzip.eof:
            return bytes(body)
    raise RetryLater("unreachable", f"{host}: the answer broke off")


def _too_large(host: str, max_bytes: int) -> NeedsPerson:
    return NeedsPerson("too_large", f"{host}: more than {math.ceil(max_bytes / 1e6)} MB")


def _describe(error: Exception) -> str:
    """A word for what happened below HTTP. The errors' own texts are not for showing."""
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return "its certificate is not trusted"
    if str(error) == _UNKNOWN_NAME:
        return _UNKNOWN_NAME
    if isinstance(error, httpx.ConnectError):
        return "no connection"
    if isinstance(error, httpx.RemoteProtocolError):
        return "the answer broke off"
    return "the connection was lost"


def _name_host(url: httpx.URL) -> str:
    """Host and port as written, without user, password, path and query."""
    return url.netloc.decode("ascii", "replace")
