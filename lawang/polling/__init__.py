"""The clock and the one unit of work, `poll(source)`: the only place that writes."""
