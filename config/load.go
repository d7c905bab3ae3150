package config

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"

	"github.com/BurntSushi/toml"
)

// Load reads and checks the file at path. Its error is an [Errors]: all that is
// wrong with the file, or the first thing if it is not TOML.
func Load(path string) (*Config, error) { return load(path, (*Config).check) }

// LoadStore reads the file at path for its [store] alone: the tools beside the
// gateway need neither its credentials nor its keys to be within their reach.
func LoadStore(path string) (Store, error) {
	c, err := load(path, (*Config).checkStore)
	if err != nil {
		return Store{}, err
	}
	return c.Store, nil
}

// load reads the file at path and checks what check looks at.
func load(path string, check func(*Config, *problems)) (*Config, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		var cause *os.PathError
		if errors.As(err, &cause) {
			err = cause.Err
		}
		return nil, Errors{{File: path, Message: err.Error()}}
	}
	dir, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return nil, Errors{{File: path, Message: err.Error()}}
	}
	return parse(path, dir, string(text), check)
}

// parse makes a Config of the text of a file in the folder dir.
func parse(file, dir, text string, check func(*Config, *problems)) (*Config, error) {
	var from tree
	if _, err := toml.Decode(text, &from); err != nil {
		problem := Problem{File: file, Line: 1, Message: err.Error()}
		var syntax toml.ParseError
		if errors.As(err, &syntax) {
			// The parser's own line is one too far when the line end itself is wrong.
			before := text[:min(max(syntax.Position.Start, 0), len(text))]
			problem.Line, problem.Message = 1+strings.Count(before, "\n"), strings.ReplaceAll(syntax.Message, "\n", " ")
		}
		return nil, Errors{problem}
	}
	p := &problems{file: file, lines: locate(text), wrong: map[string]bool{}}
	c := &Config{
		Dir: dir,
		Listen: Listen{
			Postgres: "127.0.0.1:6432",
			HTTP:     "127.0.0.1:8080",
			Console:  "127.0.0.1:8089",
			Metrics:  "127.0.0.1:9464",
		},
		Store: Store{Database: "sqlite:sallyport.db", Recordings: "file:recordings"},
	}
	p.decode(nil, from, reflect.ValueOf(c).Elem())
	check(c, p)
	if err := p.errors(); err != nil {
		return nil, err
	}
	return c, nil
}

// check looks at every table. It completes what is right: paths are resolved.
func (c *Config) check(p *problems) {
	c.checkTLS(p)
	c.checkOAuth(p)
	c.checkProxy(p)
	c.checkListen(p)
	c.checkStore(p)
	c.checkTokens(p)
	c.checkVault(p)
	c.checkTargets(p)
	c.checkGrants(p)
	c.checkRules(p)
	c.checkMasks(p)
}

// resolve makes a path of the file absolute.
func (c *Config) resolve(path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(c.Dir, path)
}
