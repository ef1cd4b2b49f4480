"""The morning brief, from a morning to a letter."""
