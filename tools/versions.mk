# The command-line tools that development needs, each pinned here and nowhere
# else, as package@version. The Makefile installs one into bin/tools when a
# target first needs it, and again when its version here changes.
gitleaks      := github.com/zricethezav/gitleaks/v8@v8.30.1
gofumpt       := mvdan.cc/gofumpt@v0.12.0
golangci-lint := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
gotestsum     := gotest.tools/gotestsum@v1.13.0
lefthook      := github.com/evilmartians/lefthook@v1.13.6
nats          := github.com/nats-io/natscli/nats@v0.5.1

TOOLS := gitleaks gofumpt golangci-lint gotestsum lefthook nats
