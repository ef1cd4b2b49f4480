"""Tests of the pure core: values and functions."""
