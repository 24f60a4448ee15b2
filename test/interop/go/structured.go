package guard

import (
	"encoding/base64"
	"regexp"
	"strings"
)

// A reader of dictionaries of RFC 8941.

type item struct {
	kind   string // integer, decimal, string, token, bytes, boolean
	text   string // as written; of a string without quotes and escapes, of bytes without colons
	params []param
}

type param struct {
	key   string
	value item
}

type member struct {
	label   string
	isInner bool
	inner   []item
	single  item
	params  []param
	text    string // what follows `label=`
}

type notStructured struct{}

type scanner struct {
	text string
	at   int
}

var (
	sfKey     = regexp.MustCompile(`^[a-z*][a-z0-9_\-.*]*`)
	sfDecimal = regexp.MustCompile(`^-?[0-9]{1,12}\.[0-9]{1,3}`)
	sfInteger = regexp.MustCompile(`^-?[0-9]{1,15}`)
	sfToken   = regexp.MustCompile("^[A-Za-z*][!#$%&'*+\\-.^_`|~0-9A-Za-z:/]*")
	sfBytes   = regexp.MustCompile(`^:[A-Za-z0-9+/]*=*:`)
	sfString  = regexp.MustCompile(`^"(?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*"`)
	sfBoolean = regexp.MustCompile(`^\?[01]`)
	sfEscape  = regexp.MustCompile(`\\(.)`)
)

// parseDictionary returns false for what is no dictionary.
func parseDictionary(text string) (members []member, ok bool) {
	defer func() {
		if found := recover(); found != nil {
			if _, ours := found.(notStructured); !ours {
				panic(found)
			}
			members, ok = nil, false
		}
	}()
	s := &scanner{text: text}
	s.skip(" ")
	for s.at < len(s.text) {
		members = append(members, s.member())
		s.skip(" \t")
		if s.at == len(s.text) {
			break
		}
		s.expect(',')
		s.skip(" \t")
		if s.at == len(s.text) {
			panic(notStructured{})
		}
	}
	return members, true
}

func (s *scanner) member() member {
	m := member{label: s.take(sfKey)}
	if s.peek() != '=' {
		m.single = item{kind: "boolean", text: "?1"}
		m.params = s.params()
		return m
	}
	s.at++
	begin := s.at
	if m.isInner = s.peek() == '('; m.isInner {
		m.inner = s.innerList()
	} else {
		m.single = s.bare()
	}
	m.params = s.params()
	m.text = s.text[begin:s.at]
	return m
}

func (s *scanner) innerList() []item {
	items := []item{}
	s.expect('(')
	for {
		s.skip(" ")
		if s.peek() == ')' {
			s.at++
			return items
		}
		one := s.bare()
		one.params = s.params()
		items = append(items, one)
		if next := s.peek(); next != ' ' && next != ')' {
			panic(notStructured{})
		}
	}
}

func (s *scanner) params() []param {
	var params []param
	for s.peek() == ';' {
		s.at++
		s.skip(" ")
		one := param{key: s.take(sfKey), value: item{kind: "boolean", text: "?1"}}
		if s.peek() == '=' {
			s.at++
			one.value = s.bare()
		}
		params = append(params, one)
	}
	return params
}

func (s *scanner) bare() item {
	switch first := s.peek(); {
	case first == '"':
		quoted := s.take(sfString)
		return item{kind: "string", text: sfEscape.ReplaceAllString(quoted[1:len(quoted)-1], "$1")}
	case first == ':':
		text := s.take(sfBytes)
		return item{kind: "bytes", text: text[1 : len(text)-1]}
	case first == '?':
		return item{kind: "boolean", text: s.take(sfBoolean)}
	case first == '-' || first >= '0' && first <= '9':
		kind, form := "integer", sfInteger
		if sfDecimal.MatchString(s.text[s.at:]) {
			kind, form = "decimal", sfDecimal
		}
		text := s.take(form)
		if next := s.peek(); next == '.' || next >= '0' && next <= '9' {
			panic(notStructured{})
		}
		return item{kind: kind, text: text}
	}
	return item{kind: "token", text: s.take(sfToken)}
}

func (s *scanner) peek() byte {
	if s.at < len(s.text) {
		return s.text[s.at]
	}
	return 0
}

func (s *scanner) skip(characters string) {
	for s.at < len(s.text) && strings.IndexByte(characters, s.text[s.at]) >= 0 {
		s.at++
	}
}

func (s *scanner) expect(character byte) {
	if s.peek() != character {
		panic(notStructured{})
	}
	s.at++
}

func (s *scanner) take(form *regexp.Regexp) string {
	found := form.FindString(s.text[s.at:])
	if found == "" {
		panic(notStructured{})
	}
	s.at += len(found)
	return found
}

// write writes a member's value as RFC 8941 §4.1 does.
func (m member) write() string {
	if !m.isInner {
		return m.single.write() + writeParams(m.params)
	}
	items := make([]string, len(m.inner))
	for i, one := range m.inner {
		items[i] = one.write() + writeParams(one.params)
	}
	return "(" + strings.Join(items, " ") + ")" + writeParams(m.params)
}

func writeParams(params []param) string {
	text := ""
	for _, one := range params {
		text += ";" + one.key
		if one.value.kind != "boolean" || one.value.text != "?1" {
			text += "=" + one.value.write()
		}
	}
	return text
}

func (i item) write() string {
	switch i.kind {
	case "string":
		return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(i.text) + `"`
	case "bytes":
		return ":" + i.text + ":"
	case "integer":
		sign := ""
		digits := i.text
		if strings.HasPrefix(digits, "-") {
			sign, digits = "-", digits[1:]
		}
		if digits = strings.TrimLeft(digits, "0"); digits == "" {
			return "0"
		}
		return sign + digits
	}
	return i.text
}

// bytes32 returns 32 bytes in canonical, padded base64.
func (i item) bytes32() ([]byte, bool) {
	decoded, err := base64.StdEncoding.Strict().DecodeString(i.text)
	return decoded, i.kind == "bytes" && err == nil && len(decoded) == 32
}
