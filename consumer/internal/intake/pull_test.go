package intake

import (
	"errors"
	"testing"

	"github.com/nats-io/nats.go"
)

// The lines are those of nats-server's consumer.go.
func TestReadStatus(t *testing.T) {
	for _, test := range []struct {
		status, description string
		ended, tooLarge     bool
		fails               string
	}{
		{"100", "Idle Heartbeat", false, false, ""},
		{"404", "No Messages", true, false, ""},
		{"408", "Request Timeout", true, false, ""},
		{"409", "Message Size Exceeds MaxBytes", true, true, ""},
		{"409", "Batch Completed", true, false, ""},
		{"409", "Consumer Deleted", true, false, `pull: the server answers "Consumer Deleted"`},
		{"409", "Server Shutdown", true, false, `pull: the server answers "Server Shutdown"`},
		{"409", "Exceeded MaxRequestMaxBytes of 5", true, false, `pull: the server answers "Exceeded MaxRequestMaxBytes of 5"`},
		{"400", "Bad Request", true, false, `pull: the server answers "400" "Bad Request"`},
		{"503", "", true, false, errNoConsumer.Error()},
		{"", "", true, false, `pull: the server answers "" ""`},
	} {
		t.Run(test.status+" "+test.description, func(t *testing.T) {
			header := nats.Header{}
			if test.status != "" {
				header.Set(statusHeader, test.status)
			}
			if test.description != "" {
				header.Set(descriptionHeader, test.description)
			}
			ended, tooLarge, err := readStatus(header)
			if ended != test.ended || tooLarge != test.tooLarge {
				t.Errorf("ended %t, too large %t", ended, tooLarge)
			}
			said := ""
			if err != nil {
				said = err.Error()
			}
			if said != test.fails {
				t.Errorf("got %q, want %q", said, test.fails)
			}
		})
	}
	if _, _, err := readStatus(nats.Header{"Status": {"503"}}); !errors.Is(err, errNoConsumer) {
		t.Errorf("got %v", err)
	}
}
