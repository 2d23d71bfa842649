"""A labelled toy world: coloured shapes that move, described in words.

It is small enough to train a model in an hour, and hard enough for a real test: half of its
motions differ only in the order of the frames.
"""
