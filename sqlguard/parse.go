package sqlguard

import (
	"errors"
	"fmt"

	pg "github.com/pganalyze/pg_query_go/v5"
	"github.com/pganalyze/pg_query_go/v5/parser"
	"google.golang.org/protobuf/proto"
)

// syntaxError is the parser's own complaint.
type syntaxError struct {
	message  string
	position int // in characters, from 1; 0 is none
}

func (e *syntaxError) Error() string { return e.message }

// parseToBytes runs the C parser. It is safe only for texts within inProcess
// bytes, or in a process that may die. Only the parse entry is ever used:
// Normalize writes out of bounds (GHSA-6ggm-xmc9-8ffg).
func parseToBytes(text string) ([]byte, error) {
	tree, err := parser.ParseToProtobuf(text)
	var perr *parser.Error
	if errors.As(err, &perr) {
		return nil, &syntaxError{perr.Message, perr.Cursorpos}
	}
	if err != nil {
		return nil, err
	}
	return tree, nil
}

// decode reads what parseToBytes wrote. Protobuf itself bounds the depth.
func decode(tree []byte) (*parseResult, error) {
	result := new(parseResult)
	if err := proto.Unmarshal(tree, result); err != nil {
		return nil, fmt.Errorf("decode parse tree: %w", err)
	}
	return result, nil
}

// The parser's nodes, under the names that the other files use.
type (
	parseResult = pg.ParseResult
	rawStmt     = pg.RawStmt
	node        = pg.Node
	list        = pg.List
	rangeVar    = pg.RangeVar
	alias       = pg.Alias
	columnRef   = pg.ColumnRef
	paramRef    = pg.ParamRef
	aConst      = pg.A_Const
	aExpr       = pg.A_Expr
	aStar       = pg.A_Star
	aArray      = pg.A_ArrayExpr
	aIndices    = pg.A_Indices
	indirection = pg.A_Indirection
	boolExpr    = pg.BoolExpr
	nullTest    = pg.NullTest
	booleanTest = pg.BooleanTest
	funcCall    = pg.FuncCall
	typeCast    = pg.TypeCast
	collate     = pg.CollateClause
	caseExpr    = pg.CaseExpr
	caseWhen    = pg.CaseWhen
	coalesce    = pg.CoalesceExpr
	minMax      = pg.MinMaxExpr
	subLink     = pg.SubLink
	rowExpr     = pg.RowExpr
	valueFunc   = pg.SQLValueFunction
	xmlExpr     = pg.XmlExpr
	xmlSerial   = pg.XmlSerialize
	grouping    = pg.GroupingFunc
	groupingSet = pg.GroupingSet
	setDefault  = pg.SetToDefault
	currentOf   = pg.CurrentOfExpr
	namedArg    = pg.NamedArgExpr
	resTarget   = pg.ResTarget
	multiAssign = pg.MultiAssignRef
	sortBy      = pg.SortBy
	windowDef   = pg.WindowDef
	jsonObject  = pg.JsonObjectConstructor
	jsonArray   = pg.JsonArrayConstructor
	jsonQuery   = pg.JsonArrayQueryConstructor
	jsonOutput  = pg.JsonOutput
	jsonKey     = pg.JsonKeyValue
	jsonValue   = pg.JsonValueExpr
	jsonObjAgg  = pg.JsonObjectAgg
	jsonArrAgg  = pg.JsonArrayAgg
	jsonAgg     = pg.JsonAggConstructor
	jsonIs      = pg.JsonIsPredicate

	joinExpr    = pg.JoinExpr
	rangeSub    = pg.RangeSubselect
	rangeFunc   = pg.RangeFunction
	rangeSample = pg.RangeTableSample
	withClause  = pg.WithClause
	cteExpr     = pg.CommonTableExpr
	locking     = pg.LockingClause
	onConflict  = pg.OnConflictClause
	inferElem   = pg.IndexElem
	defElem     = pg.DefElem
	constraint  = pg.Constraint
	str         = pg.String

	selectStmt     = pg.SelectStmt
	insertStmt     = pg.InsertStmt
	updateStmt     = pg.UpdateStmt
	deleteStmt     = pg.DeleteStmt
	mergeStmt      = pg.MergeStmt
	mergeWhen      = pg.MergeWhenClause
	intoClause     = pg.IntoClause
	explainStmt    = pg.ExplainStmt
	executeStmt    = pg.ExecuteStmt
	fetchStmt      = pg.FetchStmt
	copyStmt       = pg.CopyStmt
	ctasStmt       = pg.CreateTableAsStmt
	createStmt     = pg.CreateStmt
	sequenceStmt   = pg.CreateSeqStmt
	compositeStmt  = pg.CompositeTypeStmt
	viewStmt       = pg.ViewStmt
	indexStmt      = pg.IndexStmt
	functionStmt   = pg.CreateFunctionStmt
	dropStmt       = pg.DropStmt
	truncateStmt   = pg.TruncateStmt
	alterTableStmt = pg.AlterTableStmt
	alterTableCmd  = pg.AlterTableCmd
	likeClause     = pg.TableLikeClause
	extensionStmt  = pg.CreateExtensionStmt
	grantStmt      = pg.GrantStmt
	grantRoleStmt  = pg.GrantRoleStmt
	lockStmt       = pg.LockStmt
	vacuumStmt     = pg.VacuumStmt
	reindexStmt    = pg.ReindexStmt
	renameStmt     = pg.RenameStmt
	commentStmt    = pg.CommentStmt
	defineStmt     = pg.DefineStmt
	txStmt         = pg.TransactionStmt
	setStmt        = pg.VariableSetStmt
	doStmt         = pg.DoStmt
	ruleStmt       = pg.RuleStmt
	triggerStmt    = pg.CreateTrigStmt
	enumStmt       = pg.AlterEnumStmt
	refreshStmt    = pg.RefreshMatViewStmt
	callStmt       = pg.CallStmt
	schemaStmt     = pg.CreateSchemaStmt
	objectArgs     = pg.ObjectWithArgs

	alterFunctionStmt    = pg.AlterFunctionStmt
	eventTriggerStmt     = pg.CreateEventTrigStmt
	castStmt             = pg.CreateCastStmt
	opClassStmt          = pg.CreateOpClassStmt
	opFamilyStmt         = pg.AlterOpFamilyStmt
	alterOperatorStmt    = pg.AlterOperatorStmt
	conversionStmt       = pg.CreateConversionStmt
	accessMethodStmt     = pg.CreateAmStmt
	rangeStmt            = pg.CreateRangeStmt
	enumTypeStmt         = pg.CreateEnumStmt
	domainStmt           = pg.CreateDomainStmt
	alterDomainStmt      = pg.AlterDomainStmt
	publicationStmt      = pg.CreatePublicationStmt
	alterPublicationStmt = pg.AlterPublicationStmt
	alterSchemaStmt      = pg.AlterObjectSchemaStmt
	alterOwnerStmt       = pg.AlterOwnerStmt
	pgConst              = pg.Node_AConst
	pgSval               = pg.A_Const_Sval
	pgList               = pg.Node_List
	pgSubLink            = pg.Node_SubLink
	pgExpr               = pg.Node_AExpr
	pgBool               = pg.Node_BoolExpr
	pgString             = pg.Node_String_
)

