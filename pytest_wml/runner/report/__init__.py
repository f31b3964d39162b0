"""The report of a run: an HTML page, and annotations for GitHub; imported only in a run that writes one."""
