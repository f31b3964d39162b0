"""The collection of contract files by pytest."""
