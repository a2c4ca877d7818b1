package serve

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/streamgauge/streamgauge/sandbox/internal/pair"
	"github.com/streamgauge/streamgauge/sandbox/internal/servers"
	"github.com/streamgauge/streamgauge/sandbox/internal/shell"
)

// Env writes what a shell reads to reach the servers of the sandbox that runs.
// The error says so when none does, and names the files when several do.
func Env(out io.Writer) error {
	files, err := servers.EnvFiles()
	if err != nil {
		return err
	}
	switch len(files) {
	case 1:
		text, err := os.ReadFile(files[0])
		if err != nil {
			return err
		}
		_, err = out.Write(text)
		return err
	case 0:
		return fmt.Errorf("no sandbox is running: start one with '%s' in another terminal "+
			"(one with --keep DIR has its addresses in DIR/env)", pair.Command("sandbox"))
	}
	var lines []string
	for _, file := range files {
		lines = append(lines, "'source "+shell.Quote(file)+"'")
	}
	return fmt.Errorf("%d sandboxes are running: run %s", len(files), strings.Join(lines, " or "))
}

// reach is what a user types for the addresses of these servers. It is the same
// each time if no others run.
func reach(s *servers.Servers) string {
	if files, err := servers.EnvFiles(); err == nil && len(files) == 1 && files[0] == s.EnvFile() {
		return fmt.Sprintf(`eval "$(%s env)"`, pair.Command("sandbox"))
	}
	return "source " + shell.Quote(s.EnvFile())
}
