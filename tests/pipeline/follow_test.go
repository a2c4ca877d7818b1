package pipeline

import (
	"net/url"
	"testing"

	"github.com/streamgauge/streamgauge/tests/harness"
	"github.com/streamgauge/streamgauge/tests/proxy"
)

// TestStatsWatchCatchesUp: what was published while the connection was away is shown
// when it is back, also where nothing is published any more.
func TestStatsWatchCatchesUp(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	consumer := env.StartConsumer(t)
	address, err := url.Parse(env.NATSURL)
	if err != nil {
		t.Fatal(err)
	}
	between := proxy.NATS(t, address.Host)
	address.Host = between.Address()
	watch := env.Start(t, harness.Command{
		Program: "consumer", Args: []string{"stats", "--watch", "--output", "json"}, Env: []string{"NATS_URL=" + address.String()},
	})
	env.Producer(t, "--wait", env.Sample(t, "2012-1.csv")).Exits(t, 0)
	watch.WaitForStdout(t, `"rows":22,`, soon)

	between.Refuse(true)
	between.CutAll()
	env.Producer(t, "--wait", env.Sample(t, "2012-2.csv")).Exits(t, 0)
	consumer.Terminate(t).Exits(t, 0) // nobody announces anything now
	between.Refuse(false)
	watch.WaitForStdout(t, `"rows":51,`, soon)
	watch.Terminate(t).Exits(t, 0)
}
