package fetch

import (
	"net"
	"net/http"
	"time"
)

const (
	// redirectsAtMost is as many as browsers and net/http follow, or fewer.
	redirectsAtMost = 10
	// connectTimeout is for one address of a host.
	connectTimeout = 10 * time.Second
)

// newTransport returns a transport that takes bytes as they are stored: how they
// are compressed is for their first bytes to say.
func newTransport() *http.Transport {
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: connectTimeout, KeepAlive: connectTimeout}).DialContext,
		TLSHandshakeTimeout:   connectTimeout,
		ResponseHeaderTimeout: silence,
		IdleConnTimeout:       silence,
		DisableCompression:    true,
		ForceAttemptHTTP2:     true,
	}
}

// checkRedirect is http.Client's.
func checkRedirect(next *http.Request, before []*http.Request) error {
	// It would carry the link with its credentials to another host.
	next.Header.Del("Referer")
	switch {
	case len(before) > redirectsAtMost:
		return errRedirects
	case next.URL.Scheme != "https" && next.URL.Scheme != "http":
		return errRedirectScheme
	case next.URL.Scheme == "http" && before[0].URL.Scheme == "https":
		return errDowngrade
	}
	return nil
}
