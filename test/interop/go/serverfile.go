package guard

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"
)

// A File is a parsed server file.
type File struct {
	Agent   string
	Signed  string
	Profile Profile
	Peers   map[string]*Peer
	// Peers and canaries by the hash of a token; the peer of a canary is nil.
	tokens map[string]*token
}

// A Peer may call the agent.
type Peer struct {
	Name, Replay, Signed string
	Profile              Profile
	Seeds                []*Seed
	tokens               []*token
	// The tokens whose guesses count at its seeds: its own, and those of peers with a seed in common.
	counted []*token
}

// A Seed of a peer.
type Seed struct {
	ID      string
	bytes   []byte
	key     string
	expires time.Time
}

type token struct {
	hash    string
	peer    *Peer
	expires time.Time
}

func isLive(expires, at time.Time) bool { return expires.IsZero() || at.Before(expires) }

type object = map[string]any

var (
	names  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
	hashed = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)
	field  = regexp.MustCompile("^[!#$%&'*+\\-.^_`|~0-9A-Za-z]{1,64}$")
	taken  = regexp.MustCompile(`(?i)^(accept(-charset|-encoding|-language|-signature)?|access-control-.*|authorization|a2a-.*|` +
		`connection|content-.*|cookie2?|date|dnt|expect|forwarded|grpc-.*|host|http2-settings|if-.*|keep-alive|max-forwards|` +
		`origin|priority|proxy-.*|range|referer|sec-.*|set-cookie2?|signature.*|te|totp.+|trailer|transfer-encoding|upgrade|` +
		`user-agent|via|www-authenticate|x-a2a-extensions|x-forwarded-.*|x-http-method.*|x-method-override|x-real-ip|.*-bin)$`)
	instant = regexp.MustCompile(`^(\d{4}-\d\d-\d\d)[Tt ]((?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?)([Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$`)
	known   = []string{"once", "signed", "shared-seed"}
	proofs  = []string{"off", "observe", "accept", "require"}
)

// wrong is thrown inside, and names a field.
type wrong string

func need(right bool, what string) {
	if !right {
		panic(wrong(what))
	}
}

// Parse reads the JSON text of a server file, or says which field is wrong.
func Parse(text []byte) (file *File, err error) {
	defer func() {
		if found := recover(); found != nil {
			what, ours := found.(wrong)
			if !ours {
				panic(found)
			}
			file, err = nil, fmt.Errorf("server file: %s is not allowed", string(what))
		}
	}()
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var document object
	if decoder.Decode(&document) != nil || decoder.Decode(new(any)) != io.EOF {
		return nil, errors.New("server file: not one JSON object")
	}
	return parse(document), nil
}

func parse(d object) *File {
	need(whole(d["version"], 1, 1), "version")
	for _, word := range list(d, "requires", false) {
		need(oneOf(word, known), "requires")
	}
	if serial, given := d["serial"]; given {
		need(whole(serial, 0, 1<<53-1), "serial")
	}
	f := &File{Agent: name(d["agent"], "agent"), Signed: policy(d), Peers: map[string]*Peer{}, tokens: map[string]*token{}}
	profile := asObject(d["profile"], "profile")
	for _, key := range []string{"algorithm", "digits", "period", "window", "header"} {
		need(profile[key] != nil, "profile."+key)
	}
	f.Profile = profileOf(profile, Profile{})
	need(whole(profile["window"], 0, 2), "window")
	f.Profile.Window = number(profile["window"])
	header, _ := profile["header"].(string)
	need(field.MatchString(header) && !taken.MatchString(header), "header")
	f.Profile.Header = header

	_, isShared := d["sharedSeeds"]
	shared := seedsOf(d, "sharedSeeds", isShared)
	for key, given := range asObject(d["peers"], "peers") {
		entry := asObject(given, "a peer")
		p := &Peer{Name: name(key, "a peer's name"), Signed: policy(entry), Profile: profileOf(entry, f.Profile)}
		p.Replay, _ = entry["replay"].(string)
		need(oneOf(p.Replay, []string{"once", "reuse"}), "replay")
		_, isOwn := entry["seeds"]
		need(isOwn != isShared, "seeds")
		seeds := shared
		if isOwn {
			seeds = seedsOf(entry, "seeds", true)
		}
		for _, seed := range seeds {
			// A copy, since the key depends on the peer's algorithm.
			own := *seed
			own.key = sameKey(seed.bytes, p.Profile)
			p.Seeds = append(p.Seeds, &own)
		}
		need(!isShared || mayShare(p), "once with sharedSeeds")
		for _, one := range list(entry, "tokens", true) {
			t := tokenOf(one)
			need(f.tokens[t.hash] == nil, "a token that is listed twice")
			t.peer, f.tokens[t.hash] = p, t
			p.tokens = append(p.tokens, t)
		}
		f.Peers[p.Name] = p
	}
	for _, one := range list(d, "canaries", false) {
		name(asObject(one, "a canary")["name"], "a canary's name")
		t := tokenOf(one)
		need(f.tokens[t.hash] == nil, "a canary's hash")
		f.tokens[t.hash] = t
	}
	share(f)
	return f
}

