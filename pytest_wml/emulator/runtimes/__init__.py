"""The frameworks that score models, each in a module of its own; loaded when a model needs one."""
