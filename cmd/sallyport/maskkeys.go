package main

import (
	"context"
	"fmt"

	"sallyport/credential"
	"sallyport/mask"
)

// withMaskKeys fetches what the masks' `key` references lead to, once for each
// reference: a mask that works by a key and has none must not be begun with.
func withMaskKeys(ctx context.Context, rules []mask.Rule, lender *credential.Lender) ([]mask.Rule, error) {
	out := make([]mask.Rule, len(rules))
	keys := map[string]mask.Key{}
	for i, r := range rules {
		out[i] = r
		if r.Key == "" {
			continue
		}
		key, known := keys[r.Key]
		if !known {
			var err error
			if key, err = maskKey(ctx, r.Key, lender); err != nil {
				return nil, fmt.Errorf("key of mask %d: %w", i+1, err)
			}
			keys[r.Key] = key
		}
		out[i] = r.WithKey(key)
	}
	return out, nil
}

// maskKey makes the key of what a reference leads to.
func maskKey(ctx context.Context, reference string, lender *credential.Lender) (mask.Key, error) {
	ref, err := credential.ParseRef(reference)
	if err != nil {
		return mask.Key{}, err
	}
	lease, err := lender.Key(ctx, ref)
	if err != nil {
		return mask.Key{}, err
	}
	key, err := mask.NewKey([]byte(lease.Secret.Reveal()))
	if err != nil {
		return mask.Key{}, fmt.Errorf("%s: %w", ref, err)
	}
	return key, lease.Release(ctx)
}
