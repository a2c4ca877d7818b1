package fetch

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"syscall"

	"github.com/streamgauge/streamgauge/producer/internal/escape"
)

const connectionBroke = "the connection to %s broke"

// explain words the error of a request that had no answer. Texts of net/http are
// not passed on, since they may hold the URL. That a host can't be reached at
// all passes only if it could be before.
func explain(ctx context.Context, err error, host string, before bool) error {
	if wrapped, is := errors.AsType[*url.Error](err); is {
		err = wrapped.Err
	}
	for _, own := range []error{errRedirects, errRedirectScheme, errDowngrade} {
		if errors.Is(err, own) {
			return own
		}
	}
	if _, is := errors.AsType[tls.RecordHeaderError](err); is || errors.Is(err, http.ErrSchemeMismatch) {
		return errScheme
	}
	if untrusted, is := errors.AsType[*tls.CertificateVerificationError](err); is {
		return fmt.Errorf("%s can't prove who it is: %s. Check the link and this machine's clock; for an authority of your own set SSL_CERT_FILE",
			escape.Name(host), certificateFault(untrusted.Err))
	}
	if unreachable := unreachable(err); unreachable != "" && !before {
		return fmt.Errorf("cannot reach %s: %s. Check the link, the network, and HTTPS_PROXY where there is a proxy", escape.Name(host), unreachable)
	}
	return broken(ctx, err, host, "what %s answers is broken")
}

// unreachable words why there is no connection, empty if that is not it, or not
// for long.
func unreachable(err error) string {
	if unknown, is := errors.AsType[*net.DNSError](err); is && unknown.IsNotFound {
		return "no such host"
	}
	for cause, text := range map[error]string{
		syscall.ECONNREFUSED: "connection refused",
		syscall.EHOSTUNREACH: "no route to host",
		syscall.ENETUNREACH:  "network is unreachable",
	} {
		if errors.Is(err, cause) {
			return text
		}
	}
	return ""
}

func certificateFault(err error) string {
	if invalid, is := errors.AsType[x509.CertificateInvalidError](err); is && invalid.Reason == x509.Expired {
		return "its certificate has expired, or is not valid yet"
	}
	if _, is := errors.AsType[x509.UnknownAuthorityError](err); is {
		return "its certificate is from an authority that is not known here"
	}
	if _, is := errors.AsType[x509.HostnameError](err); is {
		return "its certificate is for another host"
	}
	return "its certificate is not valid"
}

// broken words why an answer did not come, or not to its end, which may pass;
// otherwise is for what has no words of its own.
func broken(ctx context.Context, err error, host, otherwise string) error {
	host = escape.Name(host)
	var timeout net.Error
	switch {
	case errors.Is(context.Cause(ctx), errSilent):
		return &passingError{text: host + " has gone silent"}
	case errors.As(err, &timeout) && timeout.Timeout():
		return &passingError{text: host + " does not answer"}
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		otherwise = connectionBroke
	}
	if cause := unreachable(err); cause != "" {
		return &passingError{text: "cannot reach " + host + ": " + cause}
	}
	return &passingError{text: fmt.Sprintf(otherwise, host)}
}
