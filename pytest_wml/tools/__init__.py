"""The commands of `pytest-wml`."""
