package credential

import (
	"context"
	"fmt"

	"sallyport/secret"
)

// CheckFields says why the reference cannot give several fields.
func (r Ref) CheckFields() error {
	if r.Field != "" {
		return fmt.Errorf("%s: several fields are taken: leave #%s out", r, r.Field)
	}
	return nil
}

// Fields lends several fields of one credential, fetched at once: those that
// must be there, and those that may. Its error is a *policy.Refusal.
func (l *Lender) Fields(ctx context.Context, ref Ref, must, may []string) (*Lease, error) {
	if err := ref.CheckFields(); err != nil {
		return nil, refuse(err)
	}
	return l.lend(ctx, ref, func(m *material, lease *Lease) error {
		lease.Fields = make(map[string]secret.Text, len(must)+len(may))
		for _, name := range must {
			text, err := m.field(name)
			if err != nil {
				return err
			}
			lease.Fields[name] = text
		}
		for _, name := range may {
			if text, err := m.field(name); err == nil {
				lease.Fields[name] = text
			}
		}
		return nil
	})
}
