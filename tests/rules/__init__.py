"""The city's own rules: by known answers, over restarts, and on both databases."""
