"""Who answers IBM's client: WSGI apps, one of which is chosen for a run."""
