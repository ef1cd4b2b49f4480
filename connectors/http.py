"""The policy under which this installation reads other people's HTTP servers.

A reply is read whole or not at all: within one deadline for everything (a server that drips bytes
does not escape it), within a size counted after decompression, over verified TLS, and from the
host that was asked. What goes wrong becomes a `SourceError` whose detail names host and status
and nothing else: addresses may carry keys, bodies may carry citizens' data.
"""

from __future__ import annotations

import asyncio
import logging
import math
import ssl
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any

import httpx

from lawang import __version__
from lawang.domain.clock import Clock
from lawang.domain.errors import NeedsPerson, RetryLater, SourceError

_MOST_REDIRECTS = 5
#: A wish to be left alone for longer than this is taken as this long.
LONGEST_WISH = timedelta(days=1)
# Servers commonly close idle connections after 5 s; reusing one at that very moment fails.
_KEEPALIVE_S = 3.0
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


def client_for(timeout: timedelta) -> httpx.AsyncClient:
    """A client for one source; the caller closes it.

    Proxies and certificate authorities of the environment count, as city networks have both;
    addresses of this machine are never asked for through a proxy.
    """
    direct: dict[str, httpx.AsyncBaseTransport | None] = {
        "all://127.0.0.1": None,
        "all://localhost": None,
        "all://[::1]": None,
    }
    return httpx.AsyncClient(
        verify=_trusted_authorities(),
        timeout=timeout.total_seconds(),
        follow_redirects=False,
        mounts=direct,
        limits=httpx.Limits(
            max_connections=4, max_keepalive_connections=2, keepalive_expiry=_KEEPALIVE_S
        ),
        # Only what is unpacked here, where the unpacked size is bounded.
        headers={"User-Agent": f"lawang-jabo/{__version__}", "Accept-Encoding": "gzip"},
    )


@cache
def _trusted_authorities() -> ssl.SSLContext:
    """Loading the authorities takes some 20 ms; hundreds of sources share them."""
    return httpx.create_ssl_context()


async def get(
    client: httpx.AsyncClient,
    url: str,
    *,
    clock: Clock,
    timeout: timedelta,
    max_bytes: int,
    params: dict[str, str] | None = None,
    headers: dict[str, str] | None = None,
) -> Reply:
    """Read `url` by GET; see `send`."""
    return await send(
        client,
        "GET",
        url,
        clock=clock,
        timeout=timeout,
        max_bytes=max_bytes,
        params=params,
        headers=headers,
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
    refused (401, 403), not_found (404, 410), too_large, redirected (to another host, or off TLS).
    """
    limit_s = timeout.total_seconds()
    host = _name_host(httpx.URL(url))
    try:
        async with asyncio.timeout(limit_s):
            # Merged, as an address may have parameters of its own.
            asked = httpx.URL(url).copy_merge_params(params or {})
            request = client.build_request(method, asked, headers=headers, json=json, data=form)
            return await _follow(client, request, clock, max_bytes)
    except (TimeoutError, httpx.TimeoutException):
        raise RetryLater("timeout", f"{host}: no whole answer within {limit_s:g} s") from None
    except (httpx.HTTPError, OSError) as error:
        # `from None`: httpx's errors hold the request, and with it the key in its address.
        raise RetryLater("unreachable", f"{host}: {_describe(error)}") from None


def error_for(status: int, where: str, retry_after_s: float | None = None) -> SourceError:
    """What a refusing status means for the poll; `where` is shown beside the status."""
    detail = f"{where}: {status}"
    if status in (401, 403):
        return NeedsPerson("refused", detail)
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
    for _ in range(_MOST_REDIRECTS + 1):
        response = await client.send(request, stream=True)
        try:
            if not response.has_redirect_location:
                return await _read(response, clock, max_bytes)
            target = _redirected_to(response)
        finally:
            await response.aclose()
        if request.method != "GET":
            raise NeedsPerson("redirected", f"{_name_host(request.url)}: a {request.method}")
        headers = {name: value for name, value in request.headers.items() if name != "host"}
        request = client.build_request("GET", target, headers=headers)
    where = _name_host(request.url)
    raise NeedsPerson("redirected", f"{where}: more than {_MOST_REDIRECTS} redirects")


def _redirected_to(response: httpx.Response) -> httpx.URL:
    """Where a redirect leads, if that is the same host, and TLS is not given up on the way."""
    asked = response.request.url
    try:
        target = asked.join(response.headers["location"])
    except (httpx.InvalidURL, ValueError):
        raise NeedsPerson("redirected", f"{_name_host(asked)}: to no address") from None
    same_port = asked.port == target.port or (asked.port is None and target.port is None)
    same_place = asked.host == target.host and same_port
    if not same_place or target.scheme not in (asked.scheme, "https"):
        detail = f"{_name_host(asked)}: to {target.scheme}://{_name_host(target)}"
        raise NeedsPerson("redirected", detail)
    return target


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
    if isinstance(error, httpx.ConnectError):
        return "no connection"
    if isinstance(error, httpx.RemoteProtocolError):
        return "the answer broke off"
    return "the connection was lost"


def _name_host(url: httpx.URL) -> str:
    """Host and port as written, without user, password, path and query."""
    return url.netloc.decode("ascii", "replace")
