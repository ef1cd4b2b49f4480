"""The city's vehicles: refuse trucks, ambulances and fire engines, three departments' trackers.

Each speaks JSON of its own dialect. Where a vehicle is follows from the seed, the time and what
happens in the city; nothing is stored. Numbers of vehicles: 10 ambulances, 33 engines at 8 posts
(published for Palembang); all else is the simulation's own.
"""
