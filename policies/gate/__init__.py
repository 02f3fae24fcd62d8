"""A second judgement, of a whole preview before it may become an update.

Owns what no policy can see, because policies judge resources and do not run on a destroy: which operations are planned.
And it repeats what must not hang on one check alone: that the pack ran, that it found nothing, and the change record.
"""
