"""`LAWANG_TILES`: what is read at the start, and what is refused with a sentence."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from pmtiles.tile import Compression, TileType, zxy_to_tileid
from pmtiles.writer import Writer

from lawang.domain.errors import SettingsError
from lawang.settings import Settings
from lawang.tiles import TileFile, TileServer, content_type, plain_text, read_tiles

#: The first bytes of a picture are all that is looked at.
PNG = b"\x89PNG\r\n\x1a\n" + b"a tile"
KEY = "Kunc1-rahas1a"


def settings(tiles: Path | str, attribution: str = "") -> Settings:
    return Settings.model_validate({"tiles": str(tiles), "tiles_attribution": attribution})


def write_pmtiles(file: Path, kind: TileType = TileType.PNG, **metadata: Any) -> Path:
    """A file with one tile, 10/811/520."""
    with file.open("wb") as opened:
        writer = Writer(opened)
        writer.write_tile(zxy_to_tileid(10, 811, 520), PNG)
        header = {
            "tile_type": kind,
            "tile_compression": Compression.NONE,
            **{f"{edge}_lon_e7": 0 for edge in ("min", "max", "center")},
            **{f"{edge}_lat_e7": 0 for edge in ("min", "max", "center")},
            "center_zoom": 10,
        }
        writer.finalize(header, metadata)
    return file


def write_mbtiles(file: Path, picture: bytes = PNG, **metadata: str) -> Path:
    """A file with one tile, 10/811/520; its rows count from the south."""
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("CREATE TABLE metadata (name TEXT, value TEXT)")
        connection.execute(
            "CREATE TABLE tiles"
            " (zoom_level INTEGER, tile_column INTEGER, tile_row INTEGER, tile_data BLOB)"
        )
        connection.executemany("INSERT INTO metadata VALUES (?, ?)", metadata.items())
        connection.execute("INSERT INTO tiles VALUES (10, 811, ?, ?)", (1023 - 520, picture))
    return file


def open_file(file: Path, attribution: str = "") -> TileFile:
    found = read_tiles(settings(file, attribution))
    assert found is not None
    assert not isinstance(found, TileServer)
    return found


def open_server(tiles: str) -> TileServer:
    found = read_tiles(settings(tiles))
    assert isinstance(found, TileServer)
    return found


def test_without_the_setting_there_are_no_tiles() -> None:
    assert read_tiles(settings("")) is None


@pytest.mark.parametrize(
    ("name", "write"), [("kota.pmtiles", write_pmtiles), ("kota.mbtiles", write_mbtiles)]
)
def test_a_file_gives_its_pictures(tmp_path: Path, name: str, write: Any) -> None:
    file = open_file(write(tmp_path / name))
    assert file.read(10, 811, 520) == PNG
    assert file.read(10, 811, 521) is None
    assert (file.facts.min_zoom, file.facts.max_zoom) == (10, 10)


@pytest.mark.parametrize(
    ("name", "write"), [("kota.pmtiles", write_pmtiles), ("kota.mbtiles", write_mbtiles)]
)
def test_a_file_says_whose_it_is_without_its_markup(tmp_path: Path, name: str, write: Any) -> None:
    said = '<a href="https://example.id"><img src=x onerror=alert(1)>© Dinas  Tata Ruang</a>'
    file = open_file(write(tmp_path / name, attribution=said))
    assert file.facts.attribution == "© Dinas Tata Ruang"


def test_the_setting_says_whose_pictures_they_are_before_the_file(tmp_path: Path) -> None:
    file = write_pmtiles(tmp_path / "kota.pmtiles", attribution="dari berkas")
    assert open_file(file, "dari pengaturan").facts.attribution == "dari pengaturan"


def test_an_attribution_is_no_longer_than_a_line() -> None:
    assert len(plain_text("panjang " * 200)) == 160


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda folder: folder / "tidak-ada.pmtiles", "there is no file"),
        (lambda folder: write_pmtiles(folder / "v.pmtiles", TileType.MVT), "vector tiles"),
        (lambda folder: write_pmtiles(folder / "a.pmtiles", TileType.AVIF), "AVIF tiles"),
        (lambda folder: write_mbtiles(folder / "v.mbtiles", format="pbf"), "vector tiles"),
        (lambda folder: write_mbtiles(folder / "x.mbtiles", b"<svg/>"), "no png, jpg or webp"),
        (lambda folder: _scrap(folder / "rusak.pmtiles"), "no PMTiles file"),
        (lambda folder: _scrap(folder / "rusak.mbtiles"), "no MBTiles file"),
        (lambda folder: _scrap(folder / "kota.zip"), "neither a file nor an address"),
    ],
)
def test_a_file_that_cannot_be_drawn_is_refused(tmp_path: Path, make: Any, sentence: str) -> None:
    with pytest.raises(SettingsError, match=rf"LAWANG_TILES.*{sentence}"):
        read_tiles(settings(make(tmp_path)))


def _scrap(file: Path) -> Path:
    file.write_bytes(b"bukan ubin" * 40)
    return file


@pytest.mark.parametrize(
    "given",
    [
        f"https://tiles.example.id/{{z}}/{{x}}.png?key={KEY}",
        f"https://tiles.example.id/{{z}}/{{x}}/{{y}}/{{r}}.png?key={KEY}",
        f"https://{{z}}.example.id/{{x}}/{{y}}?key={KEY}",
        f"ftp://tiles.example.id/{{z}}/{{x}}/{{y}}?key={KEY}",
        f"https:///{{z}}/{{x}}/{{y}}?key={KEY}",
        f"wms:https://maps.example.id/wms?key={KEY}",
        f"wms:maps.example.id/wms?layers=a&key={KEY}",
    ],
)
def test_an_address_that_cannot_be_asked_is_refused_without_its_key(given: str) -> None:
    with pytest.raises(SettingsError, match="LAWANG_TILES") as refused:
        read_tiles(settings(given))
    assert KEY not in str(refused.value)


def test_an_address_is_filled_in() -> None:
    server = open_server("https://tiles.example.id/{z}/{x}/{y}.png?key=1")
    assert server.address(3, 4, 5) == "https://tiles.example.id/3/4/5.png?key=1"


def test_a_map_server_is_asked_for_the_square_of_the_tile() -> None:
    parts = urlsplit(
        open_server("wms:https://maps.example.id/wms?layers=a,b&map=kota").address(1, 1, 0)
    )
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    assert parts.netloc == "maps.example.id"
    assert (query["layers"], query["map"], query["request"]) == ("a,b", "kota", "GetMap")
    box = [float(each) for each in query["bbox"].split(",")]
    assert box == pytest.approx([0, 0, 20037508.342789, 20037508.342789], abs=1e-3)


@pytest.mark.parametrize(
    ("first", "kind"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"<svg onload=alert(1)>", None),
        (b"", None),
    ],
)
def test_pictures_are_known_by_their_first_bytes(first: bytes, kind: str | None) -> None:
    assert content_type(first) == kind
