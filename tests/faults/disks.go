package faults

import (
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/streamgauge/streamgauge/sandbox/postgres"
	"github.com/streamgauge/streamgauge/tests/harness"
)

var diskFaults = []scenario{
	{
		name: "postgres-disk-full", what: "PostgreSQL's disk full for up to 6 s, then larger", records: 60_000, keeps: true,
		ownPostgres: func(w *world) postgres.Config {
			w.disk = mountDisk(w.t, 400<<20)
			return postgres.Config{Dir: filepath.Join(w.disk.path, "postgres"), Settings: map[string]string{"fsync": "off"}}
		},
		prepare: func(w *world) { w.at(w.somewhere(), func() { w.fillDisk("PostgreSQL's") }) },
	},
	{
		name: "nats-disk-full", what: "NATS's disk full for up to 6 s, then larger and NATS started again", records: 60_000, natsDisk: 256 << 20, damages: true,
		prepare: func(w *world) { w.at(w.somewhere(), func() { w.fillDisk("NATS's") }) },
	},
	{
		name: "spool-full", what: "standard input, with the producer's temporary folder full, then larger",
		prepare: func(w *world) {
			w.disk = mountDisk(w.t, 64<<10)
			w.producer.env = append(w.producer.env, "TMPDIR="+w.disk.path)
			w.producer.piped = true
			w.journal.faultf("the producer's temporary folder has room for %d bytes", w.disk.size)
		},
		again: func(w *world, args []string) []string {
			w.disk.grow()
			w.journal.notef("it has room for %d bytes", w.disk.size)
			return args
		},
	},
}

// disk is a small file system in memory.
type disk struct {
	t    *testing.T
	path string
	size int64
}

func mountDisk(t *testing.T, size int64) *disk {
	t.Helper()
	return &disk{t: t, path: harness.SmallDisk(t, size), size: size}
}

// fill leaves no room.
func (d *disk) fill() {
	d.t.Helper()
	f, err := os.Create(filepath.Join(d.path, "ballast"))
	if err != nil {
		d.t.Error(err)
		return
	}
	defer f.Close()
	block := make([]byte, 64<<10)
	for err == nil {
		_, err = f.Write(block)
	}
}

// grow makes room, without taking away what fills it.
func (d *disk) grow() {
	d.t.Helper()
	d.size *= 4
	if err := syscall.Mount("tmpfs", d.path, "tmpfs", syscall.MS_REMOUNT, "size="+strconv.FormatInt(d.size, 10)); err != nil {
		d.t.Error(err)
	}
}

// fillDisk fills the disk now, and has it grow later.
func (w *world) fillDisk(whose string) {
	d := w.between(time.Second, 6*time.Second)
	w.journal.faultf("%s disk full at %d records, for %s", whose, w.stored, d)
	w.disk.fill()
	w.in(d, func() {
		w.disk.grow()
		if w.postgres != nil && w.postgres.ended() {
			w.journal.notef("PostgreSQL had ended, and is started again")
			w.postgres.restart()
		}
		if w.env.Server != nil {
			// A server that met a full disk stores nothing until it starts again.
			w.env.Server.Stop(w.t)
			w.env.Server.Start(w.t)
		}
		w.journal.over()
	})
}
