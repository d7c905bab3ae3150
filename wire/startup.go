package wire

import (
	"fmt"
	"slices"
	"strings"

	"sallyport/policy"
)

// closedAtStartup are the settings by which a session could change the server's
// own catalogs, load code, or have statements' insides sent to it. A statement
// that sets one is the guard's to refuse; at startup there is none. The last
// part of a name decides: switches can be written together.
var closedAtStartup = []string{
	"allow_system_table_mods", "session_preload_libraries", "local_preload_libraries", "shared_preload_libraries",
	"dynamic_library_path", "ignore_system_indexes", "zero_damaged_pages", "ignore_checksum_failure",
	"debug_print_parse", "debug_print_rewritten", "debug_print_plan", "session_replication_role", "row_security",
}

// checkClosed refuses a setting that no client may bring.
func checkClosed(name string) error {
	for _, closed := range closedAtStartup {
		if strings.HasSuffix(name, closed) || strings.Contains(name, "auto_explain.") {
			return unsupported(fmt.Sprintf("startup setting %q is closed", name), "Connect without it.")
		}
	}
	return nil
}

// startupParams are the client's settings that go upstream. Those that would
// make the server read statements otherwise than the guard are refused.
func (t *target) startupParams(h *hello) ([]param, error) {
	out := make([]param, 0, len(h.params))
	for _, p := range h.params {
		name := strings.ToLower(p.name)
		if t.free && name != "replication" {
			out = append(out, p)
			continue
		}
		switch name {
		case "replication":
			if on := strings.ToLower(p.value); !t.replication && !slices.Contains([]string{"false", "off", "no", "0"}, on) {
				return nil, unsupported("replication connections are closed on this target", "Connect without replication.")
			}
			out = append(out, p)
		case "client_encoding":
			// SQL_ASCII asks the server not to convert: the same bytes as UTF8.
			if !isUTF8(p.value) && !strings.EqualFold(p.value, "SQL_ASCII") {
				return nil, pinnedRefusal(name, p.value)
			}
		case "standard_conforming_strings":
			if err := checkPinned(name, p.value); err != nil {
				return nil, err
			}
		case "options":
			if err := checkOptions(p.value); err != nil {
				return nil, err
			}
			out = append(out, p)
		default:
			if err := checkClosed(name); err != nil {
				return nil, err
			}
			out = append(out, p)
		}
	}
	return out, nil
}

// checkOptions looks into the options parameter, which holds command-line
// switches: -c name=value and --name=value set what a parameter could. It is a
// courtesy: whatever gets past it, the pinned settings are parameters of their
// own, which the server takes last.
func checkOptions(options string) error {
	words := splitOptions(options)
	for _, word := range words {
		name, _, _ := strings.Cut(word, "=")
		if err := checkClosed(strings.ToLower(strings.ReplaceAll(name, "-", "_"))); err != nil {
			return err
		}
	}
	for i := 0; i < len(words); i++ {
		setting, ok := strings.CutPrefix(words[i], "--")
		if !ok {
			setting, ok = strings.CutPrefix(words[i], "-c")
			if ok && setting == "" && i+1 < len(words) {
				i++
				setting = words[i]
			}
		}
		name, value, hasValue := strings.Cut(setting, "=")
		if !ok || !hasValue {
			continue // the server knows it, or says what is wrong with it
		}
		// The server takes - for _ in names given this way.
		name = strings.ToLower(strings.ReplaceAll(name, "-", "_"))
		if err := checkPinned(name, value); err != nil {
			return err
		}
	}
	return nil
}

// splitOptions splits as pg_split_opts does: at white space, where a backslash
// takes the next character as it is.
func splitOptions(options string) []string {
	var words []string
	var word strings.Builder
	inside, escaped := false, false
	for _, c := range []byte(options) {
		space := strings.IndexByte(" \t\n\v\f\r", c) >= 0
		switch {
		case escaped:
			word.WriteByte(c)
			escaped = false
		case space && inside:
			words = append(words, word.String())
			word.Reset()
			inside = false
		case space:
		case c == '\\':
			inside, escaped = true, true
		default:
			inside = true
			word.WriteByte(c)
		}
	}
	if inside {
		words = append(words, word.String())
	}
	return words
}

// pins refuses what the server reports of a pinned setting, where they are pinned.
func (t *target) pins(name, value string) error {
	if t.free {
		return nil
	}
	return checkPinned(name, value)
}

// checkPinned refuses a pinned setting with another value.
func checkPinned(name, value string) error {
	switch name {
	case "client_encoding":
		if !isUTF8(value) {
			return pinnedRefusal(name, value)
		}
	case "standard_conforming_strings":
		if !slices.Contains([]string{"on", "true", "yes", "1", "t", "y"}, strings.ToLower(value)) {
			return pinnedRefusal(name, value)
		}
	}
	return nil
}

func pinnedRefusal(name, value string) *policy.Refusal {
	return &policy.Refusal{
		Kind:   policy.Unsupported,
		Public: fmt.Sprintf("%s cannot be %q here", name, value),
		Detail: "The gateway and the server must read the same text.",
		Hint:   "Leave it as the gateway sets it: client_encoding UTF8, standard_conforming_strings on.",
	}
}

// isUTF8 knows the server's spellings: case and punctuation do not count.
func isUTF8(encoding string) bool {
	plain := strings.Map(func(r rune) rune {
		switch {
		case r >= '0' && r <= '9', r >= 'a' && r <= 'z':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return -1
	}, encoding)
	return plain == "utf8" || plain == "unicode"
}

// valueOf finds a parameter by name.
func valueOf(params []param, name string) string {
	for _, p := range params {
		if p.name == name {
			return p.value
		}
	}
	return ""
}
