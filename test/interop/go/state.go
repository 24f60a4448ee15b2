package guard

import "sort"

// Durations and instants are in milliseconds.
const (
	lateMs = 20 * 60_000
	dayMs  = 86_400_000
	skewMs = 60_000
)

type budget struct{ limit, ms int64 }

// budgetsOf returns the limits on guesses at one seed for the usual risk, 1.5e-4 accepted guesses a day.
func budgetsOf(p Profile) []budget {
	codes := int64(1)
	for i := 0; i < p.Digits; i++ {
		codes *= 10
	}
	day := 15 * codes / 100_000 / (2*p.Window + 1)
	short := func(limit int64) int64 {
		if limit < 5 {
			limit = 5
		}
		if limit > day {
			limit = day
		}
		return limit
	}
	return []budget{{short(day / 10), 30_000}, {short(day * 4 / 10), 3_600_000}, {day, dayMs}}
}

type guess struct {
	at         int64
	step       int64
	code, hash string
}

// What is remembered of one seed.
type memory struct {
	mark    int64
	hasMark bool
	guesses []guess // oldest first
	// The codes that were counted in a time step.
	step   int64
	sent   map[string]bool
	nonces map[string]int64 // until when, in seconds
}

// The newest code ahead of a peer at each drift.
type sighting struct{ step, at int64 }

// A state remembers attempts. It is guarded by the lock of the Guard.
type state struct {
	since  int64
	seeds  map[string]*memory
	ahead  map[string]map[int64]sighting
	source map[string][]int64
}

func newState(since int64) *state {
	return &state{since: since, seeds: map[string]*memory{}, ahead: map[string]map[int64]sighting{}, source: map[string][]int64{}}
}

func (s *state) of(seed string) *memory {
	m := s.seeds[seed]
	if m == nil {
		m = &memory{sent: map[string]bool{}, nonces: map[string]int64{}}
		s.seeds[seed] = m
	}
	return m
}

// beginning returns since when everything is remembered.
func (s *state) beginning(p Profile, at int64) int64 {
	if s.since > at+(2*p.Window+1)*p.Period*1000 {
		s.since = at
	}
	return s.since
}

// wait returns how long the budget of a seed is exhausted.
func (m *memory) wait(budgets []budget, live map[string]bool, at int64) int64 {
	var counted []int64
	for _, one := range m.guesses {
		if live[one.hash] {
			counted = append(counted, one.at)
		}
	}
	longest := int64(0)
	for _, b := range budgets {
		if place := int64(len(counted)) - b.limit; place >= 0 {
			if left := counted[place] + b.ms - at; left > longest {
				longest = left
			}
		}
	}
	return longest
}

func (m *memory) add(g guess, most int64) {
	if count := len(m.guesses); count > 0 {
		newest := m.guesses[count-1].at
		if newest > g.at+skewMs {
			newest = g.at + skewMs
		}
		if newest > g.at {
			g.at = newest
		}
	}
	place := sort.Search(len(m.guesses), func(i int) bool { return m.guesses[i].at > g.at })
	m.guesses = append(m.guesses, guess{})
	copy(m.guesses[place+1:], m.guesses[place:])
	m.guesses[place] = g
	// As many of each token as a day allows.
	count, oldest := int64(0), -1
	for i, one := range m.guesses {
		if one.hash == g.hash {
			if count++; oldest < 0 {
				oldest = i
			}
		}
	}
	if count > most {
		m.guesses = append(m.guesses[:oldest], m.guesses[oldest+1:]...)
	}
}

func (m *memory) takeBack(g guess) {
	for i := len(m.guesses) - 1; i >= 0; i-- {
		if one := m.guesses[i]; one.step == g.step && one.code == g.code && one.hash == g.hash {
			m.guesses = append(m.guesses[:i], m.guesses[i+1:]...)
			return
		}
	}
}

func (m *memory) raise(step int64) {
	if !m.hasMark || step > m.mark {
		m.mark, m.hasMark = step, true
	}
}

// expected notes a code ahead, and returns whether another one announced it.
func (s *state) expected(peer string, drift, step, at int64) bool {
	seen := s.ahead[peer]
	if seen == nil {
		seen = map[int64]sighting{}
		s.ahead[peer] = seen
	}
	announced := false
	for near := drift - 1; near <= drift+1; near++ {
		one, there := seen[near]
		apart := at - one.at
		if apart < 0 {
			apart = -apart
		}
		announced = announced || there && one.step < step && apart <= lateMs
	}
	seen[drift] = sighting{step, at}
	return announced
}

// stranger counts an unknown token, and returns how long its source has to wait.
func (s *state) stranger(source string, at int64) int64 {
	recent := s.source[source]
	if count := len(recent); count >= 60 {
		if left := recent[count-60] + 60_000 - at; left > 0 {
			return left
		}
		recent = recent[count-59:]
	}
	s.source[source] = append(recent, at)
	return 0
}

func seconds(ms int64) int64 {
	if whole := (ms + 999) / 1000; whole > 1 {
		return whole
	}
	return 1
}
