"""Guesses which key is what, by its name and by the values that stand under it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from lawang.domain.privacy import mask
from lawang.domain.region import Box, Gazetteer
from lawang.domain.values import read_degrees
from lawang.propose.columns import key_of, list_columns, tokens
from lawang.propose.measures import MeasureDraft, draft_measures, guess_period, over
from lawang.propose.values import Column, guess_decimal, time_forms
from lawang.sample import is_personal

_MOST_STATUSES = 30
_MOST_CATEGORIES = 80

_IDENTITY = ("id", "nomor", "no", "tiket", "ticket", "kode", "code", "number", "uuid", "guid")
_TIME = frozenset(
    [
        "tanggal",
        "tgl",
        "waktu",
        "jam",
        "date",
        "time",
        "datetime",
        "timestamp",
        "created",
        "updated",
        "dibuat",
        "diubah",
        "lapor",
        "bulan",
        "periode",
        "at",
        "observed",
        "modified",
        "edited",
        "ts",
        "tempo",
    ]
)
_CHANGED = frozenset(
    ["ubah", "diubah", "update", "updated", "perubahan", "modified", "edit", "edited", "terakhir"]
)
_DUE = frozenset(["target", "due", "tenggat", "batas", "expected", "tempo"])
_ASKED = frozenset(
    [
        "lapor",
        "buat",
        "dibuat",
        "created",
        "create",
        "requested",
        "diterima",
        "terima",
        "masuk",
        "kejadian",
        "daftar",
        "pengajuan",
        "diajukan",
        "ajuan",
        "usul",
        "permohonan",
        "mohon",
        "opened",
        "submitted",
    ]
)
_LATITUDE = frozenset({"lat", "latitude", "lintang", "y"})
_LONGITUDE = frozenset({"lon", "lng", "long", "longitude", "bujur", "x"})
_REGION = ("kelurahan", "kel", "desa", "kecamatan", "kec", "wilayah", "region", "daerah", "area")
_STATUS = ("status", "kondisi", "state", "keadaan")
_CATEGORY = ("kategori", "category", "jenis", "klasifikasi", "tipe", "type", "topik", "kelompok")
_SERVICE = ("layanan", "surat", "izin", "service", "permohonan", "jenis")
_TEXT = ("uraian", "deskripsi", "description", "isi", "keterangan", "laporan", "aduan", "detail")
_ADDRESS = ("alamat", "address", "lokasi", "jalan")
_AGENCY = ("opd", "dinas", "instansi", "agency", "pelaksana", "unit", "kantor", "disposisi")
_MEDIA = ("foto", "media", "gambar", "image", "photo", "lampiran")
_LINK = ("link", "url", "stream", "hls")
_MOVES = frozenset(["arah", "heading", "bearing", "kecepatan", "speed", "nopol", "plat", "polisi"])
_ABOUT = (
    "stasiun", "pos", "puskesmas", "pasar", "sekolah", "hotel", "unit", "titik", "sensor", "alat",
    "kode", "rekening", "opd", "komoditas", "lokasi", "id", "objek", "kelurahan", "kecamatan",
)  # fmt: skip
#: A code, or a name that says by itself that it is a kelurahan.
_SAYS_WHAT = re.compile(r"[\d.]+$|kel|desa", re.IGNORECASE)
_COUNTERS = frozenset({"no", "_id", "objectid", "fid", "rownum"})


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a person is to complete. `fields` are expressions by our names.

    `times` and `decimal` are for `[formats]`; `drop` keys about persons; the words are those seen,
    most frequent first; `notes` say what could not be found.
    """

    yields: tuple[str, ...]
    fields: dict[str, str]
    times: tuple[str, ...]
    decimal: str
    measures: dict[str, MeasureDraft]
    drop: tuple[str, ...]
    category_words: tuple[str, ...] = ()
    status_words: tuple[str, ...] = ()
    service_words: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class _Guesses:
    columns: list[Column]
    gazetteer: Gazetteer
    box: Box
    decimal: str
    taken: set[str] = field(default_factory=set)
    times: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def pick(
        self, words: Sequence[str], fits: Callable[[Column], bool], *, keep: bool = False
    ) -> Column | None:
        """The first column whose name has one of the words, earlier words first, and that fits."""
        for exact in (True, False):
            for word in words:
                for each in self.columns:
                    names = tokens(each.path)
                    named = names == [word] if exact else word in names
                    if named and each.path not in self.taken and each.values and fits(each):
                        if not keep:
                            self.taken.add(each.path)
                        return each
        return None

    def pick_time(self, words: frozenset[str]) -> str | None:
        for path in self.times:
            if path not in self.taken and not words.isdisjoint(tokens(path)):
                self.taken.add(path)
                return path
        return None


