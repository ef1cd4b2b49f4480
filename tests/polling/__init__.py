"""Tests of polling: settling, one poll, the clock and its lease, the poller process."""
