from tests.policies.cases.exposure import doors

CASES = tuple(doors.cases(2379, "10.0.0.0/8", ("0.0.0.0/0", "0.0.0.0/1", "198.51.0.0/23"), world_only=True))
