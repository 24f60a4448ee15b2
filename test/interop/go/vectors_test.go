package guard

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"reflect"
	"testing"
	"time"
)

type vectorRequest struct {
	At             time.Time
	Headers        [][2]string
	Source         string
	Times          int
	Method, Target string
	Body           string
	Verdict        map[string]any
}

type vectorRun struct {
	Name, File string
	Since      time.Time
	Requests   []vectorRequest
	HTTP       json.RawMessage
	GRPC       json.RawMessage
}

type vectors struct {
	Files       map[string]json.RawMessage
	Runs        []vectorRun
	SignedRuns  []vectorRun
	Answers     []vectorRun
	ServerFiles []struct {
		Name, File string
		At         []any
		Value      json.RawMessage
		Accepted   bool
	}
}

func read(t *testing.T, name string, into any) {
	t.Helper()
	text, err := os.ReadFile("../../vectors/" + name)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatal(err)
	}
}

func wire(t *testing.T) (found vectors) {
	t.Helper()
	read(t, "wire.json", &found)
	return found
}

// outcomes sends the requests of a run to a guard that remembers nothing.
func outcomes(t *testing.T, files map[string]json.RawMessage, run vectorRun, see func(*Guard, Verdict, vectorRequest)) {
	t.Helper()
	file, err := Parse(files[run.File])
	if err != nil {
		t.Fatal(err)
	}
	now := run.Since
	guard := New(file, run.Since, func() time.Time { return now })
	for _, one := range run.Requests {
		now = one.At
		r := Request{Method: "POST", Target: "/", Source: one.Source, Content: []byte(one.Body)}
		if one.Method != "" {
			r.Method, r.Target = one.Method, one.Target
		}
		for _, line := range one.Headers {
			r.Fields = append(r.Fields, Field{line[0], line[1]})
		}
		for time := 0; time < one.Times || time == 0; time++ {
			see(guard, guard.Decide(r), one)
		}
	}
}

func told(v Verdict) map[string]any {
	if v.Status == 0 {
		return map[string]any{"peer": v.Peer, "seedId": v.SeedID, "timeStep": float64(v.TimeStep), "drift": float64(v.Drift)}
	}
	words := map[string]any{"status": float64(v.Status), "reason": v.Reason}
	if v.RetryAfter > 0 {
		words["retryAfter"] = float64(v.RetryAfter)
	}
	return words
}

func TestVerdicts(t *testing.T) {
	all := wire(t)
	for _, run := range append(all.Runs, all.SignedRuns...) {
		run := run
		t.Run(run.Name, func(t *testing.T) {
			place := 0
			outcomes(t, all.Files, run, func(_ *Guard, v Verdict, one vectorRequest) {
				want := one.Verdict
				if proof, there := want["proof"]; there {
					if (proof == "signed") != v.Signed {
						t.Errorf("%d: signed is %v", place, v.Signed)
					}
					delete(want, "proof")
				}
				if got := told(v); !reflect.DeepEqual(got, want) {
					t.Errorf("%d at %v: got %v, want %v", place, one.At, got, one.Verdict)
				}
				place++
			})
		})
	}
}

func TestAnswers(t *testing.T) {
	all := wire(t)
	for _, run := range all.Answers {
		run := run
		t.Run(run.Name, func(t *testing.T) {
			var guard *Guard
			var last Verdict
			outcomes(t, all.Files, run, func(g *Guard, v Verdict, _ vectorRequest) { guard, last = g, v })
			same(t, guard.HTTP(last), run.HTTP)
			same(t, guard.GRPC(last), run.GRPC)
		})
	}
}

func same(t *testing.T, got any, want json.RawMessage) {
	t.Helper()
	var one, other any
	text, _ := json.Marshal(got)
	_ = json.Unmarshal(text, &one)
	_ = json.Unmarshal(want, &other)
	if !reflect.DeepEqual(one, other) {
		t.Errorf("got %s, want %s", text, want)
	}
}

func TestServerFiles(t *testing.T) {
	all := wire(t)
	for _, change := range all.ServerFiles {
		change := change
		t.Run(change.Name, func(t *testing.T) {
			var document any
			_ = json.Unmarshal(all.Files[change.File], &document)
			text, _ := json.Marshal(changed(document, change.At, change.Value))
			if _, err := Parse(text); (err == nil) != change.Accepted {
				t.Errorf("accepted: want %v, got %v", change.Accepted, err)
			}
		})
	}
}

// changed returns the document with a value at a path, or without what is there.
func changed(document any, path []any, value json.RawMessage) any {
	if len(path) == 0 {
		return value
	}
	if list, isList := document.([]any); isList {
		place := int(path[0].(float64))
		if place == len(list) {
			return append(list, value)
		}
		list[place] = changed(list[place], path[1:], value)
		return list
	}
	object, key := document.(map[string]any), path[0].(string)
	if len(path) == 1 && value == nil {
		delete(object, key)
		return object
	}
	object[key] = changed(object[key], path[1:], value)
	return object
}

func TestProofs(t *testing.T) {
	var all struct {
		Cases []struct {
			Description, Seed, Agent, Header string
			Period, Window, Now              int64
			Request                          struct {
				Binding, Method, Target, BodyBase64 string
				Headers                             [][2]string
			}
			Expect struct {
				Verdict, Reason string
				Reasons         []string
			}
		}
	}
	read(t, "proof.json", &all)
	for _, one := range all.Cases {
		one := one
		t.Run(one.Description, func(t *testing.T) {
			seed, err := parseSeed(one.Seed)
			if err != nil {
				t.Fatal(err)
			}
			content, _ := base64.StdEncoding.DecodeString(one.Request.BodyBase64)
			r := Request{GRPC: one.Request.Binding == "grpc", Method: one.Request.Method, Target: one.Request.Target, Content: content}
			for _, line := range one.Request.Headers {
				r.Fields = append(r.Fields, Field{line[0], line[1]})
			}
			verdict, reason := Verify(r, [][]byte{seed}, one.Agent, one.Header, one.Period, one.Window, one.Now)
			if verdict != one.Expect.Verdict {
				t.Fatalf("got %s %s, want %+v", verdict, reason, one.Expect)
			}
			if verdict == "refused" && !oneOf(reason, append(one.Expect.Reasons, one.Expect.Reason)) {
				t.Errorf("got %s, want %+v", reason, one.Expect)
			}
		})
	}
}

func TestRFC(t *testing.T) {
	var all struct {
		TOTP struct {
			SeedASCII map[string]string
			Cases     []map[string]any
		}
	}
	read(t, "rfc.json", &all)
	for _, one := range all.TOTP.Cases {
		for algorithm, seed := range all.TOTP.SeedASCII {
			p := Profile{Algorithm: algorithm, Digits: 8, Period: 30}
			if got := codeOf([]byte(seed), p, int64(one["unix"].(float64))/30); got != one[algorithm] {
				t.Errorf("%s at %v: got %s", algorithm, one["unix"], got)
			}
		}
	}
}
