"""What a department pushes to us, signed: taken from the inbox in the order of its arrival."""

from connectors.webhook.fetch import read_answers
from connectors.webhook.options import WebhookOptions
from connectors.webhook.parse import parse_answer
from lawang.connector import KINDS, BaseConnector, Connector

CONNECTOR: Connector = BaseConnector("webhook", WebhookOptions, KINDS, read_answers, parse_answer)
