"""Tests of the protocols, against real servers on loopback."""
