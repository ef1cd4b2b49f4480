"""Tests of the whole installation: its real processes on loopback, without a browser."""
