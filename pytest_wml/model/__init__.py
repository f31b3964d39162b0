"""Models: what an archive holds, and the sample network.

Nothing is imported here, so that reading an archive never loads TensorFlow or numpy.
"""
