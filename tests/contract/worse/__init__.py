"""Regions made worse on purpose, one file a cloud."""

from tests.contract.worse import aws, azure, gcp
from tests.contract.worse.mutation import Mutation

MUTATIONS: tuple[Mutation, ...] = (*aws.MUTATIONS, *azure.MUTATIONS, *gcp.MUTATIONS)
