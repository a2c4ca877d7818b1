package faults

import (
	"bytes"
	"os"
	"strconv"
	"syscall"

	"github.com/streamgauge/streamgauge/tests/proxy"
)

var inputFaults = []scenario{
	{
		name: "file-changes", what: "file appended to, truncated or rewritten while it is read, then put back",
		records: 100_000, batch: 400, // more than the producer reads at a time
		prepare: func(w *world) {
			path, content := w.files[0].path, w.files[0].content
			changed := bytes.Clone(content)
			kind := w.random.IntN(3)
			switch kind {
			case 0:
				changed = append(changed, "1/1/2012,5,5\n"...)
			case 1:
				changed = changed[:w.random.IntN(len(changed))]
			case 2:
				at := len(changed)/2 + w.random.IntN(len(changed)/2)
				changed[at] ^= 1
			}
			// While it publishes, the file has been read once.
			w.producer.judges.on(publish, 1+w.random.IntN(20), 1, func(*proxy.Frame) proxy.Verdict {
				w.journal.faultf("the file is %s", []string{"appended to", "truncated", "rewritten"}[kind])
				if err := os.WriteFile(path, changed, 0o600); err != nil {
					w.t.Error(err)
				}
				return proxy.Pass
			})
		},
		again: func(w *world, args []string) []string {
			w.journal.notef("the file is put back")
			if err := os.WriteFile(w.files[0].path, w.files[0].content, 0o600); err != nil {
				w.t.Fatal(err)
			}
			return args
		},
	},
	{
		name: "other-batch-size", what: "producer killed half-way, the same file again with other batch sizes",
		prepare: func(w *world) {
			for range 2 {
				w.at(w.somewhere(), func() {
					w.journal.faultf("producer killed at %d records", w.stored)
					w.producer.signal(syscall.SIGKILL)
				})
			}
		},
		again: func(w *world, args []string) []string {
			args = append([]string(nil), args...)
			for i := range args {
				if args[i] == "--batch-size" {
					args[i+1] = strconv.Itoa(1 + w.random.IntN(300))
				}
			}
			w.journal.notef("the producer again, in batches of %s", args[3])
			return args
		},
	},
}
