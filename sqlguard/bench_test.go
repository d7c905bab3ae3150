package sqlguard

import (
	"fmt"
	"strings"
	"testing"
)

const pgbenchSelect = "SELECT abalance FROM pgbench_accounts WHERE aid = 12345;"

// benchTexts are the texts whose figures docs/performance.md shows.
func benchTexts() []struct{ name, text string } {
	return []struct{ name, text string }{{"pgbench", pgbenchSelect}, {"orm", ormQuery}, {"analytic", analyticQuery(10)}}
}

// BenchmarkFacts is what it costs to read a text that was not read before.
func BenchmarkFacts(b *testing.B) {
	cat := testCatalog(b)
	for _, t := range benchTexts() {
		for _, c := range []struct {
			name      string
			protected []Pattern
			cat       *Catalog
		}{{"rules", nil, nil}, {"masks", protectedColumns, cat}} {
			b.Run(t.name+"/"+c.name, func(b *testing.B) {
				g := New(c.protected, testParser(b))
				b.ReportAllocs()
				for b.Loop() {
					if r := g.Read(t.text, c.cat); r.Refusal != nil {
						b.Fatal(r.Refusal, r.Refusal.Detail)
					}
				}
			})
		}
	}
}

// analyticQuery has about thirty lines for each part.
func analyticQuery(parts int) string {
	var b strings.Builder
	for i := range parts {
		if i == 0 {
			b.WriteString("WITH ")
		} else {
			b.WriteString(",\n")
		}
		fmt.Fprintf(&b, `part_%d AS (
	SELECT
		o.user_id,
		lower(e.day) AS month,
		count(DISTINCT o.id) AS orders,
		sum(o.total) AS total,
		max(o.total) FILTER (WHERE o.total > %d) AS large,
		count(*) OVER (
			PARTITION BY lower(e.day)
			ORDER BY sum(o.total) DESC
		) AS rank,
		CASE
			WHEN sum(o.total) > 10000 THEN 'gold'
			WHEN sum(o.total) > 1000 THEN 'silver'
			ELSE 'none'
		END AS tier
	FROM orders o
	JOIN users u ON u.id = o.user_id
	JOIN events e ON e.id = o.id
	LEFT JOIN archive.ledger l ON l.id = o.id
	WHERE e.day >= now() - interval '%d days'
		AND o.note NOT IN ('test', 'void')
		AND (o.total > 0 OR l.id IS NULL)
		AND EXISTS (
			SELECT 1
			FROM ledger g
			WHERE g.id = o.id
				AND g.id > 5
		)
	GROUP BY o.user_id, lower(e.day)
)`, i, i, i)
	}
	b.WriteString("\nSELECT")
	for i := range parts {
		fmt.Fprintf(&b, "\n\tcoalesce(part_%d.total, 0) AS total_%d,", i, i)
	}
	b.WriteString("\n\tpart_0.user_id\nFROM part_0")
	for i := range parts - 1 {
		fmt.Fprintf(&b, "\nLEFT JOIN part_%d ON part_%d.user_id = part_0.user_id", i+1, i+1)
	}
	return b.String() + "\nORDER BY 1 DESC\nLIMIT 100"
}
