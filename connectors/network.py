"""Where a source may be asked: which hosts, and which addresses behind their names.

Two questions, both asked of every connection. Is the host on the source's list? The addresses in
its `[connection]` put their own hosts there, `[network] hosts` adds others. And where does the name
lead *now*? Names are resolved once; if any of the addresses is one that may not be asked, none is;
and the connection goes to the addresses that were judged, so that a name cannot lead elsewhere
between the question and the connection.

Connectors of other protocols than HTTP call `check_destination` and connect to what it returns.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any
from urllib.parse import urlsplit

import httpx
from pydantic import BaseModel, SecretStr

from lawang.city import Source
from lawang.city.network import Network, is_unset, split_place
from lawang.connector import Options
from lawang.domain.errors import NeedsPerson, RetryLater

IPAddress = IPv4Address | IPv6Address
#: Addresses of a host for connections to a port; OSError when there is none.
Resolve = Callable[[str, int], Awaitable[Iterable[str]]]

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_WEB_PORTS = {"http": 80, "https": 443}
# What is sent or how it is read; an address in these is not one that is asked.
_NO_ADDRESSES = frozenset({"params", "body", "headers", "fields", "formats"})
# RFC 6052: the last 32 bits are the IPv4 address that is meant.
_NAT64 = IPv6Network("64:ff9b::/96")
_OLD_FORM = re.compile(r"(0x[0-9a-f]*|[0-9]+)(\.(0x[0-9a-f]*|[0-9]+)){0,3}", re.ASCII)


def network_of(source: Source) -> Network:
    """The source's `[network]`; the simulated department is on this very machine."""
    if not source.simulated:
        return source.network
    return source.network.model_copy(update={"loopback": True})


def reach_of(source: Source, options: Options | None = None) -> tuple[Network, Rules]:
    """What a connector that opens connections of its own is given with its context."""
    network = network_of(source)
    return network, Rules.of(network, hosts_of(source, options))


def hosts_of(source: Source, options: Options | None = None) -> frozenset[str]:
    """The hosts, with ports, that the addresses in a source's `[connection]` name.

    `options` adds those of bound options, whose defaults the file need not state.
    """
    found = set(_hosts_in(source.connection))
    if options is not None:
        found.update(_hosts_in(_plain(options)))
    return frozenset(found)


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return {name: _plain(getattr(value, name)) for name in type(value).model_fields}
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return value


