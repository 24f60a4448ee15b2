package guard

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"regexp"
	"strconv"
	"strings"
)

const proofTag = "a2a-totp/proof/v1"

// A Field is one line of a request's head.
type Field struct{ Name, Value string }

// A Request as it arrived.
type Request struct {
	GRPC           bool
	Method, Target string
	Fields         []Field
	Source         string
	// The body, or the serialised message.
	Content []byte
}

func (r Request) lines(name string) []string {
	var values []string
	for _, one := range r.Fields {
		if strings.EqualFold(one.Name, name) {
			values = append(values, one.Value)
		}
	}
	return values
}

func (r Request) has(name string) bool { return len(r.lines(name)) > 0 }

// value is a field's lines without spaces and tabs around each, combined.
func (r Request) value(name string) string {
	lines := r.lines(name)
	for i, line := range lines {
		lines[i] = strings.Trim(line, " \t")
	}
	return strings.Join(lines, ", ")
}

func (r Request) component(name string) string {
	path, query, _ := strings.Cut(r.Target, "?")
	switch name {
	case "@method":
		return r.Method
	case "@path":
		return path
	case "@query":
		return "?" + query
	}
	return r.value(name)
}

func (r Request) digest() [32]byte {
	if !r.GRPC {
		return sha256.Sum256(r.Content)
	}
	framed := make([]byte, 5, 5+len(r.Content))
	binary.BigEndian.PutUint32(framed[1:], uint32(len(r.Content)))
	return sha256.Sum256(append(framed, r.Content...))
}

// hkdf is that of RFC 5869, for at most 32 bytes.
func hkdf(key []byte, info string, length int) []byte {
	extract := hmac.New(sha256.New, []byte(proofTag))
	extract.Write(key)
	expand := hmac.New(sha256.New, extract.Sum(nil))
	expand.Write([]byte(info + "\x01"))
	return expand.Sum(nil)[:length]
}

func keyID(seed []byte, agent string) string {
	return agent + "/" + base64.RawURLEncoding.EncodeToString(hkdf(seed, "kid "+agent, 6))
}

// A Proof of the right form, not verified yet.
type proof struct {
	keyid, nonce     string
	created, expires int64
	digest, mac      []byte
	base             string
}

// What a proof is checked against.
type proofRules struct {
	agent, header string
	life          int64 // (window + 1) × period
}

var (
	plainValue = regexp.MustCompile(`^[\t\x20-\x7e]*$`)
	nonceForm  = regexp.MustCompile(`^[A-Za-z0-9_-]{22,64}$`)
	always     = []string{"@method", "@path", "@query", "content-digest", "authorization"}
)

// readProof returns a proof, or why there is none: an empty reason if the request is unsigned.
func readProof(r Request, rules proofRules) (*proof, string) {
	if !r.has("signature-input") && !r.has("signature") {
		return nil, ""
	}
	inputs, readable := parseDictionary(r.value("signature-input"))
	signatures, alsoReadable := parseDictionary(r.value("signature"))
	if !readable || !alsoReadable || !r.has("signature-input") || !r.has("signature") || repeats(inputs) || repeats(signatures) {
		return nil, "proof-malformed"
	}
	var ours []member
	for _, one := range inputs {
		if hasTag(one) {
			ours = append(ours, one)
		}
	}
	if len(ours) == 0 {
		return nil, ""
	}
	p, components := readMember(ours[0], rules)
	mac := signatureOf(signatures, ours[0].label)
	if len(ours) > 1 || p == nil || mac == nil {
		return nil, "proof-malformed"
	}
	p.mac = mac

	expected := append(append([]string(nil), always...), rules.header)
	for _, name := range []string{"content-type", "a2a-version", "a2a-extensions"} {
		if r.has(name) && !(r.GRPC && name == "content-type") {
			expected = append(expected, name)
		}
	}
	named := map[string]bool{}
	for _, one := range components {
		if one.kind == "string" && len(one.params) == 0 {
			named[one.text] = true
		}
		if oneOf(one.text, expected) && !plainValue.MatchString(r.component(one.text)) {
			return nil, "proof-malformed"
		}
	}
	complete := len(components) == len(expected) && len(named) == len(expected)
	for _, name := range expected {
		complete = complete && named[name] && (name[0] == '@' || r.has(name))
	}
	if !complete {
		return nil, "proof-uncovered"
	}

	if p.digest = contentDigest(r); p.digest == nil || r.has("content-encoding") {
		return nil, "proof-digest"
	}
	for _, one := range components {
		p.base += `"` + one.text + `": ` + r.component(one.text) + "\n"
	}
	p.base += `"@signature-params": ` + ours[0].text
	return p, ""
}

