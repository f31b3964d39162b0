"""The embedded WML: a WSGI app that IBM's own clients accept and that really scores; and `pytest-wml serve`."""
