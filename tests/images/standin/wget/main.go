// Command wget is what the stand-in image of nats-server has in place of
// BusyBox's wget: it asks for the URL that is its last argument and succeeds
// on a 2xx answer, which is all that a health check needs. Flags are accepted
// and ignored; the answer's body is not printed.
package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

// answerTime bounds one request, as a health check's own timeout may be long.
const answerTime = 5 * time.Second

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: wget [flags] URL")
		os.Exit(2)
	}
	if err := get(os.Args[len(os.Args)-1]); err != nil {
		fmt.Fprintln(os.Stderr, "wget:", err)
		os.Exit(1)
	}
}

func get(url string) error {
	request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	client := http.Client{Timeout: answerTime}
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode/100 != 2 {
		return fmt.Errorf("%s: %s", url, answer.Status)
	}
	_, err = io.Copy(io.Discard, answer.Body)
	return err
}
