"""The clouds' interfaces that a lab's machines talk to, at their real names, with the grants that stacks registered.

`places` says what answers where, `feed` is what a lab is told of, `server` answers from it. What the backups'
stores share with them (identities, tokens, signatures, policies) is in `sandbox.stores`.
"""