// The enumerators that the other files use.
const (
	opPlain       = pg.A_Expr_Kind_AEXPR_OP
	opAny         = pg.A_Expr_Kind_AEXPR_OP_ANY
	opAll         = pg.A_Expr_Kind_AEXPR_OP_ALL
	opDistinct    = pg.A_Expr_Kind_AEXPR_DISTINCT
	opNotDistinct = pg.A_Expr_Kind_AEXPR_NOT_DISTINCT
	opNullIf      = pg.A_Expr_Kind_AEXPR_NULLIF
	opIn          = pg.A_Expr_Kind_AEXPR_IN
	opLike        = pg.A_Expr_Kind_AEXPR_LIKE
	opILike       = pg.A_Expr_Kind_AEXPR_ILIKE
	opSimilar     = pg.A_Expr_Kind_AEXPR_SIMILAR
	opBetween     = pg.A_Expr_Kind_AEXPR_BETWEEN
	opNotBetween  = pg.A_Expr_Kind_AEXPR_NOT_BETWEEN

	opBetweenSym    = pg.A_Expr_Kind_AEXPR_BETWEEN_SYM
	opNotBetweenSym = pg.A_Expr_Kind_AEXPR_NOT_BETWEEN_SYM

	boolAnd = pg.BoolExprType_AND_EXPR
	boolOr  = pg.BoolExprType_OR_EXPR
	boolNot = pg.BoolExprType_NOT_EXPR

	testNull    = pg.NullTestType_IS_NULL
	testNotNull = pg.NullTestType_IS_NOT_NULL

	subExists = pg.SubLinkType_EXISTS_SUBLINK
	subAny    = pg.SubLinkType_ANY_SUBLINK
	subAll    = pg.SubLinkType_ALL_SUBLINK
	subExpr   = pg.SubLinkType_EXPR_SUBLINK
	subArray  = pg.SubLinkType_ARRAY_SUBLINK
	subMulti  = pg.SubLinkType_MULTIEXPR_SUBLINK

	setNone  = pg.SetOperation_SETOP_NONE
	setUnion = pg.SetOperation_SETOP_UNION

	joinFull  = pg.JoinType_JOIN_FULL
	joinLeft  = pg.JoinType_JOIN_LEFT
	joinRight = pg.JoinType_JOIN_RIGHT

	varSet     = pg.VariableSetKind_VAR_SET_VALUE
	varCurrent = pg.VariableSetKind_VAR_SET_CURRENT
	varDefault = pg.VariableSetKind_VAR_SET_DEFAULT

	mergeUpdate = pg.CmdType_CMD_UPDATE
	mergeDelete = pg.CmdType_CMD_DELETE
)
