"""The clips that cameras play, made by scripts/make_camera_clip.py, and the live playlist of them.

A clip has SEGMENTS pieces of SEGMENT_S seconds and is played round and round. Where it begins anew
its timestamps do too, which a playlist has to say (EXT-X-DISCONTINUITY, RFC 8216, 4.3.2.3).
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from pathlib import Path

SCENES = ("siang", "malam", "banjir")
SEGMENT_S, SEGMENTS = 2, 6
#: How many segments a live playlist lists, and how many more are still given.
LISTED, KEPT = 4, 4
_BEGINNINGS_A_DAY = 86_400 // (SEGMENT_S * SEGMENTS)
FOLDER = Path(__file__).parent / "clips"


@cache
def read_segment(scene: str, number: int) -> bytes:
    """The piece of a clip that is played as segment `number` of a stream that never ends."""
    return (FOLDER / f"{scene}-{number % SEGMENTS}.ts").read_bytes()


def last_number(at: datetime) -> int:
    """The newest segment that is whole at `at`."""
    return int(at.timestamp()) // SEGMENT_S - 1


def is_given(number: int, at: datetime) -> bool:
    """Whether a segment may still be had, or already."""
    return last_number(at) - LISTED - KEPT < number <= last_number(at)


def write_playlist(at: datetime) -> str:
    """The live playlist of `at`; its segments are `<number>.ts` beside it."""
    last = last_number(at)
    first = last - LISTED + 1
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:3",
        f"#EXT-X-TARGETDURATION:{SEGMENT_S}",
        f"#EXT-X-MEDIA-SEQUENCE:{first}",
        # The beginnings that have left the list since midnight (UTC), when a day's count ends: a
        # player may keep something for each number below it.
        f"#EXT-X-DISCONTINUITY-SEQUENCE:{((first - 1) // SEGMENTS + 1) % _BEGINNINGS_A_DAY}",
    ]
    for number in range(first, last + 1):
        if number % SEGMENTS == 0:
            lines.append("#EXT-X-DISCONTINUITY")
        start = datetime.fromtimestamp(number * SEGMENT_S, UTC)
        lines += [
            f"#EXT-X-PROGRAM-DATE-TIME:{start:%Y-%m-%dT%H:%M:%SZ}",
            f"#EXTINF:{SEGMENT_S:.1f},simulasi",
            f"{number}.ts",
        ]
    return "\n".join(lines) + "\n"
