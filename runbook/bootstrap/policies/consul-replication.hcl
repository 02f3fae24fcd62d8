# The other datacenters' servers copy tokens, policies and configuration entries, and have their authority signed.
# https://developer.hashicorp.com/consul/docs/secure/acl/token/replication
acl      = "write"
operator = "write"
service_prefix "" {
  policy     = "read"
  intentions = "read"
}
