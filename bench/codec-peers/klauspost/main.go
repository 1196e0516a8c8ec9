// klauspost/reedsolomon on the cases of cases.ts. Usage: klauspost DATA.
// DATA holds the bytes of the data fragments. Prints lines of: contender, code, operation, fragment bytes, best and median GB/s.
// It has no code with local parity: in place of lrc-12-2-2 it runs plain Reed-Solomon 12+4.
package main

import (
	"bytes"
	"fmt"
	"os"
	"sort"
	"time"

	"github.com/klauspost/reedsolomon"
)

type code struct {
	name         string
	data, parity int
	worst        []int
}

func report(contender, name, operation string, length, inputs int, run func()) {
	size := float64(length * inputs)
	inner := int(8e6/size) + 1
	for start := time.Now(); time.Since(start) < 50*time.Millisecond; {
		run()
	}
	var times []float64
	for start := time.Now(); len(times) < 400 && (len(times) < 15 || time.Since(start) < 200*time.Millisecond); {
		from := time.Now()
		for i := 0; i < inner; i++ {
			run()
		}
		times = append(times, time.Since(from).Seconds()/float64(inner))
	}
	sort.Float64s(times)
	fmt.Printf("%s\t%s\t%s\t%d\t%.3f\t%.3f\n", contender, name, operation, length, size/times[0]/1e9, size/times[len(times)/2]/1e9)
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func measure(contender string, c code, length int, input []byte, options ...reedsolomon.Option) {
	encoder, err := reedsolomon.New(c.data, c.parity, options...)
	must(err)
	shards := reedsolomon.AllocAligned(c.data+c.parity, length)
	for i := 0; i < c.data; i++ {
		copy(shards[i], input[i*length:])
	}
	report(contender, c.name, "encode", length, c.data, func() { must(encoder.Encode(shards)) })
	for _, lost := range [][]int{{0}, c.worst} {
		operation := "lose-1"
		if len(lost) > 1 {
			operation = "worst"
		}
		some := make([][]byte, len(shards))
		copy(some, shards)
		room := reedsolomon.AllocAligned(len(lost), length)
		report(contender, c.name, operation, length, c.data, func() {
			for i, column := range lost {
				some[column] = room[i][:0]
			}
			must(encoder.ReconstructData(some))
		})
		for _, column := range lost {
			if !bytes.Equal(some[column], shards[column]) {
				must(fmt.Errorf("a rebuilt column differs"))
			}
		}
		if len(c.worst) == 1 {
			break
		}
	}
}

func main() {
	input, err := os.ReadFile(os.Args[1])
	must(err)
	codes := []code{{"rs-6-3", 6, 3, []int{0, 2, 5}}, {"lrc-12-2-2", 12, 4, []int{0, 1, 6, 7}}, {"xor-2-1", 2, 1, []int{0}}}
	for _, c := range codes {
		for _, length := range []int{1 << 20, 64 << 10} {
			measure("klauspost 1 goroutine", c, length, input, reedsolomon.WithMaxGoroutines(1))
			measure("klauspost default", c, length, input)
		}
	}
}
