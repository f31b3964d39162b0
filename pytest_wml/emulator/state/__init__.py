"""What the service knows: spaces, models, deployments. Nothing here knows of HTTP."""
