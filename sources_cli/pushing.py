"""What to do about a source that cannot be asked, as its department speaks first."""

from __future__ import annotations

from lawang.city import Source
from lawang.domain.errors import LawangError

_PUSHED = "webhook"


def refuse_pushed(source: Source) -> None:
    """LawangError with how to push a message by hand, for a source that nobody can ask."""
    if source.connector == _PUSHED:
        raise LawangError(
            f"{source.id} cannot be asked: its department pushes. Read a message from a file by "
            f"--sample FILE, or push one to a running installation:\n{curl_example(source)}"
        )


def curl_example(source: Source) -> str:
    """Shell lines that sign `message.json` and post it; the secret stays in its variable."""
    connection = source.connection
    timestamp = connection.get("timestamp_header", "X-Lawang-Timestamp")
    signature = connection.get("signature_header", "X-Lawang-Signature")
    return "\n".join(
        (
            "  at=$(date +%s)",
            "  sum=$({ printf '%s.' \"$at\"; cat message.json; } |"
            ' openssl dgst -sha256 -hmac "$SECRET" | sed "s/^.* //")',
            f"  curl -sS http://127.0.0.1:8050/ingest/{source.id}"
            " -H 'Content-Type: application/json' \\",
            f'    -H "{timestamp}: $at" -H "{signature}: sha256=$sum" \\',
            "    --data-binary @message.json",
        )
    )
