"""What program is running: a short name of its files, so that a wall knows when it is outdated."""

from __future__ import annotations

import hashlib
from pathlib import Path

from lawang.city.screens import FILE_NAME
from lawang.settings import ROOT

_ROOMS = ("app.py", "cli.py", "api", "assets", "brief", "dashboards", "layouts", "lawang", "light")
_ENDINGS = frozenset({".py", ".js", ".css", ".html", ".po", ".toml", ".geojson"})


def build_id(pack_dir: Path) -> str:
    """Twelve hexadecimal digits that change with any file a page is made from."""
    digest = hashlib.sha256()
    for top in [*(ROOT / room for room in _ROOMS), pack_dir]:
        files = [top] if top.is_file() else sorted(top.rglob("*"))
        for file in files:
            # The walls' programme is followed while it runs: a saved one makes no page outdated.
            if file.suffix in _ENDINGS and file.is_file() and file != pack_dir / FILE_NAME:
                digest.update(file.name.encode())
                digest.update(file.read_bytes())
    return digest.hexdigest()[:12]
