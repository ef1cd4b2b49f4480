"""What an answer means, as `expected.json` of a sample writes it down."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import fields
from datetime import datetime
from typing import Any, cast

from lawang.check.findings import Findings
from lawang.connector import Parsed
from lawang.domain.errors import SourceError

#: What an answer may hold, as `parse` calls it; only "reports" is always written.
RAW_KINDS = ("reports", "measurements", "applications", "fixes", "bulletins")


def describe_error(error: SourceError) -> dict[str, Any]:
    """An answer that is none."""
    return {"error": type(error).__name__, "kind": error.kind, "detail": error.detail}


def describe_parsed(parsed: Parsed) -> dict[str, Any]:
    """Every record and reject of an answer, with the fields that say something, JSON-ready."""
    found = {kind: [_stated(each) for each in getattr(parsed, kind)] for kind in RAW_KINDS}
    return {
        **{kind: each for kind, each in found.items() if each or kind == "reports"},
        "rejects": [_stated(reject) for reject in parsed.rejects],
        "watermark": parsed.watermark.isoformat() if parsed.watermark else None,
    }


def _stated(value: Any) -> dict[str, Any]:
    stated = {each.name: getattr(value, each.name) for each in fields(value)}
    plain = {
        name: item.isoformat() if isinstance(item, datetime) else item
        for name, item in stated.items()
        if item not in (None, "", (), {}) and item is not False
    }
    return cast("dict[str, Any]", json.loads(json.dumps(plain)))


def describe_settled(findings: Findings) -> dict[str, Any]:
    """What settling makes of it, in figures: a sample is small, so the words are few."""
    unknown = {
        "category": findings.unknown_categories,
        "status": findings.unknown_statuses,
        "service": findings.unknown_services,
    }
    return {
        "counts": findings.counts,
        "rejects": findings.reject_reasons,
        "held": _sum(use.held for use in findings.measures),
        "regions_not_found": findings.places_not_found,
        "unknown_words": {table: words for table, words in unknown.items() if words},
    }


def _sum(counts: Iterable[dict[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for each in counts:
        total.update(each)
    return dict(total)
