// Command verdicts reads server files and runs of requests from its input, and prints what the guard decides about each
// request, to be compared with what another implementation decides.
package main

import (
	"encoding/json"
	"os"
	"time"

	"example/guard"
)

type input struct {
	Files map[string]json.RawMessage
	Runs  []struct {
		File     string
		Since    int64
		Requests []struct {
			At                           int64
			Fields                       [][2]string
			Source, Method, Target, Body string
		}
	}
}

func main() {
	var given input
	if err := json.NewDecoder(os.Stdin).Decode(&given); err != nil {
		panic(err)
	}
	verdicts := [][]any{}
	for _, run := range given.Runs {
		file, err := guard.Parse(given.Files[run.File])
		if err != nil {
			panic(err)
		}
		now := time.UnixMilli(run.Since)
		g := guard.New(file, now, func() time.Time { return now })
		told := []any{}
		for _, one := range run.Requests {
			now = time.UnixMilli(one.At)
			r := guard.Request{Method: "POST", Target: "/", Source: one.Source, Content: []byte(one.Body)}
			if one.Method != "" {
				r.Method, r.Target = one.Method, one.Target
			}
			for _, field := range one.Fields {
				r.Fields = append(r.Fields, guard.Field{Name: field[0], Value: field[1]})
			}
			told = append(told, tell(g, g.Decide(r)))
		}
		verdicts = append(verdicts, told)
	}
	_ = json.NewEncoder(os.Stdout).Encode(verdicts)
}

func tell(g *guard.Guard, v guard.Verdict) any {
	if v.Status == 0 {
		proof := "code"
		if v.Signed {
			proof = "signed"
		}
		return map[string]any{"peer": v.Peer, "seedId": v.SeedID, "timeStep": v.TimeStep, "drift": v.Drift, "proof": proof}
	}
	return map[string]any{"reason": v.Reason, "http": g.HTTP(v), "grpc": g.GRPC(v)}
}
