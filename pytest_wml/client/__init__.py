"""Wraps IBM's client: verified TLS; store, deploy, wait, score, delete; arrays to payloads and back."""
