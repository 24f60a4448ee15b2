package guard

import (
	"fmt"
	"strconv"
	"strings"
)

// An Answer is a refusal as it goes out.
type Answer struct {
	Status  int        `json:"status"`
	Headers [][]string `json:"headers"`
	Body    string     `json:"body"`
}

// A GRPCAnswer is a refusal over gRPC.
type GRPCAnswer struct {
	Status   string     `json:"status"`
	Details  string     `json:"details"`
	Trailers [][]string `json:"trailers"`
}

var statuses = map[int]string{401: "UNAUTHENTICATED", 429: "RESOURCE_EXHAUSTED", 503: "UNAVAILABLE"}

var messages = map[int]string{
	401: "a bearer token and a valid one-time code are required",
	429: "too many failed attempts; try again later",
	503: "the request cannot be verified at the moment; try again later",
}

// challenges are the fields that depend on the refusal; names in lower case.
func (g *Guard) challenges(v Verdict) [][]string {
	fields := [][]string{}
	if v.Status == 401 {
		header, required := g.file.Profile.Header, g.file.Signed == "require"
		bearer, totp := `Bearer realm="a2a"`, `TOTP realm="a2a", header="`+header+`"`
		if v.bearerGiven {
			bearer += `, error="invalid_token"`
		}
		if required {
			totp += `, proof="required"`
		}
		fields = append(fields, []string{"www-authenticate", bearer}, []string{"www-authenticate", totp})
		if required {
			fields = append(fields, []string{"accept-signature", `a2a-totp=("@method" "@path" "@query" "content-digest" "authorization" "` +
				strings.ToLower(header) + `");created;expires;tag="a2a-totp/proof/v1"`})
		}
	}
	if v.RetryAfter > 0 {
		fields = append(fields, []string{"retry-after", strconv.FormatInt(v.RetryAfter, 10)})
	}
	return fields
}

// HTTP returns the answer to a refused request.
func (g *Guard) HTTP(v Verdict) Answer {
	body := fmt.Sprintf(`{"error":{"code":%d,"status":"%s","message":"%s"}}`, v.Status, statuses[v.Status], messages[v.Status])
	fields := append(g.challenges(v), []string{"cache-control", "no-store"},
		[]string{"content-type", "application/json"}, []string{"content-length", strconv.Itoa(len(body))})
	return Answer{Status: v.Status, Headers: fields, Body: body}
}

// GRPC returns the status of a refused call.
func (g *Guard) GRPC(v Verdict) GRPCAnswer {
	return GRPCAnswer{Status: statuses[v.Status], Details: messages[v.Status], Trailers: g.challenges(v)}
}
