"""A department whose every field is an attack: a real GeoReport v2 server on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

#: Sets this in the window if it ever runs.
MARKER = "window.__planted = true"
# Few enough for all to stand among the latest events of the wall, which holds two of each.
ATTACKS = (
    f"</textarea></title></style><script>{MARKER}</script>",
    f'<img src="x" onerror="{MARKER};alert(1)">',
    f"<svg onload='{MARKER}'></svg>",
    f'"><iframe srcdoc="<script>parent.{MARKER}</script>"></iframe>',
    f"javascript:{MARKER}// &lt;script&gt;alert(1)&lt;/script&gt; &#106;avascript:alert(1)",
)
#: A place in Lawang Kidul, Ilir Timur II.
_LATITUDE, _LONGITUDE = -2.9761, 104.7754


def records(now: datetime) -> list[dict[str, Any]]:
    """One report an attack, in every field that is text."""
    return [
        {
            # As a path in an address it would be another page; here it is a name.
            "service_request_id": f"{number}-{attack}"[:110],
            "status": attack,
            "status_notes": attack,
            "service_name": attack,
            "service_code": attack,
            "description": attack,
            "agency_responsible": attack,
            "service_notice": attack,
            "requested_datetime": (now - timedelta(minutes=number + 1)).isoformat(),
            "updated_datetime": (now - timedelta(minutes=number)).isoformat(),
            "expected_datetime": None,
            "address": attack,
            "address_id": attack,
            "zipcode": attack,
            "lat": _LATITUDE,
            "long": _LONGITUDE,
            "media_url": attack,
        }
        for number, attack in enumerate(ATTACKS)
    ]


class _Handler(BaseHTTPRequestHandler):
    body = b"[]"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def run_hostile_department() -> Iterator[str]:
    """Its address, under which `requests.json` lies."""
    body = json.dumps(records(datetime.now(UTC))).encode()
    handler = type("Handler", (_Handler,), {"body": body})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()
