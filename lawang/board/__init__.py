"""State -> panel payloads, computed once per change, never per viewer."""
