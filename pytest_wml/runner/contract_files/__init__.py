"""Contract files as pytest collects and runs them."""
