"""What people call Satpol PP for. Codes, shares and durations are the simulation's own."""

from __future__ import annotations

from simulator.desk import Kind

_AGENCY = "Satpol PP"

KINDS = (
    Kind(
        "PKL",
        "Pedagang kaki lima",
        _AGENCY,
        0.30,
        2.0,
        (
            "Pedagang kaki lima {place} menutup trotoar",
            "PKL {place} berjualan sampai ke badan jalan",
            "Lapak {place} tidak dibongkar padahal sudah malam",
            "Tenda warung {place} menghalangi jalan warga",
            "Sudah {n} hari pedagang mangkal {place} dan jalan jadi sempit",
        ),
        ("pkl di trotoar", "lapak menutup jalan"),
    ),
    Kind(
        "BSG",
        "Kebisingan",
        _AGENCY,
        0.22,
        0.8,
        (
            "Suara musik {place} sampai lewat tengah malam",
            "Organ tunggal {place} bising sekali, warga tidak bisa tidur",
            "Karaoke {place} mengganggu warga setiap malam",
            "Bengkel {place} bekerja sampai malam dan berisik",
        ),
        ("berisik tengah malam", "musik terlalu keras"),
    ),
    Kind(
        "BGN",
        "Bangunan tanpa izin",
        _AGENCY,
        0.14,
        6.0,
        (
            "Ada bangunan baru {place} di atas saluran air",
            "Bangunan liar {place} berdiri di tanah pemerintah",
            "Pagar toko {place} maju ke bahu jalan",
            "Kios dibangun {place} tanpa papan izin",
        ),
        ("bangunan liar", "kios di atas got"),
    ),
    Kind(
        "RKL",
        "Reklame liar",
        _AGENCY,
        0.10,
        3.5,
        (
            "Spanduk iklan {place} dipaku di pohon",
            "Reklame {place} sudah lapuk dan hampir jatuh",
            "Baliho {place} menutupi rambu",
        ),
        ("spanduk liar", "baliho hampir jatuh"),
    ),
    Kind(
        "RMJ",
        "Kenakalan remaja",
        _AGENCY,
        0.14,
        0.7,
        (
            "Anak muda balap liar {place} setiap malam Minggu",
            "Remaja berkumpul {place} sampai subuh dan melempar batu",
            "Ada yang minum minuman keras {place}",
            "Pelajar bolos berkumpul {place} pada jam sekolah",
        ),
        ("balap liar", "remaja tawuran"),
    ),
    Kind(
        "GPG",
        "Gelandangan dan pengemis",
        _AGENCY,
        0.10,
        1.5,
        (
            "Pengemis {place} memaksa pengendara memberi uang",
            "Anak jalanan mengamen {place} di lampu merah",
            "Ada orang telantar {place} sudah {n} hari",
        ),
        ("pengemis memaksa", "anak jalanan di simpang"),
    ),
)
