"""Every sample of every source, replayed."""
