"""IBM's client made safe; store, deploy, wait, score, delete; arrays to payloads and back."""
