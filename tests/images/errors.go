package images

import (
	"regexp"
)

// definiteNo matches what a Docker engine reports when its registry can't be
// had: its name does not resolve, nothing listens or no route leads there, or
// it answers and refuses. The engine passes all of it on as text.
//
// Slowness (a timeout, a cancelled request, an unexpected end of the answer)
// is not among them, and neither is a name server that merely does not answer:
// such a pull may well succeed the next time, and a test run must not quietly
// change what it tests.
var definiteNo = regexp.MustCompile(`(?i)` +
	`no such host` +
	`|server misbehaving` +
	`|temporary failure in name resolution` +
	`|connection refused` +
	`|network is unreachable` +
	`|no route to host` +
	`|unauthorized` +
	`|authentication required` +
	`|denied: requested access` +
	`|status[^:]*: (401|403)\b` +
	`|\b(401 unauthorized|403 forbidden)\b` +
	`|toomanyrequests`)

// unavailable says whether a failed pull means that the registry is not to be
// had, as opposed to slow, broken, or lacking the image.
func unavailable(pull error) bool { return pull != nil && definiteNo.MatchString(pull.Error()) }