def propose(
    rows: Sequence[dict[str, Any]],
    gazetteer: Gazetteer,
    box: Box,
    yields: Sequence[str] = (),
) -> Proposal:
    """A mapping for these rows, as far as it can be guessed.

    `box` is that of the city: numbers inside it may be coordinates. `yields` is what the rows are
    known to hold; without it that is guessed as well.
    """
    columns = [each for each in list_columns(rows) if each.is_single]
    decimal = guess_decimal([value for each in columns for value in each.values])
    personal = {each.path for each in columns if _is_about_person(each.path)}
    guesses = _Guesses(
        [each for each in columns if each.path not in personal], gazetteer, box, decimal
    )
    for each in guesses.columns:
        if not _TIME.isdisjoint(tokens(each.path)) or _is_iso(each.values):
            forms = time_forms(each.values)
            if forms is not None:
                guesses.times[each.path] = forms
    place = _place(guesses)
    kinds = tuple(yields) or _guess_kinds(guesses, place)
    fields = _fields(guesses, kinds, place)
    period = guess_period(guesses.times.get(fields.get("observed_at", ""), ()), rows, fields)
    used = {*guesses.taken, *guesses.times}
    measures = (
        draft_measures([each for each in guesses.columns if each.path not in used], decimal, period)
        if "readings" in kinds
        else {}
    )
    return Proposal(
        yields=kinds,
        fields=fields,
        times=tuple(
            dict.fromkeys(form for path in fields.values() for form in guesses.times.get(path, ()))
        ),
        # Degrees are read with either mark; a case has no other numbers.
        decimal=decimal if measures or "positions" in kinds else ".",
        measures=measures,
        drop=_drop(personal, [*fields.values(), *(each.value for each in measures.values())]),
        category_words=_words(guesses, fields.get("category"), _MOST_CATEGORIES),
        status_words=_words(guesses, fields.get("status"), _MOST_STATUSES),
        service_words=_words(guesses, fields.get("service"), _MOST_CATEGORIES),
        notes=tuple(_notes(kinds, fields, measures)),
    )


def _is_about_person(path: str) -> bool:
    parts = [key_of(part) for part in path.split(".")]
    return any(is_personal(part) for part in parts)


def _is_iso(values: Sequence[Any]) -> bool:
    return bool(values) and all(isinstance(each, str) and each[4:5] == "-" for each in values)


def _drop(personal: Iterable[str], used: Iterable[str]) -> tuple[str, ...]:
    """The outermost keys about persons, unless what is mapped has a key of that name too."""
    read = {word for text in used for word in re.findall(r"\w+", text)}
    keys: dict[str, None] = {}
    for path in sorted(personal):
        for part in path.split("."):
            key = key_of(part)
            if is_personal(key):
                if key not in read:
                    keys.setdefault(key)
                break
    return tuple(keys)


def _place(guesses: _Guesses) -> dict[str, str]:
    """Expressions for latitude and longitude."""

    def within(low: float, high: float) -> Callable[[Column], bool]:
        def fits(each: Column) -> bool:
            degrees = [read_degrees(value) for value in each.values]
            inside = [low - 1 <= value <= high + 1 for value in degrees if value is not None]
            return bool(inside) and sum(inside) >= 0.8 * len(degrees)

        return fits

    is_latitude = within(guesses.box.south, guesses.box.north)
    is_longitude = within(guesses.box.west, guesses.box.east)
    latitude = guesses.pick(tuple(_LATITUDE), is_latitude)
    longitude = guesses.pick(tuple(_LONGITUDE), is_longitude)
    if latitude and longitude:
        return {"latitude": latitude.path, "longitude": longitude.path}
    for each in guesses.columns:
        if each.path.endswith("[0]"):
            other = next(
                (one for one in guesses.columns if one.path == f"{each.path[:-3]}[1]"), None
            )
            if other is None:
                continue
            for first, second in ((each, other), (other, each)):
                if is_latitude(first) and is_longitude(second):
                    guesses.taken |= {first.path, second.path}
                    return {"latitude": first.path, "longitude": second.path}
        texts = [str(value).split(",") for value in each.values if isinstance(value, str)]
        pairs = [text for text in texts if len(text) == 2]
        if each.values and len(pairs) == len(each.values):
            halves = [
                Column(each.path, tuple(pair[n] for pair in pairs), each.rows) for n in (0, 1)
            ]
            for north, east in ((0, 1), (1, 0)):
                if is_latitude(halves[north]) and is_longitude(halves[east]):
                    guesses.taken.add(each.path)
                    return {
                        "latitude": f"split(',', {each.path})[{north}]",
                        "longitude": f"split(',', {each.path})[{east}]",
                    }
    return {}


