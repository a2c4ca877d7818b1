package operations

import (
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/streamgauge/streamgauge/tests/harness"
)

// deployment is what the test reads of deploy/kubernetes/consumer.yaml.
type deployment struct {
	Spec struct {
		Template struct {
			Spec struct {
				Containers []struct {
					Args           []string
					LivenessProbe  probe `yaml:"livenessProbe"`
					ReadinessProbe probe `yaml:"readinessProbe"`
					EnvFrom        []struct {
						SecretRef struct{ Name string } `yaml:"secretRef"`
					} `yaml:"envFrom"`
				}
			}
		}
	}
}

type probe struct {
	HTTPGet struct{ Path, Port string } `yaml:"httpGet"`
}

// TestSupervisors: the consumer starts with the arguments that systemd and
// Kubernetes give it, and answers the probes.
func TestSupervisors(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	env.Consumer(t, "migrate", "up").Exits(t, 0)

	var unit []string
	for line := range strings.Lines(shipped(t, env, "systemd", "streamgauge-consumer.service")) {
		if command, ok := strings.CutPrefix(strings.TrimSpace(line), "ExecStart="); ok {
			unit = strings.Fields(command)
		}
	}
	var d deployment
	if err := yaml.Unmarshal([]byte(shipped(t, env, "kubernetes", "consumer.yaml")), &d); err != nil {
		t.Fatal(err)
	}
	if len(unit) < 2 || len(d.Spec.Template.Spec.Containers) != 1 {
		t.Fatalf("ExecStart %q, %d containers", unit, len(d.Spec.Template.Spec.Containers))
	}
	container := d.Spec.Template.Spec.Containers[0]
	liveness, readiness := container.LivenessProbe.HTTPGet.Path, container.ReadinessProbe.HTTPGet.Path
	if liveness != "/livez" || readiness != "/readyz" {
		t.Errorf("the probes ask for %q and %q", liveness, readiness)
	}
	for name, args := range map[string][]string{"systemd": unit[1:], "kubernetes": container.Args} {
		t.Run(name, func(t *testing.T) {
			i := slices.Index(args, "--http")
			if i < 0 || !strings.HasSuffix(args[i+1], ":8080") {
				t.Fatalf("%q", args)
			}
			args = slices.Clone(args)
			args[i+1] = "127.0.0.1:0" // 8080 may be taken here
			p := env.Start(t, harness.Command{Program: "consumer", Args: args})
			_, address, _ := strings.Cut(p.WaitFor(t, "live page: ", 2*time.Minute), "live page: ")
			p.WaitFor(t, "msg=ready", 2*time.Minute)
			for _, path := range []string{liveness, readiness, "/metrics"} {
				if status := get(t, strings.Trim(address, "/\"\n")+path); status != http.StatusOK {
					t.Errorf("%s: %d", path, status)
				}
			}
			p.Terminate(t).Exits(t, 0)
		})
	}
}

func get(t *testing.T, url string) (status int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := (&http.Client{}).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode
}

// TestGuide: what the guide quotes of the files is what they hold, and each of
// them is named in it.
func TestGuide(t *testing.T) {
	t.Parallel()
	env := harness.New(t)
	content, err := os.ReadFile(filepath.Join(env.Root(), "docs", "operations.md"))
	if err != nil {
		t.Fatal(err)
	}
	grants := func(text string) (lines []string) {
		for line := range strings.Lines(text) {
			if strings.HasPrefix(line, "GRANT ") && strings.Contains(line, "TO streamgauge_consumer;") {
				lines = append(lines, line)
			}
		}
		return lines
	}
	if diff := cmp.Diff(grants(shipped(t, env, "postgresql", "roles.sql")), grants(string(content))); diff != "" {
		t.Error("roles.sql -, guide +", diff)
	}
	files, err := filepath.Glob(filepath.Join(env.Root(), "deploy", "*", "*"))
	if err != nil || len(files) < 6 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		relative, err := filepath.Rel(env.Root(), file)
		if err != nil {
			t.Fatal(err)
		}
		contains(t, "docs/operations.md", string(content), "(../"+filepath.ToSlash(relative)+")")
	}
	contains(t, "prometheus.yml", shipped(t, env, "prometheus", "prometheus.yml"), "job_name: streamgauge\n")
}
