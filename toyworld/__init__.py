"""A labelled toy world: coloured shapes that move, described in words.

It is small enough to train a model in an hour and hard enough to be honest: half of its motions
are told apart by the order of the frames alone.
"""
