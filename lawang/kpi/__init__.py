"""The indicator engine: daily facts from records, values and scores from daily facts."""
