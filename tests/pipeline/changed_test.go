package pipeline

import (
	"os"
	"regexp"
	"testing"

	"github.com/streamgauge/streamgauge/tests/harness"
	"github.com/streamgauge/streamgauge/tests/oracle"
)

// remedy is the command that a producer names when a file changed under it.
var remedy = regexp.MustCompile(`batches of what it was have been queued or stored\. .*'consumer unload ([0-9a-f]{8})'.* run the same command again`)

// TestChangedWhileSent: what a producer says to do about a file that changed when a
// part of it was stored, done.
func TestChangedWhileSent(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(file *os.File, size int64) error{
		"rewritten": func(file *os.File, size int64) error {
			digit := make([]byte, 1)
			if _, err := file.ReadAt(digit, size-2); err != nil {
				return err
			}
			_, err := file.WriteAt([]byte{'0' + (digit[0]-'0'+1)%10}, size-2)
			return err
		},
		"grown": func(file *os.File, size int64) error {
			_, err := file.WriteAt([]byte("\n1/10/2012,50,9\n"), size)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := harness.New(t)
			env.StartConsumer(t)
			path := generate(t, 200_000, 63)
			file, err := os.OpenFile(path, os.O_RDWR, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			info, err := file.Stat()
			if err != nil {
				t.Fatal(err)
			}
			producer := env.StartProducer(t, "--rate", "40k", path)
			waitForRows(t, env, 1)
			if err := change(file, info.Size()); err != nil {
				t.Fatal(err)
			}
			failed := producer.Wait(t).Exits(t, 1)
			said := remedy.FindStringSubmatch(failed.Stderr)
			if said == nil {
				t.Fatalf("standard error lacks %s:\n%s", remedy, failed.Stderr)
			}
			oracle.CheckStreamEmpty(t, env)
			env.Consumer(t, "unload", "--yes", said[1]).Exits(t, 0)
			env.Producer(t, "--wait", path).Exits(t, 0)
			oracle.Check(t, env, oracle.FromFile(t, path, ""))
		})
	}
}
