"""The pictures of the ground beneath the map, where `LAWANG_TILES` names some.

A `.pmtiles` or `.mbtiles` file with pictures (png, jpg, webp), the address of a tile server with
`{z}/{x}/{y}` in it, or `wms:` before the address of a map server. `read_tiles` says at start what
cannot be used; a file is read here, a server is asked by the web process (`api.tiles`), so that a
browser never leaves our host. Addresses may carry a key: no error repeats one.
"""

from __future__ import annotations

import contextlib
import math
import re
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from pmtiles import reader as pmtiles

from lawang.domain.errors import SettingsError
from lawang.settings import Settings

#: The deepest zoom that any address may have.
MAX_ZOOM = 22
_NAME = "LAWANG_TILES"
_WAYS = (
    "Give the path of a .pmtiles or .mbtiles file with pictures, an address such as "
    "https://tiles.example.go.id/{z}/{x}/{y}.png, or "
    "wms:https://maps.example.go.id/wms?layers=a,b; leave it empty for the lines of the pack alone."
)
_HALF_M = math.pi * 6378137
_SIDE = 256
_OURS = ("service", "request", "version", "srs", "crs", "bbox", "width", "height")


@dataclass(frozen=True, slots=True)
class TileFacts:
    """What the map has to know: the text to show, without markup, and the zooms that exist."""

    attribution: str = ""
    min_zoom: int = 0
    max_zoom: int = 18


class TileFile(Protocol):
    """A file of pictures. `read` blocks; it gives None where the file has no such picture."""

    facts: TileFacts

    def read(self, z: int, x: int, y: int) -> bytes | None: ...


@dataclass(frozen=True, slots=True)
class TileServer:
    """A server of pictures; `address` gives that of one of them."""

    facts: TileFacts
    address: Callable[[int, int, int], str]


Tiles = TileFile | TileServer


def read_tiles(settings: Settings) -> Tiles | None:
    """What the settings name, or None. Raises SettingsError with what to do about it."""
    given = settings.tiles.get_secret_value().strip()
    own = settings.tiles_attribution.strip()
    if not given:
        return None
    if given.startswith("wms:"):
        return TileServer(TileFacts(own), _wms(given.removeprefix("wms:")))
    if "://" in given:
        return TileServer(TileFacts(own), _xyz(given))
    file = Path(given)
    readers: dict[str, Callable[[Path, str], TileFile]] = {
        ".pmtiles": _Pmtiles,
        ".mbtiles": _Mbtiles,
    }
    if file.suffix.lower() not in readers:
        raise SettingsError(f"{_NAME} is neither a file nor an address that is known. {_WAYS}")
    if not file.is_file():
        raise SettingsError(f"{_NAME}: there is no file {file}. {_WAYS}")
    return readers[file.suffix.lower()](file, own)


def content_type(picture: bytes) -> str | None:
    """What a picture is by its first bytes; None for what is none that browsers draw safely."""
    if picture.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if picture.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if picture[:4] == b"RIFF" and picture[8:12] == b"WEBP":
        return "image/webp"
    return None


def is_tile(z: int, x: int, y: int) -> bool:
    """Whether there can be such a tile."""
    return 0 <= z <= MAX_ZOOM and 0 <= x < 1 << z and 0 <= y < 1 << z


# --- files -------------------------------------------------------------------------------------


class _Pmtiles:
    """PMTiles version 3, mapped into memory: github.com/protomaps/PMTiles."""

    def __init__(self, file: Path, attribution: str) -> None:
        try:
            with file.open("rb") as opened:
                self._reader: Any = _open_reader(opened)
            header = self._reader.header()
            metadata = self._reader.metadata()
            kind = header["tile_type"].name
        except Exception as error:
            # Whatever the library stumbles over, the file is not what it is called.
            raise SettingsError(
                f"{_NAME}: {file} is no PMTiles file of version 3. {_WAYS}"
            ) from error
        _refuse_vector(file, kind in ("MVT", "MLT"))
        if kind not in ("PNG", "JPEG", "WEBP"):
            raise SettingsError(f"{_NAME}: {file} holds {kind} tiles, which are not drawn. {_WAYS}")
        self.facts = TileFacts(
            attribution or plain_text(str(metadata.get("attribution") or "")),
            int(header["min_zoom"]),
            int(header["max_zoom"]),
        )

    def read(self, z: int, x: int, y: int) -> bytes | None:
        found: bytes | None = self._reader.get(z, x, y)
        return found


