"""Facts of the service: hosts, operations, tokens, spaces, software and hardware specifications and what each takes."""
