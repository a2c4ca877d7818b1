# The images of producer and consumer: one static binary each, with CA roots and
# time zones built in, in an otherwise empty image, run by an unprivileged user.
#
#   docker build --target consumer -t streamgauge/consumer:local .
#       builds the binaries in Docker
#   make build && docker build --target consumer-prebuilt -t streamgauge/consumer:local .
#       takes them from ./bin, where they must be Linux binaries
#
# Docker's classic builder works through the stages in order until it has the
# target. So the prebuilt stages, which need no other image, stand first, and
# their patterns (consume[r]) may match nothing: building in Docker needs no
# ./bin.

ARG GO_IMAGE=golang:1.26.8-alpine

# The home folder is the one place the user may write to: the producer spools
# standard input and what it fetches there.
FROM scratch AS producer-prebuilt
COPY --chown=65532:65532 LICENSE /home/streamgauge/
COPY LICENSE bin/produce[r] /
ENV HOME=/home/streamgauge TMPDIR=/home/streamgauge
USER 65532:65532
ENTRYPOINT ["/producer"]

FROM scratch AS consumer-prebuilt
COPY --chown=65532:65532 LICENSE /home/streamgauge/
COPY LICENSE bin/consume[r] /
ENV HOME=/home/streamgauge TMPDIR=/home/streamgauge
USER 65532:65532
ENTRYPOINT ["/consumer"]

FROM ${GO_IMAGE} AS build
ARG VERSION=0.0.0-dev
# Go's own default unless given: a build argument is in RUN's environment.
ARG GOPROXY
ENV CGO_ENABLED=0 GOWORK=off GOFLAGS=-buildvcs=false
WORKDIR /src
# The modules' requirements alone first, so that a change of the code does not
# download everything again.
COPY shared/go.mod shared/go.sum shared/
COPY migrations/go.mod migrations/go.sum migrations/
COPY producer/go.mod producer/go.sum producer/
COPY consumer/go.mod consumer/go.sum consumer/
RUN go -C producer mod download && go -C consumer mod download
COPY shared shared
COPY migrations migrations
COPY producer producer
COPY consumer consumer
RUN go -C producer build -trimpath -ldflags "-s -w -X main.version=${VERSION}" -o /out/ . \
 && go -C consumer build -trimpath -ldflags "-s -w -X main.version=${VERSION}" -o /out/ .

FROM scratch AS producer
COPY --chown=65532:65532 LICENSE /home/streamgauge/
COPY LICENSE /
COPY --from=build /out/producer /
ENV HOME=/home/streamgauge TMPDIR=/home/streamgauge
USER 65532:65532
ENTRYPOINT ["/producer"]

FROM scratch AS consumer
COPY --chown=65532:65532 LICENSE /home/streamgauge/
COPY LICENSE /
COPY --from=build /out/consumer /
ENV HOME=/home/streamgauge TMPDIR=/home/streamgauge
USER 65532:65532
ENTRYPOINT ["/consumer"]
