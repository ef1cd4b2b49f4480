"""The kinds of record that a source can yield, as its file words them."""

KINDS = ("incidents", "readings", "service_requests", "positions", "alerts")
