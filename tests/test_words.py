"""The words of the interface: each message the code says is translated, and no other one."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from lawang.domain import errors
from lawang.settings import ROOT
from layouts.words import DEFAULT_LANGUAGE, LANGUAGES, words

LOCALES = ROOT / "layouts" / "locales"
_JS_STRING = r"\"(?:[^\"\\]|\\.)*\""
_JS_SAY = re.compile(rf"\bsay\(\s*({_JS_STRING})")
_JS_ANY_SAY = re.compile(r"\bsay\(")
_PLACEHOLDER = re.compile(r"\{(\w*)\}")


def _said_in_python(source: str, where: str = "") -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Call) and getattr(node.func, "id", "") == "say"):
            continue
        message = node.args[0]
        assert isinstance(message, ast.Constant), f"{where}:{node.lineno}: say() of no literal"
        yield message.value


def _said_in_javascript(source: str, where: str = "") -> Iterator[str]:
    calls = [found.start() for found in _JS_ANY_SAY.finditer(source) if _is_call(source, found)]
    literals = {found.start(): json.loads(found[1]) for found in _JS_SAY.finditer(source)}
    for start in calls:
        assert start in literals, f"{where}: say() of no literal: {source[start : start + 60]!r}"
        yield literals[start]


def _is_call(source: str, found: re.Match[str]) -> bool:
    return not source[: found.start()].endswith("function ")


def _said() -> set[str]:
    said: set[str] = set()
    for room in ("layouts", "dashboards"):
        for path in sorted((ROOT / room).rglob("*.py")):
            said.update(_said_in_python(path.read_text(encoding="utf-8"), path.name))
    for path in sorted((ROOT / "assets").glob("*.js")):
        said.update(_said_in_javascript(path.read_text(encoding="utf-8"), path.name))
    return said


def _catalogue(language: str) -> Catalog:
    with (LOCALES / f"{language}.po").open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


def test_messages_are_found_in_both_languages_of_the_program() -> None:
    assert list(_said_in_python('x = [say("one"), say(\n    "two " "halves", n=1)]')) == [
        "one",
        "two halves",
    ]
    script = 'function say(message) {}\nconst a = () => say("It\'s \\"one\\"");\nsay(\n  "two")'
    assert list(_said_in_javascript(script)) == ['It\'s "one"', "two"]


def test_a_message_that_is_put_together_in_the_program_is_refused() -> None:
    with pytest.raises(AssertionError, match="no literal"):
        list(_said_in_python("say(name)"))
    with pytest.raises(AssertionError, match="no literal"):
        list(_said_in_javascript("say(`late ${n}`)"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_message_has_a_translation(language: str) -> None:
    translated = {message.id for message in _catalogue(language) if message.id and message.string}
    assert sorted(_said() - translated) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_translation_is_left_over(language: str) -> None:
    kept = {message.id for message in _catalogue(language) if message.id}
    assert sorted(kept - _said()) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations_have_the_placeholders_of_their_message(language: str) -> None:
    differing = [
        message.id
        for message in _catalogue(language)
        if sorted(_PLACEHOLDER.findall(str(message.id)))
        != sorted(_PLACEHOLDER.findall(str(message.string)))
    ]
    assert differing == []


def test_no_translation_waits_for_a_second_look() -> None:
    fuzzy = [message.id for name in LANGUAGES for message in _catalogue(name) if message.fuzzy]
    assert [message for message in fuzzy if message] == []


def test_english_is_what_the_code_says() -> None:
    assert [m.id for m in _catalogue("en") if m.id and m.string != m.id] == []


def test_every_kind_of_error_has_a_sentence_on_the_sources_page() -> None:
    script = (ROOT / "assets" / "live_sources.js").read_text(encoding="utf-8")
    table = script[script.index("const ERRORS") : script.index("};", script.index("const ERRORS"))]
    explained = set(re.findall(r"^\s+(\w+):", table, re.MULTILINE))
    assert sorted(_kinds_raised() - explained) == []


def test_documented_kinds_are_those_that_are_raised() -> None:
    documented = re.search(r"has words for: ([\w,\s]+)\.", errors.SourceError.__doc__ or "")
    assert documented is not None
    assert sorted(_kinds_raised() - set(re.findall(r"\w+", documented[1]))) == []


def _kinds_raised() -> set[str]:
    """The first words of all errors that the code makes for a failed poll."""
    kinds: set[str] = set()
    for path in _modules():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = getattr(getattr(node, "func", None), "id", "")
            if name not in ("RetryLater", "NeedsPerson", "StoreError"):
                continue
            assert isinstance(node, ast.Call)
            kinds.update(_literals(node.args[0]))
    return kinds


def _modules() -> Iterator[Path]:
    for room in ("lawang", "connectors"):
        yield from sorted((ROOT / room).rglob("*.py"))


def _literals(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.IfExp):
        yield from (*_literals(node.body), *_literals(node.orelse))
    elif isinstance(node, ast.Constant):
        yield node.value


def test_an_unknown_language_gets_the_default_one() -> None:
    assert words("xx") is words(DEFAULT_LANGUAGE)


def test_values_are_put_into_the_translation() -> None:
    assert words("id")("{n} min", n=7) == "7 mnt"


def test_a_message_without_translation_shows_in_english() -> None:
    assert words("id")("no such message") == "no such message"
