"""What citizens write: plain templates put together by a seeded generator.

No sentence is taken from a real report. Phone numbers and NIK-like numbers that sometimes occur
are impossible ones (subscriber block 0000; a birth date of 00-00-00), made so that masking has
something to mask.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spot:
    """Where something is, in the words a citizen has for it."""

    lane: str
    rt: int
    rw: int
    kelurahan: str
    kecamatan: str
    landmarks: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        """The address as a form writes it."""
        return (
            f"{self.lane} RT {self.rt:02d} RW {self.rw:02d}, Kel. {self.kelurahan}, "
            f"Kec. {self.kecamatan}"
        )


LANES = (
    "Lr. Sepakat",
    "Lr. Keramat",
    "Lr. Mawar",
    "Lr. Melati",
    "Lr. Bersama",
    "Lr. Kebun Jambu",
    "Lr. Masjid",
    "Lr. Sawah",
    "Lr. Serumpun",
    "Lr. Harapan",
    "Lr. Sukarela",
    "Lr. Taman Bacaan",
    "Lr. Langgar",
    "Lr. Kenanga",
    "Lr. Pahlawan",
    "Lr. Cempaka",
    "Lr. Lebak",
    "Lr. Mufakat",
)

_PLACES = (
    "di {lane} RT {rt:02d}",
    "di {lane} RT {rt:02d} RW {rw:02d}",
    "di RT {rt} RW {rw} Kelurahan {kelurahan}",
    "di {lane}, {kelurahan}",
    "di depan {lane}",
    "di simpang {lane} {kelurahan}",
    "dekat masjid di {lane}",
    "di dekat SD di {kelurahan}",
    "di samping pos kamling RT {rt}",
    "di belakang pasar {kelurahan}",
    "di sepanjang {lane}",
    "di daerah {kelurahan}",
    "di ujung {lane} arah {kecamatan}",
)
_LANDMARK_PLACES = ("dekat {landmark}", "tidak jauh dari {landmark}", "arah ke {landmark}")

PROBLEMS: dict[str, tuple[str, ...]] = {
    "JLN": (
        "Jalan {place} berlubang cukup dalam",
        "Ada lubang besar {place}, sudah beberapa motor jatuh",
        "Aspal {place} mengelupas dan banyak kerikil lepas",
        "Jalan {place} amblas sedalam kira-kira {n} sentimeter",
        "Jalan rusak parah {place}",
        "Bekas galian pipa {place} belum ditutup kembali",
        "Cor beton {place} retak dan bergelombang",
        "Kondisi jalan {place} hancur karena truk bermuatan berat",
        "Lubang {place} tertutup air kalau hujan jadi tidak kelihatan",
        "Jembatan kecil {place} papannya sudah lapuk",
        "Bahu jalan {place} longsor ke arah parit",
        "Polisi tidur {place} terlalu tinggi dan sudah pecah",
        "Jalan {place} belum pernah diperbaiki sejak {n} bulan lalu",
        "Trotoar {place} pecah sehingga pejalan kaki turun ke jalan",
    ),
    "BJR": (
        "Banjir {place} setinggi {depth}",
        "Air mulai masuk rumah warga {place}",
        "Genangan {place} sudah {n} jam tidak surut",
        "Jalan {place} tergenang, motor banyak yang mogok",
        "Setiap hujan deras {place} pasti banjir",
        "Air pasang Sungai Musi naik sampai {place}",
        "Mohon bantuan, air {place} sudah setinggi {depth}",
        "Kolam retensi meluap dan airnya menggenangi jalan {place}",
        "Rumah warga {place} kebanjiran, ada lansia dan balita",
        "Genangan air {place} mengganggu anak sekolah",
        "Hujan baru sebentar, jalan {place} sudah seperti sungai",
        "Pompa air {place} tidak menyala padahal air terus naik",
        "Sekitar {n} rumah {place} terendam",
    ),
    "DRN": (
        "Got {place} tersumbat sampah dan lumpur",
        "Saluran air {place} tidak mengalir sama sekali",
        "Tutup got {place} hilang, bahaya untuk anak-anak",
        "Parit {place} dangkal dan penuh rumput",
        "Dinding drainase {place} jebol",
        "Air got {place} meluber ke jalan dan berbau",
        "Gorong-gorong {place} mampet sejak {n} hari lalu",
        "Pembangunan drainase {place} berhenti di tengah jalan",
        "Selokan {place} ditutup bangunan warung",
        "Saluran {place} perlu dikeruk, lumpurnya sudah tinggi",
        "Belum ada saluran pembuangan {place}",
        "Box culvert {place} patah sehingga air tidak lancar",
    ),
    "SMP": (
        "Sampah {place} sudah {n} hari tidak diangkut",
        "Tumpukan sampah {place} baunya menyengat",
        "TPS {place} penuh sampai ke badan jalan",
        "Ada yang membuang sampah sembarangan {place} setiap malam",
        "Sampah menumpuk {place}",
        "Truk sampah tidak pernah lewat {place} minggu ini",
        "Kontainer sampah {place} rusak dan bocor",
        "Bangkai binatang dibuang {place}",
        "Warga membakar sampah {place} dan asapnya masuk rumah",
        "Sampah pasar {place} berserakan dan banyak lalat",
        "Tepi sungai {place} penuh sampah plastik",
        "Sampah sisa bangunan {place} dibiarkan menutupi jalan",
        "Bak sampah {place} hilang, warga bingung buang ke mana",
    ),
    "LPJ": (
        "Lampu jalan {place} mati",
        "Lampu jalan {place} sudah {n} malam padam",
        "PJU {place} mati total, gelap sekali kalau malam",
        "Tiang lampu {place} miring dan hampir roboh",
        "Lampu {place} menyala terus siang malam",
        "Lampu jalan {place} berkedip-kedip",
        "Kabel lampu jalan {place} menjuntai rendah",
        "Ada {n} titik lampu padam {place}",
        "Jalan {place} gelap, rawan begal",
        "Lampu penerangan {place} pecah",
        "Panel lampu jalan {place} terbuka dan kabelnya kelihatan",
        "Belum ada lampu jalan sama sekali {place}",
        "Lampu baru diperbaiki {place} tetapi sekarang mati lagi",
    ),
    "PHN": (
        "Pohon tumbang {place} menutup jalan",
        "Dahan besar patah {place} setelah angin kencang",
        "Pohon {place} miring, takut menimpa rumah",
        "Pohon tumbang menimpa kabel listrik {place}",
        "Ranting pohon {place} menutupi lampu merah",
        "Pohon tua {place} sudah lapuk dan perlu dipangkas",
        "Ada pohon tumbang {place}, kendaraan tidak bisa lewat",
        "Pohon roboh menimpa pagar warga {place}",
        "Batang pohon melintang {place} sejak hujan tadi",
        "Akar pohon {place} merusak trotoar",
        "Pohon pelindung {place} condong ke arah jalan",
        "Pohon tumbang {place} menimpa mobil yang parkir, tidak ada korban",
    ),
    "AIR": (
        "Air ledeng {place} tidak mengalir sejak {n} hari lalu",
        "Pipa air bocor {place}, airnya terbuang ke jalan",
        "Air {place} keruh dan berbau",
        "Air hanya mengalir tengah malam {place}",
        "Tekanan air {place} kecil sekali",
        "Meteran air {place} rusak tetapi tagihan tetap naik",
        "Pipa induk pecah {place}",
        "Air bersih mati {place} tanpa pemberitahuan",
        "Warga {place} terpaksa membeli air galon untuk mandi",
        "Sambungan pipa {place} bocor setelah ada galian",
        "Air {place} berwarna kuning, tidak layak pakai",
        "Hidran umum {place} sudah lama tidak berfungsi",
    ),
    "LLN": (
        "Macet parah {place} setiap jam pulang kerja",
        "Lampu merah {place} tidak berfungsi",
        "Parkir liar {place} memakan separuh jalan",
        "Juru parkir {place} meminta tarif tidak sesuai karcis",
        "Rambu dilarang parkir {place} roboh",
        "Truk besar parkir {place} sampai malam",
        "Marka jalan {place} sudah hilang",
        "Angkutan umum ngetem {place} dan membuat macet",
        "Zebra cross {place} pudar, susah menyeberang",
        "Banyak motor melawan arus {place}",
        "Halte {place} kotor dan atapnya bocor",
        "Waktu lampu hijau {place} terlalu singkat",
        "Truk batu bara melintas {place} di luar jam yang diizinkan",
    ),
    "TRB": (
        "Pedagang kaki lima {place} menutup trotoar",
        "Musik organ tunggal {place} sampai lewat tengah malam",
        "Anak jalanan dan pengemis {place} mengganggu pengendara",
        "Balap liar {place} setiap malam minggu",
        "Bangunan tanpa izin {place}",
        "Spanduk dan reklame liar {place} merusak pemandangan",
        "Kumpulan anak muda {place} minum-minuman keras",
        "Kandang ayam {place} baunya mengganggu tetangga",
        "Tawuran remaja {place}, warga takut keluar rumah",
        "Hewan ternak berkeliaran {place}",
        "Orang dengan gangguan jiwa {place} melempari kendaraan",
        "Pembangunan kos {place} berisik sampai larut malam",
    ),
    "PLY": (
        "Antrean di kantor lurah {kelurahan} lama sekali, loket hanya satu",
        "Petugas di kantor camat {kecamatan} kurang ramah",
        "Sudah {n} minggu KTP elektronik saya belum jadi",
        "Surat domisili dari kelurahan {kelurahan} belum selesai juga",
        "Puskesmas {kelurahan} tutup sebelum jam pelayanan habis",
        "Nomor antrean di puskesmas {kelurahan} habis jam tujuh pagi",
        "Kartu keluarga saya salah nama, sudah {n} kali bolak-balik",
        "Aplikasi pendaftaran tidak bisa dibuka dari kemarin",
        "Diminta biaya tambahan untuk surat pengantar di {kelurahan}",
        "Akta kelahiran anak saya belum terbit setelah {n} minggu",
        "Bantuan sosial untuk warga {place} belum diterima",
        "Kantor lurah {kelurahan} kosong waktu jam kerja",
    ),
    "LNY": (
        "Kabel telepon semrawut {place}",
        "Taman {place} tidak terawat, mainan anak rusak",
        "Banyak anjing liar {place}",
        "Sarang tawon besar {place}, mohon dievakuasi",
        "Ada ular masuk rumah warga {place}",
        "Nyamuk banyak sekali {place}, mohon pengasapan",
        "Toilet umum {place} kotor dan airnya mati",
        "Papan nama jalan {place} hilang",
        "Tiang listrik {place} keropos",
        "Bau asap pabrik {place} setiap sore",
        "Usul dibuatkan taman bermain {place}",
        "Terima kasih, perbaikan {place} sudah bagus tetapi belum selesai semua",
    ),
    "WFI": (
        "WiFi gratis {place} tidak bisa tersambung",
        "WiFi publik {place} lambat sekali",
        "Sinyal WiFi taman {place} hilang sejak {n} hari lalu",
    ),
}

TERSE: dict[str, tuple[str, ...]] = {
    "JLN": ("jalan rusak", "Lubang besar", "jalan hancur"),
    "BJR": ("banjir", "Banjir lagi", "air masuk rumah"),
    "DRN": ("got mampet", "saluran tersumbat"),
    "SMP": ("sampah numpuk", "Sampah belum diangkut"),
    "LPJ": ("lampu mati", "Lampu jalan padam"),
    "PHN": ("pohon tumbang", "Pohon hampir roboh"),
    "AIR": ("air mati", "pipa bocor"),
    "LLN": ("macet", "parkir liar"),
    "TRB": ("berisik", "pkl di trotoar"),
    "PLY": ("antre lama", "pelayanan lambat"),
    "LNY": ("mohon bantuan", "tolong dicek"),
    "WFI": ("wifi mati",),
}

#: What is written while a fire burns near by.
SMOKE: tuple[str, ...] = (
    "Kebakaran rumah {place}, api sudah besar",
    "Asap hitam tebal terlihat {place}",
    "Ada kebakaran {place}, mobil pemadam sulit masuk lorong",
    "Api merembet ke rumah sebelah {place}",
    "Warga {place} mengungsi karena kebakaran",
    "Listrik {place} dipadamkan karena kebakaran",
    "Jalan {place} macet total, ada kebakaran",
)
SMOKE_TERSE = ("kebakaran", "Kebakaran besar", "asap tebal")

DETAILS = (
    "Sudah pernah dilaporkan ke RT tetapi belum ada tindakan.",
    "Kejadiannya sejak {n} hari yang lalu.",
    "Banyak anak sekolah lewat sini setiap pagi.",
    "Warga sudah kerja bakti tetapi tidak cukup.",
    "Kemarin ada pengendara motor yang jatuh di situ.",
    "Kalau malam sangat berbahaya.",
    "Ini satu-satunya jalan keluar masuk warga.",
    "Lokasinya persis di tikungan.",
    "Ketua RT sudah tahu dan meminta kami melapor ke sini.",
    "Kondisi ini sudah berlangsung lama.",
    "Foto menyusul, hp saya kameranya rusak.",
    "Semakin hari semakin parah.",
    "Di sini banyak lansia dan anak kecil.",
    "Laporan saya bulan lalu belum ada jawaban.",
    "Dulu pernah diperbaiki, sekarang begitu lagi.",
    "Pedagang di sekitar juga mengeluh.",
    "Ancer-ancernya sebelah warung pempek.",
    "Patokannya rumah pagar hijau sebelum jembatan.",
)

CLOSINGS = (
    "Mohon segera ditindaklanjuti.",
    "Tolong dicek ke lokasi ya pak.",
    "Terima kasih sebelumnya.",
    "Mohon perhatian Bapak Wali Kota.",
    "Semoga cepat diperbaiki.",
    "Kami tunggu tindak lanjutnya.",
    "Tolong jangan menunggu ada korban.",
    "Mohon bantuannya min.",
    "Kapan petugas bisa datang?",
    "Besak nian harapan kami, tolonglah.",
)

_GREETINGS = ("Selamat pagi", "Selamat siang", "Assalamualaikum", "Halo admin", "Yth. Bapak/Ibu")
_EMOJI = ("🙏", "🙏🙏", "😡", "😢", "🚧", "‼️", "👍")
_DEPTHS = ("mata kaki", "betis", "lutut", "paha orang dewasa")
_SHORT_FORMS = {
    "yang": "yg",
    "tidak": "tdk",
    "sudah": "sdh",
    "dengan": "dgn",
    "belum": "blm",
    "tolong": "tlg",
    "banyak": "byk",
    "sampai": "sampe",
    "terima kasih": "mksh",
    "karena": "krn",
    "setiap": "tiap",
}


def describe(rng: random.Random, code: str, spot: Spot) -> str:
    """One report's description for a service code of e-lapor; see `write`."""
    return write(rng, PROBLEMS[code], TERSE[code], spot)


