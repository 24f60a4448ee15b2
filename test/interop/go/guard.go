package guard

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A Guard decides about the requests to one agent.
type Guard struct {
	file  *File
	now   func() time.Time
	mutex sync.Mutex
	state *state
}

// New returns a guard that remembers since an instant.
func New(file *File, since time.Time, now func() time.Time) *Guard {
	return &Guard{file: file, now: now, state: newState(since.UnixMilli())}
}

// A Verdict is a caller, if Status is 0, or a refusal.
type Verdict struct {
	Peer, SeedID    string
	TimeStep, Drift int64
	Signed          bool

	Status      int
	Reason      string
	RetryAfter  int64
	bearerGiven bool
}

var bearer = regexp.MustCompile(`^(?i:bearer) +([A-Za-z0-9\-._~+/]+=*)$`)

// Decide answers a request. It calls itself once for each.
func (g *Guard) Decide(r Request) Verdict {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	v := g.decide(r, g.now())
	v.bearerGiven = r.has("authorization")
	return v
}

func refuse(status int, reason string) Verdict { return Verdict{Status: status, Reason: reason} }

func later(status int, reason string, ms int64) Verdict {
	return Verdict{Status: status, Reason: reason, RetryAfter: seconds(ms)}
}

func (g *Guard) decide(r Request, at time.Time) Verdict {
	now := at.UnixMilli()
	authorization := r.lines("authorization")
	switch len(authorization) {
	case 0:
		return refuse(401, "token-missing")
	case 1:
	default:
		return refuse(401, "token-doubled")
	}
	parts := bearer.FindStringSubmatch(authorization[0])
	if parts == nil {
		return refuse(401, "token-malformed")
	}
	sum := sha256.Sum256([]byte(parts[1]))
	found := g.file.tokens["sha256:"+hex.EncodeToString(sum[:])]
	if found == nil || found.peer == nil || !isLive(found.expires, at) {
		if wait := g.state.stranger(sourceOf(r.Source), now); wait > 0 {
			return later(429, "strangers-exhausted", wait)
		}
		return refuse(401, "token-refused")
	}
	peer := found.peer

	var live []*Seed
	for _, seed := range peer.Seeds {
		if isLive(seed.expires, at) {
			live = append(live, seed)
		}
	}
	proof, signer, reason := g.check(r, peer, live, at)
	if reason != "" {
		return refuse(401, reason)
	}
	codes := r.lines(g.file.Profile.Header)
	if len(codes) == 0 {
		return refuse(401, "code-missing")
	}
	if len(codes) > 1 {
		return refuse(401, "code-doubled")
	}
	code := codes[0]
	if !isCode(code, peer.Profile) {
		return refuse(401, "code-malformed")
	}
	if proof != nil {
		return g.spend(r, peer, proof, signer, code, now)
	}
	return g.attempt(peer, live, found.hash, code, at)
}

// check returns the proof that counts and its seed, or why it is refused.
func (g *Guard) check(r Request, peer *Peer, live []*Seed, at time.Time) (*proof, *Seed, string) {
	if peer.Signed != "accept" && peer.Signed != "require" {
		return nil, nil, ""
	}
	seeds := make([][]byte, len(live))
	for i, seed := range live {
		seeds[i] = seed.bytes
	}
	rules := proofRules{
		agent: g.file.Agent, header: strings.ToLower(g.file.Profile.Header), life: (peer.Profile.Window + 1) * peer.Profile.Period,
	}
	found, place, reason := verifyHead(r, rules, seeds, at.Unix())
	if reason != "" {
		return nil, nil, reason
	}
	if found == nil {
		if peer.Signed == "require" {
			return nil, nil, "proof-missing"
		}
		return nil, nil, ""
	}
	return found, live[place], ""
}

// spend decides about a request with a valid proof.
func (g *Guard) spend(r Request, peer *Peer, proof *proof, seed *Seed, code string, now int64) Verdict {
	step, drift, right := match(peer.Profile, []*Seed{seed}, code, now)
	if right == nil {
		return refuse(401, "code-wrong")
	}
	m := g.state.of(remembered(peer, seed))
	for nonce, until := range m.nonces {
		if now >= (until+1)*1000 {
			delete(m.nonces, nonce)
		}
	}
	if _, used := m.nonces[proof.nonce]; used {
		return refuse(401, "proof-replayed")
	}
	if begin := g.state.beginning(peer.Profile, now) / 1000; proof.created < begin {
		return later(503, "replay-unknown", begin*1000-now)
	}
	m.nonces[proof.nonce] = proof.expires
	m.raise(step)
	if digest := r.digest(); !hmac.Equal(digest[:], proof.digest) {
		return refuse(401, "proof-digest")
	}
	return Verdict{Peer: peer.Name, SeedID: seed.ID, TimeStep: step, Drift: drift, Signed: true}
}

