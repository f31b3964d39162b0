"""`pytest-wml cassette verify`: sends a recording's requests to a service and compares the answers.

`differences` compares answers and `rules` rates the differences; both are pure. `ids` and `translation` convert between
recorded ids and those of the service. `verifier` sends the requests, `creations` deletes created resources at the end,
and `fidelity` updates the dates in FIDELITY.md.
"""
