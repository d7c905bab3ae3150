// Package sqlguard turns SQL text into facts and lineage. It knows no mask and
// no rule: it is told which columns are protected and answers what a text does
// and which output depends on which protected column.
//
//	Read(text, catalog)          guard.go
//	  prelex      bytes the parser must not see: NUL, bad UTF-8, deep comments
//	  parse       PostgreSQL 16's grammar; long texts in a process that may die
//	              (parser.go newer.go worker.go turns.go, nodes.go walks what it gives)
//	  facts       one walk over every node: verbs, tables, functions, destructive ...
//	              statements.go and looks.go judge a statement by its kind,
//	              functions.go by what it calls, evidence.go finds the words
//	  bounds      whether a condition keeps anything: tautology.go weak.go ranges.go
//	              whole.go patterns.go written.go compare.go constant.go
//	  hidden      statements in statements: bodies (body.go fold.go plpgsql*.go),
//	              views, rules, triggers, functions that run text (wholesale.go)
//	  settings    client_encoding and standard_conforming_strings stay pinned
//	  doors       functions, relations (statistics.go) and forms that lead around lineage;
//	              define.go and reach.go for code, by what it can reach
//	  lineage     for statements that reach a protected relation, each output's columns:
//	              select.go from.go expr.go change.go create.go copyout.go by statement,
//	              scope.go frame.go names.go absent.go for names, document.go for JSON,
//	              filter.go for what may be asked about a value, total.go steady.go grown.go
//	              for what else would tell of it: what fails for some values and not for others
//
// What a text shares with others is in shape.go and literals.go: one that differs
// in values alone is read once. catalog.go is what the target's catalog says, read
// anew by its marks (marks.go), around what is locked, or within a transaction
// that has changed it; code.go and routines.go are its functions, shield.go is
// what follows from it and the protected columns, carried.go what triggers add.
//
// It fails closed. A node that lineage does not know is refused, a statement
// kind that facts do not know is destructive, a name that could mean a
// protected relation means it.
//
// What lineage answers, per statement:
//
//	Opaque                 reaches no protected relation; Outputs were not computed
//	Output.Protected empty not protected
//	Output.Plain           the very value of the named column (under an ambiguous
//	                       name, of one of them)
//	otherwise              something computed from those columns
//
// A value whose origin the server reports is judged a second time by
// [Guard.Origin], which also knows partitions, views and whole rows.
package sqlguard
