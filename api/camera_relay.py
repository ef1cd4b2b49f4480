"""What cameras show, handed on to browsers: each thing is asked for once, however many look at it.

The address is the one that a camera's source stated, or one that the camera's own playlist names.
It is asked by a client that holds the source's network policy, in every redirect too; nothing that
a browser sends can become an address.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

import httpx
import structlog
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from api.playlist import NotAPlaylist, Part, Rewritten, rewrite
from lawang.city import City, Source
from lawang.domain.errors import SourceError, StoreError
from lawang.domain.position import Position, PositionStatus
from lawang.store.history import History

log = structlog.get_logger(__name__)

#: The kind of position that cameras are; a pack's maps lead to it.
KIND = "kamera"
OpenClient = Callable[[Source], httpx.AsyncClient]
Shows = Literal["stream", "still", "nothing"]

_DIRECTORY_KEPT_S = 5.0
#: What failed is not asked for again sooner: ten walls must not knock at a dead camera's door.
_FAILURE_KEPT_S = 3.0
_CACHE_BYTES = 96_000_000
#: Names of one camera's stream that are remembered; older ones are found anew in its playlists.
_NAMES_KEPT = 400
_VARIANTS_MAX = 8
_REDIRECTS_MAX = 3
_CLIENTS_MAX = 256
_AT_ONCE = 64
_PICTURE_ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".gif")
_PICTURES = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF8", "image/gif"),
)
_RANGE = re.compile(r"bytes=(\d{1,12})-(\d{1,12})", re.ASCII)
_CONTENT_RANGE = re.compile(r"bytes \d{1,12}-\d{1,12}/(\d{1,12}|\*)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Camera:
    """A camera as its source last told of it. `link` may hold a key: it is never shown."""

    id: str
    name: str
    source_id: str
    owner: str | None
    status: PositionStatus
    shows: Shows
    link: str = field(repr=False)


class CameraError(Exception):
    """Why a camera shows nothing: an HTTP status and a sentence; names no address."""

    def __init__(self, status: int, kind: str, sentence: str) -> None:
        self.status = status
        self.kind = kind
        super().__init__(sentence)


@dataclass(frozen=True, slots=True)
class Shown:
    """Some bytes of what a camera shows. `content_range` is set where it is a part of a file."""

    body: bytes
    content_type: str
    content_range: str = ""


@dataclass(frozen=True, slots=True)
class _Limit:
    """How much, how long in seconds, and how long an answer is good for all who ask."""

    max_bytes: int
    timeout_s: float
    kept_s: float


_PLAYLIST = _Limit(1_000_000, 8.0, 1.0)
_SEGMENT = _Limit(16_000_000, 15.0, 20.0)
_STILL = _Limit(6_000_000, 8.0, 3.0)


@dataclass(slots=True, eq=False)
class _Fetched:
    url: httpx.URL
    body: bytes
    content_range: str = ""
    #: Of a playlist, for all who are given this answer.
    rewritten: Rewritten | None = None


@dataclass(frozen=True, slots=True)
class _Kept:
    until: float
    outcome: _Fetched | CameraError

    @property
    def size(self) -> int:
        return len(self.outcome.body) if isinstance(self.outcome, _Fetched) else 0


_Key = tuple[str, str, str]


class CameraRelay(Collector):
    """One a web process; belongs to its event loop. `clock` counts seconds, from anywhere."""

    def __init__(
        self,
        city: City,
        history: History,
        open_client: OpenClient,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._city = city
        self._history = history
        self._open_client = open_client
        self._clock = clock
        self._cameras: dict[str, Camera] = {}
        self._read_at: float | None = None
        self._reading = asyncio.Lock()
        self._clients: OrderedDict[tuple[str, str], httpx.AsyncClient] = OrderedDict()
        self._closing: set[asyncio.Task[None]] = set()
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._cache: OrderedDict[_Key, _Kept] = OrderedDict()
        self._cached_bytes = 0
        self._asking: dict[_Key, asyncio.Task[_Fetched | CameraError]] = {}
        self._names: dict[str, OrderedDict[str, Part]] = {}
        self._failing: dict[str, str] = {}
        self._answers = {"camera": 0, "cache": 0, "failed": 0}
        self._bytes_read = 0

    async def cameras(self) -> list[Camera]:
        """All cameras that the city's sources told of. Raises StoreError where none can be read."""
        await self._read_directory()
        return list(self._cameras.values())

    async def playlist(self, camera_id: str) -> Shown:
        """The camera's playlist. Raises CameraError and StoreError, as all of these do."""
        camera = await self._find(camera_id, "stream")
        rewritten = await self._load(camera, httpx.URL(camera.link))
        return Shown(rewritten.text.encode(), "application/vnd.apple.mpegurl")

    async def part(self, camera_id: str, name: str, asked_range: str = "") -> Shown:
        """What a playlist of the camera calls `name`; of a piece only the `Range` asked for."""
        camera = await self._find(camera_id, "stream")
        part = await self._find_part(camera, name)
        if part.is_playlist:
            rewritten = await self._load(camera, part.url)
            return Shown(rewritten.text.encode(), "application/vnd.apple.mpegurl")
        wanted = _RANGE.fullmatch(asked_range)
        fetched = await self._ask(camera, part.url, _SEGMENT, wanted[0] if wanted else "")
        # Whatever it says it is: pieces are bytes for a player, never a page or a script.
        return Shown(fetched.body, "application/octet-stream", fetched.content_range)

    async def still(self, camera_id: str) -> Shown:
        """The camera's picture, for those whose link is one."""
        camera = await self._find(camera_id, "still")
        body = (await self._ask(camera, httpx.URL(camera.link), _STILL)).body
        kind = _picture_type(body)
        if kind is None:
            raise self._told(camera, _error("no_picture"))
        self._well(camera)
        return Shown(body, kind)

    async def close(self) -> None:
        """Close every connection to cameras."""
        for task in list(self._asking.values()):
            task.cancel()
        while self._clients:
            await self._clients.popitem()[1].aclose()

    def collect(self) -> Iterator[Metric]:
        """Figures for Prometheus."""
        answers = CounterMetricFamily(
            "lawang_camera_answers",
            "What was asked of cameras, by who answered: the camera, the cache, or nobody (failed)",
            labels=["by"],
        )
        for by, count in self._answers.items():
            answers.add_metric([by], count)
        yield answers
        yield CounterMetricFamily(
            "lawang_camera_read_bytes", "Bytes read from cameras", self._bytes_read
        )
        yield GaugeMetricFamily(
            "lawang_camera_cached_bytes", "Bytes of cameras in memory", self._cached_bytes
        )
        yield GaugeMetricFamily(
            "lawang_camera_failing", "Cameras whose last answer was a failure", len(self._failing)
        )

    # --- which camera, which part ----------------------------------------------------------------

    async def _read_directory(self) -> None:
        async with self._reading:
            if self._read_at is not None and self._clock() - self._read_at < _DIRECTORY_KEPT_S:
                return
            try:
                found = await asyncio.to_thread(self._history.records.positions, (), (KIND,))
            except StoreError:
                if self._read_at is None:
                    raise
                # Cameras do not move: what was known goes on being shown.
                self._read_at = self._clock()
                return
            self._cameras = {each.id: self._camera_of(each) for each in found}
            self._read_at = self._clock()
            for gone in self._names.keys() - self._cameras.keys():
                del self._names[gone]
            for gone in self._failing.keys() - self._cameras.keys():
                del self._failing[gone]

    def _camera_of(self, position: Position) -> Camera:
        link = position.link or ""
        known = position.source_id in self._city.sources
        return Camera(
            id=position.id,
            name=position.name or position.external_id,
            source_id=position.source_id,
            owner=position.owner,
            status=position.status,
            shows=_shown_by(link) if known else "nothing",
            link=link,
        )

    async def _find(self, camera_id: str, shows: Shows) -> Camera:
        await self._read_directory()
        camera = self._cameras.get(camera_id)
        if camera is None:
            raise CameraError(404, "unknown", "There is no camera with this id.")
        if camera.shows == "nothing":
            raise CameraError(404, "private", "This camera shows nothing to us: it has no link.")
        if camera.shows != shows:
            gives = "a stream and no still picture" if shows == "still" else "stills, no stream"
            raise CameraError(404, "other", f"This camera gives {gives}.")
        return camera

    async def _find_part(self, camera: Camera, name: str) -> Part:
        """The address behind a name: one that a playlist of this camera states, or none."""
        known: Mapping[str, Part] = self._names.get(camera.id, {})
        if name not in known:
            # Another process may have given the name out.
            root = await self._load(camera, httpx.URL(camera.link))
            nested = [part.url for part in root.parts.values() if part.is_playlist]
            for url in nested[:_VARIANTS_MAX]:
                if name in self._names[camera.id]:
                    break
                await self._load(camera, url)
            known = self._names[camera.id]
        if name not in known:
            raise CameraError(404, "gone", "This is not (or no longer) a part of the stream.")
        return known[name]

    async def _load(self, camera: Camera, url: httpx.URL) -> Rewritten:
        fetched = await self._ask(camera, url, _PLAYLIST)
        rewritten = fetched.rewritten
        if rewritten is None:
            try:
                rewritten = fetched.rewritten = rewrite(fetched.body, fetched.url)
            except NotAPlaylist:
                raise self._told(camera, _error("no_playlist")) from None
        self._well(camera)
        names = self._names.setdefault(camera.id, OrderedDict())
        for name, part in rewritten.parts.items():
            names[name] = part
            names.move_to_end(name)
        while len(names) > max(_NAMES_KEPT, 2 * len(rewritten.parts)):
            names.popitem(last=False)
        return rewritten

    # --- asking once for all ---------------------------------------------------------------------

    async def _ask(
        self, camera: Camera, url: httpx.URL, limit: _Limit, wanted: str = ""
    ) -> _Fetched:
        key = (camera.id, str(url.copy_with(userinfo=b"")), wanted)
        kept = self._cache.get(key)
        if kept is not None and kept.until > self._clock():
            self._answers["cache"] += 1
            return _given(kept.outcome)
        task = self._asking.get(key)
        if task is None:
            task = asyncio.create_task(self._fetch_and_keep(key, camera, url, limit, wanted))
            self._asking[key] = task
            task.add_done_callback(lambda _done: self._asking.pop(key, None))
        else:
            self._answers["cache"] += 1
        # One who leaves must not take the answer away from the others who wait for it.
        return _given(await asyncio.shield(task))

    async def _fetch_and_keep(
        self, key: _Key, camera: Camera, url: httpx.URL, limit: _Limit, wanted: str
    ) -> _Fetched | CameraError:
        outcome: _Fetched | CameraError
        try:
            async with asyncio.timeout(limit.timeout_s), self._slots:
                outcome = await self._fetch(camera, url, limit.max_bytes, wanted)
        except CameraError as error:
            outcome = error
        except SourceError as error:
            outcome = _error(error.kind, error.detail)
        except (TimeoutError, httpx.TimeoutException):
            outcome = _error("timeout", f"{limit.timeout_s:g} s")
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError):
            outcome = _error("unreachable")
        kept_s = limit.kept_s
        if isinstance(outcome, CameraError):
            self._answers["failed"] += 1
            kept_s = _FAILURE_KEPT_S
            # A piece may be gone by the time it is asked for: the camera is well all the same.
            if limit is not _SEGMENT:
                self._told(camera, outcome)
        else:
            self._answers["camera"] += 1
            self._bytes_read += len(outcome.body)
        self._keep(key, _Kept(self._clock() + kept_s, outcome))
        return outcome

    def _told(self, camera: Camera, error: CameraError) -> CameraError:
        """The error, logged if it is the first since the camera worked."""
        if camera.id not in self._failing:
            self._failing[camera.id] = error.kind
            log.warning("camera fails", camera=camera.id, kind=error.kind)
        return error

    def _well(self, camera: Camera) -> None:
        if self._failing.pop(camera.id, None) is not None:
            log.info("camera recovered", camera=camera.id)

    def _keep(self, key: _Key, kept: _Kept) -> None:
        self._forget(key)
        now = self._clock()
        for old in [each for each, one in self._cache.items() if one.until <= now]:
            self._forget(old)
        self._cache[key] = kept
        self._cached_bytes += kept.size
        while self._cached_bytes > _CACHE_BYTES:
            self._forget(next(iter(self._cache)))

    def _forget(self, key: _Key) -> None:
        old = self._cache.pop(key, None)
        self._cached_bytes -= old.size if old is not None else 0

    # --- one request -----------------------------------------------------------------------------

    async def _fetch(self, camera: Camera, url: httpx.URL, max_bytes: int, wanted: str) -> _Fetched:
        """Ask, following redirects; the client refuses hosts that the source may not ask."""
        for _ in range(_REDIRECTS_MAX + 1):
            client = self._client_for(camera.source_id, url)
            headers = {"Accept": "*/*", "Accept-Encoding": "identity"}
            if wanted:
                headers["Range"] = wanted
            request = client.build_request("GET", url, headers=headers)
            response = await client.send(request, stream=True)
            try:
                if not response.has_redirect_location:
                    return await _read(response, url, max_bytes, wanted)
                url = _redirected(url, response.headers["location"])
            finally:
                await response.aclose()
        raise _error("redirected")

    def _client_for(self, source_id: str, url: httpx.URL) -> httpx.AsyncClient:
        """One client a host: a camera that hangs takes only its own host's connections."""
        key = source_id, f"{url.host}:{url.port}"
        client = self._clients.get(key)
        if client is None:
            client = self._clients[key] = self._open_client(self._city.sources[source_id])
            if len(self._clients) > _CLIENTS_MAX:
                closing = asyncio.create_task(self._clients.popitem(last=False)[1].aclose())
                self._closing.add(closing)
                closing.add_done_callback(self._closing.discard)
        self._clients.move_to_end(key)
        return client


