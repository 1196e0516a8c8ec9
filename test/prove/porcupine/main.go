// Reads histories of one key each, a JSON array of operations a line, and prints what porcupine says of each: "yes", "no" or "unknown".
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"time"

	"github.com/anishathalye/porcupine"
)

const (
	nothing      = -1
	lineBytesMax = 64 << 20
	timeout      = 60 * time.Second
)

type operation struct {
	Kind   string `json:"kind"`
	Value  int    `json:"value"`
	From   int64  `json:"from"`
	To     *int64 `json:"to"`
	Result string `json:"result"`
	Seen   []int  `json:"seen"`
}

// A register: a body, or nothing. An operation of which nobody knows whether it was done ends never, and is told nothing.
var register = porcupine.Model{
	Init: func() any { return nothing },
	Step: func(state, input, _ any) (bool, any) {
		asked, now := input.(operation), state.(int)
		switch asked.Kind {
		case "get":
			return slices.Contains(asked.Seen, now), now
		case "delete":
			return true, nothing
		case "put":
			return true, asked.Value
		}
		switch {
		case asked.Result == "refused":
			return now != nothing, now
		case now == nothing:
			return true, asked.Value
		}
		return asked.Result == "maybe", now
	},
}

func verdict(asked []operation) porcupine.CheckResult {
	operations := make([]porcupine.Operation, 0, len(asked))
	for i, one := range asked {
		if one.Kind == "get" && one.Result != "ok" {
			continue
		}
		end := int64(math.MaxInt64)
		if one.To != nil && one.Result != "maybe" {
			end = *one.To
		}
		operations = append(operations, porcupine.Operation{ClientId: i, Input: one, Call: one.From, Return: end})
	}
	return porcupine.CheckOperationsTimeout(register, operations, timeout)
}

func main() {
	words := map[porcupine.CheckResult]string{porcupine.Ok: "yes", porcupine.Illegal: "no", porcupine.Unknown: "unknown"}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, lineBytesMax)
	for lines.Scan() {
		var asked []operation
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println(words[verdict(asked)])
	}
	if err := lines.Err(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
