"""The integration with pytest: hooks, fixtures, marker, summary, report; and the same without pytest."""
