"""Open311 GeoReport v2: citizens' reports over HTTP, in JSON or XML (wiki.open311.org)."""

from connectors.open311.fetch import read_answers
from connectors.open311.options import Open311Options
from connectors.open311.parse import parse_answer
from lawang.connector import BaseConnector, Connector

CONNECTOR: Connector = BaseConnector(
    "open311", Open311Options, {"incidents"}, read_answers, parse_answer
)
