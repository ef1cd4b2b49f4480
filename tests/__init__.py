"""Every test. The tree mirrors the rooms; `browser/` drives a real Chromium."""
