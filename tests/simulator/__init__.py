"""The departments of the simulator, over HTTP on loopback and without."""
