"""Tests of the board: patches, panels, and the worker that keeps them."""
