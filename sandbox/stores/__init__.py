"""The clouds' object stores and identity services, as far as backups need them, at their real host names.

`ground` is what stands there and who may do what, `declared` reads it from stacks; `gateway` authenticates and
authorizes each request from it and hands it to an emulator; `namespace` gives machines a network in which the real
names lead here. Identities, tokens, signatures and policies are the same for the other services of a lab
(`sandbox.lab.services`).
"""
