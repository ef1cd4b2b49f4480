"""The protocols that departments speak, one folder each; `registry` finds them by name."""
