package harness

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/api/types/network"
	"github.com/nats-io/nats.go"
	"github.com/testcontainers/testcontainers-go"
	tclog "github.com/testcontainers/testcontainers-go/log"

	"github.com/streamgauge/streamgauge/tests/claim"
	"github.com/streamgauge/streamgauge/tests/engine"
	"github.com/streamgauge/streamgauge/tests/images"
)

const (
	natsPort     = "4222/tcp"
	postgresPort = "5432/tcp"
	// readyTime is how long a container may take until its server answers.
	readyTime = 90 * time.Second
	// probeTime is how long one attempt to reach it may take.
	probeTime = 5 * time.Second
	// logTail is how much of a failed container's log is shown, in bytes.
	logTail = 4 << 10
)

// containers is the backend of Docker containers, by testcontainers-go.
type containers struct {
	images images.Set
	claim  *claim.Claim
	local  bool // published ports can be bound to 127.0.0.1 alone

	mu      sync.Mutex
	started []testcontainers.Container
}

func newContainers(ctx context.Context, root string, eng *engine.Engine, run *claim.Claim) (*containers, error) {
	defer eng.Close()
	if _, err := eng.Reap(ctx); err != nil {
		// Untidy, but no reason to test nothing.
		fmt.Fprintln(os.Stderr, "harness: could not remove what an earlier run left:", err)
	}
	set, err := images.Resolve(ctx, root, eng)
	if err != nil {
		return nil, err
	}
	c := &containers{images: set, claim: run, local: eng.Local(ctx)}
	if err := c.configureTestcontainers(eng); err != nil {
		return nil, err
	}
	return c, nil
}

// configureTestcontainers sets what testcontainers reads from the environment,
// once, before its first use, where an ordinary machine's defaults fail. What
// the user has set stays.
func (c *containers) configureTestcontainers(eng *engine.Engine) error {
	tclog.SetDefault(tclog.NewNoopLogger())
	wanted := map[string]string{"DOCKER_HOST": eng.Host}
	if c.images.AnyStandIn() || keepServers() {
		// Its reaper's image comes from the registry that can't be reached,
		// and it would end what is to be kept; the run's claim serves instead.
		wanted["TESTCONTAINERS_RYUK_DISABLED"] = "true"
	}
	if c.local && engine.InContainer() {
		// It would take the default gateway for the engine's host.
		wanted["TESTCONTAINERS_HOST_OVERRIDE"] = "127.0.0.1"
	}
	for name, value := range wanted {
		if _, set := os.LookupEnv(name); set {
			continue
		}
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	return nil
}

func (c *containers) String() string { return "containers of " + c.images.String() }

func (c *containers) startNATS(ctx context.Context, accounts []account) (string, error) {
	address, err := c.run(ctx, c.images.NATS.Ref, natsPort,
		testcontainers.WithCmd("--config", "/etc/nats-tests.conf"),
		testcontainers.WithFiles(testcontainers.ContainerFile{
			Reader: strings.NewReader(natsConfig(accounts)), ContainerFilePath: "/etc/nats-tests.conf", FileMode: 0o644,
		}),
		testcontainers.WithHostConfigModifier(func(host *container.HostConfig) {
			host.Mounts = append(host.Mounts, mount.Mount{Type: mount.TypeVolume, Target: "/data"})
		}))
	if err != nil {
		return "", fmt.Errorf("start NATS: %w", err)
	}
	user := url.UserPassword(accounts[0].user, accounts[0].password)
	serverURL := url.URL{Scheme: "nats", User: user, Host: address.hostPort}
	return address.hostPort, c.await(ctx, address.container, func(context.Context) error {
		conn, err := nats.Connect(serverURL.String(), nats.Timeout(time.Second))
		if err != nil {
			return err
		}
		conn.Close()
		return nil
	})
}

// natsConfig is the configuration of a server with one user an account. The
// store's limit is nominal: a stream reserves its MaxBytes when it is made, so
// that a real one would be used up by the streams of many accounts.
func natsConfig(accounts []account) string {
	var b strings.Builder
	b.WriteString("server_name: tests\nport: 4222\n" +
		"jetstream { store_dir: \"/data\", max_file_store: 1TB }\n" +
		"accounts {\n")
	for _, a := range accounts {
		fmt.Fprintf(&b, "  %s { jetstream: enabled, users: [{ user: %q, password: %q }] }\n", a.name, a.user, a.password)
	}
	b.WriteString("}\n")
	return b.String()
}

func (c *containers) startPostgres(ctx context.Context) (*url.URL, error) {
	password := rand.Text()
	var flags []string
	settings := postgresSettings()
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		flags = append(flags, "-c", name+"="+settings[name])
	}
	address, err := c.run(ctx, c.images.Postgres.Ref, postgresPort,
		testcontainers.WithEnv(map[string]string{"POSTGRES_PASSWORD": password}),
		testcontainers.WithCmd(flags...))
	if err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	serverURL := &url.URL{
		Scheme: "postgres", User: url.UserPassword("postgres", password), Host: address.hostPort,
		Path: "/postgres", RawQuery: "sslmode=disable",
	}
	return serverURL, c.await(ctx, address.container, func(ctx context.Context) error {
		conn, err := pgx.Connect(ctx, serverURL.String())
		if err != nil {
			return err
		}
		return conn.Close(ctx)
	})
}

