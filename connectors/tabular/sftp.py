"""SFTP under this project's policy: the addresses that may be asked, and a server that is known.

fsspec would trust any server it meets; here the server's key must be in `known_hosts`, or have the
fingerprint `host_key`. Nothing of the user's own SSH (agent, keys in the home folder) is used.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import logging
import os
import socket
import time
from pathlib import Path
from urllib.parse import urlsplit

import paramiko
from fsspec.implementations.sftp import SFTPFileSystem

from connectors.http import addresses_for
from connectors.tabular.options import TabularOptions
from lawang.connector import FetchContext
from lawang.domain.errors import NeedsPerson, RetryLater

_PORT = 22

# It reports every failure a second time, with a trace; what a poll came to is told once.
logging.getLogger("paramiko").setLevel(logging.CRITICAL)


class UnknownServerError(paramiko.SSHException):  # type: ignore[misc]  # paramiko is not typed
    """The server did not prove to be the one that is meant."""


class _KnownKey(paramiko.MissingHostKeyPolicy):  # type: ignore[misc]
    def __init__(self, fingerprint: str) -> None:
        self._fingerprint = fingerprint.rstrip("=")

    def missing_host_key(
        self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey
    ) -> None:
        """Take a key of the expected fingerprint, and no other."""
        digest = hashlib.sha256(key.asbytes()).digest()
        found = f"SHA256:{base64.b64encode(digest).decode().rstrip('=')}"
        if not self._fingerprint or found != self._fingerprint:
            raise UnknownServerError(f"its key is {found}")


class KnownSFTP(SFTPFileSystem):  # type: ignore[misc]  # fsspec is not typed
    """fsspec's SFTP over a connection that was made before, to a server whose key is checked."""

    cachable = False

    def __init__(
        self, host: str, port: int, sock: socket.socket, options: TabularOptions, timeout_s: float
    ) -> None:
        self._sock = sock
        self._port = port
        self._options = options
        self._timeout_s = timeout_s
        super().__init__(host)

    def _connect(self) -> None:
        options, limit = self._options, self._timeout_s
        self.client = paramiko.SSHClient()
        if options.known_hosts:
            self.client.load_host_keys(options.known_hosts)
        self.client.set_missing_host_key_policy(_KnownKey(options.host_key))
        try:
            self.client.connect(
                self.host,
                port=self._port,
                username=options.user,
                password=options.password.get_secret_value() or None,
                key_filename=options.key_file or None,
                passphrase=options.key_passphrase.get_secret_value() or None,
                sock=self._sock,
                allow_agent=False,
                look_for_keys=False,
                timeout=limit,
                banner_timeout=limit,
                auth_timeout=limit,
                channel_timeout=limit,
            )
            self.ftp = self.client.open_sftp()
            self.ftp.get_channel().settimeout(limit)
        except BaseException:
            self.client.close()
            raise


async def connect(options: TabularOptions, context: FetchContext) -> tuple[KnownSFTP, str]:
    """A connection to the server, and its name for messages. Raises SourceError."""
    split = urlsplit(options.location)
    host, port = split.hostname or "", split.port or _PORT
    where = f"{host}:{port}"
    await asyncio.to_thread(_check_files, options, where)
    addresses = await addresses_for(context.client, host, port)
    limit = context.timeout.total_seconds()

    def open_connection() -> KnownSFTP:
        sock = _open_socket(addresses, port, limit)
        try:
            return KnownSFTP(host, port, sock, options, limit)
        except BaseException:
            sock.close()
            raise

    try:
        return await asyncio.to_thread(open_connection), where
    except Exception as error:
        raise explain(error, where) from None


def _check_files(options: TabularOptions, where: str) -> None:
    for file, key in ((options.key_file, "key_file"), (options.known_hosts, "known_hosts")):
        if file and not (Path(file).is_file() and os.access(file, os.R_OK)):
            raise NeedsPerson("refused", f"{where}: the file of {key} cannot be read")


def _open_socket(addresses: tuple[str, ...], port: int, limit_s: float) -> socket.socket:
    until = time.monotonic() + limit_s
    for number, address in enumerate(addresses, start=1):
        left = max(until - time.monotonic(), 0.001) / (len(addresses) - number + 1)
        try:
            return socket.create_connection((address, port), left)
        except OSError:
            if number == len(addresses):
                raise
    raise OSError("no address")


def explain(error: Exception, where: str) -> Exception:
    """What an error of paramiko means for the poll; it is told without the server's own words."""
    if isinstance(error, UnknownServerError):
        return NeedsPerson("refused", f"{where}: {error}, which is not the one that is expected")
    if isinstance(error, paramiko.BadHostKeyException):
        return NeedsPerson("refused", f"{where}: its key is not the one in known_hosts")
    if isinstance(error, paramiko.AuthenticationException):
        return NeedsPerson("refused", f"{where}: user, password or key is not accepted")
    if isinstance(error, FileNotFoundError):
        return NeedsPerson("not_found", f"{where}: there is no such folder or file")
    if isinstance(error, PermissionError):
        return NeedsPerson("refused", f"{where}: the user may not do this")
    if isinstance(error, TimeoutError):
        return RetryLater("timeout", f"{where}: no answer in time")
    if isinstance(error, ConnectionRefusedError):
        return RetryLater("unreachable", f"{where}: no connection")
    if isinstance(error, paramiko.SSHException | OSError | EOFError):
        return RetryLater("unreachable", f"{where}: the connection broke off, or is no SSH")
    return error
