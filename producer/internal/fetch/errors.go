package fetch

import (
	"errors"
	"time"
)

// passingError is a failure that may pass: a broken connection, a server that is
// overloaded. Its text is a cause, without a remedy.
type passingError struct {
	text string
	// asked is how long the server asks to be left alone, 0 if it does not.
	asked time.Duration
}

func (e *passingError) Error() string { return e.text }

// ErrPage says that what came is a page for people, whatever it was said to be.
var ErrPage = errors.New("it is an HTML page, not a CSV file. Open the link in a browser, and use the address that its download has")

var (
	errBadURL         = errors.New("it can't be read as a URL. Write it as https://HOST/PATH, in quotes")
	errChanged        = errors.New("it was replaced by another file while it was fetched. Run the same command again")
	errRedirects      = errors.New("its server redirects without end. Open the link in a browser, and use the address it ends at")
	errRedirectScheme = errors.New("its server redirects to an address that is neither http:// nor https://. Use the address of the file itself")
	errDowngrade      = errors.New("its server redirects from https:// to http://, where anyone on the way could alter the file. Give the http:// address if that is meant")

	errScheme = errors.New("its server does not speak https. Check the link; http:// may be meant")

	// errConfirmed says that Google Drive had a question, which is answered.
	errConfirmed = errors.New("confirmed")
	// errSilent is the cause of a context that ends because nothing came.
	errSilent = errors.New("silent")
)