// running is a started container and where its one port is published.
type running struct {
	container testcontainers.Container
	hostPort  string
}

func (c *containers) run(ctx context.Context, image, port string, options ...testcontainers.ContainerCustomizer) (running, error) {
	options = append(options,
		testcontainers.WithExposedPorts(port),
		testcontainers.WithLabels(engine.Labels(c.claim)))
	if c.local {
		options = append(options, testcontainers.WithHostConfigModifier(func(host *container.HostConfig) {
			host.PortBindings = network.PortMap{
				network.MustParsePort(port): {{HostIP: netip.MustParseAddr("127.0.0.1")}},
			}
		}))
	}
	started, err := testcontainers.Run(ctx, image, options...)
	if started != nil {
		c.mu.Lock()
		c.started = append(c.started, started)
		c.mu.Unlock()
	}
	if err != nil {
		return running{}, err
	}
	hostPort, err := started.PortEndpoint(ctx, port, "")
	return running{container: started, hostPort: hostPort}, err
}

// await waits until the container's server answers.
func (c *containers) await(ctx context.Context, started testcontainers.Container, probe func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, readyTime)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		attempt, done := context.WithTimeout(ctx, probeTime)
		err := probe(attempt)
		done()
		if err == nil {
			return nil
		}
		state, stateErr := started.State(ctx)
		if ctx.Err() == nil && (stateErr != nil || state.Running) {
			select {
			case <-tick.C:
				continue
			case <-ctx.Done():
			}
		}
		return fmt.Errorf("the container's server does not answer: %w\n%s", err, tailOfLog(started))
	}
}

func tailOfLog(started testcontainers.Container) string {
	ctx, cancel := context.WithTimeout(context.Background(), closingTime)
	defer cancel()
	logs, err := started.Logs(ctx)
	if err != nil {
		return fmt.Sprintf("(no log: %v)", err)
	}
	defer logs.Close()
	text, err := io.ReadAll(logs)
	if err != nil {
		return fmt.Sprintf("(no log: %v)", err)
	}
	return string(text[max(0, len(text)-logTail):])
}

func (c *containers) close(keep bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if keep {
		for _, kept := range c.started {
			fmt.Fprintf(os.Stderr, "harness: container %s is kept until the next run\n", kept.GetContainerID())
		}
		return nil
	}
	var ending sync.WaitGroup
	errs := make([]error, len(c.started))
	for i, started := range c.started {
		ending.Go(func() {
			errs[i] = started.Terminate(context.Background(), testcontainers.StopTimeout(0))
		})
	}
	ending.Wait()
	return errors.Join(errs...)
}
