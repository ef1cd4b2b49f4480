"""The one script of the mayor's pages, part of each: a call more costs a slow line a trip.

The content security policy lets inline scripts pass by their hash alone, so what is rendered and
what is hashed are the same text.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path

from markupsafe import Markup

_FILE = Path(__file__).parent / "static" / "page.js"


@cache
def page_script() -> Markup:
    """The script, for a page's end. It is part of the program and holds nothing of a pack."""
    return Markup(_FILE.read_text(encoding="utf-8"))  # noqa: S704


@cache
def page_script_hash() -> str:
    """What the policy's `script-src` names it by."""
    digest = hashlib.sha256(page_script().encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"