// attempt decides about a request without a proof.
func (g *Guard) attempt(peer *Peer, live []*Seed, hash, code string, at time.Time) Verdict {
	now, p := at.UnixMilli(), peer.Profile
	budgets := budgetsOf(p)
	counted := map[string]bool{}
	for _, one := range peer.counted {
		counted[one.hash] = isLive(one.expires, at)
	}
	wait := int64(0)
	for _, seed := range live {
		if one := g.state.of(remembered(peer, seed)).wait(budgets, counted, now); one > wait {
			wait = one
		}
	}
	if wait > 0 {
		return later(429, "guesses-exhausted", wait)
	}
	step, drift, seed := match(p, live, code, now)
	if seed == nil {
		g.count(peer, live, budgets, guess{at: now, step: now / 1000 / p.Period, code: code, hash: hash})
		return refuse(401, "code-wrong")
	}
	m := g.state.of(remembered(peer, seed))
	if peer.Replay == "once" {
		current := now / 1000 / p.Period
		if m.hasMark && step <= m.mark {
			if m.mark > current {
				current = m.mark
			}
			return later(401, "code-replayed", (current+1)*p.Period*1000-now)
		}
		periodMs := p.Period * 1000
		if begin := g.state.beginning(p, now); (step-p.Window)*periodMs < begin {
			return later(503, "replay-unknown", ((begin+periodMs-1)/periodMs+p.Window)*periodMs-now)
		}
	}
	m.raise(step)
	return Verdict{Peer: peer.Name, SeedID: seed.ID, TimeStep: step, Drift: drift}
}

// count counts a guess at every live seed, unless it turns out to be a late code.
func (g *Guard) count(peer *Peer, live []*Seed, budgets []budget, one guess) {
	if len(live) == 0 {
		return
	}
	first := remembered(peer, live[0])
	m := g.state.of(first)
	if m.step != one.step {
		m.step, m.sent = one.step, map[string]bool{}
	}
	if m.sent[one.code] {
		return
	}
	m.sent[one.code] = true
	for _, seed := range live {
		g.state.of(remembered(peer, seed)).add(one, budgets[2].limit)
	}
	step, drift, isLate := late(peer.Profile, live, one)
	if !isLate || drift > 0 && !g.state.expected(first+" "+peer.Name, drift, step, one.at) {
		return
	}
	for _, seed := range live {
		g.state.of(remembered(peer, seed)).takeBack(one)
	}
}

// remembered names what a seed is remembered under: its key and its period.
func remembered(peer *Peer, seed *Seed) string {
	return strconv.FormatInt(peer.Profile.Period, 10) + " " + seed.key
}

func match(p Profile, seeds []*Seed, code string, now int64) (step, drift int64, seed *Seed) {
	current := now / 1000 / p.Period
	for _, one := range seeds {
		for distance := int64(0); distance <= p.Window; distance++ {
			for _, offset := range []int64{-distance, distance} {
				equal := isSame(one, p, current+offset, code)
				if equal && seed == nil {
					step, drift, seed = current+offset, offset, one
				}
			}
		}
	}
	return step, drift, seed
}

// late finds the time step outside of the window that a code belongs to.
func late(p Profile, seeds []*Seed, one guess) (step, drift int64, found bool) {
	for _, direction := range []int64{-1, 1} {
		for distance := p.Window + 1; distance <= p.Window+lateMs/1000/p.Period; distance++ {
			for _, seed := range seeds {
				offset := direction * distance
				if isSame(seed, p, one.step+offset, one.code) && !found {
					step, drift, found = one.step+offset, offset, true
				}
			}
		}
	}
	return step, drift, found
}

func isSame(seed *Seed, p Profile, step int64, code string) bool {
	return step >= 0 && subtle.ConstantTimeCompare([]byte(codeOf(seed.bytes, p, step)), []byte(code)) == 1
}

var withPort = regexp.MustCompile(`^(?:\[([^\]]*)\](?::\d+)?|([\d.]+):\d+)$`)

// sourceOf returns what the unknown tokens of a source are counted by.
func sourceOf(text string) string {
	address := text
	if parts := withPort.FindStringSubmatch(text); parts != nil {
		address = parts[1] + parts[2]
	}
	address, _, _ = strings.Cut(address, "%")
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return text
	}
	if bytes := ip.As16(); ip.Is6() && netip.MustParsePrefix("64:ff9b::/96").Contains(ip) {
		ip = netip.AddrFrom4([4]byte{bytes[12], bytes[13], bytes[14], bytes[15]})
	}
	if ip = ip.Unmap(); ip.Is4() {
		return ip.String()
	}
	prefix, _ := ip.Prefix(64)
	return prefix.String()
}
