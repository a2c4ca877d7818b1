module github.com/streamgauge/streamgauge/tests

go 1.26.0

require (
	github.com/containerd/errdefs v1.0.0
	github.com/jackc/pgx/v5 v5.12.0
	github.com/moby/moby/client v0.6.2
	github.com/moby/moby/api v1.56.1
	github.com/nats-io/nats-server/v2 v2.15.2
	github.com/nats-io/nats.go v1.55.0
	github.com/opencontainers/image-spec v1.1.1
	github.com/testcontainers/testcontainers-go v0.45.0
	github.com/google/go-cmp v0.7.0
	github.com/streamgauge/streamgauge/sandbox v0.0.0
)

tool github.com/nats-io/nats-server/v2

replace (
	github.com/streamgauge/streamgauge/sandbox => ../sandbox
	github.com/streamgauge/streamgauge/shared => ../shared
	github.com/streamgauge/streamgauge/migrations => ../migrations
)
