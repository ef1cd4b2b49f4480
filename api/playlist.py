"""Rewrites a camera's HLS playlist so that a browser asks us for everything in it. Pure.

What is kept are the tags of plain HLS (RFC 8216) that a live picture needs. The rest is left out:
low latency (it asks for parts of segments, and would go past what is remembered for all walls),
content steering and interstitials (addresses of others), and tags that nobody knows.
"""

from __future__ import annotations

import hashlib
import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

#: hls.js keeps a place for each discontinuity there ever was: a camera that counts into the
#: millions would hold a wall up for seconds at every playlist. Only that it goes up matters.
_DISCONTINUITIES = 10_000
#: More lines than this are no playlist of a live camera: an hour and more of its past, which would
#: hold up every wall while it is read.
LINES_MAX = 4_000

_KEPT = frozenset(
    {
        *("EXTM3U", "EXT-X-VERSION", "EXT-X-TARGETDURATION", "EXT-X-MEDIA-SEQUENCE"),
        *("EXT-X-DISCONTINUITY-SEQUENCE", "EXT-X-PLAYLIST-TYPE", "EXT-X-INDEPENDENT-SEGMENTS"),
        *("EXT-X-START", "EXTINF", "EXT-X-BYTERANGE", "EXT-X-DISCONTINUITY", "EXT-X-KEY"),
        *("EXT-X-MAP", "EXT-X-PROGRAM-DATE-TIME", "EXT-X-GAP", "EXT-X-BITRATE", "EXT-X-MEDIA"),
        *("EXT-X-STREAM-INF", "EXT-X-ENDLIST"),
    }
)
_TAG = re.compile(r"#(EXT[A-Z0-9-]*)")
_URI = re.compile(r'([:,]\s*)URI="([^"]*)"')
_MARK = "#EXTM3U"


class NotAPlaylist(ValueError):
    """What a camera answered is no HLS playlist."""


@dataclass(frozen=True, slots=True)
class Part:
    """Something that a playlist names: a further playlist, or a piece of the stream."""

    url: httpx.URL
    is_playlist: bool


@dataclass(frozen=True, slots=True)
class Rewritten:
    """The playlist for a browser, and what its names stand for."""

    text: str
    parts: Mapping[str, Part]


def rewrite(body: bytes, url: httpx.URL) -> Rewritten:
    """The playlist that came from `url`, every address in it replaced by a name beside itself.

    Raises NotAPlaylist.
    """
    lines = body.decode("utf-8", "replace").removeprefix("\ufeff").splitlines()
    if not lines or lines[0].strip() != _MARK or len(lines) > LINES_MAX:
        raise NotAPlaylist
    parts: dict[str, Part] = {}
    kept: list[str] = []
    before = ""
    for line in (each.strip() for each in lines):
        if line.startswith("#"):
            found = _TAG.match(line)
            tag = found[1] if found else ""
            if tag in _KEPT:
                kept.append(_rewrite_tag(tag, line, url, parts))
                before = tag if tag == "EXT-X-STREAM-INF" else before
        elif line:
            kept.append(_name(line, url, parts, is_playlist=before == "EXT-X-STREAM-INF"))
            before = ""
    return Rewritten("\n".join(kept) + "\n", parts)


def _rewrite_tag(tag: str, line: str, url: httpx.URL, parts: dict[str, Part]) -> str:
    if tag == "EXT-X-DISCONTINUITY-SEQUENCE":
        count = line.partition(":")[2].strip()
        # Python refuses numbers of thousands of digits; these are the last ones.
        low = int(count[-9:]) if count.isascii() and count.isdigit() else 0
        return f"#{tag}:{low % _DISCONTINUITIES}"

    def rewritten(found: re.Match[str]) -> str:
        name = _name(found[2], url, parts, is_playlist=tag == "EXT-X-MEDIA")
        return f'{found[1]}URI="{name}"'

    return _URI.sub(rewritten, line)


def _name(stated: str, base: httpx.URL, parts: dict[str, Part], *, is_playlist: bool) -> str:
    """The name that stands for an address: always the same one for the same address."""
    try:
        target = base.join(stated)
    except (httpx.InvalidURL, ValueError):
        raise NotAPlaylist from None
    # A user and password belong to the server that they were given for, and to no other.
    known = target.copy_with(userinfo=b"")
    same = (target.scheme, target.host, target.port) == (base.scheme, base.host, base.port)
    digest = hashlib.sha256(str(known).encode()).digest()
    name = urlsafe_b64encode(digest[:15]).decode("ascii")
    parts[name] = Part(known.copy_with(userinfo=base.userinfo) if same else known, is_playlist)
    return name
