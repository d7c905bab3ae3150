package recorder

import (
	"encoding/hex"
	"time"
)

// The kinds of event.
const (
	KindOpen      = "open"      // the first of every recording
	KindStatement = "statement" // a SQL text and its verdict, before it runs
	KindExchange  = "exchange"  // an HTTP request and its verdict, before it is forwarded
	KindFrame     = "frame"     // a message of a WebSocket, before it is sent on
	KindOutcome   = "outcome"   // what came of a statement or exchange, by its ID
	KindClose     = "close"     // the last of a recording that ended in order
	KindTorn      = "torn"      // never written: stands for a line that could not be read
)

// The protocols of a session.
const (
	Postgres = "postgres"
	HTTP     = "http"
)

// Event is one line of a recording. Besides Kind, exactly one of the pointers
// is set. Seq, Time, Notes and Totals are stamped by Write; an empty Kind is
// filled in from the pointer that is set.
type Event struct {
	Seq       int64      `json:"seq"` // from 1, without holes
	Time      time.Time  `json:"time"`
	Kind      string     `json:"kind"`
	Open      *Opening   `json:"open,omitempty"`
	Statement *Statement `json:"statement,omitempty"`
	Exchange  *Exchange  `json:"exchange,omitempty"`
	Frame     *Frame     `json:"frame,omitempty"`
	Outcome   *Outcome   `json:"outcome,omitempty"`
	Close     *Closing   `json:"close,omitempty"`
	Notes     []Note     `json:"notes,omitempty"` // fields not kept as they came
	Totals    Totals     `json:"totals"`          // up to and with this event
}

// Totals counts what a recording holds so far. Each event carries them, so that
// the last line alone sums up its session.
type Totals struct {
	Statements int64 `json:"statements"` // statements, exchanges and judged messages of WebSockets
	Refused    int64 `json:"refused"`    // those of them whose action is not "allow"
}

// Note says that a field is not what came in, and how to recognise what did.
type Note struct {
	Field  string `json:"field"`  // as in the JSON line: "statement.text"
	Change string `json:"change"` // "cut" (the beginning is kept), "base64" (was not UTF-8), "cut base64", "unreadable" (of KindTorn)
	Length int64  `json:"length"` // bytes that came in
	SHA256 string `json:"sha256"` // hex, over the bytes that came in; for statement.params see hashParams
}

// Opening is who came and what for.
type Opening struct {
	Session       string   `json:"session"`  // a ULID
	Protocol      string   `json:"protocol"` // Postgres or HTTP
	Target        string   `json:"target"`
	Subject       string   `json:"subject"`
	Issuer        string   `json:"issuer,omitempty"`
	Groups        []string `json:"groups,omitempty"`
	Token         string   `json:"token,omitempty"`          // public id of the token
	Address       string   `json:"address,omitempty"`        // IP without port
	User          string   `json:"user,omitempty"`           // as the client named itself, for the record only
	Application   string   `json:"application,omitempty"`    // application_name or User-Agent
	Credential    string   `json:"credential,omitempty"`     // reference, never the secret
	SecretVersion string   `json:"secret_version,omitempty"` // as the secret store names it
}

// Statement is one SQL text with its verdict.
type Statement struct {
	ID      int64    `json:"id"` // within the session; its outcomes repeat it
	Text    string   `json:"text"`
	Params  []Param  `json:"params,omitempty"`
	Verbs   []string `json:"verbs,omitempty"`
	Action  string   `json:"action"` // policy.Action.String()
	Rule    string   `json:"rule,omitempty"`
	Message string   `json:"message,omitempty"`
	Detail  string   `json:"detail,omitempty"`
	Flags   []string `json:"flags,omitempty"`
}

// Param is one bound value as the client sent it. Both nil is SQL NULL.
type Param struct {
	Text   *string `json:"text,omitempty"`
	Binary *string `json:"binary,omitempty"` // hex
}

// TextParam is a value in text format; nil is SQL NULL.
func TextParam(value []byte) Param {
	if value == nil {
		return Param{}
	}
	s := string(value)
	return Param{Text: &s}
}

// BinaryParam is a value in binary format; nil is SQL NULL.
func BinaryParam(value []byte) Param {
	if value == nil {
		return Param{}
	}
	s := hex.EncodeToString(value)
	return Param{Binary: &s}
}

