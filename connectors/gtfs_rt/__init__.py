"""GTFS-Realtime: vehicles' positions, delays of trips, and service alerts."""

from connectors.gtfs_rt.fetch import read_answers
from connectors.gtfs_rt.options import GtfsRealtimeOptions
from connectors.gtfs_rt.parse import parse_answer
from lawang.connector import BaseConnector, Connector

CONNECTOR: Connector = BaseConnector(
    "gtfs_rt",
    GtfsRealtimeOptions,
    {"positions", "readings", "alerts"},
    read_answers,
    parse_answer,
)
