"""What program is running: a short name of its files, so that a wall knows when it is outdated."""

from __future__ import annotations

import hashlib
from pathlib import Path

from lawang.settings import ROOT

_ROOMS = ("app.py", "cli.py", "api", "assets", "brief", "dashboards", "layouts", "lawang", "light")
_ENDINGS = frozenset({".py", ".js", ".css", ".html", ".po", ".toml", ".geojson"})


def build_id(pack_dir: Path) -> str:
    """Twelve hexadecimal digits that change with any file a page is made from."""
    digest = hashlib.sha256()
    for top in [*(ROOT / room for room in _ROOMS), pack_dir]:
        files = [top] if top.is_file() else sorted(top.rglob("*"))
        for file in files:
            if file.suffix in _ENDINGS and file.is_file():
                digest.update(file.name.encode())
                digest.update(file.read_bytes())
    return digest.hexdigest()[:12]
