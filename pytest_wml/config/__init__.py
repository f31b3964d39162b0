"""Options and their precedence, settings, credentials, deployment specs."""
