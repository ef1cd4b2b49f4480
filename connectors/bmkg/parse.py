"""Opens BMKG's JSON and hands it to its product's reader. Pure."""

from __future__ import annotations

from connectors.bmkg.forecast import read_forecast
from connectors.bmkg.options import BmkgOptions
from connectors.bmkg.quakes import read_quakes
from connectors.documents import open_json
from lawang.connector import Answer, Parsed


def parse_answer(options: BmkgOptions, answer: Answer) -> Parsed:
    """Bulletins or measurements of one answer; RetryLater("garbage") for what is none."""
    if answer.kind == "unchanged":
        return Parsed()
    document = open_json(answer.body)
    if options.product == "gempa":
        return read_quakes(document, options)
    return read_forecast(document, options)