def _hosts_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield from _hosts_of_address(value.strip())
    elif isinstance(value, dict):
        host = value.get("host")
        if isinstance(host, str) and host and not is_unset(host):
            port = value.get("port")
            yield _place(host, port if isinstance(port, int) else None)
        for key, each in value.items():
            if key not in _NO_ADDRESSES:
                yield from _hosts_in(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _hosts_in(each)


def _hosts_of_address(text: str) -> Iterator[str]:
    if is_unset(text) or not _SCHEME.match(text):
        return
    try:
        split = urlsplit(text)
        host, port = split.hostname, split.port
        if split.scheme in _WEB_PORTS:
            # As the client reads it, names in other alphabets included.
            host = httpx.URL(text).raw_host.decode("ascii")
    except (ValueError, httpx.InvalidURL):
        return
    if not host:
        return
    usual = _WEB_PORTS.get(split.scheme)
    if usual is None or port not in (None, usual):
        yield _place(host, port)
        return
    yield _place(host, usual)
    # A server may always ask to be read over TLS.
    yield _place(host, _WEB_PORTS["https"])


def _place(host: str, port: int | None) -> str:
    name = f"[{host}]" if ":" in host and not host.startswith("[") else host
    return name if port is None else f"{name}:{port}"


@dataclass(frozen=True, slots=True)
class Rules:
    """What one source may ask: hosts (with a port, or any), names below domains, and addresses."""

    places: frozenset[tuple[str, int | None]]
    private: bool
    loopback: bool

    @classmethod
    def of(cls, network: Network, allowed: Iterable[str]) -> Rules:
        """The rules of a `[network]` table and the source's own hosts, such as of `hosts_of`."""
        places = set()
        for text in (*allowed, *network.hosts):
            if not is_unset(text):
                host, port = split_place(text)
                places.add((_canonical(host), port))
        return cls(frozenset(places), network.private, network.loopback)

    def lists(self, host: str, port: int) -> bool:
        """Whether that host is on the list, however it is spelt."""
        name = _canonical(host)
        names = {name}
        if _literal(name) is None:
            labels = name.split(".")
            names |= {"*." + ".".join(labels[at:]) for at in range(1, len(labels))}
        return any((each, given) in self.places for each in names for given in (port, None))

    def refuses(self, address: IPAddress) -> bool:
        """Whether that address may not be connected to."""
        if self.private or not is_private(address):
            return False
        return not (self.loopback and _meant(address).is_loopback)

    def check_host(self, host: str, port: int) -> None:
        """Raise NeedsPerson unless that host may be asked, as far as its spelling tells."""
        if not self.lists(host, port):
            raise NeedsPerson("host_not_allowed", f"{_shown(host)}:{port}")
        literal = _literal(_canonical(host))
        if literal is not None and self.refuses(literal):
            raise NeedsPerson("private_address", f"{_shown(host)}:{port}")

    async def resolve(self, host: str, port: int, resolve: Resolve) -> tuple[str, ...]:
        """The judged addresses of a host. Raises NeedsPerson, and OSError if it has none."""
        literal = _literal(_canonical(host))
        found = [str(literal)] if literal is not None else list(await resolve(host, port))
        # The name's own order is kept: it is the one that the machine prefers.
        addresses = tuple(dict.fromkeys(found))
        for each in addresses:
            if self.refuses(ip_address(each)):
                raise NeedsPerson("private_address", f"{_shown(host)}:{port} leads to {each}")
        if not addresses:
            raise OSError("no address")
        return addresses


async def look_up(host: str, port: int) -> tuple[str, ...]:
    """Ask this machine's resolver. OSError where it knows no such name."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(str(place[0]) for *_, place in found)


async def check_destination(
    host: str,
    port: int,
    network: Network,
    allowed: Iterable[str],
    *,
    resolve: Resolve = look_up,
) -> tuple[str, ...]:
    """The addresses to which a source's connection may go, best first.

    For protocols other than HTTP: connect to one of these, not to the name, and verify TLS by the
    name. `network` is `network_of(source)`, `allowed` is `hosts_of(source)`, or names such as
    "db:5432". Raises NeedsPerson: host_not_allowed, private_address; RetryLater: unreachable (the
    name is not known).
    """
    rules = Rules.of(network, allowed)
    rules.check_host(host, port)
    try:
        return await rules.resolve(host, port, resolve)
    except (OSError, UnicodeError):
        raise RetryLater("unreachable", f"{_shown(host)}:{port}: its name is not known") from None


def is_private(address: IPAddress) -> bool:
    """Whether an address is no place on the public internet (IANA special-purpose registries).

    Loopback, RFC 1918, link-local, CGNAT, ULA, site-local, multicast, unspecified, reserved; in
    IPv6 also where such an IPv4 address is wrapped (mapped, NAT64, 6to4, Teredo).
    """
    meant = _meant(address)
    if isinstance(meant, IPv6Address) and meant.is_site_local:
        return True
    return not meant.is_global or meant.is_multicast or meant.is_reserved or meant.is_unspecified


def _meant(address: IPAddress) -> IPAddress:
    """The IPv4 address that an IPv6 one stands for, else the address itself."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _canonical(host: str) -> str:
    """One spelling for each host: small letters, no last dot, addresses in their shortest form."""
    name = host.lower().removesuffix(".").strip("[]")
    try:
        return str(ip_address(name))
    except ValueError:
        return name


def _literal(name: str) -> IPAddress | None:
    """The address that a host is by its spelling, in the old forms too (0x7f.1, 2130706433).

    Resolvers and proxies still read those.
    """
    try:
        return ip_address(name)
    except ValueError:
        pass
    if not _OLD_FORM.fullmatch(name):
        return None
    try:
        return IPv4Address(socket.inet_aton(name))
    except OSError:
        return None


def _shown(host: str) -> str:
    """A host for a message: an answer may have named it, so only what names consist of."""
    name = re.sub(r"[^A-Za-z0-9._:%\[\]-]", "?", host)[:253]
    return f"[{name}]" if ":" in name and not name.startswith("[") else name
