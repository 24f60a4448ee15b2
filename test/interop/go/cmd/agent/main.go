// Command agent serves an A2A agent that has no task, behind the guard.
//
//	agent SERVER_FILE CARD
//
// CARD is its card, with ORIGIN in place of its own origin. Prints the card's URL when it is ready.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"example/guard"
)

func main() {
	text, err := os.ReadFile(os.Args[1])
	must(err)
	file, err := guard.Parse(text)
	must(err)
	card, err := os.ReadFile(os.Args[2])
	must(err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	origin := "http://" + listener.Addr().String()

	mux := http.NewServeMux()
	mux.HandleFunc("/.well-known/agent-card.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(bytes.ReplaceAll(card, []byte("ORIGIN"), []byte(origin)))
	})
	// Nobody was let in before the first start.
	g := guard.New(file, time.Unix(0, 0), time.Now)
	mux.Handle("/a2a/jsonrpc", guarded(g, http.HandlerFunc(answer)))
	fmt.Println(origin + "/.well-known/agent-card.json")
	must(http.Serve(listener, mux))
}

// guarded decides about a request before the handler sees anything of it.
func guarded(g *guard.Guard, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		content, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err != nil {
			return
		}
		host, _, _ := net.SplitHostPort(r.RemoteAddr)
		told := guard.Request{Method: r.Method, Target: r.RequestURI, Source: host, Content: content}
		for name, values := range r.Header {
			for _, value := range values {
				told.Fields = append(told.Fields, guard.Field{Name: name, Value: value})
			}
		}
		verdict := g.Decide(told)
		if verdict.Status == 0 {
			r.Body = io.NopCloser(bytes.NewReader(content))
			next.ServeHTTP(w, r)
			return
		}
		refusal := g.HTTP(verdict)
		for _, field := range refusal.Headers {
			w.Header().Add(field[0], field[1])
		}
		w.WriteHeader(refusal.Status)
		_, _ = io.WriteString(w, refusal.Body)
	})
}

// answer knows no task, and no method but those that ask for one.
func answer(w http.ResponseWriter, r *http.Request) {
	var call struct {
		ID     json.RawMessage `json:"id"`
		Method string          `json:"method"`
	}
	code, message := -32700, "not JSON"
	if json.NewDecoder(r.Body).Decode(&call) == nil {
		code, message = -32601, "method not found"
		if strings.HasSuffix(call.Method, "Task") {
			code, message = -32001, "task not found"
		}
	}
	if call.ID == nil {
		call.ID = json.RawMessage("null")
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"error":{"code":%d,"message":%q}}`, call.ID, code, message)
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
