package fetch

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// version is what a server says of the file it gives, to tell it from another
// that takes its place.
type version struct {
	// known says that there was an answer.
	known bool
	// etag and modified are as they were sent, empty if they were not.
	etag, modified string
	// validator is that of the two by which a server can be asked for the rest of
	// the same bytes and of no others, empty if there is none.
	validator string
	// size is in bytes, -1 if it is not known.
	size int64
}

func versionOf(response *http.Response) version {
	v := version{
		known: true, size: response.ContentLength,
		etag: response.Header.Get("ETag"), modified: response.Header.Get("Last-Modified"),
	}
	switch {
	case v.etag != "" && !strings.HasPrefix(v.etag, "W/"):
		v.validator = v.etag
	case v.etag == "" && wasOld(v.modified, response.Header.Get("Date")):
		v.validator = v.modified
	}
	return v
}

// wasOld says whether the time of the last change is that of one version alone:
// RFC 9110, section 8.8.2.2, wants it a second before the answer.
func wasOld(modified, now string) bool {
	changed, err := http.ParseTime(modified)
	if err != nil {
		return false
	}
	answered, err := http.ParseTime(now)
	return err == nil && answered.Sub(changed) >= time.Second
}

// isUnbounded says whether an answer just ends when the connection is closed, by
// whomever, as answers did before HTTP/1.1.
func isUnbounded(response *http.Response) bool {
	return response.ProtoMajor == 1 && response.ContentLength < 0 && len(response.TransferEncoding) == 0
}

// same says whether nothing speaks against other being the same file. What one
// of the two does not say is no difference.
func (v version) same(other version) bool {
	differ := func(a, b string) bool { return a != "" && b != "" && a != b }
	return !differ(v.etag, other.etag) && !differ(v.modified, other.modified) &&
		(v.size < 0 || other.size < 0 || v.size == other.size)
}

// goesOn says whether a partial answer is the file's bytes from one on. A server
// that gives other bytes than it was asked for is one whose file is to be asked
// for whole.
func (v *version) goesOn(response *http.Response, from int64) error {
	start, total, ok := contentRange(response)
	if !ok || start != from {
		v.validator = ""
		return &passingError{text: "its server gives another part of it than was asked for"}
	}
	part := versionOf(response)
	part.size = total
	if !v.same(part) {
		return errChanged
	}
	if v.size < 0 {
		v.size = total
	}
	return nil
}

// contentRange reads a Content-Range header: where a part starts, 0 for none,
// and the size of the whole, -1 if it is not said.
func contentRange(response *http.Response) (start, total int64, ok bool) {
	header := response.Header.Get("Content-Range")
	part, whole, found := strings.Cut(strings.TrimPrefix(header, "bytes "), "/")
	if !found || !strings.HasPrefix(header, "bytes ") {
		return 0, 0, false
	}
	total = -1
	if whole != "*" {
		size, err := strconv.ParseInt(whole, 10, 64)
		if err != nil || size < 0 {
			return 0, 0, false
		}
		total = size
	}
	if part == "*" {
		return 0, total, true
	}
	var end int64
	if n, err := fmt.Sscanf(part, "%d-%d", &start, &end); n != 2 || err != nil || start < 0 || end < start {
		return 0, 0, false
	}
	return start, total, true
}
