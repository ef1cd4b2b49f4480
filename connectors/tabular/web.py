"""Files on a web server: one address, or the links of a folder's index page."""

from __future__ import annotations

from base64 import b64encode
from email.utils import parsedate_to_datetime
from html.parser import HTMLParser
from urllib.parse import quote, unquote, urljoin, urlsplit

from connectors import http
from connectors.tabular.options import TabularOptions
from connectors.tabular.places import Content, File
from connectors.tabular.tables import decode
from lawang.connector import FetchContext

_MOST_LINKS = 20_000


class WebPlace:
    """Every request goes by the source's policy (`connectors.http`)."""

    def __init__(self, options: TabularOptions, context: FetchContext) -> None:
        self._url = options.location
        self._context = context
        self._max_bytes = min(options.max_bytes, context.max_bytes)
        self._auth = _basic(options)

    @property
    def _is_folder(self) -> bool:
        return urlsplit(self._url).path.endswith("/")

    async def find(self) -> list[File]:
        """The one file, or what a folder's page links to directly below itself."""
        if not self._is_folder:
            return [File(unquote(urlsplit(self._url).path).rpartition("/")[2] or "file")]
        reply = await self._get(self._url, "")
        page = _Links()
        page.feed(decode(reply.body, "utf-8" if reply.body.isascii() else ""))
        here = urlsplit(self._url)
        names = []
        for link in page.links[:_MOST_LINKS]:
            target = urlsplit(urljoin(self._url, link))
            name = unquote(target.path.removeprefix(here.path))
            below = target.path.startswith(here.path) and name and "/" not in name
            if below and (target.scheme, target.netloc) == (here.scheme, here.netloc):
                names.append(name)
        return [File(name) for name in dict.fromkeys(names)]

    async def read(self, file: File, known_stamp: str) -> Content | None:
        """The file unless the server says that it has not changed."""
        reply = await self._get(self._address(file.name), known_stamp)
        if reply.not_modified:
            return None
        try:
            changed_at = parsedate_to_datetime(reply.headers.get("last-modified", ""))
        except ValueError:
            changed_at = None
        stamp = reply.etag or (f"since {reply.last_modified}" if reply.last_modified else "")
        return Content(reply.body, stamp, changed_at, reply.content_type, reply.is_simulated)

    async def remove(self, name: str) -> None:
        """A web server's files stay."""
        raise NotImplementedError

    async def move(self, name: str, folder: str) -> None:
        """A web server's files stay."""
        raise NotImplementedError

    def _address(self, name: str) -> str:
        return urljoin(self._url, quote(name)) if self._is_folder else self._url

    async def _get(self, url: str, stamp: str) -> http.Reply:
        headers = dict(self._auth)
        if stamp.startswith("since "):
            headers["If-Modified-Since"] = stamp.removeprefix("since ")
        elif stamp:
            headers["If-None-Match"] = stamp
        return await http.ask(self._context, url, max_bytes=self._max_bytes, headers=headers)


def _basic(options: TabularOptions) -> dict[str, str]:
    if not options.user:
        return {}
    pair = f"{options.user}:{options.password.get_secret_value()}".encode()
    return {"Authorization": f"Basic {b64encode(pair).decode()}"}


class _Links(HTMLParser):
    """The addresses of a page's links."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take what an `<a href>` leads to."""
        self.links += [value for name, value in attrs if tag == "a" and name == "href" and value]
