"""What both reading and parsing need to know of an ArcGIS server's JSON."""

from __future__ import annotations

from typing import Any

from connectors.documents import open_json
from connectors.http import error_for
from lawang.domain.errors import NeedsPerson, RetryLater

#: A token is missing, wrong or has run out; such servers answer so with HTTP 200.
_TOKEN_CODES = frozenset({498, 499})


def open_answer(body: bytes) -> dict[str, Any]:
    """The document of an answer that is no refusal.

    Raises RetryLater("garbage") for what is no JSON object, and what the refusal means for one.
    """
    document = open_json(body)
    if not isinstance(document, dict):
        raise RetryLater("garbage", "no ArcGIS answer: not an object")
    if "error" in document:
        raise _refusal(document["error"])
    return document


def _refusal(error: object) -> NeedsPerson | RetryLater:
    """The meaning of an error's code. Its message is not repeated: it may quote the question."""
    code = error.get("code") if isinstance(error, dict) else None
    if isinstance(code, bool) or not isinstance(code, int | str) or not str(code).isdecimal():
        return RetryLater("bad_status", "in the answer: no code")
    number = int(str(code)[:9])
    where = "in the answer"
    if number in _TOKEN_CODES:
        return NeedsPerson("refused", f"{where}: {number}, the token is missing or has run out")
    if number == 400:
        return NeedsPerson("bad_status", f"{where}: 400, see where, out_fields and order_by")
    found = error_for(number, where)
    return found if isinstance(found, NeedsPerson | RetryLater) else RetryLater("bad_status", where)


def list_features(document: dict[str, Any]) -> list[Any]:
    """The features of an answer, esri JSON or GeoJSON; RetryLater("garbage") without a list."""
    features = document.get("features")
    if not isinstance(features, list):
        raise RetryLater("garbage", "no list of features in the answer")
    return features


def is_geojson(document: dict[str, Any]) -> bool:
    """Whether the answer came as GeoJSON, whatever was asked for."""
    return document.get("type") == "FeatureCollection"


def says_more(document: dict[str, Any]) -> bool | None:
    """Whether the server says that it has more than this page; None when it says nothing.

    GeoJSON has it among the properties of the collection, or beside the features.
    """
    properties = document.get("properties")
    for place in (document, properties if isinstance(properties, dict) else {}):
        if isinstance(place.get("exceededTransferLimit"), bool):
            return bool(place["exceededTransferLimit"])
    return None
