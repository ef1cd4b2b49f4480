"""Files from a real folder, a real web server and a real SFTP server, through every fault."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from connectors.tabular import CONNECTOR
from connectors.tabular.options import TabularOptions
from lawang.connector import Answer, Cursor
from lawang.domain.errors import NeedsPerson, RetryLater, SourceError
from tests.connectors.conftest import NOW, Reply, Request

_HEAD = "Kecamatan;Permohonan\n"


def _body(*counts: int) -> bytes:
    return (_HEAD + "".join(f"K{n};{count}\n" for n, count in enumerate(counts))).encode()


def _options(location: str | Path, **given: Any) -> TabularOptions:
    return TabularOptions.model_validate(
        {
            "location": str(location),
            "pattern": "*.csv",
            "name_regex": r"loket_(?P<hari>\d{4}-\d\d-\d\d)(?:_rev(?P<revision>\d+))?\.csv",
            "delivery": "{hari}",
            "yields": ("readings",),
            "fields": {"observed_at": "_name.hari", "subject": "Kecamatan"},
            "measures": {"permohonan": {"value": "Permohonan", "period": "day"}},
            **given,
        }
    )


def _put(folder: Path, name: str, body: bytes, hours_ago: float = 1) -> Path:
    file = folder / name
    file.write_bytes(body)
    then = (NOW - timedelta(hours=hours_ago)).timestamp()
    os.utime(file, (then, then))
    return file


class Poller:
    """Polls as the real one does: the cursor moves once everything is stored."""

    def __init__(self, options: TabularOptions, context: Any, **given: Any) -> None:
        self.options, self._context, self._given = options, context, given
        self.cursor = Cursor()

    async def poll_async(self, stop_after: int | None = None) -> list[Answer]:
        answers: list[Answer] = []
        remembered = dict(self.cursor.validators)
        async with self._context(**self._given) as context:
            fetched = CONNECTOR.fetch(self.options, self.cursor, context)
            async for answer in fetched:
                remembered |= answer.validators
                if answer.body:
                    answers.append(answer)
                if len(answers) == stop_after:
                    await fetched.aclose()  # type: ignore[attr-defined]
                    return answers
        self.cursor = replace(self.cursor, validators={k: v for k, v in remembered.items() if v})
        return answers

    def poll(self, **given: Any) -> list[Answer]:
        return asyncio.run(self.poll_async(**given))

    def values(self, answers: list[Answer]) -> list[tuple[str | None, list[float]]]:
        return [
            (each.delivery, [m.value for m in CONNECTOR.parse(self.options, each).measurements])
            for each in answers
        ]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "drop"
    made.mkdir()
    return made


@pytest.fixture
def poller(folder: Path, context: Any) -> Callable[..., Poller]:
    return lambda **given: Poller(_options(folder, **given), context)


# --- a folder ------------------------------------------------------------------------------------


def test_a_file_is_read_once(folder: Path, poller: Callable[..., Poller]) -> None:
    _put(folder, "loket_2026-11-20.csv", _body(3, 4))
    reader = poller()
    assert reader.values(reader.poll()) == [("2026-11-20", [3, 4])]
    assert reader.poll() == []


def test_a_touched_file_of_the_same_content_is_not_read_again(
    folder: Path, poller: Callable[..., Poller]
) -> None:
    _put(folder, "loket_2026-11-20.csv", _body(3))
    reader = poller()
    reader.poll()
    _put(folder, "loket_2026-11-20.csv", _body(3), hours_ago=0.5)
    assert reader.poll() == []
    assert reader.poll() == []


def test_a_corrected_file_is_the_same_delivery(folder: Path, poller: Callable[..., Poller]) -> None:
    _put(folder, "loket_2026-11-20.csv", _body(3), hours_ago=5)
    reader = poller()
    reader.poll()
    _put(folder, "loket_2026-11-20_rev2.csv", _body(30))
    assert reader.values(reader.poll()) == [("2026-11-20", [30])]


def test_of_two_versions_found_together_only_the_last_counts(
    folder: Path, poller: Callable[..., Poller]
) -> None:
    _put(folder, "loket_2026-11-20_rev10.csv", _body(10), hours_ago=9)
    _put(folder, "loket_2026-11-20_rev2.csv", _body(2), hours_ago=1)
    _put(folder, "loket_2026-11-20.csv", _body(1), hours_ago=0.5)
    reader = poller()
    assert reader.values(reader.poll()) == [("2026-11-20", [10])]
    assert reader.poll() == []


def test_a_broken_correction_replaces_nothing(folder: Path, poller: Callable[..., Poller]) -> None:
    _put(folder, "loket_2026-11-20.csv", _body(3), hours_ago=5)
    _put(folder, "loket_2026-11-20_rev2.csv", b"\x00\x01\x02" * 99)
    _put(folder, "loket_2026-11-21.csv", _body(7))
    reader = poller()
    answers = reader.poll()
    assert reader.values(answers) == [(None, []), ("2026-11-20", [3]), ("2026-11-21", [7])]
    (reject,) = CONNECTOR.parse(reader.options, answers[0]).rejects
    assert reject.reason == "bad_file"
    assert "loket_2026-11-20_rev2.csv" in reject.detail
    assert reader.poll() == []


def test_a_mended_file_is_read_again(folder: Path, poller: Callable[..., Poller]) -> None:
    _put(folder, "loket_2026-11-20.csv", b"id;x\n1;2\n")
    reader = poller()
    reader.poll()
    _put(folder, "loket_2026-11-20.csv", _body(3), hours_ago=0.5)
    assert reader.values(reader.poll()) == [("2026-11-20", [3])]


def test_a_poll_that_broke_off_is_repeated(folder: Path, poller: Callable[..., Poller]) -> None:
    for day in (18, 19, 20):
        _put(folder, f"loket_2026-11-{day}.csv", _body(day))
    reader = poller()
    reader.poll(stop_after=1)
    assert [each.delivery for each in reader.poll()] == ["2026-11-18", "2026-11-19", "2026-11-20"]


def test_the_newest_files_come_first_when_there_are_too_many(
    folder: Path, poller: Callable[..., Poller]
) -> None:
    for day in (17, 18, 19, 20):
        _put(folder, f"loket_2026-11-{day}.csv", _body(day), hours_ago=100 - day)
    reader = poller(max_files=2)
    assert [each.delivery for each in reader.poll()] == ["2026-11-19", "2026-11-20"]
    assert [each.delivery for each in reader.poll()] == ["2026-11-17", "2026-11-18"]


def test_a_file_that_was_changed_just_now_waits(
    folder: Path, poller: Callable[..., Poller]
) -> None:
    file = _put(folder, "loket_2026-11-20.csv", _body(3), hours_ago=0)
    reader = poller(settle_s=10)
    assert reader.poll() == []
    then = NOW.timestamp() - 11
    os.utime(file, (then, then))
    assert len(reader.poll()) == 1


def test_a_file_that_grows_while_it_is_read_waits(
    folder: Path, poller: Callable[..., Poller], monkeypatch: pytest.MonkeyPatch
) -> None:
    from connectors.tabular.places import FilePlace

    file = _put(folder, "loket_2026-11-20.csv", _body(3))
    find = FilePlace.find

    async def find_and_grow(self: FilePlace) -> Any:
        found = await find(self)
        with file.open("ab") as stream:
            stream.write(b"K1;4\n")
        return found

    reader = poller()
    with monkeypatch.context() as patch:
        patch.setattr(FilePlace, "find", find_and_grow)
        assert reader.poll() == []
    then = NOW.timestamp() - 60
    os.utime(file, (then, then))
    assert reader.values(reader.poll()) == [("2026-11-20", [3, 4])]


def test_with_a_done_file_only_what_is_done_counts(
    folder: Path, poller: Callable[..., Poller]
) -> None:
    _put(folder, "loket_2026-11-20.csv", _body(3), hours_ago=0)
    reader = poller(done_suffix=".done")
    assert reader.poll() == []
    _put(folder, "loket_2026-11-20.csv.done", b"")
    assert len(reader.poll()) == 1


@pytest.mark.parametrize("name", ["~$loket.csv", ".loket.csv", "loket.csv.part", "catatan.csv"])
def test_other_names_are_left_alone(folder: Path, poller: Callable[..., Poller], name: str) -> None:
    _put(folder, name, _body(3))
    assert poller(pattern="*").poll() == []


def test_a_link_out_of_the_folder_is_refused(
    folder: Path, tmp_path: Path, poller: Callable[..., Poller]
) -> None:
    secret = _put(tmp_path, "secret.csv", _body(3))
    (folder / "loket_2026-11-20.csv").symlink_to(secret)
    reader = poller()
    (answer,) = reader.poll()
    parsed = CONNECTOR.parse(reader.options, answer)
    assert parsed.measurements == []
    assert "a link that leads elsewhere" in parsed.rejects[0].detail
    assert reader.poll() == []


def test_a_file_that_is_too_large_does_not_stop_the_others(
    folder: Path, poller: Callable[..., Poller]
) -> None:
    _put(folder, "loket_2026-11-19.csv", _body(*range(2_000)), hours_ago=5)
    _put(folder, "loket_2026-11-20.csv", _body(3))
    reader = poller(max_bytes=1_000)
    large, small = reader.poll()
    assert "max_bytes" in CONNECTOR.parse(reader.options, large).rejects[0].detail
    assert reader.values([small]) == [("2026-11-20", [3])]


def test_files_are_moved_only_once_they_are_stored(
    folder: Path, poller: Callable[..., Poller]
) -> None:
    _put(folder, "loket_2026-11-20.csv", _body(3), hours_ago=5)
    _put(folder, "loket_2026-11-20_rev2.csv", _body(4))
    reader = poller(after="move:selesai")
    reader.poll(stop_after=1)
    assert len(list(folder.glob("*.csv"))) == 2
    reader.poll()
    assert list(folder.glob("*.csv")) == []
    assert len(list((folder / "selesai").glob("*.csv"))) == 2
    assert reader.poll() == []
    assert not any(key.startswith("file:") for key in reader.cursor.validators)


def test_files_are_deleted_where_that_is_configured(
    folder: Path, poller: Callable[..., Poller]
) -> None:
    _put(folder, "loket_2026-11-20.csv", _body(3))
    poller(after="delete").poll()
    assert list(folder.iterdir()) == []


def test_a_department_that_has_fallen_silent_is_told(
    folder: Path, poller: Callable[..., Poller]
) -> None:
    reader = poller(silent_after_s=3_600)
    with pytest.raises(RetryLater, match="silent: no file has come yet"):
        reader.poll()
    _put(folder, "loket_2026-11-20.csv", _body(3), hours_ago=2)
    assert len(reader.poll()) == 1
    with pytest.raises(RetryLater, match="silent: no new file since 2026-11-21 10:00"):
        reader.poll()


def test_a_share_that_is_gone_is_unreachable(tmp_path: Path, context: Any) -> None:
    with pytest.raises(RetryLater, match="mounted") as caught:
        Poller(_options(tmp_path / "nothing"), context).poll()
    assert caught.value.kind == "unreachable"


def test_files_in_folders_below_are_found_by_the_pattern(
    folder: Path, poller: Callable[..., Poller]
) -> None:
    (folder / "kemuning").mkdir()
    _put(folder / "kemuning", "loket_2026-11-20.csv", _body(3))
    (answer,) = poller(pattern="*/loket_*.csv").poll()
    assert answer.kind == "kemuning/loket_2026-11-20.csv"


def test_a_mark_in_the_folder_marks_all_of_it_as_simulated(
    folder: Path, poller: Callable[..., Poller]
) -> None:
    _put(folder, "loket_2026-11-20.csv", _body(3))
    assert [each.simulated for each in poller().poll()] == [False]
    _put(folder, "_simulated", b"")
    assert [each.simulated for each in poller().poll()] == [True]


# --- a web server --------------------------------------------------------------------------------

_FILE = "loket_2026-11-20.csv"
_CSV = {"Content-Type": "text/csv", "ETag": '"1"'}


def _web(
    serve: Any, context: Any, handler: Callable[[Request], Reply], path: str, **given: Any
) -> tuple[list[Any], list[str]]:
    async def run() -> tuple[list[Any], list[str]]:
        async with serve(handler) as site:
            reader = Poller(_options(f"http://127.0.0.1:{site.port}{path}"), context, **given)
            found = [reader.values(await reader.poll_async()) for _ in range(2)]
            return found, [request.path for request in site.requests]

    return asyncio.run(run())


def test_one_file_of_a_web_server_is_asked_for_with_its_etag(serve: Any, context: Any) -> None:
    def handler(request: Request) -> Reply:
        if request.headers.get("if-none-match") == '"1"':
            return Reply(status=304)
        return Reply(_body(3), headers=_CSV)

    found, _ = _web(serve, context, handler, f"/{_FILE}")
    assert found == [[("2026-11-20", [3])], []]


def test_links_of_an_index_page_are_followed_within_its_folder(serve: Any, context: Any) -> None:
    page = (
        f'<a href="../">up</a> <a href="{_FILE}">x</a> <a href="/other/{_FILE}">y</a>'
        f'<a href="http://127.0.0.1:1/drop/{_FILE}">z</a> <a href="catatan.txt">n</a>'
    )

    def handler(request: Request) -> Reply:
        if request.path == "/drop/":
            return Reply(page, headers={"Content-Type": "text/html"})
        return Reply(_body(3), headers=_CSV)

    found, asked = _web(serve, context, handler, "/drop/")
    assert found == [[("2026-11-20", [3])], []]
    assert asked == ["/drop/", f"/drop/{_FILE}"] * 2


@pytest.mark.parametrize(
    ("status", "kind"), [(401, "refused"), (404, "not_found"), (500, "bad_status")]
)
def test_a_failing_web_server_is_told(serve: Any, context: Any, status: int, kind: str) -> None:
    with pytest.raises(SourceError) as caught:
        _web(serve, context, lambda _: Reply(status=status), f"/{_FILE}")
    assert caught.value.kind == kind


def test_a_login_page_in_place_of_a_file_is_garbage(serve: Any, context: Any) -> None:
    page = Reply("<html>Masuk</html>", headers={"Content-Type": "text/html"})
    with pytest.raises(RetryLater, match="garbage"):
        _web(serve, context, lambda _: page, f"/{_FILE}")


def test_a_file_that_breaks_off_is_not_read(serve: Any, context: Any) -> None:
    cut = Reply(_body(3), headers={**_CSV, "Content-Length": "9999"})
    with pytest.raises(RetryLater, match="unreachable"):
        _web(serve, context, lambda _: cut, f"/{_FILE}")


def test_a_host_that_is_not_allowed_is_not_asked(serve: Any, context: Any) -> None:
    with pytest.raises(NeedsPerson, match="host_not_allowed"):
        _web(serve, context, lambda _: Reply(_body(3)), f"/{_FILE}", allowed=())


# --- SFTP ----------------------------------------------------------------------------------------


class _Server(asyncssh.SSHServer):
    def __init__(self, connections: list[asyncssh.SSHServerConnection]) -> None:
        self._connections = connections

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connections.append(conn)

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == ("lawang", "kata-sandi")


@asynccontextmanager
async def _sftp(
    folder: Path, factory: type[asyncssh.SFTPServer] = asyncssh.SFTPServer
) -> AsyncIterator[tuple[str, str]]:
    key = asyncssh.generate_private_key("ssh-ed25519")
    connections: list[asyncssh.SSHServerConnection] = []
    server = await asyncssh.listen(
        "127.0.0.1",
        0,
        server_factory=lambda: _Server(connections),
        server_host_keys=[key],
        sftp_factory=lambda chan: factory(chan, chroot=os.fsencode(folder)),
    )
    try:
        address = f"sftp://127.0.0.1:{server.get_port()}/"
        yield address, key.get_fingerprint()
    finally:
        server.close()
        for each in connections:
            each.abort()
            await each.wait_closed()
        await server.wait_closed()


def _over_sftp(
    folder: Path,
    context: Any,
    look: Callable[[Poller], Awaitable[Any]],
    factory: type[asyncssh.SFTPServer] = asyncssh.SFTPServer,
    **given: Any,
) -> Any:
    async def run() -> Any:
        async with _sftp(folder, factory) as (address, fingerprint):
            own = {"user": "lawang", "password": "kata-sandi", "host_key": fingerprint, **given}
            timeout_s = own.pop("timeout_s", 10)
            location = own.pop("location", address)
            reader = Poller(_options(location, **own), context, timeout_s=timeout_s)
            return await look(reader)

    return asyncio.run(run())


def test_files_come_over_sftp_once(folder: Path, context: Any) -> None:
    _put(folder, _FILE, _body(3, 4))

    async def look(reader: Poller) -> Any:
        return [reader.values(await reader.poll_async()) for _ in range(2)]

    assert _over_sftp(folder, context, look) == [[("2026-11-20", [3, 4])], []]


def test_files_are_moved_over_sftp(folder: Path, context: Any) -> None:
    _put(folder, _FILE, _body(3))
    _over_sftp(folder, context, Poller.poll_async, after="move:selesai")
    assert (folder / "selesai" / _FILE).exists()
    assert not (folder / _FILE).exists()


@pytest.mark.parametrize(
    ("given", "kind", "words"),
    [
        ({"password": "salah"}, "refused", "not accepted"),
        ({"host_key": "SHA256:" + "A" * 43}, "refused", "its key is SHA256:"),
        ({"key_file": "/nowhere/key"}, "refused", "key_file cannot be read"),
        ({"location": "sftp://127.0.0.1:1/"}, "unreachable", "no connection"),
        ({"location": "sftp://elsewhere.example/"}, "host_not_allowed", "elsewhere.example:22"),
    ],
)
def test_what_goes_wrong_over_sftp_is_told_without_secrets(
    folder: Path, context: Any, given: dict[str, str], kind: str, words: str
) -> None:
    with pytest.raises(SourceError, match=words) as caught:
        _over_sftp(folder, context, Poller.poll_async, **given)
    assert caught.value.kind == kind
    assert "salah" not in str(caught.value)


def test_a_server_with_another_key_than_in_known_hosts_is_refused(
    folder: Path, tmp_path: Path, context: Any
) -> None:
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()

    async def look(reader: Poller) -> Any:
        port = reader.options.location.rpartition(":")[2].strip("/")
        known = tmp_path / "known_hosts"
        known.write_text(f"[127.0.0.1]:{port} {other}", encoding="ascii")
        reader.options = reader.options.model_copy(
            update={"known_hosts": str(known), "host_key": ""}
        )
        return await reader.poll_async()

    with pytest.raises(NeedsPerson, match="not the one in known_hosts"):
        _over_sftp(folder, context, look)


class _Dropping(asyncssh.SFTPServer):
    """Hangs up in the middle of a file."""

    def read(self, file_obj: object, offset: int, size: int) -> bytes:
        self.channel.get_connection().abort()
        raise asyncssh.SFTPConnectionLost("gone")


def test_a_connection_that_is_cut_in_the_middle_is_unreachable(folder: Path, context: Any) -> None:
    _put(folder, _FILE, _body(*range(50_000)))
    with pytest.raises(RetryLater) as caught:
        _over_sftp(folder, context, Poller.poll_async, _Dropping)
    assert caught.value.kind == "unreachable"


class _Stalling(asyncssh.SFTPServer):
    """Takes a file's request and never answers it."""

    async def read(self, file_obj: Any, offset: int, size: int) -> bytes:
        try:
            await asyncio.Event().wait()
        finally:
            file_obj.close()
        raise AssertionError


def test_a_server_that_stalls_is_given_up(folder: Path, context: Any) -> None:
    _put(folder, _FILE, _body(3))
    with pytest.raises(RetryLater) as caught:
        _over_sftp(folder, context, Poller.poll_async, _Stalling, timeout_s=1.5)
    assert caught.value.kind == "timeout"
