// Package doctor looks at everything the consumer stands on and says what it
// finds, all at once. It changes nothing.
package doctor

import (
	"context"
	"fmt"
	"time"

	"github.com/streamgauge/streamgauge/shared/topology"
)

// Level is how much a finding matters.
type Level string

// The levels.
const (
	// OK is as it should be.
	OK Level = "ok"
	// Warning works, and is worth knowing.
	Warning Level = "warning"
	// Problem keeps the pair from working, or from keeping its promises.
	Problem Level = "problem"
)

// Finding is one thing that was looked at.
type Finding struct {
	Level Level `json:"level"`
	// Of is what was looked at: NATS, or PostgreSQL.
	Of   string `json:"of"`
	Text string `json:"text"`
	// Remedy is empty where nothing is to be done, or the text says it.
	Remedy string `json:"remedy,omitempty"`
}

// Config says where to look.
type Config struct {
	Server      topology.Server
	DatabaseURL string
}

// lookTime bounds the look at each server.
const lookTime = 10 * time.Second

// maxClockDifference is what two clocks may differ by and nobody notices: the
// least unit in which people read logs of two machines side by side.
const maxClockDifference = time.Second

// Run returns what it found, NATS first. It takes 20 seconds at most.
func Run(ctx context.Context, config Config) []Finding {
	var all findings
	bounded, cancel := context.WithTimeout(ctx, lookTime)
	all.lookAtNATS(bounded, config.Server)
	cancel()
	bounded, cancel = context.WithTimeout(ctx, lookTime)
	all.lookAtPostgres(bounded, config.DatabaseURL)
	cancel()
	return all.list
}

// findings collects.
type findings struct{ list []Finding }

func (f *findings) addf(level Level, of, remedy, format string, args ...any) {
	f.list = append(f.list, Finding{Level: level, Of: of, Text: fmt.Sprintf(format, args...), Remedy: remedy})
}

// clock compares a server's clock with this machine's, given when it was asked
// and when the answer came.
func (f *findings) clock(of string, server, asked, answered time.Time) {
	local := asked.Add(answered.Sub(asked) / 2)
	difference := server.Sub(local).Round(time.Millisecond)
	if difference.Abs() > maxClockDifference+answered.Sub(asked) {
		f.addf(Warning, of, "Set both clocks by NTP: times in logs and tables are not to be compared", "its clock is %s off this machine's", difference)
		return
	}
	f.addf(OK, of, "", "its clock agrees with this machine's")
}