def _given(outcome: _Fetched | CameraError) -> _Fetched:
    if isinstance(outcome, CameraError):
        # Several wait for one: each is given its own, as an exception remembers who raised it.
        raise CameraError(outcome.status, outcome.kind, str(outcome))
    return outcome


async def _read(response: httpx.Response, url: httpx.URL, max_bytes: int, wanted: str) -> _Fetched:
    if not response.is_success:
        raise _error("bad_status", str(response.status_code))
    if response.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise _error("garbage")
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > max_bytes:
            raise _error("too_large")
    if not wanted:
        return _Fetched(url, bytes(body))
    if response.status_code == 206:
        stated = response.headers.get("content-range", "")
        if not _CONTENT_RANGE.fullmatch(stated):
            raise _error("garbage")
        return _Fetched(url, bytes(body), stated)
    # A server that knows no ranges sent the whole file.
    found = _RANGE.fullmatch(wanted)
    first, last = (int(found[1]), int(found[2])) if found else (0, 0)
    part = bytes(body[first : last + 1])
    if not part:
        raise _error("garbage")
    return _Fetched(url, part, f"bytes {first}-{first + len(part) - 1}/{len(body)}")


def _redirected(asked: httpx.URL, location: str) -> httpx.URL:
    """Where a redirect leads; never off TLS, and never with a user in it."""
    target = asked.join(location)
    downgraded = asked.scheme == "https" and target.scheme != "https"
    own = (target.scheme, target.host, target.port) == (asked.scheme, asked.host, asked.port)
    if downgraded or (target.userinfo and not own):
        raise _error("redirected")
    return target


