"""What a source file may say when its department hands over files."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Annotated
from urllib.parse import unquote, urlsplit

import httpx
from pydantic import AfterValidator, Field, SecretStr

from lawang.mapping import Expression, RowOptions

SCHEMES = ("file", "http", "https", "sftp")
_FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}=?")


def _check_location(text: str) -> str:
    """A folder of this machine (/srv/drop or file:///srv/drop), or http, https or sftp."""
    text = text.strip()
    if text.startswith("/"):
        return text
    try:
        split = urlsplit(text)
        host, _ = split.hostname, split.port
        if split.scheme in ("http", "https"):
            host = httpx.URL(text).host
    except (ValueError, httpx.InvalidURL):
        raise ValueError("is not an address") from None
    if split.scheme not in SCHEMES or (split.scheme == "file" and not split.path.startswith("/")):
        raise ValueError(
            "must be an absolute folder (/srv/drop), or begin with https:// or sftp://"
        )
    if split.scheme != "file" and not host:
        raise ValueError("must name a host")
    if "@" in split.netloc or split.fragment:
        raise ValueError("must hold no user, password or fragment; write user and password as keys")
    return text


def _check_encoding(name: str) -> str:
    try:
        return codecs.lookup(name).name if name else ""
    except LookupError:
        raise ValueError("is no encoding; common are utf-8, cp1252 and utf-16") from None


def _check_regex(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"is no regular expression: {error}") from None
    return text


def _check_pattern(text: str) -> str:
    parts = PurePosixPath(text).parts
    if not text or text.startswith("/") or ".." in parts or "**" in parts:
        raise ValueError("must be a pattern below the folder, such as *.csv or */laporan_*.xlsx")
    return text


def _check_after(text: str) -> str:
    if text in ("keep", "delete") or (text.startswith("move:") and text != "move:"):
        return text
    raise ValueError('must be "keep", "delete" or "move:<folder>"')


def _check_fingerprint(text: str) -> str:
    if text and not _FINGERPRINT.fullmatch(text):
        raise ValueError("must be as `ssh-keygen -lf` shows it: SHA256: and 43 characters")
    return text


class TabularOptions(RowOptions):
    """Files of one department. The README beside this file explains each for integrators."""

    location: Annotated[str, AfterValidator(_check_location)] = Field(
        description="The folder, or the address of one file."
    )
    pattern: Annotated[str, AfterValidator(_check_pattern)] = Field(
        "*", description="Which files of the folder are meant."
    )
    name_regex: Annotated[str, AfterValidator(_check_regex)] = Field(
        "", description="What a whole file name looks like; its groups are readable as _name."
    )
    delivery: str = Field(
        "name", description="What identifies a delivery: the name, or groups as {tanggal}."
    )
    user: str = ""
    password: SecretStr = SecretStr("")
    key_file: str = Field("", description="The file of a private key for SFTP.")
    key_passphrase: SecretStr = SecretStr("")
    known_hosts: str = Field("", description="A file of host keys, as OpenSSH writes it.")
    host_key: Annotated[str, AfterValidator(_check_fingerprint)] = Field(
        "", description="The fingerprint of the server's key."
    )
    settle_s: float = Field(10.0, ge=0, le=86_400, description="Unchanged for so long: complete.")
    done_suffix: str = Field(
        "",
        description="A file counts once an empty one of the same name with this suffix is there.",
    )
    silent_after_s: float | None = Field(
        None, gt=0, description="Nothing new for longer than this is an error."
    )
    after: Annotated[str, AfterValidator(_check_after)] = Field(
        "keep", description="What becomes of a file that was read and stored."
    )
    max_files: int = Field(1_000, ge=1, le=10_000, description="The most files one poll reads.")
    max_bytes: int = Field(20_000_000, ge=1_000, le=200_000_000)
    max_unpacked_bytes: int = Field(200_000_000, ge=10_000, le=2_000_000_000)
    max_rows: int = Field(200_000, ge=1, le=2_000_000)
    delimiter: str = Field("", max_length=1, description="Between the columns of a CSV file.")
    encoding: Annotated[str, AfterValidator(_check_encoding)] = ""
    sheets: tuple[str, ...] = Field((), description="Names or patterns of sheets; all if none.")
    header_row: int | None = Field(None, ge=1, le=1_000, description="The line of the names.")
    header_rows: int = Field(1, ge=1, le=5, description="How many lines the names span.")
    skip_where: Expression | None = Field(None, description="Rows that hold no data.")

    @property
    def scheme(self) -> str:
        """One of `SCHEMES`."""
        return "file" if self.location.startswith("/") else urlsplit(self.location).scheme

    @property
    def folder(self) -> str:
        """The path of a folder on this machine or an SFTP server."""
        if self.location.startswith("/"):
            return self.location
        return unquote(urlsplit(self.location).path) or "/"

    @property
    def move_to(self) -> str:
        """The folder into which files are moved once they are stored; "" if they are not."""
        return self.after.removeprefix("move:") if self.after.startswith("move:") else ""

    def name_groups(self, name: str) -> dict[str, str] | None:
        """The groups of a file's name; None where the name is not of the expected form."""
        if not self.name_regex:
            return {}
        found = re.fullmatch(self.name_regex, PurePosixPath(name).name)
        return None if found is None else {k: v or "" for k, v in found.groupdict().items()}

    def delivery_of(self, name: str) -> str:
        """What a file is a version of: files with the same one replace each other."""
        if self.delivery == "name":
            return name
        return self.delivery.format_map(self.name_groups(name) or {})

    def problems(self) -> Iterator[tuple[tuple[str, ...], str]]:
        """Mistakes in how the options go together, beside those of rows."""
        yield from super().problems()
        if self.scheme == "sftp" and not (self.known_hosts or self.host_key):
            yield (
                ("connection", "host_key"),
                "is missing (or known_hosts): without it anybody could pretend to be the server",
            )
        if self.scheme == "sftp" and not self.user:
            yield ("connection", "user"), "is missing; sftp needs it"
        if self.scheme in ("http", "https") and self.after != "keep":
            yield ("connection", "after"), "must be keep: a web server's files cannot be moved"
        if self.move_to and self.move_to.rstrip("/") == self.folder.rstrip("/"):
            yield ("connection", "after"), "must name another folder than location"
        if self.delivery != "name":
            try:
                known = re.compile(self.name_regex).groupindex
                self.delivery.format_map(dict.fromkeys(known, "x"))
            except (KeyError, ValueError, IndexError, AttributeError, TypeError):
                yield (
                    ("connection", "delivery"),
                    'must be "name", or groups of name_regex in braces, such as "{tanggal}"',
                )
