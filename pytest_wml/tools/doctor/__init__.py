"""`pytest-wml doctor`: checks whether this machine can do a live run; each line has a result and a fix.

The checks are pure functions that yield lines. Only `service_client` and `connection` use the network; they read
documents and request tokens, and change nothing.
"""
