"""From a request to an answer: what the routes lead to."""
