"""BMKG's open data: earthquakes and the forecast by kelurahan. Warnings are CAP's, see `cap`."""

from connectors.bmkg.fetch import read_answers
from connectors.bmkg.options import BmkgOptions
from connectors.bmkg.parse import parse_answer
from lawang.connector import BaseConnector, Connector

CONNECTOR: Connector = BaseConnector(
    "bmkg", BmkgOptions, {"alerts", "readings"}, read_answers, parse_answer
)
