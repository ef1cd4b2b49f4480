"""Masking of personal data in free text, before anything is stored or shown (UU 27/2022).

What is recognised is what citizens do write into reports: identity numbers (NIK, and the family
card's number, which has the same 16 digits), telephone numbers and e-mail addresses. Names cannot
be recognised in free text and are not: connectors keep fields that hold names out altogether.
"""

from __future__ import annotations

import re

NIK_MARK = "[NIK]"
PHONE_MARK = "[telepon]"
EMAIL_MARK = "[surel]"

# One space, dot, dash or slash between groups of digits, with the space around a dash that
# people type. Line breaks are no separators: two numbers on two lines are two numbers.
_GAP = r"[ \u00a0]?[ \u00a0.\-\u2010-\u2013/][ \u00a0]?"

# Possessive, and tried only where a word begins: the cost stays linear on hostile text.
_EMAIL = re.compile(r"(?<![\w.+%-])[\w.+%-]++@(?:[\w-]++\.)++[\w-]++")

# Sixteen digits in one go, or in one of the groupings seen on forms. Free grouping would eat tax
# object numbers (18 digits in groups), so the groupings are named. A grouped one begins with a
# province, never with 0 as telephone numbers do. A fraction of sixteen digits belongs to a
# coordinate: no digit and point may stand before.
_NIK_GROUPS = ((4, 4, 4, 4), (6, 6, 4), (2, 2, 2, 6, 4), (2, 2, 2, 2, 2, 2, 4), (6, 10))
_NIK_FORMS = [_GAP.join(rf"\d{{{size}}}" for size in sizes) for sizes in _NIK_GROUPS]
_NIK_FORMS.append(r"\d(?:[ .\-]\d){15}(?![ .\-]\d)")
_NIK = re.compile(rf"(?<!\d)(?<!\d[.,])(?:\d{{16}}|(?!0)(?:{'|'.join(_NIK_FORMS)}))(?!\d)")

# A mobile number (08.., 628..), anything after +62, and fixed lines with their area code set off
# by brackets or a dash. At least three digits stand in a mobile number's first group, so that
# dates such as 08-11-2026 10:30 stay.
_PHONE = re.compile(
    r"(?<!\d)(?<!\d[.,])(?P<start>"
    rf"\(?\+62\)?(?:{_GAP})?(?:\(0\)[ ]?)?\d+"
    r"|\(?(?:0|62)8\d+\)?"
    r"|\(0\d{2,3}\)"
    r"|0\d{2,3}(?=-\d{6})"
    rf")(?P<rest>(?:(?:{_GAP}|(?<=\))[ ]?)\d{{2,9}})*)"
)
# Few texts hold numbers of any length: without three digits close together nothing is to be done.
_DIGITS = re.compile(r"\d\W{0,5}\d\W{0,5}\d")
_GROUP = re.compile(r"\D*\d+")
_FEWEST_DIGITS = 9
_MOST_DIGITS = 14


def mask(text: str) -> str:
    """`text` with NIK, telephone numbers and e-mail addresses replaced by a mark.

    Coordinates, dates, amounts of money and tax object numbers are left as they are.
    Masking twice changes nothing more.
    """
    if "@" in text:
        text = _EMAIL.sub(EMAIL_MARK, text)
    if not _DIGITS.search(text):
        return text
    text = _NIK.sub(NIK_MARK, text)
    return _PHONE.sub(_mask_phone, text)


def _mask_phone(match: re.Match[str]) -> str:
    """Mask the groups that can belong to the number; what follows it (a year, a count) stays."""
    start, rest = match["start"], match["rest"]
    digits = _count_digits(start)
    end = 0
    for group in _GROUP.finditer(rest):
        size = _count_digits(group[0])
        if digits + size > _MOST_DIGITS or (digits >= _FEWEST_DIGITS and size < 3):
            break
        digits += size
        end = group.end()
    if not _FEWEST_DIGITS <= digits <= _MOST_DIGITS:
        return match[0]
    return PHONE_MARK + rest[end:]


def _count_digits(text: str) -> int:
    return sum(character.isdigit() for character in text)
