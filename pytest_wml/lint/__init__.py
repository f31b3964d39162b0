"""What the service would refuse or regret of a model, told from its files before anything is uploaded.

Nothing here imports TensorFlow, and nothing in the files is run.
"""
