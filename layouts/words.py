"""The words of the interface: Indonesian by default, English by a switch.

Messages are written in English in the code and translated by the catalogues in `locales/`
(gettext's PO format, read by Babel). A message without a translation shows in English; a test sees
to it that none is missing. Scripts get the whole catalogue of the page's language; what only one
room says, and no script, has a catalogue of its own (`id.mayor.po`) on top of it.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from babel.messages.pofile import read_po

LANGUAGES = ("id", "en")
DEFAULT_LANGUAGE = "id"
_LOCALES = Path(__file__).parent / "locales"


class Words:
    """The messages of one language. Call it with the English text."""

    def __init__(self, language: str, catalogue: dict[str, str]) -> None:
        self.language = language
        self.catalogue = catalogue

    def __call__(self, message: str, **values: object) -> str:
        text = self.catalogue.get(message, message)
        return text.format(**values) if values else text


def words(language: str, part: str = "") -> Words:
    """The words of a language, with those of one part on top; an unknown one gets the default."""
    return _read(language if language in LANGUAGES else DEFAULT_LANGUAGE, part)


@cache
def _read(language: str, part: str) -> Words:
    names = [language, *([f"{language}.{part}"] if part else [])]
    messages: dict[str, str] = {}
    for name in names:
        with (_LOCALES / f"{name}.po").open("rb") as file:
            catalogue = read_po(file, locale=language)
        messages |= {
            str(message.id): str(message.string)
            for message in catalogue
            if message.id and message.string
        }
    return Words(language, messages)