// Exchange is one HTTP request with its verdict.
type Exchange struct {
	ID          int64    `json:"id"` // within the session; its outcome repeats it
	Method      string   `json:"method"`
	Host        string   `json:"host,omitempty"` // the upstream's
	Path        string   `json:"path"`           // as sent upstream
	Query       string   `json:"query,omitempty"`
	ContentType string   `json:"content_type,omitempty"`
	Body        string   `json:"body,omitempty"` // as sent by the client
	Action      string   `json:"action"`         // policy.Action.String()
	Rule        string   `json:"rule,omitempty"`
	Message     string   `json:"message,omitempty"`
	Detail      string   `json:"detail,omitempty"`
	Flags       []string `json:"flags,omitempty"`

	Estimate *Estimate `json:"estimate,omitempty"` // of a call of a model, when a rule asked for it
}

// Estimate is what was counted before a call of a model. Amounts are exact
// decimals of US dollars, "" for unknown.
type Estimate struct {
	InputTokens int64  `json:"input_tokens"`
	MaxTokens   int64  `json:"max_tokens,omitempty"` // of output
	Worst       string `json:"worst_usd,omitempty"`
	Expected    string `json:"expected_usd,omitempty"` // by the outputs of earlier calls
}

// Usage is what a call of a model used.
type Usage struct {
	Model        string `json:"model,omitempty"`
	InputTokens  int64  `json:"input_tokens"`
	CachedTokens int64  `json:"cached_tokens,omitempty"` // of the input, read from the provider's cache
	OutputTokens int64  `json:"output_tokens"`
	USD          string `json:"usd,omitempty"`       // exact decimal, "" for unknown
	Estimated    bool   `json:"estimated,omitempty"` // the upstream did not say
}

// Frame is one message on the WebSocket that an exchange opened.
type Frame struct {
	ID    int64  `json:"id"`   // of the exchange
	From  string `json:"from"` // "caller" or "upstream"
	Type  string `json:"type"` // "text", "binary", "ping", "pong", "close"
	Bytes int64  `json:"bytes"`
	Code  string `json:"code,omitempty"` // of a close
	Body  string `json:"body,omitempty"` // the beginning of a text; the reason of a close

	// Of a caller's message that was judged. One that was not allowed was not sent on.
	Action   string    `json:"action,omitempty"` // policy.Action.String()
	Rule     string    `json:"rule,omitempty"`
	Message  string    `json:"message,omitempty"`
	Detail   string    `json:"detail,omitempty"`
	Flags    []string  `json:"flags,omitempty"`
	Estimate *Estimate `json:"estimate,omitempty"`
}

// Outcome is what came of the statement or exchange with the same ID. A text
// of several statements has several.
type Outcome struct {
	ID       int64         `json:"id"`
	Tag      string        `json:"tag,omitempty"`  // command tag: "SELECT 3"
	Code     string        `json:"code,omitempty"` // SQLSTATE or HTTP status
	Error    string        `json:"error,omitempty"`
	Rows     int64         `json:"rows,omitempty"`
	Bytes    int64         `json:"bytes,omitempty"`  // sent to the client
	Masked   int64         `json:"masked,omitempty"` // values a mask changed
	Duration time.Duration `json:"duration_ns,omitempty"`
	Body     string        `json:"body,omitempty"` // HTTP response as masked
	Usage    *Usage        `json:"usage,omitempty"`

	// Of a request whose body was too large to be judged and recorded:
	Sent       int64  `json:"sent,omitempty"`        // its bytes
	SentSHA256 string `json:"sent_sha256,omitempty"` // hex, over all of them; "" when it was broken off
}

// Closing is how a session ended.
type Closing struct {
	Reason string `json:"reason,omitempty"`
}

// kind is the Kind that fits the pointer that is set, "" for none.
func (e *Event) kind() string {
	switch {
	case e.Open != nil:
		return KindOpen
	case e.Statement != nil:
		return KindStatement
	case e.Exchange != nil:
		return KindExchange
	case e.Frame != nil:
		return KindFrame
	case e.Outcome != nil:
		return KindOutcome
	case e.Close != nil:
		return KindClose
	}
	return ""
}