def _guess_kinds(guesses: _Guesses, place: dict[str, str]) -> tuple[str, ...]:
    words = {word for each in guesses.columns for word in tokens(each.path)}
    has_identity = guesses.pick(_IDENTITY, _is_unique, keep=True) is not None
    has_state = not words.isdisjoint(_STATUS)
    if place and not words.isdisjoint(_MOVES):
        return ("positions",)
    if has_identity and has_state and guesses.times:
        is_asked = not words.isdisjoint({"layanan", "surat", "izin", "permohonan", "pengajuan"})
        return ("service_requests",) if is_asked else ("incidents",)
    if has_identity and guesses.times and not words.isdisjoint({*_CATEGORY, *_TEXT}) and place:
        return ("incidents",)
    if place and has_identity and not guesses.times:
        return ("positions",)
    return ("readings",)


def _is_unique(each: Column) -> bool:
    texts = [str(value) for value in each.values]
    return (
        each.share == 1
        and len(set(texts)) == len(texts)
        and all(isinstance(value, str | int) for value in each.values)
        and mask(" \n".join(texts)) == " \n".join(texts)
    )


def _is_few(most: int) -> Callable[[Column], bool]:
    return lambda each: 0 < each.distinct <= most


def _is_text(each: Column) -> bool:
    return all(isinstance(value, str) for value in each.values)


def _is_link(each: Column) -> bool:
    return all(str(value).startswith(("http://", "https://")) for value in each.values)


def _fields(guesses: _Guesses, kinds: Sequence[str], place: dict[str, str]) -> dict[str, str]:
    fields: dict[str, str] = {}

    def put(name: str, found: Column | str | None) -> None:
        if found is not None and name not in fields:
            fields[name] = found if isinstance(found, str) else found.path

    is_case = bool({"incidents", "service_requests"} & set(kinds))
    if {"incidents", "service_requests", "positions"} & set(kinds):
        put("external_id", guesses.pick(_IDENTITY, _is_unique))
    _put_times(guesses, is_case, put)
    if is_case:
        put("status", guesses.pick(_STATUS, _is_few(_MOST_STATUSES)))
        words = _SERVICE if "service_requests" in kinds else _CATEGORY
        name = "service" if "service_requests" in kinds else "category"
        put(name, guesses.pick(words, _is_few(_MOST_CATEGORIES)))
    if "incidents" in kinds:
        put("description", guesses.pick(_TEXT, _is_text))
        put("media_url", guesses.pick(_MEDIA, _is_link))
    if "positions" in kinds:
        put("status", guesses.pick(_STATUS, _is_few(_MOST_STATUSES)))
        put("kind", guesses.pick(_CATEGORY, _is_few(_MOST_STATUSES)))
        put("heading", guesses.pick(("arah", "heading", "bearing"), lambda _: True))
        put("speed_kmh", guesses.pick(("kecepatan", "speed"), lambda _: True))
        put("link", guesses.pick(_LINK, _is_link))
    fields.update(place)
    put("region", _region(guesses))
    if is_case:
        put("address", guesses.pick(_ADDRESS, _is_text))
        put("agency", guesses.pick(_AGENCY, _is_text))
    if "readings" in kinds:
        put("subject", _subject(guesses, fields))
    title = guesses.pick(("nama", "name", "title", "judul", "uraian"), _is_text)
    if title is not None and not is_case:
        put("name" if "positions" in kinds else "subject_name", title)
        if "readings" in kinds:
            put("subject_name", title)
    return fields


