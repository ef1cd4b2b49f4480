"""Layers of ArcGIS servers (FeatureServer, MapServer): features with attributes and a place."""

from connectors.arcgis.fetch import read_answers
from connectors.arcgis.options import ArcgisOptions
from connectors.arcgis.parse import parse_answer
from lawang.connector import KINDS, BaseConnector, Connector

CONNECTOR: Connector = BaseConnector("arcgis", ArcgisOptions, KINDS, read_answers, parse_answer)
