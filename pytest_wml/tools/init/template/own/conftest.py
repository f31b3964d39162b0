"""What the tests share. Fixtures of pytest-wml can be overridden here; `pytest --fixtures` lists them."""
