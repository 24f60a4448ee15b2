// Package guard is a server's side of docs/wire.md, written from that page alone and with the standard library alone.
// It shows that the page is enough for a second implementation; it is no package to import.
package guard

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"regexp"
	"strings"
	"unicode"
)

// Profile is how codes are computed, sent and checked.
type Profile struct {
	Algorithm string
	Digits    int
	Period    int64
	Window    int64
	Header    string
}

var hashes = map[string]func() hash.Hash{"SHA1": sha1.New, "SHA256": sha256.New, "SHA512": sha512.New}

var (
	errSeed   = errors.New("the seed is not base32")
	grouped   = regexp.MustCompile(`^[A-Za-z2-7]+(-[A-Za-z2-7]+)*=*$`)
	codeForm  = regexp.MustCompile(`^[0-9]+$`)
	plainText = base32.StdEncoding.WithPadding(base32.NoPadding)
)

// parseSeed decodes base32 as an operator may write it.
func parseSeed(text string) ([]byte, error) {
	packed := strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, text)
	if !grouped.MatchString(packed) {
		return nil, errSeed
	}
	letters := strings.ToUpper(strings.TrimRight(strings.ReplaceAll(packed, "-", ""), "="))
	switch len(letters) % 8 {
	case 1, 3, 6:
		return nil, errSeed
	}
	return plainText.DecodeString(letters)
}

// codeOf returns the code of a time step (RFC 4226 §5.3).
func codeOf(key []byte, p Profile, step int64) string {
	var counter [8]byte
	binary.BigEndian.PutUint64(counter[:], uint64(step))
	mac := hmac.New(hashes[p.Algorithm], key)
	mac.Write(counter[:])
	sum := mac.Sum(nil)
	number := binary.BigEndian.Uint32(sum[sum[len(sum)-1]&15:]) & 0x7fffffff
	modulus := uint32(1)
	for i := 0; i < p.Digits; i++ {
		modulus *= 10
	}
	return fmt.Sprintf("%0*d", p.Digits, number%modulus)
}

// isCode tells whether a text has the form of a code.
func isCode(text string, p Profile) bool { return len(text) == p.Digits && codeForm.MatchString(text) }

// sameKey names a seed: two seeds with one name make the same codes at the same times.
func sameKey(seed []byte, p Profile) string {
	made := hashes[p.Algorithm]()
	if len(seed) > made.BlockSize() {
		made.Write(seed)
		seed = made.Sum(nil)
	}
	return strings.TrimRight(string(seed), "\x00")
}
