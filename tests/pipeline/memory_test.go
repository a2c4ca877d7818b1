package pipeline

import (
	"archive/zip"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/streamgauge/streamgauge/shared/topology"
	"github.com/streamgauge/streamgauge/tests/harness"
	"github.com/streamgauge/streamgauge/tests/oracle"
)

// What the programs may have resident at most, in bytes.
const (
	producerMemory = 64e6
	consumerMemory = 128e6
)

// TestMemory: bounded. However many rows there are, and whatever someone
// puts into the stream, the programs stay within their bounds. They are built
// without the race detector, which multiplies what a program takes: the bounds
// are those of the programs people run.
func TestMemory(t *testing.T) {
	t.Parallel()
	t.Run("two million rows", func(t *testing.T) {
		env := harness.New(t)
		programs := plainBinaries(t, env)
		consumer := startPlain(t, env, programs)
		path := generate(t, 2_000_000, 61)
		producer := env.Start(t, harness.Command{Program: filepath.Join(programs, "producer"), Args: []string{"--file", path, "--wait"}})
		// Not Result.MaxRSS: Linux counts there also what this process had when it
		// forked.
		expectPeak(t, "the producer", peakUntilItEnds(t, producer), producerMemory)
		producer.Wait(t).Exits(t, 0)
		if n := env.Int(t, "SELECT rows FROM stats"); n != 2_000_000 {
			t.Errorf("%d rows are stored", n)
		}
		expectPeak(t, "the consumer", peak(t, consumer), consumerMemory)
		consumer.Terminate(t).Exits(t, 0)
	})
	t.Run("archive of many files", func(t *testing.T) {
		env := harness.New(t)
		producer := env.Start(t, harness.Command{
			Program: filepath.Join(plainBinaries(t, env), "producer"),
			Args:    []string{"--file", archiveOf(t, 20_000), "--dry-run"},
		})
		expectPeak(t, "the producer", peakUntilItEnds(t, producer), producerMemory)
		producer.Wait(t).Exits(t, 0)
	})
	t.Run("many small headers", func(t *testing.T) {
		env := harness.New(t)
		programs := plainBinaries(t, env)
		startPlain(t, env, programs).Terminate(t).Exits(t, 0)
		const messages = 600
		header := nats.Header{}
		for i, size := 0, 0; size < 60_000; i++ {
			name := strconv.FormatInt(int64(i), 36)
			header[name] = []string{""}
			size += len(name) + 4
		}
		var queued []*nats.Msg
		for range messages {
			queued = append(queued, &nats.Msg{Subject: topology.SubjectRows, Header: header})
		}
		send(t, env, queued...)
		consumer := startPlain(t, env, programs) // finds them all
		waitForDead(t, env, messages)
		oracle.CheckStreamEmpty(t, env)
		expectPeak(t, "the consumer", peak(t, consumer), consumerMemory)
		consumer.Terminate(t).Exits(t, 0)
	})
	t.Run("nothing but rejects", func(t *testing.T) {
		env := harness.New(t)
		programs := plainBinaries(t, env)
		startPlain(t, env, programs).Terminate(t).Exits(t, 0)
		const lines = 1_000_000
		path := env.File(t, "x.csv", "timestamp,price,user_id\n1/1/2012,1,1\n"+strings.Repeat("x\n", lines))
		producer := env.Start(t, harness.Command{
			Program: filepath.Join(programs, "producer"), Args: []string{"--file", path, "--batch-size", "50000", "--wait"},
		})
		waitForQueue(t, env)
		consumer := startPlain(t, env, programs) // finds them all
		expectPeak(t, "the producer", peakUntilItEnds(t, producer), producerMemory)
		producer.Wait(t).Exits(t, 3)
		if n := env.Int(t, "SELECT rejected FROM stats"); n != lines {
			t.Errorf("%d rejects are stored", n)
		}
		expectPeak(t, "the consumer", peak(t, consumer), consumerMemory)
		consumer.Terminate(t).Exits(t, 0)
	})
}

// archiveOf makes a zip archive of so many small files.
func archiveOf(t *testing.T, files int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.zip")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	archive := zip.NewWriter(file)
	for i := range files {
		member, err := archive.Create(fmt.Sprintf("%d.csv", i))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Fprintf(member, "timestamp,price,user_id\n1/10/2012,50,%d\n", i); err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// plainBinaries returns the folder of programs without the race detector.
func plainBinaries(t *testing.T, env *harness.Env) string {
	t.Helper()
	dir := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-o", dir+"/", "./producer", "./consumer")
	build.Dir = env.Root()
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK="+filepath.Join(env.Root(), "go.work"))
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, output)
	}
	return dir
}

func startPlain(t *testing.T, env *harness.Env, programs string) *harness.Process {
	t.Helper()
	p := env.Start(t, harness.Command{Program: filepath.Join(programs, "consumer")})
	p.WaitFor(t, "ready", soon)
	return p
}

// peak is the most memory that a running process has had resident, in bytes.
func peak(t *testing.T, p *harness.Process) int64 {
	t.Helper()
	bytes, err := readPeak(p.PID())
	if err != nil {
		t.Fatal(err)
	}
	return bytes
}

// peakUntilItEnds watches a process until it has ended.
func peakUntilItEnds(t *testing.T, p *harness.Process) int64 {
	t.Helper()
	var most int64
	harness.Eventually(t, 10*soon, "the process to end", func() (bool, string) {
		select {
		case <-p.Exited():
			return true, ""
		default:
		}
		if bytes, err := readPeak(p.PID()); err == nil { // else it ends just now
			most = max(most, bytes)
		}
		return false, "running"
	})
	if most == 0 {
		t.Error("nothing was measured")
	}
	return most
}

func readPeak(pid int) (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	_, rest, found := strings.Cut(string(status), "VmHWM:")
	if !found {
		return 0, fmt.Errorf("process %d has no memory", pid)
	}
	size, _, _ := strings.Cut(rest, "kB")
	kib, err := strconv.ParseInt(strings.TrimSpace(size), 10, 64)
	return kib << 10, err
}

func expectPeak(t *testing.T, who string, bytes int64, most float64) {
	t.Helper()
	t.Logf("%s: %.1f MB at most", who, float64(bytes)/1e6)
	if float64(bytes) > most {
		t.Errorf("%s has had %.1f MB, more than %.0f MB", who, float64(bytes)/1e6, most/1e6)
	}
}
