"""Model-contract tests for IBM Watson Machine Learning."""
