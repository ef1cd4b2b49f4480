"""A source's file as text: valid, and commented where a person has to decide."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lawang.propose.mapping import Proposal
from lawang.sample.options import to_toml


@dataclass(frozen=True, slots=True)
class Draft:
    """What goes into the file beside the mapping. `connection` and `network` as TOML has them.

    `template` are lines that end the file as they are: what a person fills in where no answer
    could be looked at. `categories` are the ids that a word may lead to.
    """

    name: str
    opd: str
    connector: str
    yields: tuple[str, ...]
    every_s: float
    timeout_s: float
    connection: Mapping[str, Any]
    network: Mapping[str, Any] = field(default_factory=dict)
    proposal: Proposal | None = None
    categories: tuple[str, ...] = ()
    template: tuple[str, ...] = ()


_STATUSES = {
    "incidents": "menunggu koordinasi disposisi proses selesai dikembalikan ditolak",
    "service_requests": "diajukan diproses dikembalikan selesai ditolak dibatalkan",
    "positions": "aktif siaga mati rusak",
}
#: Words that say by themselves what they mean, by kind of record.
_OBVIOUS = {
    "incidents": {
        "baru": "menunggu", "menunggu": "menunggu", "open": "menunggu", "diterima": "menunggu",
        "diproses": "proses", "proses": "proses", "dikerjakan": "proses", "selesai": "selesai",
        "closed": "selesai", "ditutup": "selesai", "ditolak": "ditolak",
        "dikembalikan": "dikembalikan", "koordinasi": "koordinasi", "disposisi": "disposisi",
    },
    "service_requests": {
        "baru": "diajukan", "diajukan": "diajukan", "menunggu": "diajukan", "proses": "diproses",
        "diproses": "diproses", "selesai": "selesai", "ditolak": "ditolak",
        "dikembalikan": "dikembalikan", "dibatalkan": "dibatalkan", "batal": "dibatalkan",
    },
    "positions": {
        "aktif": "aktif", "active": "aktif", "online": "aktif", "siaga": "siaga",
        "standby": "siaga", "mati": "mati", "offline": "mati", "off": "mati", "rusak": "rusak",
        "perbaikan": "rusak",
    },
}  # fmt: skip


def write_toml(draft: Draft) -> str:
    """The text of `sources/<id>.toml`."""
    lines = [
        f"# {_one_line(draft.name)}: proposed by `lawang sources new` from a live answer. What is",
        "# marked with (?) is a guess for a person to confirm.",
        f"name = {to_toml(draft.name)}",
        'description = ""                      # (?) one sentence in Indonesian',
        'description_en = ""                   # (?) and in English',
        f"opd = {to_toml(draft.opd)}",
        f"connector = {to_toml(draft.connector)}",
        f"yields = {to_toml(list(draft.yields))}",
        f"every_s = {draft.every_s:g}",
        f"timeout_s = {draft.timeout_s:g}",
        'attribution = ""                      # (?) who has to be named on the screens',
        'licence = ""',
        'contact = ""                          # (?) a role, never a person: "Bidang TIK, ..."',
        "",
        *_table("connection", draft.connection),
    ]
    if draft.network:
        lines += _table("network", draft.network)
    if draft.proposal is not None:
        lines += _mapping(draft.proposal, draft.categories)
    lines += draft.template
    return "\n".join(lines).rstrip() + "\n"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _table(name: str, values: Mapping[str, Any]) -> list[str]:
    plain = [f"{_key(k)} = {to_toml(v)}" for k, v in values.items() if not isinstance(v, Mapping)]
    inner = [
        line
        for key, value in values.items()
        if isinstance(value, Mapping)
        for line in _table(f"{name}.{_key(key)}", value)
    ]
    return [f"[{name}]", *plain, "", *inner]


def _key(key: str) -> str:
    return (
        key if key.replace("_", "").replace("-", "").isalnum() and key.isascii() else to_toml(key)
    )


def _mapping(proposal: Proposal, categories: Iterable[str]) -> list[str]:
    # A protocol with fields of its own has no [fields].
    lines = _tables_of_rows(proposal) if proposal.fields else []
    kind = proposal.yields[0] if proposal.yields else "incidents"
    if proposal.status_words:
        lines += _statuses(proposal.status_words, kind)
    if proposal.category_words:
        lines += ["# Their word = an id of categories.toml: " + " ".join(categories)]
        lines += ["[map.category]", *_undecided(proposal.category_words), ""]
    if proposal.service_words:
        lines += _services(proposal.service_words)
    return lines


def _tables_of_rows(proposal: Proposal) -> list[str]:
    lines = [
        "# Ours = where in one of their rows it stands (JMESPath). What is not named is not read."
    ]
    lines += [f"# (?) {note}" for note in proposal.notes]
    lines += _table("fields", proposal.fields)
    formats: dict[str, Any] = {"timezone": "Asia/Jakarta"}
    if proposal.times:
        formats["times"] = list(proposal.times)
    if proposal.decimal == ",":
        formats["decimal"] = ","
    lines += _table("formats", formats)
    if proposal.drop:
        lines += ["# Keys about persons: removed from every row before anything looks at it."]
        lines += _table("personal", {"drop": list(proposal.drop)})
    for name, measure in proposal.measures.items():
        stated: dict[str, Any] = {
            "name_id": measure.name,
            "name_en": measure.name,
            "unit": measure.unit,
            "kind": measure.kind,
            "period": measure.period,
            "value": measure.value,
        }
        if measure.kind == "cumulative":
            stated["resets"] = "year"
        if measure.factor:
            stated["factor"] = measure.factor
        lines += ["# (?) name_en, unit, kind; add expected = [least, greatest]"]
        lines += _table(f"measures.{name}", stated)
    return lines


def _statuses(words: Iterable[str], kind: str) -> list[str]:
    obvious = _OBVIOUS.get(kind, {})
    known = {
        word.casefold(): obvious[word.casefold()] for word in words if word.casefold() in obvious
    }
    left = dict.fromkeys(word.casefold() for word in words if word.casefold() not in known)
    return [
        f"# Their word, in small letters = one of: {_STATUSES.get(kind, '')}",
        "[map.status]",
        *(f"{to_toml(word)} = {to_toml(ours)}   # (?)" for word, ours in known.items()),
        *_undecided(left),
        "",
    ]


def _undecided(words: Iterable[str]) -> list[str]:
    return [f'# {to_toml(word)} = ""   # (?)' for word in words]


def _services(words: Iterable[str]) -> list[str]:
    lines = ["# Each service, with their words for it and what was promised."]
    for number, word in enumerate(words, 1):
        lines += [
            f"# [services.layanan_{number}]",
            f"# name_id = {to_toml(word)}",
            '# name_en = ""   # (?)',
            f"# words = [{to_toml(word)}]",
            "# promise_days = 3   # (?) or promise_minutes",
        ]
    return [*lines, ""]
