package zvpos

import (
	"encoding/json"
	"errors"
	"fmt"
)

// Warning is something the till should know although the outcome stands.
type Warning struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// Problem is one thing that is wrong with a request or a configuration.
type Problem struct {
	Path    string `json:"path"`
	Message string `json:"message"`
}

// Answer is the answer to every call. Check Outcome and do what Next says.
type Answer struct {
	Outcome      Outcome         `json:"outcome"`
	Next         Next            `json:"next"`
	Code         string          `json:"code"`
	Message      string          `json:"message"` // for the programmer
	Cashier      string          `json:"cashier"` // for the cashier
	BizID        string          `json:"bizId"`
	Replayed     bool            `json:"replayed"`
	Already      bool            `json:"already"`
	RetryAfterMS int64           `json:"retry_after_ms"`
	Warnings     []Warning       `json:"warnings"`
	Errors       []Problem       `json:"errors"`
	Recorded     json.RawMessage `json:"recorded"`
	Data         json.RawMessage `json:"data"`

	text string
}

// Complete tells whether the sale is complete: only with Succeeded.
func (a *Answer) Complete() bool {
	return a != nil && a.Outcome == Succeeded
}

// Text is the whole answer as it came, fit for a log.
func (a *Answer) Text() string {
	return a.text
}

// Field is one value as text, such as "data.coupon_discount" or "errors.0.path"; "" if there is none.
func (a *Answer) Field(path string) string {
	return nativeField(a.text, path)
}

// DecodeData reads the data of an answer into a struct of the caller's, such as *ConsumeData.
func (a *Answer) DecodeData(into any) error {
	return json.Unmarshal(a.Data, into)
}

// Error is a fault of the program or the machine that has to be fixed: an outcome Invalid or Internal. What the gateway
// decides about a member's money is a result, never an error. Its text names all that is wrong, as the answer's
// message does.
type Error struct {
	Answer *Answer
}

func (e *Error) Error() string {
	return fmt.Sprintf("zvpos: %s (%s): %s", e.Answer.Outcome, e.Answer.Code, e.Answer.Message)
}

// UnfinishedError says that the context ended before the call did. It is no outcome: the payment goes on, and what
// becomes of it is learnt by Call.Wait or, after a restart, by Lookup. errors.Is finds the context's own error.
type UnfinishedError struct {
	Call  *Call
	Cause error
}

func (e *UnfinishedError) Error() string {
	return fmt.Sprintf("zvpos: the call goes on, its outcome is not known yet: %v", e.Cause)
}

func (e *UnfinishedError) Unwrap() error {
	return e.Cause
}

// Reads an answer. The error is for outcomes that require a fix; the answer is returned with it.
func read(text string) (*Answer, error) {
	answer := &Answer{Outcome: Internal, text: text}
	// An answer whose outcome is missing must not read as the zero value, which is Succeeded.
	var must struct {
		Outcome *Outcome `json:"outcome"`
	}
	if err := json.Unmarshal([]byte(text), &must); err != nil {
		return nil, fmt.Errorf("zvpos: the library's answer cannot be read: %w", err)
	}
	if must.Outcome == nil {
		return nil, errors.New("zvpos: the library's answer has no outcome")
	}
	if err := json.Unmarshal([]byte(text), answer); err != nil {
		return nil, fmt.Errorf("zvpos: the library's answer cannot be read: %w", err)
	}
	if answer.Outcome == Invalid || answer.Outcome == Internal {
		return answer, &Error{Answer: answer}
	}
	return answer, nil
}
