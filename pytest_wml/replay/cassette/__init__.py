"""Recordings: bound to a deployment and to a model, readable by stock vcrpy, free of secrets."""
