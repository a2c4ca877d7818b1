package servers

import (
	"os"
	"path/filepath"

	"github.com/streamgauge/streamgauge/sandbox/internal/rundir"
	"github.com/streamgauge/streamgauge/sandbox/internal/shell"
)

const envFile = "env" // in the run's folder

// EnvFile is a file that a shell reads to reach both servers, password
// included. Only this user may read it, and Close removes it.
func (s *Servers) EnvFile() string { return s.run.Path(envFile) }

// EnvFiles are those of all the servers of this user that run now, but for those
// whose data is kept: their folders may be anywhere.
func EnvFiles() ([]string, error) {
	dirs, err := rundir.Living(kind)
	var files []string
	for _, dir := range dirs {
		file := filepath.Join(dir, envFile)
		if _, err := os.Stat(file); err == nil { // else it is not up yet
			files = append(files, file)
		}
	}
	return files, err
}

// UseDatabase has those who read EnvFile reach another database of the server.
func (s *Servers) UseDatabase(url string) error {
	s.Database.URL = url
	return s.writeEnv()
}

func (s *Servers) writeEnv() error {
	text := "export NATS_URL=" + shell.Quote(s.NATSURL) + "\nexport DATABASE_URL=" + shell.Quote(s.Database.URL) + "\n"
	if err := os.RemoveAll(s.EnvFile()); err != nil { // a killed run's, whatever its mode
		return err
	}
	return os.WriteFile(s.EnvFile(), []byte(text), 0o600)
}

func (s *Servers) removeEnv() error { return os.Remove(s.EnvFile()) }
