"""Templates to answers: Jinja2 with everything escaped and nothing left undefined."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from urllib.parse import urlencode

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from lawang.city import City
from lawang.domain.kpi import Span
from lawang.overview.model import MilestoneState
from lawang.settings import ROOT
from layouts.lights import GLYPHS
from layouts.words import DEFAULT_LANGUAGE, LANGUAGES
from light.charts import Charts
from light.script import page_script
from light.terms import Terms

HERE = Path(__file__).parent
DEFAULT_SPAN = Span.MONTH
_TOKENS = ROOT / "assets" / "tokens.css"


@dataclass(frozen=True, slots=True)
class Ask:
    """What a page was asked for. `path` is its own address, without the query."""

    language: str
    span: Span
    now: datetime
    path: str

    def href(self, path: str, **query: str) -> str:
        """A link that keeps language and horizon. An empty value leaves its key out."""
        kept = {
            "span": "" if self.span is DEFAULT_SPAN else self.span.value,
            "lang": "" if self.language == DEFAULT_LANGUAGE else self.language,
        } | query
        told = urlencode({key: value for key, value in kept.items() if value})
        return f"{path}?{told}" if told else path


def ask_of(path: str, query: Mapping[str, str], now: datetime) -> Ask:
    """What an address asks for; what is not known becomes the default."""
    language = query.get("lang", "")
    span = query.get("span", "")
    return Ask(
        language=language if language in LANGUAGES else DEFAULT_LANGUAGE,
        span=Span(span) if span in set(Span) else DEFAULT_SPAN,
        now=now,
        path=path,
    )


class Renderer:
    """Makes pages of one city. `build` names the program in the addresses of static files."""

    def __init__(self, city: City, build: str) -> None:
        self._city = city
        self._build = build
        self._terms = {language: Terms(city, language) for language in LANGUAGES}
        self._charts = {name: Charts(city, terms) for name, terms in self._terms.items()}
        self._environment = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.globals |= {
            "city": city,
            "build": build,
            "shapes": {light.value: glyph for light, glyph in GLYPHS.items()},
            "spans": tuple(Span),
            "languages": LANGUAGES,
            "styles": styles,
            "page_script": page_script,
            "milestone_states": tuple(MilestoneState),
        }

    def terms(self, language: str) -> Terms:
        return self._terms[language]

    def text(self, template: str, ask: Ask, **values: object) -> str:
        """The page as text.

        Templates know `ask`, `href` (links that keep language and horizon), `say` and `fmt` (the
        `Terms` of the language), `chart`, `city`, `build` and `styles(*files)`, beside what is
        given.
        """
        terms = self._terms[ask.language]
        return self._environment.get_template(template).render(
            ask=ask,
            href=ask.href,
            say=terms.say,
            fmt=terms,
            chart=self._charts[ask.language],
            **values,
        )

    def answer(
        self, template: str, ask: Ask, *, status: int = 200, **values: object
    ) -> HTMLResponse:
        """The page as an answer that is asked for again each time it is shown."""
        return HTMLResponse(
            self.text(template, ask, **values),
            status,
            {"cache-control": "private, no-cache", "content-language": ask.language},
        )


@cache
def styles(*files: str) -> Markup:
    """The tokens of all pages and style sheets of `static/`, for a page's head.

    They are part of the program and hold nothing of a pack or a person: no need to escape.
    """
    sheets = [_TOKENS, *(HERE / "static" / name for name in files)]
    text = "".join(sheet.read_text(encoding="utf-8") for sheet in sheets)
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    text = re.sub(r"\s+", " ", text)
    return Markup(re.sub(r" ?([{};,]) ?", r"\1", text).strip())  # noqa: S704
