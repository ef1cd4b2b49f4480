"""Which hosts and addresses a source may ask, and its `[network]` table read from its file."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from connectors import registry
from connectors.network import (
    Rules,
    check_destination,
    hosts_of,
    is_private,
    look_up,
    network_of,
)
from lawang.city import Source
from lawang.city.network import Network
from lawang.city.source import read_source
from lawang.domain.errors import NeedsPerson, PackError, RetryLater
from tests.connectors.certificates import Authority

KEY = "kunci-rahasia-99"
_SOURCE = """\
name = "e-lapor"
opd = "diskominfo"
connector = "open311"
yields = "incidents"
every_s = 60
timeout_s = 20

[connection]
base_url = "https://elapor.example/v2"
{connection}

[network]
{network}

[simulated.connection]
base_url = "http://127.0.0.1:8051/"
"""


def _read(
    folder: Path, network: str = "", connection: str = "", simulated: bool = False, **env: str
) -> Source:
    file = folder / "elapor.toml"
    text = _SOURCE.format(network=network, connection=connection)
    file.write_text(text, encoding="utf-8")
    return read_source(file, {"diskominfo"}, set(), env, simulated)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "otoritas")


# --- addresses


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.8.8.8", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1"),
        *("169.254.169.254", "100.64.0.1", "100.127.255.255", "0.0.0.0", "224.0.0.1"),
        *("239.255.255.250", "255.255.255.255", "240.0.0.1", "198.18.0.1"),
        *("::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fdff::1", "fec0::1", "ff02::1"),
        *("ff0e::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::7f00:1", "64:ff9b::a00:1"),
        *("2002:a00:1::", "2001:0:4136:e378:8000:63bf:3fff:fdd2"),
    ],
)
def test_an_address_inside_is_private(address: str) -> None:
    assert is_private(ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        *("8.8.8.8", "172.15.0.1", "172.32.0.1", "100.128.0.1", "223.255.255.255"),
        *("2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::"),
    ],
)
def test_an_address_of_the_internet_is_not(address: str) -> None:
    assert not is_private(ip_address(address))


# --- hosts


@pytest.mark.parametrize(
    ("listed", "host", "port", "expected"),
    [
        ("a.example", "a.example", 80, True),
        ("a.example", "A.Example.", 9999, True),
        ("A.example.", "a.example", 80, True),
        ("a.example:8443", "a.example", 8443, True),
        ("a.example:8443", "a.example", 443, False),
        ("a.example", "b.a.example", 80, False),
        ("a.example", "xa.example", 80, False),
        ("*.a.example", "b.a.example", 80, True),
        ("*.a.example", "c.b.a.example", 80, True),
        ("*.a.example", "a.example", 80, False),
        ("*.a.example", "xa.example", 80, False),
        ("*.a.example:81", "b.a.example", 80, False),
        ("*.0.0.1", "127.0.0.1", 80, False),
        ("[::1]", "0:0:0:0:0:0:0:1", 80, True),
        ("[::1]:80", "[::1]", 81, False),
        ("127.0.0.1", "127.1", 80, False),
        ("0177.0.0.1", "127.0.0.1", 80, False),
        ("düna.example", "xn--dna-hoa.example", 80, True),
    ],
)
def test_a_host_is_on_the_list_or_not(listed: str, host: str, port: int, expected: bool) -> None:
    assert Rules.of(Network(), [listed]).lists(host, port) is expected


@pytest.mark.parametrize(
    ("connection", "expected"),
    [
        ({"url": "https://a.example/x?y=http://b.example/"}, {"a.example:443"}),
        ({"url": "http://a.example/"}, {"a.example:80", "a.example:443"}),
        ({"url": "http://a.example:8080"}, {"a.example:8080"}),
        ({"url": "HTTP://[::1]:81/"}, {"[::1]:81"}),
        ({"url": "http://düna.example:81/"}, {"xn--dna-hoa.example:81"}),
        ({"auth": {"token_url": "https://b.example/t"}}, {"b.example:443"}),
        ({"urls": ["https://b.example", "mqtts://c.example"]}, {"b.example:443", "c.example"}),
        ({"url": f"postgresql+psycopg://u:{KEY}@db.example:5432/d"}, {"db.example:5432"}),
        ({"host": "m.example", "port": 1883}, {"m.example:1883"}),
        ({"host": "fd00::1", "port": 1883}, {"[fd00::1]:1883"}),
        ({"url": "sqlite:///data/x.sqlite"}, set()),
        ({"url": "${LAWANG_X_URL}/a", "host": "${LAWANG_X_HOST}"}, set()),
        ({"params": {"back": "https://b.example/"}, "body": {"u": "https://b.example"}}, set()),
    ],
)
def test_the_addresses_of_a_connection_put_their_hosts_on_the_list(
    tmp_path: Path, connection: dict[str, Any], expected: set[str]
) -> None:
    assert hosts_of(replace(_read(tmp_path), connection=connection)) == expected


def test_hosts_of_bound_options_are_listed_too(tmp_path: Path) -> None:
    source = _read(tmp_path)
    options = registry.get("open311").options.model_validate({"base_url": "https://b.example/"})
    assert hosts_of(source, options) == {"elapor.example:443", "b.example:443"}


def test_this_machine_may_be_asked_for_a_simulated_department_only(tmp_path: Path) -> None:
    real, simulated = (network_of(_read(tmp_path, simulated=which)) for which in (False, True))
    assert (real.loopback, real.private) == (False, False)
    assert (simulated.loopback, simulated.private) == (True, False)


# --- the question of other protocols


def _ask(
    host: str, *addresses: str, network: Network | None = None, allowed: Iterable[str] = ("db",)
) -> tuple[str, ...]:
    async def resolve(_: str, __: int) -> tuple[str, ...]:
        if not addresses:
            raise OSError("unknown")
        return addresses

    wanted = network or Network()
    return asyncio.run(check_destination(host, 5432, wanted, allowed, resolve=resolve))


def test_the_addresses_that_were_judged_are_given_back() -> None:
    assert _ask("db", "8.8.8.8", "2606:4700::1111", "8.8.8.8") == ("8.8.8.8", "2606:4700::1111")


def test_one_private_address_among_others_refuses_them_all() -> None:
    with pytest.raises(NeedsPerson, match=r"^private_address: db:5432 leads to 10\.0\.0\.1$"):
        _ask("db", "8.8.8.8", "10.0.0.1")


@pytest.mark.parametrize("host", ["0177.0.0.1", "017700000001", "0x7f000001", "::1", "127.0.0.1."])
def test_an_address_by_its_spelling_needs_no_resolver(host: str) -> None:
    with pytest.raises(NeedsPerson, match=r"^private_address"):
        _ask(
            host,
            "8.8.8.8",
            allowed=["0177.0.0.1", "017700000001", "0x7f000001", "[::1]", "127.0.0.1"],
        )


def test_a_host_off_the_list_is_told() -> None:
    with pytest.raises(NeedsPerson, match=r"^host_not_allowed: lain:5432$"):
        _ask("lain", "8.8.8.8")


def test_hosts_of_the_network_table_are_allowed_too() -> None:
    assert _ask("lain", "8.8.8.8", network=Network(hosts=("lain:5432",))) == ("8.8.8.8",)


def test_private_addresses_are_given_where_the_pack_allows_them() -> None:
    assert _ask("db", "10.0.0.1", network=Network(private=True)) == ("10.0.0.1",)


def test_a_name_that_nobody_knows_may_be_known_later() -> None:
    with pytest.raises(RetryLater, match=r"^unreachable: db:5432: its name is not known$"):
        _ask("db")


def test_this_machines_resolver_knows_this_machine() -> None:
    assert {ip_address(each).is_loopback for each in asyncio.run(look_up("localhost", 80))} == {
        True
    }


# --- the table in the source's file


def test_a_source_without_the_table_may_ask_its_own_hosts_only(tmp_path: Path) -> None:
    assert _read(tmp_path).network == Network()


def test_the_table_is_read_with_its_references_filled_in(tmp_path: Path) -> None:
    word = tmp_path / "word"
    word.write_text(f"{KEY}\n", encoding="utf-8")
    network = _read(
        tmp_path,
        'hosts = ["${HOST}", "${NONE:-}", "*.b.example"]\nprivate = true\n'
        'proxy = "http://lawang:${WORD}@proxy.example:3128"\nca_file = "${CA:-}"',
        HOST="a.example",
        WORD_FILE=str(word),
    ).network
    assert network.hosts == ("a.example", "*.b.example")
    assert network.private is True
    assert network.ca_file is None
    assert network.proxy is not None
    assert network.proxy.get_secret_value() == f"http://lawang:{KEY}@proxy.example:3128"
    assert KEY not in repr(network)


def test_a_secret_from_a_file_fills_every_value_without_its_line_break(tmp_path: Path) -> None:
    word = tmp_path / "word"
    word.write_text(f"{KEY}\n", encoding="utf-8")
    extra = 'api_key = "${WORD}"\njurisdiction_id = "a-${WORD}"'
    source = _read(tmp_path, connection=extra, WORD_FILE=str(word))
    assert source.connection["api_key"] == KEY
    assert source.connection["jurisdiction_id"] == f"a-{KEY}"


def test_paths_count_from_the_sources_file(tmp_path: Path, authority: Authority) -> None:
    assert authority.file.parent == tmp_path
    assert _read(tmp_path, 'ca_file = "otoritas.pem"').network.ca_file == str(authority.file)


def test_what_waits_for_a_variable_is_no_mistake(tmp_path: Path) -> None:
    source = _read(tmp_path, 'ca_file = "${CA}"\nproxy = "${PROXY}"\nhosts = ["${HOST}"]')
    assert source.unset == ("CA", "PROXY", "HOST")


@pytest.mark.parametrize(
    ("line", "key", "words"),
    [
        ('hots = ["a"]', "network.hots", "not a known key"),
        ('hosts = ["https://a.example/"]', "network.hosts.0", "write a host name"),
        ('hosts = ["*"]', "network.hosts.0", "write a host name"),
        ('hosts = ["a.*.example"]', "network.hosts.0", "write a host name"),
        ('hosts = ["*.go.id"]', "network.hosts.0", "hosts of strangers"),
        ('hosts = ["*.id"]', "network.hosts.0", "hosts of strangers"),
        ('hosts = ["u@a.example"]', "network.hosts.0", "write a host name"),
        ('hosts = ["a.example:0"]', "network.hosts.0", "write a host name"),
        ('hosts = "a.example"', "network.hosts", ""),
        ('private = "yes"', "network.private", ""),
        ('ca_file = "none.pem"', "network.ca_file", "put the file there"),
        ('ca_file = "elapor.toml"', "network.ca_file", "no certificates in PEM"),
        ('client_cert = "none.pem"', "network.client_cert", "put the file there"),
        ('client_cert = "otoritas.pem"', "network.client_key", "cannot be used"),
        ('client_key = "otoritas.pem"', "network.client_key", "needs client_cert"),
        ('proxy = "socks5://p.example"', "network.proxy", "must be http://host:port"),
        ('proxy = "http://p.example/path"', "network.proxy", "nothing behind"),
    ],
)
def test_a_mistake_in_the_table_is_told_with_its_key(
    tmp_path: Path, authority: Authority, line: str, key: str, words: str
) -> None:
    with pytest.raises(PackError) as caught:
        _read(tmp_path, line)
    assert caught.value.key == key
    assert caught.value.line == (13 if line.startswith(key.split(".")[1]) else 12)
    assert words in caught.value.problem


def test_a_certificate_with_a_key_of_its_own_is_taken(tmp_path: Path, authority: Authority) -> None:
    authority.issue("lawang")
    network = _read(tmp_path, 'client_cert = "lawang.crt"\nclient_key = "lawang.key"').network
    assert network.client_key == str(tmp_path / "lawang.key")


@pytest.mark.parametrize("fault", ["another key", "a password"])
def test_a_key_that_cannot_be_used_stops_the_start(
    tmp_path: Path, authority: Authority, fault: str
) -> None:
    authority.issue("lawang", password=b"rahasia" if fault == "a password" else None)
    authority.issue("lain")
    key = "lain.key" if fault == "another key" else "lawang.key"
    with pytest.raises(PackError, match="cannot be used"):
        _read(tmp_path, f'client_cert = "lawang.crt"\nclient_key = "{key}"')


# --- secrets that are written into the file


@pytest.mark.parametrize(
    ("network", "connection", "key"),
    [
        ("", f'api_key = "{KEY}"', "connection.api_key"),
        ("", f'api_key = "${{K:-{KEY}}}"', "connection.api_key"),
        (f'proxy = "http://lawang:{KEY}@p.example"', "", "network.proxy"),
        (f'proxy = "http://${{U}}:${{W:-{KEY}}}@p.example"', "", "network.proxy"),
    ],
)
def test_a_secret_written_into_the_pack_is_refused_and_not_repeated(
    tmp_path: Path, network: str, connection: str, key: str
) -> None:
    source = _read(tmp_path, network, connection, U="u")
    with pytest.raises(PackError, match=r"LAWANG_ELAPOR_\w+_FILE") as caught:
        registry.bind(source)
    assert caught.value.key == key
    assert caught.value.line is not None
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    ("network", "connection"),
    [
        ("", 'api_key = "${K}"'),
        ("", 'api_key = "${K:-}"'),
        ("", 'api_key = ""'),
        ('proxy = "http://lawang:${K}@p.example"', ""),
        ('proxy = "http://p.example:3128"', ""),
    ],
)
def test_a_secret_from_the_environment_is_not_refused(
    tmp_path: Path, network: str, connection: str
) -> None:
    registry.bind(_read(tmp_path, network, connection, K=KEY))


@pytest.mark.parametrize(
    "line",
    [
        f'url = "https://a.example/?api_key={KEY}"',
        f'url = "https://u:{KEY}@a.example/"',
        f'url = "https://a.example/"\nparams = {{ api-key = "{KEY}" }}',
        f'url = "https://a.example/"\nheaders = {{ Authorization = "Bearer {KEY}" }}',
        f'url = "https://a.example/"\nauth = {{ kind = "bearer", token = "{KEY}" }}',
        f'url = "https://a.example/"\nauth = {{ kind = "basic", user = "u", password = "{KEY}" }}',
        f'url = "https://a.example/"\nauth = {{ kind = "header", value = "{KEY}" }}',
    ],
)
def test_secrets_are_found_wherever_a_connection_can_hold_them(tmp_path: Path, line: str) -> None:
    text = _SOURCE.format(network="", connection="").replace("open311", "rest")
    text = text.replace('base_url = "https://elapor.example/v2"', line)
    text = text.partition("[simulated")[0]
    file = tmp_path / "elapor.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(PackError, match="holds a secret") as caught:
        registry.bind(read_source(file, {"diskominfo"}, set(), {}))
    assert KEY not in str(caught.value)


def test_what_opens_an_invented_department_is_no_secret(tmp_path: Path) -> None:
    text = _SOURCE.format(network="", connection="") + 'api_key = "demo"\n'
    file = tmp_path / "elapor.toml"
    file.write_text(text, encoding="utf-8")
    registry.bind(read_source(file, {"diskominfo"}, set(), {}, simulated=True))
