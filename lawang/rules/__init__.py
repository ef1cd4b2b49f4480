"""The city's own rules: facts -> judgements -> alarms, evaluated when something changes."""
