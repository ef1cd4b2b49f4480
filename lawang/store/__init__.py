"""Where facts are kept: history in SQL, the live state in Valkey."""
