# What `runbook health` asks: votes and audit devices.
path "sys/storage/raft/autopilot/state" {
  capabilities = ["read"]
}
path "sys/audit" {
  capabilities = ["read", "sudo"]
}
# What `runbook bootstrap` compares: how the snapshot agent logs in, what it may do, and this policy itself.
path "sys/auth" {
  capabilities = ["read"]
}
path "auth/cert/certs/backup" {
  capabilities = ["read"]
}
path "sys/policies/acl/backup" {
  capabilities = ["read"]
}
path "sys/policies/acl/health" {
  capabilities = ["read"]
}
