"""Turns an answer of a department into a sample that may be kept: no personal data, no secrets.

What may lie in an answer and is never read (the reporter's name, a device) is dropped by the name
of its key; what is read is masked. A name inside a sentence is recognised by neither, so a person
has to read a sample before it is passed on.
"""

from lawang.sample.cleaning import clean_answer, is_personal
from lawang.sample.options import describe_answer, describe_options
from lawang.sample.paths import KeyPath, is_kept, kept_paths, mapped_paths
from lawang.sample.tables import clean_table
from lawang.sample.writing import Cleaned, clean_for, write_sample

__all__ = [
    "Cleaned",
    "KeyPath",
    "clean_answer",
    "clean_for",
    "clean_table",
    "describe_answer",
    "describe_options",
    "is_kept",
    "is_personal",
    "kept_paths",
    "mapped_paths",
    "write_sample",
]
