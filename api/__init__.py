"""The doors for programs: the ASGI layer in front of everything, the stream, the HTTP API."""
