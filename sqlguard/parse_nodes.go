package sqlguard

import pg "github.com/pganalyze/pg_query_go/v5"

// Nodes that only lineage looks into.
type (
	rangeXML       = pg.RangeTableFunc
	rangeXMLColumn = pg.RangeTableFuncCol
	typeName       = pg.TypeName
	prepareStmt    = pg.PrepareStmt
	declareStmt    = pg.DeclareCursorStmt
	listenStmt     = pg.ListenStmt
	loadStmt       = pg.LoadStmt
	alterSystem    = pg.AlterSystemStmt
	returnStmt     = pg.ReturnStmt
	parameter      = pg.FunctionParameter
)

// The enumerators of those.
const (
	mergeInsert  = pg.CmdType_CMD_INSERT
	conflictNone = pg.OnConflictAction_ONCONFLICT_NOTHING

	paramOut   = pg.FunctionParameterMode_FUNC_PARAM_OUT
	paramTable = pg.FunctionParameterMode_FUNC_PARAM_TABLE
)

// wrapTarget makes a node of a target.
func wrapTarget(t *resTarget) *node { return &node{Node: &pg.Node_ResTarget{ResTarget: t}} }