// share finds the peers that have a seed in common, and refuses what does not go together.
func share(f *File) {
	owners := map[string][]*Peer{}
	for _, p := range f.Peers {
		p.counted = p.tokens
		own := map[string]bool{}
		for _, seed := range p.Seeds {
			// Of a seed longer than a block, the key that HMAC makes is another seed with the same codes.
			keys := map[string]bool{seed.key: true, strings.TrimRight(string(seed.bytes), "\x00"): true}
			for key := range keys {
				need(!own[key], "one seed twice")
			}
			for key := range keys {
				own[key] = true
				owners[key] = append(owners[key], p)
			}
		}
	}
	for _, group := range owners {
		for _, p := range group {
			for _, other := range group {
				if p == other {
					continue
				}
				a, b := p.Profile, other.Profile
				need(a.Algorithm == b.Algorithm && a.Digits == b.Digits && a.Period == b.Period, "one seed with two profiles")
				need(mayShare(p) && mayShare(other), "one seed for two peers under once")
				p.counted = append(p.counted[:len(p.counted):len(p.counted)], other.tokens...)
			}
		}
	}
}

func mayShare(p *Peer) bool { return p.Replay != "once" || p.Signed == "require" }

func profileOf(d object, p Profile) Profile {
	if given, there := d["algorithm"]; there {
		p.Algorithm, _ = given.(string)
		need(hashes[p.Algorithm] != nil, "algorithm")
	}
	if given, there := d["digits"]; there {
		need(whole(given, 6, 8), "digits")
		p.Digits = int(number(given))
	}
	if given, there := d["period"]; there {
		need(whole(given, 10, 120), "period")
		p.Period = number(given)
	}
	return p
}

func seedsOf(d object, key string, needed bool) []*Seed {
	var seeds []*Seed
	ids := map[string]bool{}
	for _, one := range list(d, key, needed) {
		entry := asObject(one, "a seed")
		text, _ := entry["seed"].(string)
		decoded, err := parseSeed(text)
		need(err == nil && len(decoded) >= 16, "seed")
		seed := &Seed{ID: id(entry), bytes: decoded, expires: end(entry)}
		need(!ids[seed.ID], "two seeds with one id")
		ids[seed.ID] = true
		seeds = append(seeds, seed)
	}
	need(!needed || len(seeds) > 0, key)
	return seeds
}

func tokenOf(given any) *token {
	entry := asObject(given, "a token")
	id(entry)
	hash, _ := entry["hash"].(string)
	need(hashed.MatchString(hash), "hash")
	return &token{hash: hash, expires: end(entry)}
}

func end(entry object) time.Time {
	given, there := entry["expiresAt"]
	if !there {
		return time.Time{}
	}
	text, _ := given.(string)
	parts := instant.FindStringSubmatch(text)
	need(parts != nil, "expiresAt")
	zone := parts[3]
	if zone == "z" {
		zone = "Z"
	}
	at, err := time.Parse(time.RFC3339Nano, parts[1]+"T"+parts[2]+zone)
	need(err == nil, "expiresAt")
	return at.Truncate(time.Millisecond)
}

func list(d object, key string, needed bool) []any {
	given, there := d[key]
	if !there && !needed {
		return nil
	}
	entries, isList := given.([]any)
	need(isList, key)
	return entries
}

func asObject(given any, what string) object {
	found, isObject := given.(object)
	need(isObject, what)
	return found
}

func name(given any, what string) string {
	text, _ := given.(string)
	need(names.MatchString(text), what)
	return text
}

func id(entry object) string {
	text, _ := entry["id"].(string)
	need(text != "", "id")
	return text
}

func policy(d object) string {
	given, there := d["signed"]
	if !there {
		return "off"
	}
	need(oneOf(given, proofs), "signed")
	return given.(string)
}

func oneOf(given any, words []string) bool {
	for _, word := range words {
		if given == word {
			return true
		}
	}
	return false
}

func number(given any) int64 {
	found, _ := given.(json.Number)
	value, _ := found.Float64()
	return int64(value)
}

func whole(given any, least, most int64) bool {
	found, isNumber := given.(json.Number)
	if !isNumber {
		return false
	}
	value, err := found.Float64()
	return err == nil && value == float64(int64(value)) && int64(value) >= least && int64(value) <= most
}
