# Every machine's agent: registers its node, whatever its name, and answers DNS.
# One token for all agents: the name of a machine of a group is not known before it boots.
# https://developer.hashicorp.com/consul/docs/secure/acl/token/agent
node_prefix "" {
  policy = "write"
}
service_prefix "" {
  policy = "read"
}
