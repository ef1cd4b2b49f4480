"""Messages of gauges and vehicles over MQTT: subscribed once, acknowledged when stored."""

from connectors.mqtt.fetch import read_answers
from connectors.mqtt.options import MqttOptions
from connectors.mqtt.parse import parse_answer
from lawang.connector import KINDS, BaseConnector, Connector

CONNECTOR: Connector = BaseConnector(
    "mqtt", MqttOptions, KINDS, read_answers, parse_answer, streams=True
)
