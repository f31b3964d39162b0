"""Contract files (`*.wml.yaml`): each promise is a test, without Python code."""
