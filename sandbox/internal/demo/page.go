package demo

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"

	"github.com/streamgauge/streamgauge/sandbox/internal/pair"
	"github.com/streamgauge/streamgauge/sandbox/internal/port"
)

const (
	pageHost = "127.0.0.1"
	// pagePort is the live page's, or a free one where that is taken.
	pagePort = 8080
)

// pageAddress is where the consumer is to serve its live page.
func pageAddress() (string, error) {
	chosen := pagePort
	if err := port.Check(pageHost, chosen); errors.Is(err, port.ErrTaken) {
		if chosen, err = port.Free(pageHost); err != nil {
			return "", err
		}
	} else if err != nil {
		return "", err
	}
	return net.JoinHostPort(pageHost, strconv.Itoa(chosen)), nil
}

// stay keeps everything up for the live page until ctx is done, which is the
// normal end and no error.
func (d *demo) stay(ctx context.Context, address string) error {
	d.screen.line("")
	d.screen.line(fmt.Sprintf("   The live page stays at http://%s/ until Ctrl-C.", address))
	d.screen.line("   To see it move, in another terminal:")
	d.screen.line("")
	d.screen.line("     " + pair.Command("sandbox") + " gen --rows 1000000 --output big.csv")
	d.screen.line("     export NATS_URL=" + d.natsURL)
	d.screen.line("     " + pair.Command("producer") + " --file big.csv --wait")
	select {
	case <-ctx.Done():
		return nil
	case <-d.consumer.proc.Done():
		return d.consumer.died()
	}
}
