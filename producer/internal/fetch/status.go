package fetch

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/streamgauge/streamgauge/producer/internal/escape"
)

// bodyRead is how much of a refusal is looked at.
const bodyRead = 16 << 10

// storeCode is where an object store names the error in its answer. Nothing else
// of the answer is shown: it may repeat what was signed.
var storeCode = regexp.MustCompile(`<Code>([A-Za-z]{1,40})</Code>`)

// explainStatus words an answer that is no file.
func explainStatus(response *http.Response) error {
	status := response.StatusCode
	answer := fmt.Sprintf("%s answers %s", escape.Name(response.Request.URL.Host), strings.TrimSpace(fmt.Sprintf("%d %s", status, http.StatusText(status))))
	switch status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests,
		http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return &passingError{text: answer, asked: retryAfter(response)}
	}
	// Whatever keeps the answer from being read, its status stands.
	body, _ := io.ReadAll(io.LimitReader(response.Body, bodyRead))
	code := ""
	if found := storeCode.FindSubmatch(body); found != nil {
		code = string(found[1])
	}
	if hasExpired(code, body) {
		return fmt.Errorf("%s: the link has expired. Make a new one", answer)
	}
	if code != "" {
		answer += " (" + code + ")"
	}
	switch status {
	case http.StatusUnauthorized, http.StatusProxyAuthRequired:
		return fmt.Errorf("%s: it wants a login. Use a link that needs none, such as a presigned one", answer)
	case http.StatusForbidden:
		return fmt.Errorf("%s: the link may have expired, or lack its end. Make a new one, and write it in quotes, since a shell cuts it at &", answer)
	case http.StatusNotFound, http.StatusGone:
		return fmt.Errorf("%s: the file is not there, or no longer. Check the link", answer)
	}
	return fmt.Errorf("%s, and not with a file. Check the link", answer)
}

// hasExpired says whether an object store answers that a presigned link was good
// until some time ago: S3, Google Cloud Storage and Azure in their words.
func hasExpired(code string, body []byte) bool {
	return code == "ExpiredToken" ||
		code == "AccessDenied" && bytes.Contains(body, []byte("Request has expired")) ||
		code == "AuthenticationFailed" && bytes.Contains(body, []byte("not valid in the specified time frame"))
}

func retryAfter(response *http.Response) time.Duration {
	seconds, err := strconv.ParseUint(response.Header.Get("Retry-After"), 10, 16)
	if err != nil {
		return 0
	}
	return time.Duration(seconds) * time.Second
}

// checkEncoding refuses bytes that are compressed as no file is; gzip and
// Zstandard are told by their first bytes.
func checkEncoding(response *http.Response) error {
	switch encoding := strings.ToLower(response.Header.Get("Content-Encoding")); encoding {
	case "", "identity", "gzip", "x-gzip", "zstd", "aws-chunked":
		return nil
	default:
		return fmt.Errorf("its server compresses it in a way that is not known here (%s). Download it otherwise and name the file", escape.Name(encoding))
	}
}
