"""`pytest-wml doctor`: what stands between this machine and a live run, told line by line with a way on.

Whoever judges is a pure function and yields lines; `asking` and `reaching` do all that leaves the machine, and ask
for nothing but documents and tokens.
"""