def write(rng: random.Random, problems: Sequence[str], terse: Sequence[str], spot: Spot) -> str:
    """One report's description, from two words (of `terse`) to five sentences.

    `problems` are templates that may name `{place}`, `{n}` (2 to 9) and the parts of the spot.
    """
    is_terse = rng.random() < 0.07
    return _handwriting(rng, rng.choice(terse) if is_terse else _sentences(rng, problems, spot))


def _sentences(rng: random.Random, problems: Sequence[str], spot: Spot) -> str:
    parts = [_fill(rng, rng.choice(problems), spot)]
    if rng.random() < 0.22:
        opening = parts[0][0].lower() + parts[0][1:] if parts[0][1].islower() else parts[0]
        parts[0] = f"{rng.choice(_GREETINGS)}, {opening}"
    if rng.random() < 0.85:
        parts[0] += "."
    details = rng.sample(DETAILS, rng.choice((0, 0, 1, 1, 2, 3)))
    parts += [_fill(rng, text, spot) for text in details]
    if rng.random() < 0.55:
        parts.append(rng.choice(CLOSINGS))
    if rng.random() < 0.025:
        parts.append(_contact(rng))
    return " ".join(parts)


def _fill(rng: random.Random, template: str, spot: Spot) -> str:
    words: dict[str, object] = {
        "lane": spot.lane,
        "rt": spot.rt,
        "rw": spot.rw,
        "kelurahan": spot.kelurahan,
        "kecamatan": spot.kecamatan,
        "n": rng.randint(2, 9),
        "depth": rng.choice(_DEPTHS),
    }
    if spot.landmarks and rng.random() < 0.3:
        place = rng.choice(_LANDMARK_PLACES).format(landmark=rng.choice(spot.landmarks))
    else:
        place = rng.choice(_PLACES).format(**words)
    return template.format(place=place, **words)


