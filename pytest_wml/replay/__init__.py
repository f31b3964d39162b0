"""Recordings: their format, what makes two requests the same one, replay and recorder."""
