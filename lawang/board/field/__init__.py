"""Panels of live facts: what gauges, vehicles, cameras, clinics and counters say now.

`facts` holds what is known, `following` keeps it in step with live state and history; the other
modules make one panel or a few of it and are pure.
"""
