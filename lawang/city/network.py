"""What the network may do for one source: the `[network]` table of its file.

Without the table a source reaches the hosts of its own `[connection]` and no others, only at public
addresses, over TLS that the authorities of this machine vouch for, by the way that the environment
names (`HTTPS_PROXY`).
"""

from __future__ import annotations

import re
import ssl
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import SplitResult, urlsplit

import httpx
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationInfo,
)

#: A reference to a variable that is not set stays as written; its source is not polled.
_UNSET = re.compile(r"\$\{[A-Z_][A-Z0-9_]*\}")
_NAME = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*")
#: Second levels under which .id registers everybody: https://pandi.id, "Domain .id".
_OPEN_TO_ALL = frozenset(
    f"{name}.id"
    for name in ("ac", "biz", "co", "desa", "go", "mil", "my", "net", "or", "ponpes", "sch", "web")
)
_FORM = "write a host name, name:port, or *.name for all names below it"


def is_unset(value: object) -> bool:
    """Whether a value still waits for an environment variable."""
    return isinstance(value, str) and bool(_UNSET.search(value))


def split_place(text: str) -> tuple[str, int | None]:
    """`name`, `name:port`, `[v6]` or `[v6]:port` as host (as written) and port, None for any.

    Raises ValueError where it is none of them.
    """
    try:
        split = urlsplit(f"//{text}")
        host, port = split.hostname or "", split.port
        if not host.isascii():
            host = httpx.URL(f"//{text}").raw_host.decode("ascii")
    except (ValueError, httpx.InvalidURL):
        raise ValueError(_FORM) from None
    if split.netloc != text or "@" in text or any(sign.isspace() for sign in text):
        raise ValueError(_FORM)
    if not host or port == 0:
        raise ValueError(_FORM)
    return host.lower().removesuffix("."), port


def _check_host(text: str) -> str:
    if is_unset(text):
        return text
    host, _ = split_place(text)
    name = host.removeprefix("*.")
    if ":" not in name and not _NAME.fullmatch(name):
        raise ValueError(_FORM)
    if name != host and ("." not in name or name in _OPEN_TO_ALL):
        raise ValueError(f"*.{name} would allow hosts of strangers: name the domain itself")
    return text


def _without_empty(value: Any) -> Any:
    """A list as TOML gives it, without entries whose variable is empty."""
    return tuple(each for each in value if each != "") if isinstance(value, list) else value


def _none_if_empty(value: Any) -> Any:
    """`${NAME:-}` of an unset variable means: none."""
    return None if value == "" else value


def _find_file(value: Any, stated: ValidationInfo) -> Any:
    """The file that a path means, counted from the source's own file."""
    if not isinstance(value, str) or value == "" or is_unset(value):
        return None if value == "" else value
    folder = (stated.context or {}).get("folder", Path())
    path = Path(folder, value)
    try:
        path.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no path"
        raise ValueError(
            f"{path} cannot be read: {reason}; put the file there, or correct the path"
        ) from None
    return str(path)


def _check_authorities(file: str | None) -> str | None:
    if file is not None and not is_unset(file):
        load_authorities(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), file)
    return file


def _check_certificate(key: str | None, stated: ValidationInfo) -> str | None:
    """A certificate and its key, which is in the certificate's file where no other is named."""
    # A certificate that is itself a mistake is told by itself.
    if "client_cert" not in stated.data or is_unset(key):
        return key
    certificate = stated.data["client_cert"]
    if certificate is None and key is not None:
        raise ValueError("needs client_cert, the certificate it belongs to")
    if certificate is not None and not is_unset(certificate):
        load_certificate(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), certificate, key)
    return key


def load_authorities(context: ssl.SSLContext, file: str) -> None:
    """Let `context` trust the authorities in a PEM file too. ValueError if it holds none."""
    try:
        context.load_verify_locations(file)
    except (OSError, ValueError):  # ssl.SSLError is an OSError
        raise ValueError(
            f"{file} holds no certificates in PEM form (-----BEGIN CERTIFICATE-----); "
            "ask the department for its authority's"
        ) from None


def load_certificate(context: ssl.SSLContext, certificate: str, key: str | None) -> None:
    """Let `context` show a certificate. ValueError if it cannot be used."""
    try:
        # Without a word for it, an encrypted key would ask on the terminal of whoever starts us.
        context.load_cert_chain(certificate, key, password=_no_password)
    except (OSError, ValueError):
        raise ValueError(
            f"{certificate} and the key in {key or 'it'} cannot be used: both must be PEM, belong "
            "to each other, and the key must not be encrypted"
        ) from None


def _no_password() -> Literal[""]:
    return ""


def _check_proxy(secret: SecretStr | None) -> SecretStr | None:
    text = "" if secret is None else secret.get_secret_value()
    if not text or is_unset(text):
        return secret
    try:
        split: SplitResult | None = urlsplit(text)
        host = httpx.URL(text).host
    except (ValueError, httpx.InvalidURL):
        split, host = None, ""
    if split is None or split.scheme not in ("http", "https") or not host:
        raise ValueError("must be http://host:port or https://host:port")
    if split.path not in ("", "/") or split.query or split.fragment:
        raise ValueError("must hold nothing behind host and port")
    return secret


def _as_secret(value: Any) -> Any:
    return SecretStr(value) if isinstance(value, str) and value else _none_if_empty(value)


Host = Annotated[str, AfterValidator(_check_host)]
File = Annotated[str | None, BeforeValidator(_find_file)]


class Network(BaseModel):
    """The `[network]` table, references to the environment expanded.

    Validate with `context={"folder": <folder of the source's file>}`: relative paths count from
    there, and files are read at once, so that a missing one stops the start. A value that waits for
    an unset variable stays as written. The mistakes never hold a value that may be secret.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    hosts: Annotated[tuple[Host, ...], BeforeValidator(_without_empty)] = Field(
        (), description="Further hosts beside those of [connection]; a port narrows one to it."
    )
    private: bool = Field(
        False, description="Whether addresses inside this network (10.x, 192.168.x, ...) are asked."
    )
    loopback: bool = Field(
        False,
        description="Whether addresses of this very machine are asked; `private` includes it.",
    )
    ca_file: Annotated[File, AfterValidator(_check_authorities)] = Field(
        None, description="Authorities (PEM) to trust beside those of this machine."
    )
    client_cert: File = Field(None, description="The certificate (PEM) that we show to the server.")
    client_key: Annotated[File, AfterValidator(_check_certificate)] = Field(
        None,
        validate_default=True,
        description="Its key, not encrypted, if that is not in client_cert's file.",
    )
    proxy: Annotated[
        SecretStr | None, BeforeValidator(_as_secret), AfterValidator(_check_proxy)
    ] = Field(None, repr=False, description="The proxy through which every request goes.")
