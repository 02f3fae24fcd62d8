# Registers a Boundary worker beside its agent.
# https://developer.hashicorp.com/consul/docs/secure/acl/token/service
service "boundary-worker" {
  policy = "write"
}
