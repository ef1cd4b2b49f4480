"""CAP 1.2 warnings over HTTP: an RSS or Atom index of documents, or one document."""

from connectors.cap.fetch import read_answers
from connectors.cap.options import CapOptions
from connectors.cap.parse import parse_answer
from lawang.connector import BaseConnector, Connector

CONNECTOR: Connector = BaseConnector("cap", CapOptions, {"alerts"}, read_answers, parse_answer)
