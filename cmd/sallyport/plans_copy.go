package main

import (
	"errors"
	"slices"

	"sallyport/mask"
)

var errCopyUnknown = errors.New("nothing is known of what COPY writes")

// Copy masks the rows of the n-th statement of the text, a COPY ... TO STDOUT of
// so many columns; nil where none is masked. The server describes no columns:
// lineage alone decides.
func (p *plans) Copy(n, columns int) (*mask.Copy, error) {
	if n >= len(p.statements) {
		return nil, errCopyUnknown
	}
	s := p.statements[n]
	if s.Opaque && p.shield.columns.Every(nil) == nil {
		return nil, nil
	}
	if s.Copy == nil {
		return nil, errCopyUnknown
	}
	options := mask.CopyDefaults(map[string]mask.CopyFormat{"csv": mask.CopyCSV, "binary": mask.CopyBinary}[s.Copy.Format])
	for from, to := range map[string]*byte{s.Copy.Delimiter: &options.Delimiter, s.Copy.Quote: &options.Quote} {
		if from != "" {
			*to = from[0]
		}
	}
	options.Escape = options.Quote
	if s.Copy.Escape != "" {
		options.Escape = s.Copy.Escape[0]
	}
	if s.Copy.HasNull {
		options.Null = s.Copy.Null
	}
	options.Header, options.Encoding = s.Copy.Header, s.Copy.Encoding
	plan, fields, masked := make(mask.Plan, columns), make([]mask.Field, columns), false
	described := s.Copy.Of(columns)
	if s.Copy.ForceAll || len(s.Copy.ForceQuote) > 0 {
		options.Force = make([]bool, columns)
	}
	for i := range plan {
		if !s.Opaque {
			plan[i] = p.aligned(described, i, columns, fields[i])
		}
		if len(described) == columns {
			out := described[i]
			fields[i] = mask.Field{Name: out.Name, Type: out.Type, Modifier: out.Modifier}
			if !out.Plain && !out.Document && len(out.Protected) > 0 {
				fields[i].Type, fields[i].Modifier = 0, -1
			}
			if options.Force != nil {
				options.Force[i] = s.Copy.ForceAll || slices.Contains(s.Copy.ForceQuote, out.Name)
			}
		}
		if fields[i].Type >= ownTypes {
			fields[i].Like = like(p.catalog, fields[i].Type)
		}
		if fields[i].MayHold() {
			plan[i] = p.shield.columns.Every(plan[i])
		}
		masked = masked || plan[i] != nil
	}
	if !masked {
		return nil, nil
	}
	return mask.NewCopy(plan, fields, options)
}
