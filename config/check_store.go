package config

import "strings"

// checkStore checks [store] and resolves its paths.
func (c *Config) checkStore(p *problems) {
	c.Store.Database = c.checkURL(p, []string{"store", "database"}, c.Store.Database, "sqlite:", "sqlite:sallyport.db")
	c.Store.Recordings = c.checkURL(p, []string{"store", "recordings"}, c.Store.Recordings, "file:", "file:recordings")
}

// checkURL checks that value is the scheme and a path, and resolves the path.
func (c *Config) checkURL(p *problems, path []string, value, scheme, example string) string {
	name, ok := strings.CutPrefix(value, scheme)
	name, slashes := strings.CutPrefix(name, "//")
	switch {
	case isLaterValue(path, value):
		p.check(path, "%s = %q %s", named(path), value, notYet)
	case !ok || name == "":
		p.check(path, "%s must be %q and a path, as in %q, is %q", named(path), scheme, example, value)
	case slashes && !strings.HasPrefix(name, "/"):
		p.check(path, "%s = %q names a host: write %s%s for a path", named(path), value, scheme, name)
	case strings.ContainsAny(name, "?#"):
		p.check(path, "%s = %q: a path takes no ? and no #", named(path), value)
	}
	return scheme + c.resolve(name)
}