func hasTag(m member) bool {
	for _, one := range m.params {
		if one.key == "tag" && one.value.kind == "string" && one.value.text == proofTag {
			return true
		}
	}
	return false
}

func repeats(members []member) bool {
	seen := map[string]bool{}
	for _, one := range members {
		if seen[one.label] {
			return true
		}
		seen[one.label] = true
	}
	return false
}

func signatureOf(signatures []member, label string) []byte {
	for _, one := range signatures {
		if one.label == label && !one.isInner && len(one.params) == 0 {
			if mac, right := one.single.bytes32(); right {
				return mac
			}
		}
	}
	return nil
}

func readMember(m member, rules proofRules) (*proof, []item) {
	if !m.isInner || m.write() != m.text {
		return nil, nil
	}
	given := map[string]item{}
	for _, one := range m.params {
		if _, twice := given[one.key]; twice {
			return nil, nil
		}
		given[one.key] = one.value
	}
	kinds := map[string]string{
		"created": "integer", "expires": "integer", "nonce": "string", "keyid": "string", "tag": "string", "alg": "string",
	}
	for key, one := range given {
		if kinds[key] != one.kind {
			return nil, nil
		}
	}
	if _, there := given["alg"]; !there {
		given["alg"] = item{text: "hmac-sha256"}
	}
	if len(given) < len(kinds) || given["alg"].text != "hmac-sha256" {
		return nil, nil
	}
	p := &proof{keyid: given["keyid"].text, nonce: given["nonce"].text}
	p.created, _ = strconv.ParseInt(given["created"].text, 10, 64)
	p.expires, _ = strconv.ParseInt(given["expires"].text, 10, 64)
	if !nonceForm.MatchString(p.nonce) || len(p.nonce)%4 == 1 || p.expires <= p.created || p.expires-p.created > rules.life {
		return nil, nil
	}
	return p, m.inner
}

func contentDigest(r Request) []byte {
	members, _ := parseDictionary(r.value("content-digest"))
	var found []byte
	count := 0
	for _, one := range members {
		if one.label == "sha-256" {
			count++
			if !one.isInner && len(one.params) == 0 {
				if digest, right := one.single.bytes32(); right {
					found = digest
				}
			}
		}
	}
	if count != 1 {
		return nil
	}
	return found
}

// verifyHead returns the proof and the place of the seed that made it, or why it is refused.
func verifyHead(r Request, rules proofRules, seeds [][]byte, now int64) (p *proof, seed int, reason string) {
	p, reason = readProof(r, rules)
	if p == nil {
		return nil, 0, reason
	}
	reason = "proof-key"
	// Some key is always used, so that the time does not tell whether one is known.
	for i, one := range append(seeds[:len(seeds):len(seeds)], make([]byte, 20)) {
		isNamed := i < len(seeds) && keyID(one, rules.agent) == p.keyid
		if !isNamed && (i < len(seeds) || reason != "proof-key") {
			continue
		}
		mac := hmac.New(sha256.New, hkdf(one, "mac "+rules.agent, 32))
		mac.Write([]byte(p.base))
		if right := hmac.Equal(mac.Sum(nil), p.mac); isNamed {
			if reason = "proof-mac"; right {
				seed, reason = i, ""
				break
			}
		}
	}
	if reason == "" && !(p.created <= now+rules.life && now <= p.expires) {
		reason = "proof-stale"
	}
	return p, seed, reason
}

// Verify returns the verdict on the proof of a request, and the reason: `valid`, `unsigned` or `refused`.
func Verify(r Request, seeds [][]byte, agent, header string, period, window, now int64) (verdict, reason string) {
	rules := proofRules{agent: agent, header: strings.ToLower(header), life: (window + 1) * period}
	p, _, reason := verifyHead(r, rules, seeds, now)
	if reason != "" {
		return "refused", reason
	}
	if p == nil {
		return "unsigned", ""
	}
	if digest := r.digest(); !hmac.Equal(digest[:], p.digest) {
		return "refused", "proof-digest"
	}
	return "valid", ""
}
