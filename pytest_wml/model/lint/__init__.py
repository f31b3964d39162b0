"""What the service would refuse of a model, or warn of, found in its files before anything is uploaded.

Nothing here imports TensorFlow, and nothing in the files is run.
"""