def _contact(rng: random.Random) -> str:
    last = f"{rng.randint(0, 9999):04d}"
    if rng.random() < 0.3:
        return f"NIK saya 167101000000{last}."
    number = rng.choice(("0812-0000-{}", "08120000{}", "+62 812 0000 {}")).format(last)
    return rng.choice(("Hubungi saya di {}.", "WA {}", "No hp {} (ketua RT)")).format(number)


def _handwriting(rng: random.Random, text: str) -> str:
    """How the same words come out of different people's thumbs."""
    if rng.random() < 0.25:
        for word, short in _SHORT_FORMS.items():
            text = re.sub(rf"\b{word}\b", short, text)
    if rng.random() < 0.15:
        text = _mistyped(rng, text)
    style = rng.random()
    if style < 0.05:
        text = text.upper()
    elif style < 0.17:
        text = text.lower()
    if rng.random() < 0.07:
        text = f"{text} {rng.choice(_EMOJI)}"
    return text


def _mistyped(rng: random.Random, text: str) -> str:
    """A letter left out, doubled, or exchanged with the next; digits stay as they are."""
    letters = [
        index
        for index in range(1, len(text) - 1)
        if text[index].isalpha() and text[index + 1].isalpha()
    ]
    if not letters:
        return text
    at = rng.choice(letters)
    here, after = text[at], text[at + 1]
    slip, taken = rng.choice((("", 1), (here + here, 1), (after + here, 2)))
    return text[:at] + slip + text[at + taken :]
