"""Resources of CKAN open data portals: the rows of their DataStore."""

from connectors.ckan.fetch import read_answers
from connectors.ckan.options import CkanOptions
from connectors.ckan.parse import parse_answer
from lawang.connector import KINDS, BaseConnector, Connector

CONNECTOR: Connector = BaseConnector("ckan", CkanOptions, KINDS, read_answers, parse_answer)
