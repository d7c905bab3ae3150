package credential

import (
	"context"
	"errors"
	"os"
	"regexp"
)

const schemeEnv = "env"

var envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func checkEnv(r Ref) error {
	switch {
	case r.Field != "":
		return errors.New("an environment variable has no fields")
	case !envName.MatchString(r.Path):
		return errors.New("not the name of an environment variable")
	}
	return nil
}

func openEnv(settings) (source, error) { return environment{}, nil }

// environment is this process's. For a login the variable holds a JSON or TOML
// object with username and password.
type environment struct{}

func (environment) fetch(_ context.Context, ref Ref) (*material, error) {
	value, ok := os.LookupEnv(ref.Path)
	if !ok {
		return nil, errors.New("the environment variable is not set")
	}
	return textMaterial([]byte(value)), nil
}
