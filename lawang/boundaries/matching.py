"""Which feature of an official file is which region: by codes or names, in whichever property."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import get_args

from lawang.boundaries.reading import Feature
from lawang.city.regions import Regions
from lawang.domain.region import Gazetteer, Level, Region


@dataclass(frozen=True, slots=True)
class Matching:
    """The region code of each feature, in order (None: no region), by the property `column`."""

    level: Level
    column: str
    codes: list[str | None]
    problems: list[str]


def match(features: list[Feature], regions: Regions, gazetteer: Gazetteer) -> Matching:
    """Find out the level of a file and match it; all that does not match is in `problems`.

    The property that names the most different regions of one level decides. Other properties that
    name every region too must agree with it.
    """
    columns = list(dict.fromkeys(name for feature in features for name in feature.properties))
    found: dict[tuple[Level, str], list[str | None]] = {
        (level, column): _resolved(features, column, level, gazetteer)
        for level in get_args(Level)
        for column in columns
    }
    counts = {key: len(set(codes) - {None}) for key, codes in found.items()}
    best = max(counts, key=lambda key: counts[key], default=None)
    if best is None or not counts[best]:
        problem = "No property of the features holds codes or names of this city's regions."
        return Matching("kelurahan", "", [None] * len(features), [problem])
    level, column = best
    wanted = regions.of_level(level)
    problems = _unmatched(features, found[best], level, column)
    problems += _not_once(found[best], wanted)
    for (other_level, other), codes in found.items():
        is_complete = counts[other_level, other] == len(wanted)
        if other_level == level and other != column and is_complete:
            problems += _disagreements(features, (column, found[best]), (other, codes))
    return Matching(level, column, found[best], problems)


def _resolved(
    features: list[Feature], column: str, level: Level, gazetteer: Gazetteer
) -> list[str | None]:
    regions = [gazetteer.resolve(each.properties.get(column, ""), level) for each in features]
    return [region.code if region is not None else None for region in regions]


def _unmatched(
    features: list[Feature], codes: list[str | None], level: Level, column: str
) -> list[str]:
    return [
        f"Feature {feature.number}: {column} = {feature.properties.get(column, '')[:60]!r} "
        f"is no {level} of this city."
        for feature, code in zip(features, codes, strict=True)
        if code is None
    ]


def _not_once(codes: list[str | None], wanted: tuple[Region, ...]) -> list[str]:
    numbers: dict[str, list[int]] = defaultdict(list)
    for number, code in enumerate(codes, start=1):
        if code is not None:
            numbers[code].append(number)
    problems = []
    for region in wanted:
        found = numbers[region.code]
        if not found:
            problems.append(f"{region.level} {region.name} ({region.code}) is not in the file.")
        elif len(found) > 1:
            listed = ", ".join(map(str, found))
            problems.append(
                f"{region.level} {region.name} ({region.code}) is there {len(found)} times: "
                f"features {listed}."
            )
    return problems


def _disagreements(
    features: list[Feature],
    first: tuple[str, list[str | None]],
    second: tuple[str, list[str | None]],
) -> list[str]:
    return [
        f"Feature {feature.number}: {first[0]} means {one}, but {second[0]} means {other}."
        for feature, one, other in zip(features, first[1], second[1], strict=True)
        if one != other and one is not None and other is not None
    ]
