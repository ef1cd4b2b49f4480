"""Files that departments drop: CSV, XLSX, XLS and ODS from a folder, a web server or SFTP."""

from connectors.tabular.fetch import read_answers
from connectors.tabular.options import TabularOptions
from connectors.tabular.parse import parse_answer
from lawang.connector import KINDS, BaseConnector, Connector

CONNECTOR: Connector = BaseConnector("tabular", TabularOptions, KINDS, read_answers, parse_answer)
