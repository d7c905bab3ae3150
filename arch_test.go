package sallyport_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// floors is the house: a room imports only rooms of lower floors, never its
// own. A folder with Go in it that is not here is not a room of this house.
var floors = map[string]int{
	"cmd/sallyport": 5,

	"config": 4,

	"wire": 3, "httpguard": 3, "console": 3,

	"sqlguard": 2, "mask": 2, "identity": 2, "credential": 2, "approval": 2, "limit": 2, "recorder": 2,

	"store": 1,

	"policy": 0, "secret": 0,
}

// revealers are the only files outside tests that may turn a secret.Text back
// into text, each with its reason.
var revealers = map[string]string{
	"wire/dial.go":              "logs in upstream",
	"httpguard/inject.go":       "writes the injected header",
	"credential/vault.go":       "logs in to Vault",
	"credential/lender.go":      "a user name is stored beside its password, and is no secret",
	"identity/opaque.go":        "looks at the checksum of a token it was given",
	"identity/verifier.go":      "derives what the database keeps of a token for SCRAM",
	"cmd/sallyport/token.go":    "shows an issued token, once, to who asked for it",
	"cmd/sallyport/maskkeys.go": "derives the key of a mask from its secret",
}

// pure rooms turn values into values: no network, no files, no clock.
var pure = []string{"sqlguard", "mask"}

// impure are the imports a pure room may not have, by first path segments.
var impure = []string{"net", "os", "syscall", "log", "database/sql", "io/ioutil", "path/filepath"}

// exempt are the files of pure rooms that may import some of them, each with
// its reason. They alone may read the clock.
var exempt = map[string][]string{
	"sqlguard/worker.go": {"os", "syscall"}, // long texts are parsed in a process of their own
	"sqlguard/parser.go": {"syscall"},       // asks how deep the C parser's stack is
}

// source is one Go file of the tree.
type source struct {
	path string // from the top, with slashes
	room string // the key of floors; "" at the top and in internal/
	file *ast.File
}

func (s source) isTest() bool { return strings.HasSuffix(s.path, "_test.go") }

// parseTree parses every Go file of this module.
func parseTree(t *testing.T) (*token.FileSet, []source) {
	t.Helper()
	fset := token.NewFileSet()
	var all []source
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if name != "." && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "testdata" || ownModule(name)) {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		file, err := parser.ParseFile(fset, name, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		slashed := filepath.ToSlash(name)
		all = append(all, source{path: slashed, room: roomOf(path.Dir(slashed)), file: file})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return fset, all
}

// ownModule reports whether the folder is another module (tools, test servers).
func ownModule(folder string) bool {
	_, err := os.Stat(filepath.Join(folder, "go.mod"))
	return err == nil
}

// roomOf names the room a folder belongs to, the folder itself when no room
// lists it, "" for the top and for internal/.
func roomOf(folder string) string {
	if folder == "." || folder == "internal" || strings.HasPrefix(folder, "internal/") {
		return ""
	}
	for room := range floors {
		if folder == room || strings.HasPrefix(folder, room+"/") {
			return room
		}
	}
	return folder
}

// imports lists what the file imports: of this module by its folder, the rest as written.
func imports(t *testing.T, s source) (own, other []string) {
	t.Helper()
	for _, spec := range s.file.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		if folder, ok := strings.CutPrefix(name, "sallyport/"); ok {
			own = append(own, folder)
		} else {
			other = append(other, name)
		}
	}
	return own, other
}

func TestEveryRoomIsListed(t *testing.T) {
	_, all := parseTree(t)
	for _, s := range all {
		if s.room == "" {
			continue
		}
		if _, ok := floors[s.room]; !ok {
			t.Errorf("%s: %s is no room of the house; see floors in arch_test.go", s.path, s.room)
		}
	}
}

func TestImportsPointDown(t *testing.T) {
	_, all := parseTree(t)
	for _, s := range all {
		if s.room == "" || s.isTest() {
			continue
		}
		own, _ := imports(t, s)
		for _, folder := range own {
			room := roomOf(folder)
			switch {
			case room == s.room:
			case room == "" && s.room != "cmd/sallyport":
				t.Errorf("%s imports %s: internal is for cmd's demo and for tests", s.path, folder)
			case room == "" && !strings.HasPrefix(path.Base(s.path), "demo"):
				t.Errorf("%s imports %s: of cmd only demo*.go may", s.path, folder)
			case room != "" && floors[room] >= floors[s.room]:
				t.Errorf("%s (floor %d) imports %s (floor %d): imports point down only", s.path, floors[s.room], room, floors[room])
			}
		}
	}
}

