"""The embedded WML as a server of its own: TLS on a port, for other processes and other languages."""
