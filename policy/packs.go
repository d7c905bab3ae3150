package policy

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// packs are the ready conditions that `pack` names.
var packs = map[string]string{
	"no-destructive": `sql.destructive`,
	"no-unbounded":   `sql.unbounded`,
	"no-ddl":         `sql.ddl`,
	"read-only":      `sql.writes || sql.ddl || sql.destructive`,
	"no-dynamic":     `sql.dynamic`,
	"no-side-doors":  `sql.side_door`,
	"read-only-http": `!(http.method in ["GET", "HEAD", "OPTIONS"]) || "upgrade" in http.headers`,
}

// source is the text of the rule's condition: its own, or its pack's.
func (cfg *RuleConfig) source() (string, []KeyError) {
	own := strings.TrimSpace(cfg.If) != ""
	var errs []KeyError
	for i, m := range cfg.Models {
		if strings.TrimSpace(m) != m || m == "" {
			errs = append(errs, KeyError{fmt.Sprintf("models[%d]", i), fmt.Errorf("%q names no model", m)})
		}
	}
	switch {
	case own && cfg.Pack != "":
		errs = append(errs, KeyError{"pack", errors.New("pack and if are two conditions: write one of them")})
	case cfg.Pack != "" && packs[cfg.Pack] == "":
		names := slices.Sorted(maps.Keys(packs))
		errs = append(errs, KeyError{"pack", fmt.Errorf("no pack %q; there is %s", cfg.Pack, strings.Join(names, ", "))})
	case cfg.Models != nil && len(cfg.Models) == 0:
		errs = append(errs, KeyError{"models", errors.New("models names none: write at least one")})
	case !own && cfg.Pack == "" && cfg.Models == nil:
		errs = append(errs, KeyError{"if", errors.New("if is required: the condition of the rule")})
	}
	switch {
	case own:
		return cfg.If, errs
	case cfg.Pack != "":
		return packs[cfg.Pack], errs
	}
	return "true", errs
}

// readModels notes that the rule reads llm.model besides its condition.
func (c *condition) readModels(also bool) {
	c.facts["llm.model"] = true
	if !also {
		c.source = "a model that models does not name"
		return
	}
	c.source += ", and a model that models does not name"
}

// holds evaluates the rule: its condition, and whether the model is another
// than those it names. What has no model is none of the others.
func (r *rule) holds(v *view) (bool, error) {
	holds, err := r.condition.holds(v)
	if err != nil || !holds || r.models == nil {
		return holds, err
	}
	if v.question.LLM == nil {
		return false, nil
	}
	model, err := v.question.LLM.Model.Get()
	if err != nil {
		return false, err
	}
	return model != "" && !MatchAny(r.models, model), nil
}
