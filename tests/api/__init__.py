"""Tests of the web door from outside: pages, API, stream, and what must not get through."""
