"""What the command centre talks about: frozen values and pure functions, no input and no output."""
