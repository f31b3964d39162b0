"""`pytest-wml cassette verify`: a recording's requests sent to a service, the answers compared with the recorded ones.

`differences` compares and `rules` judges, both pure; `ids` and `translating` know what of the recording is what at
the other side; `running` sends; `made` deletes at the end what was made on the way; `fidelity` keeps the dates of
FIDELITY.md.
"""
