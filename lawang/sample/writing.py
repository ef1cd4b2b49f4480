"""Writes one answer as a sample, cleaned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from lawang.city import Source
from lawang.connector import Answer, Options
from lawang.domain.errors import LawangError
from lawang.mapping import RowOptions
from lawang.sample.cleaning import clean_answer
from lawang.sample.options import describe_answer, describe_options
from lawang.sample.paths import kept_paths
from lawang.sample.tables import clean_table, is_table

#: Most rows of a sample: it shows a form, not a city.
LONGEST = 40


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A sample's content without personal data; `answer` is the same answer with it."""

    body: bytes
    suffix: str
    answer: Answer


def clean_for(answer: Answer, source: Source, options: Options) -> Cleaned:
    """The answer without personal data, as its source's file tells what that is.

    A table becomes CSV. Raises LawangError for what cannot be cleaned, such as protocol buffers.
    """
    kept = kept_paths(source)
    personal = options.personal if isinstance(options, RowOptions) else None
    drop = (*personal.drop, *personal.mask) if personal else ()
    if is_table(answer, options):
        body = clean_table(answer.body, options, kept, drop, LONGEST)
        return Cleaned(body, "csv", replace(answer, body=body, content_type="text/csv"))
    if b"\0" in answer.body or "protobuf" in answer.content_type:
        raise LawangError(
            "the answer is binary (protocol buffers), so it cannot be masked and is not kept"
        )
    text, suffix = clean_answer(answer.body, kept, drop=drop, longest=LONGEST)
    return Cleaned(text.encode(), suffix, replace(answer, body=text.encode()))


def write_sample(
    folder: Path,
    answer: Answer,
    source: Source,
    options: Options,
    *,
    with_options: bool = True,
    further: Mapping[str, str] | None = None,
) -> list[Path]:
    """Write `input.json` (or `.xml`, `.csv`) and `options.toml`; the files written.

    Without `with_options` the latter holds `[answer]` alone: the source's own file has the rest.
    `further` are more files by name. Raises LawangError, and writes nothing, for an answer that
    cannot be cleaned, a folder that holds an input already, or one that cannot be written.
    """
    if folder.is_dir() and any(folder.glob("input.*")):
        raise LawangError(f"{folder} holds a sample already; name another folder")
    cleaned = clean_for(answer, source, options)
    stated = (
        describe_options(cleaned.answer, source, options)
        if with_options
        else describe_answer(cleaned.answer)
    )
    contents = {f"input.{cleaned.suffix}": cleaned.body, "options.toml": stated.encode()}
    contents |= {name: text.encode() for name, text in (further or {}).items()}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            (folder / name).write_bytes(content)
    except OSError as error:
        raise LawangError(f"{folder} cannot be written: {error.strerror or error}") from None
    return [folder / name for name in contents]
