"""Facts of the service: hosts, operations, tokens, spaces, software specifications."""