def _shown_by(link: str) -> Shows:
    try:
        split = urlsplit(link)
        usable = split.scheme in ("http", "https") and bool(httpx.URL(link).host)
    except (ValueError, httpx.InvalidURL):
        usable = False
    if not usable:
        return "nothing"
    return "still" if split.path.lower().endswith(_PICTURE_ENDINGS) else "stream"


def _picture_type(body: bytes) -> str | None:
    if body[:4] == b"RIFF" and body[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for start, kind in _PICTURES if body.startswith(start)), None)


def _error(kind: str, detail: str = "") -> CameraError:
    """The sentence for each way in which a camera fails; of `detail` only a number is used."""
    status, sentence = {
        "timeout": (504, f"The camera gave no whole answer within {detail}."),
        "bad_status": (502, f"The camera's server answered {detail}: see whether it still runs."),
        "garbage": (502, "The camera's server answered what cannot be read."),
        "too_large": (502, "The camera's server answered more than a picture or segment has."),
        "redirected": (502, "The camera's server redirects to where we do not follow."),
        "no_playlist": (
            502,
            "The camera's link leads to no HLS playlist. Correct it at the source.",
        ),
        "no_picture": (502, "The camera's link leads to no JPEG, PNG, WebP or GIF picture."),
        "host_not_allowed": (
            502,
            "The camera's host is not one that its source may ask. "
            "Add it to `hosts` in the [network] table of the source's file.",
        ),
        "private_address": (
            502,
            "The camera's host leads into a private network. If that is right, set "
            "`private = true` in the [network] table of the source's file.",
        ),
    }.get(kind, (502, "The camera's server cannot be reached."))
    return CameraError(status, kind, sentence)
