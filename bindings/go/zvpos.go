// Package zvpos takes stored value and redeems coupons on the zvcms platform through libzvpos.
//
// A sale is complete if and only if the answer's Outcome is Succeeded. A refusal (Declined), NotSent, Unknown, Reversed
// and Conflict are results, each with one thing to do in Next. An error is what must be fixed: a wrong request, a
// machine that cannot keep its journal, or a context that ended first (*UnfinishedError).
package zvpos

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Init starts the library; once, when the program starts. config is a JSON text, or what marshals to a JSON object.
func Init(config any) (*Answer, error) {
	if version, abi := nativeVersion(); abi < headerABI {
		return nil, fmt.Errorf("zvpos: library %s is older than this package: interface %d, not %d", version, abi, headerABI)
	}
	text, err := marshal(config)
	if err != nil {
		return nil, err
	}
	var given struct{ Charset string }
	// The library reports every other fault in it, and where. In another charset no answer could be read.
	if json.Unmarshal([]byte(text), &given) == nil && given.Charset == "gbk" {
		return nil, errors.New("zvpos: charset: texts of Go are UTF-8, leave it out")
	}
	return read(nativeInit(text))
}

// Shutdown waits for calls under way and stops the library. "data.still_running" names what it could not wait for.
func Shutdown() (*Answer, error) {
	return read(nativeShutdown())
}

// Version is the library's own.
func Version() string {
	version, _ := nativeVersion()
	return version
}

// MakeBizID makes a bizId, in the answer's BizID: no two agree, and a look-up needs no journal_id with it.
func MakeBizID() (*Answer, error) {
	return read(nativeBizID())
}

// CouponQuote quotes a coupon for a basket: a Quote, or any JSON. It charges nothing.
func CouponQuote(ctx context.Context, request any) (*Answer, error) {
	return run(ctx, "coupon_quote", request)
}

// Consume redeems coupons, charges stored balance, or both: a Consumption, or any JSON. The same bizId may be sent
// again and is never charged twice. Store the bizId before the call.
func Consume(ctx context.Context, request any) (*Answer, error) {
	return run(ctx, "consume", request)
}

// Reverse reverses a complete consume: a Sale, or any JSON.
func Reverse(ctx context.Context, request any) (*Answer, error) {
	return run(ctx, "reverse", request)
}

// Lookup looks a bizId up in the journal. It sends nothing.
func Lookup(ctx context.Context, bizID string) (*Answer, error) {
	return run(ctx, "lookup", Sale{BizID: bizID})
}

// LookupAttempt looks up an attempt that the till had stored before a restart.
func LookupAttempt(ctx context.Context, attempt Attempt) (*Answer, error) {
	return run(ctx, "lookup", attempt)
}

// Pending lists the sales that are not settled; nil for all of them, or {"day", "format", "account"}.
func Pending(ctx context.Context, request any) (*Answer, error) {
	return run(ctx, "pending", orAll(request))
}

// Recover settles every sale that can be settled now and lists the rest; nil for all accounts.
func Recover(ctx context.Context, request any) (*Answer, error) {
	return run(ctx, "recover", orAll(request))
}

// Confirm reports that the till has stored its sale (option `confirm`).
func Confirm(ctx context.Context, bizID string) (*Answer, error) {
	return run(ctx, "confirm", Sale{BizID: bizID})
}

// Settle records a person's decision about a sale: a Settlement, or any JSON.
func Settle(ctx context.Context, request any) (*Answer, error) {
	return run(ctx, "settle", request)
}

// Query sends a query that charges nothing, such as "member_lookup".
func Query(ctx context.Context, action string, params any) (*Answer, error) {
	return run(ctx, "call:"+action, orAll(params))
}

func orAll(request any) any {
	if request == nil {
		return json.RawMessage("{}")
	}
	return request
}

// A text is passed as it is, so that the library's own checks speak about what the till has written.
func marshal(request any) (string, error) {
	var text string
	switch request := request.(type) {
	case string:
		text = request
	case []byte:
		text = string(request)
	case json.RawMessage:
		text = string(request)
	default:
		bytes, err := json.Marshal(request)
		if err != nil {
			return "", fmt.Errorf("zvpos: the request: %w", err)
		}
		text = string(bytes)
	}
	if strings.ContainsRune(text, 0) {
		return "", fmt.Errorf("zvpos: the request holds a NUL at byte %d", strings.IndexByte(text, 0))
	}
	return text, nil
}

// A context that never ends needs no ticket: the call itself ends at timeouts_ms.total.
func run(ctx context.Context, operation string, request any) (*Answer, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if ctx.Done() != nil {
		call, answer, err := Start(operation, request)
		if call == nil {
			return answer, err
		}
		return call.Wait(ctx)
	}
	text, err := marshal(request)
	if err != nil {
		return nil, err
	}
	if action := strings.TrimPrefix(operation, "call:"); action != operation {
		return read(nativeCall(action, text))
	}
	return read(nativeBlocking(functions[operation], text))
}

// Call is one that was started and whose answer has not been fetched. It may be waited for from one goroutine.
type Call struct {
	ticket string
}

// Start begins a call and does not wait: "consume", "coupon_quote", "call:member_lookup". Without a Call the answer
// says why nothing was started, such as NotSent while 64 calls wait to be fetched.
func Start(operation string, request any) (*Call, *Answer, error) {
	text, err := marshal(request)
	if err != nil {
		return nil, nil, err
	}
	answer, err := read(nativeStart(operation, text))
	if err != nil || answer.Outcome != Running {
		return nil, answer, err
	}
	return &Call{ticket: answer.Field("data.ticket")}, answer, nil
}

// Poll never waits: an answer whose Outcome is Running until the call has ended, then its answer, once.
func (c *Call) Poll() (*Answer, error) {
	return read(nativePoll(c.ticket))
}

// Wait asks until the call has ended or the context has. The answer is not fetched before somebody waits for it, so one
// that nobody reads stays `unacknowledged` in the journal.
func (c *Call) Wait(ctx context.Context) (*Answer, error) {
	pause := time.Millisecond
	for {
		answer, err := c.Poll()
		if err != nil || answer.Outcome != Running {
			return answer, err
		}
		select {
		case <-ctx.Done():
			return nil, &UnfinishedError{Call: c, Cause: ctx.Err()}
		case <-time.After(pause):
		}
		if pause < 16*time.Millisecond {
			pause *= 2
		}
	}
}
