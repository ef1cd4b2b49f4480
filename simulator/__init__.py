"""The departments' own systems, simulated: real servers speaking the real protocols.

One folder a department, mounted under its id; each keeps its own database, lives by the same
seeded city, and shows faults on demand. Every answer carries `X-Simulated: true`.
"""
