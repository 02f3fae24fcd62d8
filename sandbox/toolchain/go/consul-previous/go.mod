module hashicorp-multicloud/sandbox/toolchain/consul-previous

go 1.26.0

require github.com/hashicorp/consul v1.20.6

replace github.com/hashicorp/consul-awsauth => github.com/hashicorp/consul-awsauth v0.0.0-20220713182709-05ac1c5c2706
