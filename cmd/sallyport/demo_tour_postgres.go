package main

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"sallyport/internal/demo"
)

// client is a pgx connection through the gateway, and one past it to look at
// what is really there.
type client struct {
	through *pgx.Conn
	direct  *pgx.Conn
}

// connect logs in at the gateway with the agent's token as the password.
func connect(ctx context.Context, w *demo.World, address string) (*client, error) {
	u := url.URL{
		Scheme: "postgres", Host: address, Path: "/" + demo.Database,
		User:     url.UserPassword("agent", w.Agent),
		RawQuery: url.Values{"sslmode": {"disable"}, "application_name": {"sallyport-demo"}}.Encode(),
	}
	through, err := pgx.Connect(ctx, u.String())
	if err != nil {
		return nil, err
	}
	direct, err := pgx.Connect(ctx, w.Direct())
	if err != nil {
		return nil, errors.Join(err, through.Close(ctx))
	}
	return &client{through: through, direct: direct}, nil
}

func (c *client) close(ctx context.Context) {
	_ = c.through.Close(ctx)
	_ = c.direct.Close(ctx)
}

// The statements of the tour.
const (
	selectUsers    = `SELECT id, name, email, password FROM users ORDER BY id LIMIT 3`
	selectUser     = `SELECT name, email, api_key FROM users WHERE id = $1`
	selectOrders   = `SELECT status, count(*), sum(total) FROM orders GROUP BY status ORDER BY status`
	guessPassword  = `SELECT name FROM users WHERE password LIKE 'c%'`
	dropSecrets    = `DROP TABLE secrets`
	updateAll      = `UPDATE orders SET status = 'returned'`
	updateOne      = `UPDATE orders SET status = 'shipped' WHERE id = 3`
	countUnshipped = `SELECT count(*) FROM orders WHERE status <> 'returned'`
)

// postgresSteps are the tour's first half.
func (t *tour) postgresSteps() []step {
	return []step{
		{"a select; protected columns are masked", selectUsers, t.masked(selectUsers, pgx.QueryExecModeSimpleProtocol, []int{2, 3})},
		{"the extended protocol: prepared, with a parameter, values in binary", selectUser + "  -- $1 = 2", t.masked(selectUser, pgx.QueryExecModeCacheStatement, []int{1, 2}, 2)},
		{"what no mask protects comes back unchanged", selectOrders, t.unchanged(selectOrders)},
		{"asking about a protected value is asking for it", guessPassword, t.refused(guessPassword, "")},
		{"a DROP is refused", dropSecrets, t.refused(dropSecrets, "no-destructive")},
		{"an UPDATE without WHERE is refused", updateAll, t.refused(updateAll, "where-required")},
		{"the session goes on: an UPDATE of one row runs", updateOne, t.updated(updateOne)},
	}
}

// masked runs a select both ways, and wants each value of the protected
// columns changed and every other one as it is.
func (t *tour) masked(sql string, mode pgx.QueryExecMode, protected []int, args ...any) func(context.Context) ([]string, string, error) {
	return func(ctx context.Context) ([]string, string, error) {
		got, err := rows(ctx, t.postgres.through, mode, sql, args...)
		if err != nil {
			return nil, "", err
		}
		lines := table(got)
		real, err := rows(ctx, t.postgres.direct, mode, sql, args...)
		if err != nil {
			return lines, "", err
		}
		if len(got) != len(real) || len(got) < 2 {
			return lines, "", fmt.Errorf("%d rows came of %d", len(got)-1, len(real)-1)
		}
		masked := 0
		for r, row := range got[1:] {
			for c, value := range row {
				want := real[r+1][c]
				switch {
				case !slices.Contains(protected, c) && value != want:
					return lines, "", fmt.Errorf("%s %q became %q, and no mask protects it", got[0][c], want, value)
				case slices.Contains(protected, c) && want != null && strings.Contains(value, want):
					return lines, "", fmt.Errorf("%s came back unmasked", got[0][c])
				case slices.Contains(protected, c) && want != null:
					masked++
				}
			}
		}
		return lines, fmt.Sprintf("%s, %d values masked", plural(len(got)-1, "row"), masked), nil
	}
}

