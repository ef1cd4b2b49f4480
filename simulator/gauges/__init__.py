"""BPBD's water and rain gauges: each a client of its own on one real MQTT broker."""
