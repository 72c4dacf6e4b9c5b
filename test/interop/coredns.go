// SPDX-License-Identifier: BSD-2-Clause
// Copyright (c) 2026, The Overlord in C authors

// CoreDNS with the plugins that the test needs and no others, which builds in
// a fraction of the time.
package main

import (
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/coremain"

	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/etcd"
	_ "github.com/coredns/coredns/plugin/loadbalance"
)

func main() {
	dnsserver.Directives = []string{"errors", "loadbalance", "etcd"}
	coremain.Run()
}