// unchanged wants exactly what a direct connection gives.
func (t *tour) unchanged(sql string) func(context.Context) ([]string, string, error) {
	return func(ctx context.Context) ([]string, string, error) {
		got, err := rows(ctx, t.postgres.through, pgx.QueryExecModeCacheStatement, sql)
		if err != nil {
			return nil, "", err
		}
		lines := table(got)
		real, err := rows(ctx, t.postgres.direct, pgx.QueryExecModeCacheStatement, sql)
		if err != nil {
			return lines, "", err
		}
		if !slices.EqualFunc(got, real, slices.Equal) {
			return lines, "", errors.New("a direct connection gives something else")
		}
		return lines, plural(len(got)-1, "row") + ", the same as a direct connection gives", nil
	}
}

// refused wants SQLSTATE 42501, by the rule when one is named, nothing changed
// behind the gateway, and a session that still answers.
func (t *tour) refused(sql, rule string) func(context.Context) ([]string, string, error) {
	return func(ctx context.Context) ([]string, string, error) {
		_, err := t.postgres.through.Exec(ctx, sql)
		var refusal *pgconn.PgError
		if !errors.As(err, &refusal) {
			return nil, "", fmt.Errorf("it was not refused: %w", err)
		}
		lines := errorLines(refusal)
		if refusal.Code != "42501" || !strings.Contains(refusal.Message, rule) {
			return lines, "", fmt.Errorf("not a refusal by rule %q", rule)
		}
		var secrets, unshipped int
		if err := t.postgres.direct.QueryRow(ctx, `SELECT count(*) FROM secrets`).Scan(&secrets); err != nil || secrets == 0 {
			return lines, "", fmt.Errorf("the table secrets holds %d rows: %w", secrets, err)
		}
		if err := t.postgres.direct.QueryRow(ctx, countUnshipped).Scan(&unshipped); err != nil || unshipped == 0 {
			return lines, "", fmt.Errorf("%d orders are left as they were: %w", unshipped, err)
		}
		var one int
		if err := t.postgres.through.QueryRow(ctx, `SELECT 1`).Scan(&one); err != nil {
			return lines, "", fmt.Errorf("the session is not usable afterwards: %w", err)
		}
		return lines, "refused; nothing reached the tables, and the session goes on", nil
	}
}

// updated wants one row changed, as seen past the gateway.
func (t *tour) updated(sql string) func(context.Context) ([]string, string, error) {
	return func(ctx context.Context) ([]string, string, error) {
		tag, err := t.postgres.through.Exec(ctx, sql)
		if err != nil {
			return nil, "", err
		}
		var status string
		if err := t.postgres.direct.QueryRow(ctx, `SELECT status FROM orders WHERE id = 3`).Scan(&status); err != nil {
			return []string{tag.String()}, "", err
		}
		if tag.RowsAffected() != 1 || status != "shipped" {
			return []string{tag.String()}, "", fmt.Errorf("order 3 is %q", status)
		}
		return []string{tag.String()}, "allowed, one row changed", nil
	}
}

// null stands for SQL NULL in what is shown.
const null = "NULL"

// rows runs a query and renders all of it, the column names first.
func rows(ctx context.Context, conn *pgx.Conn, mode pgx.QueryExecMode, sql string, args ...any) ([][]string, error) {
	result, err := conn.Query(ctx, sql, append([]any{mode}, args...)...)
	if err != nil {
		return nil, err
	}
	defer result.Close()
	var names []string
	for _, f := range result.FieldDescriptions() {
		names = append(names, f.Name)
	}
	all := [][]string{names}
	for result.Next() {
		values, err := result.Values()
		if err != nil {
			return nil, err
		}
		row := make([]string, len(values))
		for i, v := range values {
			row[i] = show(v)
		}
		all = append(all, row)
	}
	return all, result.Err()
}

// show renders one value.
func show(v any) string {
	switch v := v.(type) {
	case nil:
		return null
	case driver.Valuer: // numeric and the like
		inner, err := v.Value()
		if err != nil {
			return err.Error()
		}
		return show(inner)
	default:
		return fmt.Sprint(v)
	}
}

// errorLines shows an error the way psql does.
func errorLines(e *pgconn.PgError) []string {
	lines := []string{fmt.Sprintf("%s:  %s: %s", e.Severity, e.Code, e.Message)}
	if e.Detail != "" {
		lines = append(lines, "DETAIL:  "+e.Detail)
	}
	if e.Hint != "" {
		lines = append(lines, "HINT:  "+e.Hint)
	}
	return lines
}
