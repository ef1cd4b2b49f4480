"""History on both databases, live state on a real Valkey."""
