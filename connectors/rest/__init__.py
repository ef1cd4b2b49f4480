"""JSON over HTTP in a department's own shape: rows by JMESPath, no code a department."""

from connectors.rest.fetch import read_answers
from connectors.rest.options import RestOptions
from connectors.rest.parse import parse_answer
from lawang.connector import KINDS, BaseConnector, Connector

CONNECTOR: Connector = BaseConnector("rest", RestOptions, KINDS, read_answers, parse_answer)
