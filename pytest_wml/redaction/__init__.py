"""Recognises secrets by name, by shape and by value, and masks them in JSON and in text."""
