"""What each wall shows and when, the file that says so, and the city's status."""
