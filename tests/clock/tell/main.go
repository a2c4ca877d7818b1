// Tell says what time it is, by the wall and since its start, for each line it
// reads.
package main

import (
	"bufio"
	"fmt"
	"os"
	"time"
)

func main() {
	began := time.Now()
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		fmt.Println(time.Now().UnixNano())
		fmt.Println(time.Since(began))
	}
}