// TestTestsStayInTheirRoom lets a room's tests use internal/ and lower floors,
// but not another room of the same floor: cmd's tests are where rooms meet.
func TestTestsStayInTheirRoom(t *testing.T) {
	_, all := parseTree(t)
	for _, s := range all {
		if s.room == "" || !s.isTest() {
			continue
		}
		own, _ := imports(t, s)
		for _, folder := range own {
			if room := roomOf(folder); room != "" && room != s.room && floors[room] >= floors[s.room] {
				t.Errorf("%s (floor %d) imports %s (floor %d)", s.path, floors[s.room], room, floors[room])
			}
		}
	}
}

func TestRevealOnlyWhereAllowed(t *testing.T) {
	fset, all := parseTree(t)
	for _, s := range all {
		if s.isTest() || s.room == "secret" || revealers[s.path] != "" {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok && sel.Sel.Name == "Reveal" {
				t.Errorf("%s: Reveal; the files that may are in revealers in arch_test.go", fset.Position(sel.Pos()))
			}
			return true
		})
	}
}

func TestPureRoomsArePure(t *testing.T) {
	fset, all := parseTree(t)
	for _, s := range all {
		if s.isTest() || !slices.Contains(pure, s.room) {
			continue
		}
		_, other := imports(t, s)
		for _, name := range other {
			within := func(folder string) bool { return name == folder || strings.HasPrefix(name, folder+"/") }
			if slices.ContainsFunc(impure, within) && !slices.ContainsFunc(exempt[s.path], within) {
				t.Errorf("%s imports %s: %s is pure", s.path, name, s.room)
			}
		}
		if exempt[s.path] != nil {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			pkg, ok := sel.X.(*ast.Ident)
			clock := []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "NewTimer", "NewTicker", "Tick"}
			if ok && pkg.Name == "time" && slices.Contains(clock, sel.Sel.Name) {
				t.Errorf("%s: time.%s: %s reads no clock", fset.Position(sel.Pos()), sel.Sel.Name, s.room)
			}
			return true
		})
	}
}

func TestEveryRoomSaysWhatItIsFor(t *testing.T) {
	_, all := parseTree(t)
	documented := map[string]bool{}
	for _, s := range all {
		folder := path.Dir(s.path)
		if _, seen := documented[folder]; !seen && !s.isTest() {
			documented[folder] = false
		}
		if !s.isTest() && s.file.Doc != nil {
			documented[folder] = true
		}
	}
	for folder, ok := range documented {
		if !ok {
			t.Errorf("%s has no package comment; it belongs into doc.go", folder)
		}
	}
}

// TestExportedNamesAreCommented looks at top-level names and methods; a group
// of constants or variables may share one comment.
func TestExportedNamesAreCommented(t *testing.T) {
	fset, all := parseTree(t)
	for _, s := range all {
		if s.isTest() || s.file.Name.Name == "main" {
			continue
		}
		complain := func(name *ast.Ident, docs ...*ast.CommentGroup) {
			bare := !slices.ContainsFunc(docs, func(d *ast.CommentGroup) bool { return d != nil })
			if bare && name.IsExported() {
				t.Errorf("%s: %s has no comment", fset.Position(name.Pos()), name.Name)
			}
		}
		for _, decl := range s.file.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil || receiver(d.Recv).IsExported() {
					complain(d.Name, d.Doc)
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					switch spec := spec.(type) {
					case *ast.TypeSpec:
						complain(spec.Name, spec.Doc, spec.Comment, d.Doc)
					case *ast.ValueSpec:
						for _, name := range spec.Names {
							complain(name, spec.Doc, spec.Comment, d.Doc)
						}
					}
				}
			}
		}
	}
}

// receiver names the type a method is on.
func receiver(list *ast.FieldList) *ast.Ident {
	expr := list.List[0].Type
	for {
		switch e := expr.(type) {
		case *ast.StarExpr:
			expr = e.X
		case *ast.IndexExpr:
			expr = e.X
		case *ast.IndexListExpr:
			expr = e.X
		case *ast.Ident:
			return e
		default:
			return ast.NewIdent("_")
		}
	}
}
