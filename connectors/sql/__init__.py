"""One query against a department's own database, over any SQLAlchemy address."""

from connectors.sql.fetch import read_answers
from connectors.sql.options import SqlOptions
from connectors.sql.parse import parse_answer
from lawang.connector import KINDS, BaseConnector

CONNECTOR = BaseConnector("sql", SqlOptions, KINDS, read_answers, parse_answer)
