"""Contracts as files: `*.wml.yaml`, one test a promise, for teams who do not write Python."""
