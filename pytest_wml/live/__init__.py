"""The live service: gateway, retries, budgets, the journal of what a run created."""
