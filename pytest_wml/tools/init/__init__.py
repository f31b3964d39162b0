"""`pytest-wml init`: a complete model repository to start from."""
