package zvpos

import "fmt"

// Outcome says what happened to the member's money. Only Succeeded completes a sale.
type Outcome int

// The numbers are those of zvpos.h and never change.
const (
	Succeeded Outcome = iota // the gateway did it, and the journal knows
	Declined                 // the gateway said no; nothing was taken
	Invalid                  // refused before sending; this call took nothing
	NotSent                  // no byte reached the gateway; the same bizId may be tried again
	Unknown                  // it may have happened: do what Next says, never charge under a new bizId
	Internal                 // a defect of the library or the machine; this call sent nothing
	Reversed                 // it was done and is undone, or can no longer happen
	Conflict                 // the bizId already belongs to another request
	Running                  // a call that was started has not ended
)

var words = [...]string{
	"succeeded", "declined", "invalid", "not_sent", "unknown", "internal", "reversed", "conflict", "running",
}

// String gives the word that stands in the JSON.
func (o Outcome) String() string {
	if o < 0 || int(o) >= len(words) {
		return fmt.Sprintf("outcome %d", int(o))
	}
	return words[o]
}

// MarshalText writes the word.
func (o Outcome) MarshalText() ([]byte, error) {
	return []byte(o.String()), nil
}

// UnmarshalText reads the word. One that is not known is an error, never a success.
func (o *Outcome) UnmarshalText(text []byte) error {
	for number, word := range words {
		if word == string(text) {
			*o = Outcome(number)
			return nil
		}
	}
	return fmt.Errorf("zvpos: no outcome %q", text)
}

// Next is the one thing to do after an answer.
type Next string

// What an answer can ask for.
const (
	CompleteSale     Next = "complete_sale"
	OtherTender      Next = "other_tender"
	FixRequest       Next = "fix_request"
	Retry            Next = "retry"
	Wait             Next = "wait"
	Stop             Next = "stop"
	LookUp           Next = "lookup"
	StoreThenConfirm Next = "store_then_confirm"
	GoOn             Next = "go_on"
	Poll             Next = "poll"
	NewBizID         Next = "new_bizid"
	Refunded         Next = "refunded"
	RefundPending    Next = "refund_pending"
	RefundRefused    Next = "refund_refused"
	QuoteAgain       Next = "quote_again"
)
