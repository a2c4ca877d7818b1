package engine

import (
	"errors"
	"testing"
)

func TestFindTakesTheChosenEngineOrNone(t *testing.T) {
	t.Setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")
	eng, err := Find(t.Context())
	if !errors.Is(err, ErrNone) {
		t.Errorf("engine %v, error %v, want %v", eng, err, ErrNone)
	}
}
