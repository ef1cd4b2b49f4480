"""Opens one page of features and maps them as rows. Pure: no clock, no network, no memory."""

from __future__ import annotations

from typing import Any

from connectors.arcgis.answers import is_geojson, list_features, open_answer
from connectors.arcgis.geometry import Convert, converter, place, stated_wkid
from connectors.arcgis.options import ArcgisOptions
from lawang.connector import Answer, Parsed
from lawang.mapping import map_rows

#: Names of coded values by field: what a layer's domains say of it.
Domains = dict[str, dict[str, str]]


def parse_answer(options: ArcgisOptions, answer: Answer) -> Parsed:
    """Records and rejects of one page.

    Raises RetryLater("garbage") for what holds no list of features, what a refusal in the answer
    means, and NeedsPerson("garbage") for coordinates in a spatial reference that is not known.
    """
    document = open_answer(answer.body)
    features = list_features(document)
    convert = converter(stated_wkid(document))
    domains = read_domains(document.get("fields"))
    as_geojson = is_geojson(document)
    rows = [_row(feature, as_geojson, convert, domains) for feature in features]
    return map_rows(rows, options)


def read_domains(fields: object) -> Domains:
    """The coded values of a layer's fields; fields without any, and ranges, are left out."""
    domains: Domains = {}
    for field in fields if isinstance(fields, list) else ():
        domain = field.get("domain") if isinstance(field, dict) else None
        listed = domain.get("codedValues") if isinstance(domain, dict) else None
        if isinstance(listed, list) and isinstance(field.get("name"), str):
            domains[field["name"]] = {
                str(each["code"]): each["name"]
                for each in listed
                if isinstance(each, dict) and "code" in each and isinstance(each.get("name"), str)
            }
    return domains


def _row(feature: object, as_geojson: bool, convert: Convert, domains: Domains) -> Any:
    """Attributes with `_geometry`, `_names` and, of GeoJSON, `_id`.

    What is no feature is returned as it is, for `map_rows` to refuse.
    """
    if not isinstance(feature, dict):
        return feature
    attributes = feature.get("properties" if as_geojson else "attributes")
    if not isinstance(attributes, dict):
        return attributes
    row = {**attributes, "_geometry": place(feature.get("geometry"), convert)}
    if as_geojson and "id" in feature:
        row["_id"] = feature["id"]
    if domains:
        row["_names"] = {
            name: names.get(str(attributes[name]))
            for name, names in domains.items()
            if attributes.get(name) is not None
        }
    return row
