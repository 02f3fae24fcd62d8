# Vault registers itself and its seal's check with its agent. Its storage is its own, so it needs no keys and no sessions.
# https://developer.hashicorp.com/vault/docs/configuration/service-registration/consul
service "vault" {
  policy = "write"
}
