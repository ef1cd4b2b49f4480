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
from lawang.domain.incident import EventKind, Status
from lawang.settings import ROOT
from layouts.words import DEFAULT_LANGUAGE, LANGUAGES, words

LOCALES = ROOT / "layouts" / "locales"
_JS_STRING = r"\"(?:[^\"\\]|\\.)*\""
_JS_SAY = re.compile(rf"\bsay\(\s*({_JS_STRING})")
_JS_ANY_SAY = re.compile(r"\bsay\(")
_PLACEHOLDER = re.compile(r"\{(\w*)\}")


def _said_in_python(source: str, where: str = "") -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        # `say(...)` as well as `terms.say(...)`.
        if "say" not in (getattr(node.func, "id", ""), getattr(node.func, "attr", "")):
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


#: Rooms by the catalogue that holds what only they say; "" is the one that every page has.
PARTS = {"": ("layouts", "dashboards"), "mayor": ("light",), "brief": ("brief",)}


def _said(part: str = "") -> set[str]:
    said: set[str] = set()
    for room in PARTS[part]:
        for path in sorted((ROOT / room).rglob("*.py")):
            said.update(_said_in_python(path.read_text(encoding="utf-8"), path.name))
        for path in sorted((ROOT / room).rglob("*.html")):
            said.update(_said_in_javascript(path.read_text(encoding="utf-8"), path.name))
    scripts = (ROOT / "assets").rglob("*.js") if not part else ()
    for path in sorted(each for each in scripts if "vendor" not in each.parts):
        said.update(_said_in_javascript(path.read_text(encoding="utf-8"), path.name))
    return said


def _catalogue(language: str, part: str = "") -> Catalog:
    with (LOCALES / f"{language}{'.' if part else ''}{part}.po").open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


def _known(language: str, part: str = "") -> set[str]:
    return {str(each.id) for each in _catalogue(language, part) if each.id and each.string}


def test_messages_are_found_in_both_languages_of_the_program() -> None:
    program = 'x = [say("one"), terms.say(\n    "two " "halves", n=1)]'
    assert list(_said_in_python(program)) == ["one", "two halves"]
    script = 'function say(message) {}\nconst a = () => say("It\'s \\"one\\"");\nsay(\n  "two")'
    assert list(_said_in_javascript(script)) == ['It\'s "one"', "two"]


def test_a_message_that_is_put_together_in_the_program_is_refused() -> None:
    with pytest.raises(AssertionError, match="no literal"):
        list(_said_in_python("say(name)"))
    with pytest.raises(AssertionError, match="no literal"):
        list(_said_in_javascript("say(`late ${n}`)"))


IN_ALL = pytest.mark.parametrize("part", PARTS)
IN_BOTH = pytest.mark.parametrize("language", LANGUAGES)


@IN_ALL
@IN_BOTH
def test_every_message_has_a_translation(language: str, part: str) -> None:
    assert sorted(_said(part) - _known(language) - _known(language, part)) == []


@IN_ALL
@IN_BOTH
def test_no_translation_is_left_over(language: str, part: str) -> None:
    kept = {str(message.id) for message in _catalogue(language, part) if message.id}
    assert sorted(kept - _said(part)) == []


@pytest.mark.parametrize("part", [name for name in PARTS if name])
@IN_BOTH
def test_a_part_does_not_say_again_what_all_pages_know(language: str, part: str) -> None:
    assert sorted(_known(language) & _known(language, part)) == []


@IN_ALL
@IN_BOTH
def test_translations_have_the_placeholders_of_their_message(language: str, part: str) -> None:
    differing = [
        message.id
        for message in _catalogue(language, part)
        if sorted(_PLACEHOLDER.findall(str(message.id)))
        != sorted(_PLACEHOLDER.findall(str(message.string)))
    ]
    assert differing == []


@IN_ALL
def test_no_translation_waits_for_a_second_look(part: str) -> None:
    fuzzy = [each.id for name in LANGUAGES for each in _catalogue(name, part) if each.fuzzy]
    assert [message for message in fuzzy if message] == []


@IN_ALL
def test_english_is_what_the_code_says(part: str) -> None:
    assert [m.id for m in _catalogue("en", part) if m.id and m.string != m.id] == []


def test_a_part_has_its_own_words_on_top_of_those_of_all_pages() -> None:
    assert words("id", "mayor")("{n} min", n=7) == "7 mnt"


def test_every_kind_of_error_has_a_sentence_on_the_sources_page() -> None:
    script = (ROOT / "assets" / "live_sources.js").read_text(encoding="utf-8")
    table = script[script.index("const ERRORS") : script.index("};", script.index("const ERRORS"))]
    explained = set(re.findall(r"^\s+(\w+):", table, re.MULTILINE))
    assert sorted(_kinds_raised() - explained) == []


def test_every_event_and_every_status_has_a_word_on_the_wall() -> None:
    script = (ROOT / "assets" / "scenes" / "kejadian.js").read_text(encoding="utf-8")
    worded = set(re.findall(r"^\s+(\w+): \(\) => ", script, re.MULTILINE))
    assert sorted({*EventKind, *Status} - worded) == []


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
