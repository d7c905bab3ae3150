package sqlguard

import (
	"context"
	"maps"
	"slices"
	"sync"
)

// within is what belongs to a catalog that only one transaction sees.
type within struct {
	mu      sync.Mutex
	shields map[*Guard]*shield // over this catalog
	older   map[*Guard]*shield // over the one before it
}

// Within reads the catalog as q's own transaction sees it, where old was read
// before: by everybody, or by Within in the same transaction. What is protected
// by old stays so by what it gives, and nothing it gives changes what others see.
func Within(ctx context.Context, q Querier, old *Catalog) (*Catalog, error) {
	c, err := Reload(ctx, q, old)
	if err != nil || c == old && old.within != nil {
		return c, err
	}
	own := *c
	own.within = &within{shields: map[*Guard]*shield{}}
	if old.within != nil {
		old.within.mu.Lock()
		own.within.older = maps.Clone(old.within.shields)
		old.within.mu.Unlock()
	}
	return &own, nil
}

// shield is the guard's over the catalog. The guard is locked.
func (w *within) shield(g *Guard, cat *Catalog) *shield {
	w.mu.Lock()
	defer w.mu.Unlock()
	sh := w.shields[g]
	if sh == nil {
		older := w.older[g]
		if older == nil {
			older = g.shield
		}
		sh = newShield(g.protected, cat, g.parser, g.Libraries, older)
		sh.files = g.Files
		w.shields[g] = sh
	}
	return sh
}

// SameCode reports whether each view and function of c is in other what it is in c.
func (c *Catalog) SameCode(other *Catalog) bool {
	for id, rel := range c.relations {
		if rel.definition == "" {
			continue
		}
		if now := other.relations[id]; now == nil || now.definition != rel.definition || len(now.columns) != len(rel.columns) {
			return false
		}
	}
	for name, bodies := range c.bodies {
		if !slices.Equal(other.bodies[name], bodies) {
			return false
		}
	}
	return true
}
