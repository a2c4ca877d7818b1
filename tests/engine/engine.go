// Package engine finds the Docker engine that the tests use, and removes what
// earlier test runs left on it.
package engine

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/moby/moby/client"
)

// answerTime bounds how long an engine may take to answer a ping.
const answerTime = 10 * time.Second

// Engine is a Docker engine that has answered. Safe for concurrent use.
type Engine struct {
	*client.Client
	// Host is its address as DOCKER_HOST spells it.
	Host string
	// Arch is the architecture of its containers as GOARCH spells it.
	Arch string
}

// Find returns the engine the docker command would use: DOCKER_HOST, else the
// current docker context, else the sockets of the usual installations. The
// error wraps [ErrNone] when none answers.
func Find(ctx context.Context) (*Engine, error) {
	var tried []error
	for _, host := range candidates(ctx) {
		found, err := connect(ctx, host)
		if err == nil {
			return found, nil
		}
		tried = append(tried, err)
	}
	if len(tried) == 0 {
		return nil, fmt.Errorf("%w: no socket found and DOCKER_HOST is not set", ErrNone)
	}
	return nil, fmt.Errorf("%w: %w", ErrNone, errors.Join(tried...))
}

func connect(ctx context.Context, host string) (*Engine, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	cli, err := client.New(client.FromEnv, client.WithHost(host))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", host, err)
	}
	version, err := cli.ServerVersion(ctx, client.ServerVersionOptions{})
	if err != nil {
		_ = cli.Close()
		return nil, fmt.Errorf("%s: %w", host, err)
	}
	if version.Os != "linux" {
		_ = cli.Close()
		return nil, fmt.Errorf("%s: runs %s containers, Linux ones are needed", host, version.Os)
	}
	return &Engine{Client: cli, Host: host, Arch: version.Arch}, nil
}

// candidates lists the addresses worth a ping, the one the user chose first.
// A chosen one is the only one: falling through to another engine would test
// something else than what was asked for.
func candidates(ctx context.Context) []string {
	if host := os.Getenv("DOCKER_HOST"); host != "" {
		return []string{host}
	}
	if docker, err := exec.LookPath("docker"); err == nil {
		out, err := exec.CommandContext(ctx, docker, "context", "inspect", "--format", "{{.Endpoints.docker.Host}}").Output()
		if host := strings.TrimSpace(string(out)); err == nil && host != "" {
			return []string{host}
		}
	}
	sockets := []string{"/var/run/docker.sock"}
	if dir := os.Getenv("XDG_RUNTIME_DIR"); dir != "" {
		sockets = append(sockets, filepath.Join(dir, "docker.sock"))
	}
	if home, err := os.UserHomeDir(); err == nil {
		sockets = append(sockets, filepath.Join(home, ".docker", "run", "docker.sock"))
	}
	var hosts []string
	for _, socket := range sockets {
		if _, err := os.Stat(socket); err == nil {
			hosts = append(hosts, "unix://"+socket)
		}
	}
	return hosts
}

// Local says whether ports that containers publish on 127.0.0.1 are reachable
// here: true for an engine behind a local socket, unless this process itself
// runs in a container beside the ones it starts.
func (e *Engine) Local(ctx context.Context) bool {
	if !strings.HasPrefix(e.Host, "unix://") {
		return false
	}
	return !InContainer() || e.sharesNetwork(ctx)
}

// InContainer says whether this machine looks like a container, by the mark
// that Docker leaves and that testcontainers goes by. Images turned into
// virtual machines keep the mark.
func InContainer() bool {
	_, err := os.Stat("/.dockerenv")
	return err == nil
}

// bridgeName is the option of a bridge network that holds the name of its
// network interface on the engine's host.
const bridgeName = "com.docker.network.bridge.name"

// sharesNetwork says whether the engine's default bridge is an interface of
// this machine, that is, whether both live in one network namespace.
func (e *Engine) sharesNetwork(ctx context.Context) bool {
	bridge, err := e.NetworkInspect(ctx, "bridge", client.NetworkInspectOptions{})
	if err != nil {
		return false
	}
	found, err := net.InterfaceByName(bridge.Network.Options[bridgeName])
	if err != nil {
		return false
	}
	addresses, err := found.Addrs()
	if err != nil {
		return false
	}
	for _, config := range bridge.Network.IPAM.Config {
		for _, address := range addresses {
			prefix, err := netip.ParsePrefix(address.String())
			if err == nil && config.Subnet.Contains(prefix.Addr()) {
				return true
			}
		}
	}
	return false
}