def _put_times(
    guesses: _Guesses, is_case: bool, put: Callable[[str, Column | str | None], None]
) -> None:
    put("updated_at", guesses.pick_time(_CHANGED) if is_case else None)
    if is_case:
        put("due_at", guesses.pick_time(_DUE))
        put("closed_at", None)
        put("requested_at", guesses.pick_time(_ASKED) or guesses.pick_time(_TIME))
        return
    changed = [path for path in guesses.times if not _CHANGED.isdisjoint(tokens(path))]
    others = [path for path in guesses.times if path not in changed]
    for path in (*others, *changed):
        guesses.taken.add(path)
        put("observed_at", path)
        break
    else:
        put("observed_at", _year(guesses))


def _year(guesses: _Guesses) -> str | None:
    """A time made of columns for year and month, or for the year alone."""

    def is_year(each: Column) -> bool:
        return all(str(value).isdecimal() and 1990 <= int(value) < 2100 for value in each.values)

    year = guesses.pick(("tahun", "year", "thn"), is_year)
    if year is None:
        return None
    expression = f"join('-', [to_string({year.path}), '01'])"
    guesses.times[expression] = ("%Y-%m",)
    return expression


def _region(guesses: _Guesses) -> str | None:
    """The column whose values are regions of the city; names of kelurahan are told as such."""
    best: tuple[float, str] | None = None
    for each in guesses.columns:
        names = tokens(each.path)
        by_name = next((n for n, word in enumerate(_REGION) if word in names), None)
        if each.path in guesses.taken or not each.values or (by_name is None and each.distinct < 2):
            continue
        texts = {str(value) for value in each.values}
        known = sum(guesses.gazetteer.resolve(text) is not None for text in texts) / len(texts)
        if known < (0.3 if by_name is not None else 0.8):
            continue
        score = known + (1 - 0.05 * by_name if by_name is not None else 0)
        if best is None or score > best[0]:
            best = score, each.path
    if best is None:
        return None
    guesses.taken.add(best[1])
    is_kelurahan = {"kelurahan", "kel", "desa"} & set(tokens(best[1]))
    values = next(each.values for each in guesses.columns if each.path == best[1])
    # Some kecamatan have the names of kelurahan; codes say by themselves what they are.
    if is_kelurahan and not any(_SAYS_WHAT.match(str(value)) for value in values):
        return f"join(' ', ['Kel.', {best[1]}])"
    return best[1]


def _subject(guesses: _Guesses, fields: dict[str, str]) -> str | None:
    """What a reading is of: a column that identifies the row at one time."""

    def fits(each: Column) -> bool:
        is_counter = key_of(each.path).casefold() in _COUNTERS
        return (
            not is_counter
            and each.share > 0.9
            and all(isinstance(value, str) for value in each.values)
        )

    found = guesses.pick(_ABOUT, fits)
    if found is not None:
        return found.path
    if "region" in fields and not fields["region"].startswith("join("):
        return fields["region"]
    return None


def _words(guesses: _Guesses, path: str | None, most: int) -> tuple[str, ...]:
    for each in guesses.columns:
        if each.path == path:
            # A word that is masked is a person's number, and no word to map.
            return tuple(
                word for word in each.words(most) if mask(word) == word and len(word) <= 200
            )
    return ()


_NEEDED = {
    "incidents": ("external_id", "requested_at", "status", "category"),
    "service_requests": ("external_id", "requested_at", "status", "service"),
    "positions": ("external_id", "latitude", "longitude"),
    "readings": ("observed_at", "subject"),
}


def _notes(
    kinds: Sequence[str], fields: dict[str, str], measures: dict[str, MeasureDraft]
) -> Iterable[str]:
    for kind in kinds:
        for name in _NEEDED.get(kind, ()):
            if name not in fields:
                yield f"no key was found for {name}: name it under [fields]"
    if "readings" in kinds and not measures:
        yield "no numbers were found: describe one under [measures.<id>]"
    if "region" not in fields and "latitude" not in fields:
        yield "nothing says where it is: name region, or latitude and longitude, under [fields]"


def with_time(proposal: Proposal, expression: str, form: str, period: str) -> Proposal:
    """The proposal with a time of observation that no column has, such as a file's name."""
    return replace(
        proposal,
        fields={**proposal.fields, "observed_at": expression},
        times=(*proposal.times, form),
        measures={name: over(each, period) for name, each in proposal.measures.items()},
        notes=tuple(note for note in proposal.notes if "observed_at" not in note),
    )
