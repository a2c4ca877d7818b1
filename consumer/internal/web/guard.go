package web

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// Refuse says why a request for what the consumer knows is not to be answered;
// "" where it is.
//
// A page elsewhere can have a browser on this machine send requests here. It
// can't read the answers, as nothing allows other origins, unless the name it
// was loaded from turns into an address of this machine (DNS rebinding). What
// comes in on a loopback address therefore has to ask for one.
func Refuse(r *http.Request) string {
	if arrivedOnLoopback(r) && !isLoopbackHost(r.Host) {
		return "this address is answered under the names localhost and 127.0.0.1 alone"
	}
	// A browser says where a request comes from. Following a link to the page is
	// harmless; holding its stream of events open is not.
	site, mode := r.Header.Get("Sec-Fetch-Site"), r.Header.Get("Sec-Fetch-Mode")
	if (site == "cross-site" || site == "same-site") && mode != "navigate" {
		return "this is not for other pages"
	}
	return ""
}

// arrivedOnLoopback is true also where the server does not say.
func arrivedOnLoopback(r *http.Request) bool {
	local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok {
		return true
	}
	address, err := netip.ParseAddrPort(local.String())
	return err != nil || address.Addr().Unmap().IsLoopback()
}

// isLoopbackHost takes any port: it may be forwarded.
func isLoopbackHost(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.TrimSuffix(strings.TrimPrefix(name, "["), "]")
	if strings.EqualFold(name, "localhost") {
		return true
	}
	address, err := netip.ParseAddr(name)
	return err == nil && address.Unmap().IsLoopback()
}
