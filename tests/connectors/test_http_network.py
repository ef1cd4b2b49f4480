"""The policy of hosts, addresses, certificates and proxies against real servers on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from connectors import http
from lawang.city.network import Network
from lawang.domain.errors import NeedsPerson, RetryLater, SourceError
from tests.connectors.certificates import Authority, server_side
from tests.connectors.proxy import run_proxy

KEY = "kunci-rahasia-88"
LOOPBACK = Network(loopback=True)


class Names:
    """A resolver: names to addresses, in turn where a name has several lists of them."""

    def __init__(self, **known: list[list[str]]) -> None:
        self._known = {name.replace("_", "."): answers for name, answers in known.items()}
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> Iterable[str]:
        self.asked.append(host)
        answers = self._known.get(host.rstrip("."))
        if answers is None:
            raise OSError("unknown")
        return answers.pop(0) if len(answers) > 1 else answers[0]


def _here(*names: str) -> Names:
    return Names(**{name.replace(".", "_"): [["127.0.0.1"]] for name in names})


async def _get(given: Any, url: str, headers: dict[str, str] | None = None) -> Any:
    try:
        return await http.ask(given, url, max_bytes=given.max_bytes, headers=headers)
    except SourceError as error:
        return error


@pytest.fixture
def ask(serve: Any, context: Any) -> Callable[..., tuple[Any, Any]]:
    """Ask a server once at `url`, where {port} is its port; returns (reply or error, the site)."""

    def run(
        handler: Any,
        url: str,
        *,
        tls: Any = None,
        headers: dict[str, str] | None = None,
        **given: Any,
    ) -> tuple[Any, Any]:
        async def go() -> tuple[Any, Any]:
            async with serve(handler, tls) as site, context(timeout_s=20, **given) as made:
                return await _get(made, url.format(port=site.port), headers), site

        return asyncio.run(go())

    return run


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"), "otoritas")


def _is(outcome: Any, error: type[SourceError], kind: str) -> bool:
    return type(outcome) is error and outcome.kind == kind


# --- hosts


@pytest.mark.parametrize(
    "url",
    [
        "http://lain.example:{port}/",
        "http://dinas.example@lain.example:{port}/",
        "http://dinas.example:80@lain.example:{port}/",
        "http://lain.example:{port}/@dinas.example",
        "http://dinas.example.lain.example:{port}/",
        "http://dinas.example%2elain.example:{port}/",
        "http://127.0.0.1:{port}/",
        "http://[::1]:{port}/",
        "ftp://dinas.example:{port}/",
        "file:///etc/passwd",
        "http:///x",
    ],
)
def test_a_host_off_the_list_is_never_asked(ask: Any, reply: Any, url: str) -> None:
    names = _here("dinas.example", "lain.example")
    outcome, site = ask(
        lambda _: reply("[]"), url, network=LOOPBACK, allowed=["dinas.example"], resolve=names
    )
    assert _is(outcome, NeedsPerson, "host_not_allowed")
    assert (site.requests, names.asked) == ([], [])


@pytest.mark.parametrize(
    "url",
    [
        "http://DINAS.Example:{port}/",
        "http://dinas.example.:{port}/",
        "http://dinas.example:{port}",
    ],
)
def test_a_host_is_the_same_in_every_spelling(ask: Any, reply: Any, url: str) -> None:
    outcome, _ = ask(
        lambda _: reply("[]"),
        url,
        network=LOOPBACK,
        allowed=["dinas.example"],
        resolve=_here("dinas.example"),
    )
    assert outcome.body == b"[]"


def test_a_host_in_another_alphabet_is_known_by_both_of_its_spellings(ask: Any, reply: Any) -> None:
    for listed in ("düna.example", "xn--dna-hoa.example"):
        outcome, _ = ask(
            lambda _: reply("[]"),
            "http://düna.example:{port}/",
            network=LOOPBACK,
            allowed=[listed],
            resolve=_here("xn--dna-hoa.example"),
        )
        assert outcome.body == b"[]", listed


def test_an_address_that_is_none_is_told_and_not_repeated(ask: Any, reply: Any) -> None:
    outcome, _ = ask(lambda _: reply("[]"), f"http://127.0.0.1:{KEY}/")
    assert _is(outcome, RetryLater, "garbage")
    assert KEY not in str(outcome)


# --- redirects


def _redirect(reply: Any, to: str) -> Callable[[Any], Any]:
    def answer(request: Any) -> Any:
        port = request.headers["host"].rpartition(":")[2]
        if request.path == "/new":
            return reply("[]")
        return reply(status=302, headers={"Location": to.format(port=port)})

    return answer


_SECRETS = {"Authorization": KEY, "X-Api-Key": KEY, "Cookie": KEY, "Accept": "application/json"}


def test_a_redirect_to_another_allowed_host_goes_there_without_keys(ask: Any, reply: Any) -> None:
    outcome, site = ask(
        _redirect(reply, "http://berkas.example:{port}/new"),
        "http://dinas.example:{port}/",
        headers=_SECRETS,
        network=LOOPBACK.model_copy(update={"hosts": ("*.example",)}),
        allowed=["dinas.example"],
        resolve=_here("dinas.example", "berkas.example"),
    )
    assert outcome.body == b"[]"
    first, second = site.requests
    assert first.headers["x-api-key"] == KEY
    assert second.headers["host"].startswith("berkas.example")
    assert second.headers["accept"] == "application/json"
    assert KEY not in str(second.headers)


def test_a_redirect_to_another_port_of_the_host_gets_no_keys(
    serve: Any, context: Any, reply: Any
) -> None:
    async def go() -> Any:
        async with serve(lambda _: reply("[]")) as other:
            to = f"http://127.0.0.1:{other.port}/"
            async with (
                serve(lambda _: reply(status=302, headers={"Location": to})) as site,
                context() as given,
            ):
                await _get(given, f"http://127.0.0.1:{site.port}/", _SECRETS)
        return other.requests

    (request,) = asyncio.run(go())
    assert KEY not in str(request.headers)


def test_a_redirect_to_a_host_off_the_list_is_not_followed(ask: Any, reply: Any) -> None:
    names = _here("dinas.example", "lain.example")
    outcome, site = ask(
        _redirect(reply, f"http://lain.example:{{port}}/new?key={KEY}"),
        "http://dinas.example:{port}/",
        network=LOOPBACK,
        allowed=["dinas.example"],
        resolve=names,
    )
    assert _is(outcome, NeedsPerson, "redirected")
    assert "dinas.example" in outcome.detail
    assert "lain.example" in outcome.detail
    assert KEY not in str(outcome)
    assert (len(site.requests), names.asked) == (1, ["dinas.example"])


def test_a_redirect_into_a_private_network_is_not_followed(ask: Any, reply: Any) -> None:
    names = Names(dinas_example=[["127.0.0.1"]], dalam_example=[["10.0.0.5"]])
    outcome, site = ask(
        _redirect(reply, "http://dalam.example:{port}/new"),
        "http://dinas.example:{port}/",
        network=LOOPBACK,
        allowed=["dinas.example", "dalam.example"],
        resolve=names,
    )
    assert _is(outcome, NeedsPerson, "private_address")
    assert len(site.requests) == 1


def test_a_redirect_with_a_user_in_it_is_not_followed(ask: Any, reply: Any) -> None:
    outcome, _ = ask(
        _redirect(reply, "http://user:pass@127.0.0.1:{port}/new"), "http://127.0.0.1:{port}/"
    )
    assert _is(outcome, NeedsPerson, "redirected")
    assert "pass" not in str(outcome)


def test_a_redirect_off_tls_is_not_followed(ask: Any, reply: Any, authority: Authority) -> None:
    outcome, site = ask(
        _redirect(reply, "http://127.0.0.1:{port}/new"),
        "https://127.0.0.1:{port}/",
        tls=server_side(authority.issue("127.0.0.1")),
        network=LOOPBACK.model_copy(update={"ca_file": str(authority.file)}),
    )
    assert _is(outcome, NeedsPerson, "redirected")
    assert len(site.requests) == 1


# --- addresses


@pytest.mark.parametrize(
    "addresses",
    [["127.0.0.1"], ["10.1.2.3"], ["8.8.8.8", "192.168.0.1"], ["::ffff:127.0.0.1"], ["fd00::1"]],
)
def test_a_name_that_leads_inside_is_not_asked(ask: Any, reply: Any, addresses: list[str]) -> None:
    outcome, site = ask(
        lambda _: reply("[]"),
        "http://dinas.example:{port}/",
        network=Network(),
        allowed=["dinas.example"],
        resolve=Names(dinas_example=[addresses]),
    )
    assert _is(outcome, NeedsPerson, "private_address")
    assert site.requests == []


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "2130706433", "0x7f.1", "127.1", "[::ffff:127.0.0.1]"]
)
def test_this_machine_is_recognised_in_every_spelling(ask: Any, reply: Any, host: str) -> None:
    outcome, site = ask(
        lambda _: reply("[]"), f"http://{host}:{{port}}/", network=Network(), allowed=[host]
    )
    assert _is(outcome, NeedsPerson, "private_address")
    assert site.requests == []


def test_a_private_address_is_asked_where_the_pack_allows_it(ask: Any, reply: Any) -> None:
    outcome, _ = ask(
        lambda _: reply("[]"), "http://127.0.0.1:{port}/", network=Network(private=True)
    )
    assert outcome.body == b"[]"


def test_leave_for_this_machine_is_no_leave_for_the_network_around_it(ask: Any, reply: Any) -> None:
    outcome, _ = ask(
        lambda _: reply("[]"), "http://10.0.0.1:{port}/", network=LOOPBACK, allowed=["10.0.0.1"]
    )
    assert _is(outcome, NeedsPerson, "private_address")


def test_the_address_that_was_judged_is_the_one_that_is_connected_to(ask: Any, reply: Any) -> None:
    # A name that leads elsewhere at the second question: only the first answer counts.
    names = Names(dinas_example=[["127.0.0.1"], ["10.0.0.1"]])
    outcome, site = ask(
        lambda _: reply("[]"),
        "http://dinas.example:{port}/",
        network=LOOPBACK,
        allowed=["dinas.example"],
        resolve=names,
    )
    assert outcome.body == b"[]"
    assert names.asked == ["dinas.example"]
    assert site.requests[0].headers["host"].startswith("dinas.example:")


def test_a_name_that_turns_inside_later_is_refused_at_the_next_connection(
    serve: Any, context: Any, reply: Any
) -> None:
    names = Names(dinas_example=[["127.0.0.1"], ["10.0.0.1"]])

    async def go() -> list[Any]:
        async with (
            serve(lambda _: reply("[]")) as site,
            context(network=LOOPBACK, allowed=["dinas.example"], resolve=names) as given,
        ):
            url = f"http://dinas.example:{site.port}/"
            return [await _get(given, url) for _ in range(2)]

    first, second = asyncio.run(go())
    assert first.body == b"[]"
    assert _is(second, NeedsPerson, "private_address")


def test_a_further_address_is_tried_when_the_first_one_is_dead(ask: Any, reply: Any) -> None:
    outcome, _ = ask(
        lambda _: reply("[]"),
        "http://dinas.example:{port}/",
        network=LOOPBACK,
        allowed=["dinas.example"],
        resolve=Names(dinas_example=[["127.0.0.77", "127.0.0.1"]]),
    )
    assert outcome.body == b"[]"


def test_a_name_that_nobody_knows_is_unreachable(ask: Any, reply: Any) -> None:
    outcome, _ = ask(
        lambda _: reply("[]"),
        "http://dinas.example:{port}/",
        allowed=["dinas.example"],
        resolve=Names(),
    )
    assert _is(outcome, RetryLater, "unreachable")
    assert "its name is not known" in outcome.detail


# --- certificates


def test_a_certificate_of_the_departments_own_authority_is_trusted_by_its_name(
    ask: Any, reply: Any, authority: Authority
) -> None:
    outcome, _ = ask(
        lambda _: reply("[]"),
        "https://dinas.example:{port}/",
        tls=server_side(authority.issue("dinas.example")),
        network=LOOPBACK.model_copy(update={"ca_file": str(authority.file)}),
        allowed=["dinas.example"],
        resolve=_here("dinas.example"),
    )
    assert outcome.body == b"[]"


@pytest.mark.parametrize("case", ["no ca_file", "another name", "another authority"])
def test_a_certificate_that_does_not_fit_is_refused(
    ask: Any, reply: Any, authority: Authority, tmp_path: Path, case: str
) -> None:
    trusted = Authority(tmp_path, "lain") if case == "another authority" else authority
    ca_file = None if case == "no ca_file" else str(trusted.file)
    name = "lain.example" if case == "another name" else "dinas.example"
    outcome, site = ask(
        lambda _: reply("[]"),
        "https://dinas.example:{port}/",
        tls=server_side(authority.issue(name)),
        network=LOOPBACK.model_copy(update={"ca_file": ca_file}),
        allowed=["dinas.example"],
        resolve=_here("dinas.example"),
    )
    assert _is(outcome, RetryLater, "unreachable")
    assert "certificate is not trusted" in outcome.detail
    assert site.requests == []


def test_a_server_that_asks_who_we_are_is_shown_our_certificate(
    ask: Any, reply: Any, authority: Authority
) -> None:
    ours = authority.issue("lawang")
    outcome, _ = ask(
        lambda _: reply("[]"),
        "https://127.0.0.1:{port}/",
        tls=server_side(authority.issue("127.0.0.1"), clients_by=authority.file),
        network=LOOPBACK.model_copy(
            update={
                "ca_file": str(authority.file),
                "client_cert": str(ours.certificate),
                "client_key": str(ours.key),
            }
        ),
    )
    assert outcome.body == b"[]"


def test_a_server_that_asks_who_we_are_refuses_us_without_a_certificate(
    ask: Any, reply: Any, authority: Authority
) -> None:
    outcome, site = ask(
        lambda _: reply("[]"),
        "https://127.0.0.1:{port}/",
        tls=server_side(authority.issue("127.0.0.1"), clients_by=authority.file),
        network=LOOPBACK.model_copy(update={"ca_file": str(authority.file)}),
    )
    assert _is(outcome, RetryLater, "unreachable")
    assert site.requests == []


# --- proxies


@pytest.fixture
def through(serve: Any, context: Any, reply: Any) -> Callable[..., tuple[Any, Any, Any]]:
    """Ask a server through a proxy; returns (reply or error, the site, the proxy)."""

    def run(url: str, tls: Any = None, word: str = KEY, **given: Any) -> tuple[Any, Any, Any]:
        async def go() -> tuple[Any, Any, Any]:
            async with run_proxy("lawang", KEY) as proxy, serve(lambda _: reply("[]"), tls) as site:
                address = f"http://lawang:{word}@127.0.0.1:{proxy.port}"
                values = {**given.pop("network", {}), "proxy": address}
                network = Network.model_validate(values)
                async with context(timeout_s=20, network=network, **given) as made:
                    return await _get(made, url.format(port=site.port)), site, proxy

        return asyncio.run(go())

    return run


def test_plain_requests_go_through_the_proxy(through: Any) -> None:
    outcome, site, proxy = through("http://dinas.example:{port}/", allowed=["dinas.example"])
    assert outcome.body == b"[]"
    assert proxy.lines == [f"GET http://dinas.example:{site.port}/ HTTP/1.1"]


def test_tls_goes_through_the_proxy_in_a_tunnel_and_verifies_the_name(
    through: Any, authority: Authority
) -> None:
    outcome, site, proxy = through(
        "https://dinas.example:{port}/",
        tls=server_side(authority.issue("dinas.example")),
        network={"ca_file": str(authority.file)},
        allowed=["dinas.example"],
    )
    assert outcome.body == b"[]"
    assert proxy.lines == [f"CONNECT dinas.example:{site.port} HTTP/1.1"]
    assert "proxy-authorization" not in site.requests[0].headers


def test_no_certificate_is_trusted_because_a_proxy_leads_to_it(
    through: Any, authority: Authority
) -> None:
    tls = server_side(authority.issue("dinas.example"))
    outcome, _, _ = through("https://dinas.example:{port}/", tls=tls, allowed=["dinas.example"])
    assert _is(outcome, RetryLater, "unreachable")
    assert "certificate is not trusted" in outcome.detail


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_refuses_our_word_is_told_without_the_word(through: Any, scheme: str) -> None:
    outcome, site, _ = through(
        scheme + "://dinas.example:{port}/", word="salah-99", allowed=["dinas.example"]
    )
    assert _is(outcome, NeedsPerson, "refused")
    assert "proxy" in outcome.detail
    assert "salah-99" not in repr(outcome)
    assert site.requests == []


@pytest.mark.parametrize(
    ("host", "kind"),
    [
        ("lain.example", "host_not_allowed"),
        ("127.0.0.1", "private_address"),
        ("2130706433", "private_address"),
        ("[::1]", "private_address"),
    ],
)
def test_what_may_not_be_asked_is_not_asked_through_a_proxy_either(
    through: Any, host: str, kind: str
) -> None:
    outcome, _, proxy = through(
        f"http://{host}:{{port}}/", allowed=["dinas.example", "127.0.0.1", "2130706433", "[::1]"]
    )
    assert _is(outcome, NeedsPerson, kind)
    assert proxy.lines == []


def test_the_environments_proxy_is_used_where_the_source_names_none(
    serve: Any, context: Any, reply: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def go() -> Any:
        async with run_proxy() as proxy, serve(lambda _: reply("[]")) as site:
            monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
            monkeypatch.setenv("no_proxy", "langsung.example")
            async with context(
                network=LOOPBACK,
                allowed=["dinas.example", "langsung.example"],
                resolve=_here("langsung.example"),
            ) as given:
                for host in ("dinas.example", "langsung.example"):
                    await _get(given, f"http://{host}:{site.port}/")
            return [request.headers["host"] for request in site.requests], proxy.lines

    hosts, lines = asyncio.run(go())
    assert [host.partition(":")[0] for host in hosts] == ["dinas.example", "langsung.example"]
    assert len(lines) == 1


@pytest.mark.parametrize(
    "address", ["socks5://u:{}@127.0.0.1:1", "http://u:{}@127.0.0.1:x", "ftp://{}"]
)
def test_a_proxy_of_the_environment_that_cannot_be_used_is_told(
    ask: Any, reply: Any, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("http_proxy", address.format(KEY))
    monkeypatch.delenv("no_proxy", raising=False)
    outcome, _ = ask(
        lambda _: reply("[]"), "http://dinas.example:{port}/", allowed=["dinas.example"]
    )
    assert _is(outcome, RetryLater, "unreachable")
    assert "HTTPS_PROXY" in outcome.detail
    assert KEY not in str(outcome)
