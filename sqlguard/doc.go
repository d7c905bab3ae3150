// Package sqlguard turns SQL text into facts and lineage. It knows no mask and
// no rule: it is told which columns are protected and answers what a text does
// and which output depends on which protected column.
//
//	Read(text, catalog)
//	  prelex      bytes the parser must not see: NUL, bad UTF-8, deep comments
//	  parse       PostgreSQL 16's grammar; long texts in a process that may die
//	  facts       one walk over every node: verbs, tables, functions, destructive ...
//	  settings    client_encoding and standard_conforming_strings stay pinned
//	  doors       functions, relations and forms that lead around lineage
//	  lineage     for statements that reach a protected relation, each output's columns
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
