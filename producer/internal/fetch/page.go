package fetch

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"regexp"
	"strings"

	"github.com/streamgauge/streamgauge/producer/internal/escape"
)

const (
	// sniffed is how many bytes tell what something is, as many as
	// http.DetectContentType looks at.
	sniffed = 512
	// pageRead is how much of a page is read for what it says.
	pageRead = 1 << 20
)

// IsPage says whether a file that begins so is an HTML page.
func IsPage(start []byte) bool {
	start = bytes.TrimPrefix(start, []byte("\xef\xbb\xbf"))
	return isPageType(http.DetectContentType(start[:min(len(start), sniffed)]))
}

func isPageType(contentType string) bool {
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil && kind == "" {
		kind = strings.ToLower(strings.TrimSpace(contentType))
	}
	return strings.HasPrefix(kind, "text/html") || strings.HasPrefix(kind, "application/xhtml")
}

var (
	signIn     = regexp.MustCompile(`(?i)(^|[/._-])(log-?in|sign-?in|sso|saml2?|oauth2?|auth|authorize|accounts)([/._-]|$)`)
	driveQuota = regexp.MustCompile(`(?i)quota exceeded|too many users have viewed or downloaded`)
)

// page is what it means that an answer is a page: errConfirmed after Google
// Drive's question, which has another address asked from then on.
func (d *download) page(response *http.Response, body io.Reader) error {
	at := response.Request.URL
	shown := escape.Name(at.Host)
	if !d.drive {
		if signIn.MatchString(at.Host+at.Path) || signIn.MatchString(at.Hostname()) {
			return fmt.Errorf("%s answers with a page to sign in, not with the file. Use a link that needs no login, or download it in a browser and name the file", shown)
		}
		return fmt.Errorf("%s answers with an HTML page, not with the file. It may want a login, or the link is that of a page about the file: open it in a browser, and use the address that its download has", shown)
	}
	// Whatever keeps the page from being read, it is one.
	text, _ := io.ReadAll(io.LimitReader(body, pageRead))
	if next := confirmation(bytes.NewReader(text), at); next != nil && !d.confirmed {
		d.confirmed, d.url = true, next
		return errConfirmed
	}
	switch {
	case driveQuota.Match(text):
		return errors.New("it has had too many downloads from Google Drive for today. Try again tomorrow, or make a copy of it in Drive and share that")
	case signIn.MatchString(at.Host + at.Path):
		return errors.New("it is not shared with everyone: Google Drive wants a login. In Drive, choose Share, and under General access 'Anyone with the link'")
	}
	return errors.New("what Google Drive answers with is a page, not the file. Check in a browser without a login that the link leads to a file that can be downloaded")
}
