# What the snapshot agent of a Vault server may do, and nothing else.
path "sys/storage/raft/snapshot" {
  capabilities = ["read"]
}