class _Mbtiles:
    """MBTiles 1.3, an SQLite file whose rows count from the south: mapbox/mbtiles-spec."""

    def __init__(self, file: Path, attribution: str) -> None:
        self._lock = threading.Lock()
        try:
            self._connection = sqlite3.connect(
                f"{file.resolve().as_uri()}?mode=ro&immutable=1", uri=True, check_same_thread=False
            )
            metadata = dict(self._connection.execute("SELECT name, value FROM metadata"))
            zooms = self._connection.execute(
                "SELECT min(zoom_level), max(zoom_level) FROM tiles"
            ).fetchone()
            first = self._connection.execute("SELECT tile_data FROM tiles LIMIT 1").fetchone()
        except sqlite3.Error as error:
            raise SettingsError(f"{_NAME}: {file} is no MBTiles file. {_WAYS}") from error
        if first is None:
            raise SettingsError(f"{_NAME}: {file} holds no tiles. {_WAYS}")
        _refuse_vector(file, metadata.get("format") == "pbf")
        if content_type(bytes(first[0])) is None:
            raise SettingsError(
                f"{_NAME}: {file} holds tiles that are no png, jpg or webp. {_WAYS}"
            )
        self.facts = TileFacts(
            attribution or plain_text(metadata.get("attribution") or ""), *map(int, zooms)
        )

    def read(self, z: int, x: int, y: int) -> bytes | None:
        with self._lock:
            row = self._connection.execute(
                "SELECT tile_data FROM tiles"
                " WHERE zoom_level = ? AND tile_column = ? AND tile_row = ?",
                (z, x, (1 << z) - 1 - y),
            ).fetchone()
        return None if row is None else bytes(row[0])


def _open_reader(opened: Any) -> Any:
    # The library states no types.
    library: Any = pmtiles
    return library.Reader(library.MmapSource(opened))


def _refuse_vector(file: Path, is_vector: bool) -> None:
    if is_vector:
        raise SettingsError(
            f"{_NAME}: {file} holds vector tiles, which are not drawn here. Give one with pictures "
            "(png, jpg, webp), or leave it empty for the lines of the pack alone."
        )


class _Plain(HTMLParser):
    """The text of a piece of HTML: attributions of tile files are often links."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []

    def handle_data(self, data: str) -> None:
        self.parts.append(data)


def plain_text(html: str, most: int = 160) -> str:
    """The words of an attribution, without markup and not longer than a line."""
    parser = _Plain()
    parser.feed(html)
    return " ".join("".join(parser.parts).split())[:most]


# --- servers -----------------------------------------------------------------------------------


def _xyz(template: str) -> Callable[[int, int, int], str]:
    _check_address(re.sub(r"\{[^}]*\}", "0", template))
    names = re.findall(r"\{([^}]*)\}", template)
    if sorted(names) != ["x", "y", "z"]:
        raise SettingsError(
            f"{_NAME}: the address must have {{z}}, {{x}} and {{y}} once each and no other braces. "
            f"{_WAYS}"
        )
    if "{" in urlsplit(template).netloc:
        raise SettingsError(f"{_NAME}: the host of the address must be a fixed one. {_WAYS}")

    def address(z: int, x: int, y: int) -> str:
        return template.replace("{z}", str(z)).replace("{x}", str(x)).replace("{y}", str(y))

    return address


def _wms(given: str) -> Callable[[int, int, int], str]:
    parts = _check_address(given)
    own = {name: value for name, value in parse_qsl(parts.query) if name.lower() not in _OURS}
    if not any(name.lower() == "layers" and value for name, value in own.items()):
        raise SettingsError(f"{_NAME}: the address of a map server must name its layers. {_WAYS}")
    fixed: dict[str, Any] = {
        **({} if _has(own, "styles") else {"styles": ""}),
        **({} if _has(own, "format") else {"format": "image/png", "transparent": "true"}),
        **own,
        "service": "WMS",
        "version": "1.1.1",
        "request": "GetMap",
        "srs": "EPSG:3857",
        "width": _SIDE,
        "height": _SIDE,
    }

    def address(z: int, x: int, y: int) -> str:
        side = 2 * _HALF_M / (1 << z)
        west, north = x * side - _HALF_M, _HALF_M - y * side
        box = f"{west:.6f},{north - side:.6f},{west + side:.6f},{north:.6f}"
        query = urlencode({**fixed, "bbox": box})
        return str(urlunsplit((parts.scheme, parts.netloc, parts.path, query, "")))

    return address


def _has(values: dict[str, str], name: str) -> bool:
    return any(each.lower() == name for each in values)


def _check_address(given: str) -> Any:
    with contextlib.suppress(ValueError):
        parts = urlsplit(given)
        if parts.scheme in ("http", "https") and parts.hostname and parts.port != 0:
            return parts
    raise SettingsError(f"{_NAME} is no http(s) address with a host. {_WAYS}")
