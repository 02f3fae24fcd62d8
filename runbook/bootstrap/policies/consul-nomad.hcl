# Nomad's servers and clients register themselves and clear away what tasks registered; gateways are mesh entries.
# https://developer.hashicorp.com/nomad/docs/secure/acl/consul
# Without the `acl = "write"` of that page: it served tokens made by servers, which 1.10 removed, and every machine that runs
# tasks reads this token.
agent_prefix "" {
  policy = "read"
}
node_prefix "" {
  policy = "write"
}
service_prefix "" {
  policy = "write"
}
mesh = "write"
