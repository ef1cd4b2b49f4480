"""How the city is doing and why: what the mayor's page and the morning brief say."""
