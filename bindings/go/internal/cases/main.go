// Runs the table of cases (tests/cases) through this package against a running simulator:
//
//	cases GATEWAY ADMIN FOLDER FILE…
//
// FOLDER: a new one, for the journals. Prints `ok NAME` or `FAILED NAME: why` for each case; ends with 1 if any failed.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"zvpos"
)

// How long something that settles by itself may take.
const patience = 40 * time.Second

type call struct {
	Call    string          `json:"call"`
	Request json.RawMessage `json:"request"`
	Outcome zvpos.Outcome   `json:"outcome"`
	Fields  [][2]string     `json:"fields"`
	Wait    bool            `json:"wait"`
}

type testCase struct {
	Name  string               `json:"name"`
	Admin [][3]json.RawMessage `json:"admin"`
	Calls []call               `json:"calls"`
	Net   [][2]string          `json:"net"`
}

type runner struct {
	gateway, admin, folder string
	// The configuration of the case that runs.
	config string
}

func main() {
	if len(os.Args) < 5 {
		fmt.Fprintln(os.Stderr, "usage: cases GATEWAY ADMIN FOLDER FILE…")
		os.Exit(2)
	}
	gateway, admin := strings.TrimSuffix(os.Args[1], "/api/v2"), strings.TrimSuffix(os.Args[2], "/")
	r := &runner{gateway: gateway, admin: admin, folder: os.Args[3]}
	failed := 0
	for _, path := range os.Args[4:] {
		failed += r.file(path)
	}
	if failed > 0 {
		os.Exit(1)
	}
}

func (r *runner) file(path string) (failed int) {
	text, err := os.ReadFile(path)
	var table struct {
		Config json.RawMessage `json:"config"`
		Cases  []testCase      `json:"cases"`
	}
	if err == nil {
		err = json.Unmarshal(text, &table)
	}
	if err != nil {
		fmt.Printf("FAILED %s: %v\n", filepath.Base(path), err)
		return 1
	}
	for _, c := range table.Cases {
		journal := filepath.ToSlash(filepath.Join(r.folder, c.Name+".db"))
		r.config = strings.NewReplacer("$GATEWAY", r.gateway, "$JOURNAL", journal).Replace(string(table.Config))
		if err := r.run(c); err != nil {
			fmt.Printf("FAILED %s: %v\n", c.Name, err)
			failed++
			continue
		}
		fmt.Printf("ok %s\n", c.Name)
	}
	return failed
}

// One case from the start of the library to its end, which comes in any case.
func (r *runner) run(c testCase) (err error) {
	if _, err := r.ask("POST", "/reset", ""); err != nil {
		return err
	}
	answer, err := zvpos.Init(r.config)
	if err != nil || answer.Outcome != zvpos.Succeeded {
		return fmt.Errorf("init: %v %w", answer, err)
	}
	defer func() {
		if _, stop := zvpos.Shutdown(); stop != nil && err == nil {
			err = stop
		}
	}()
	for _, order := range c.Admin {
		method, _ := text(order[0]).(string)
		path, _ := text(order[1]).(string)
		if _, err := r.ask(method, path, string(order[2])); err != nil {
			return err
		}
	}
	for number, call := range c.Calls {
		call.Request = bytes.ReplaceAll(call.Request, []byte("$JOURNAL_ID"), []byte(answer.Field("data.journal_id")))
		if err := r.expect(call); err != nil {
			return fmt.Errorf("call %d, %s: %w", number, call.Call, err)
		}
	}
	for _, net := range c.Net {
		if err := r.net(net[0], net[1]); err != nil {
			return err
		}
	}
	return nil
}

func (r *runner) expect(c call) error {
	deadline := time.Now().Add(patience)
	for {
		answer, err := r.make(c)
		err = compare(c, answer, err)
		if err == nil || !c.Wait || time.Now().After(deadline) {
			return err
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func compare(c call, answer *zvpos.Answer, err error) error {
	if answer == nil {
		return fmt.Errorf("no answer: %w", err)
	}
	var failure *zvpos.Error
	if must := c.Outcome == zvpos.Invalid || c.Outcome == zvpos.Internal; errors.As(err, &failure) != must || (err != nil) != must {
		return fmt.Errorf("expected %v, found error %v in %s", c.Outcome, err, answer.Text())
	}
	if answer.Outcome != c.Outcome {
		return fmt.Errorf("expected %v, found %s", c.Outcome, answer.Text())
	}
	for _, field := range c.Fields {
		if found := answer.Field(field[0]); found != field[1] {
			return fmt.Errorf("%s: expected %q, found %q", field[0], field[1], found)
		}
	}
	return nil
}

// Makes a call by the function that a program would use.
func (r *runner) make(c call) (*zvpos.Answer, error) {
	request := text(c.Request)
	if operation := strings.TrimPrefix(c.Call, "start:"); operation != c.Call {
		return started(operation, request)
	}
	if action := strings.TrimPrefix(c.Call, "call:"); action != c.Call {
		return zvpos.Query(context.Background(), action, request)
	}
	switch c.Call {
	case "init":
		if request == nil {
			request = r.config
		}
		return zvpos.Init(request)
	case "shutdown":
		return zvpos.Shutdown()
	case "biz_id":
		return zvpos.MakeBizID()
	case "lookup", "confirm":
		return byBizID(c.Call, c.Request)
	}
	functions := map[string]func(context.Context, any) (*zvpos.Answer, error){
		"coupon_quote": zvpos.CouponQuote, "consume": zvpos.Consume, "reverse": zvpos.Reverse,
		"pending": zvpos.Pending, "recover": zvpos.Recover, "settle": zvpos.Settle,
	}
	function := functions[c.Call]
	if function == nil {
		return nil, fmt.Errorf("the runner knows no call %q", c.Call)
	}
	return function(context.Background(), request)
}

func started(operation string, request any) (*zvpos.Answer, error) {
	if request == nil {
		request = "{}"
	}
	call, answer, err := zvpos.Start(operation, request)
	if call == nil {
		return answer, err
	}
	return call.Wait(context.Background())
}

func byBizID(name string, request json.RawMessage) (*zvpos.Answer, error) {
	var attempt zvpos.Attempt
	if err := json.Unmarshal(request, &attempt); err != nil {
		return nil, err
	}
	if name == "confirm" {
		return zvpos.Confirm(context.Background(), attempt.BizID)
	}
	if attempt.JournalID != "" {
		return zvpos.LookupAttempt(context.Background(), attempt)
	}
	return zvpos.Lookup(context.Background(), attempt.BizID)
}

// An object is passed as it stands, a text as what it says, and what is not there as nil.
func text(request json.RawMessage) any {
	if request == nil {
		return nil
	}
	var word string
	if json.Unmarshal(request, &word) == nil {
		return word
	}
	return string(request)
}

// Waits until the gateway's ledger says so: a reversal may be on its way.
func (r *runner) net(bizID, expected string) error {
	deadline := time.Now().Add(patience)
	for {
		text, err := r.ask("GET", "/ledger?bizId="+url.QueryEscape(bizID), "")
		var ledger struct {
			Net json.Number `json:"net"`
		}
		if err == nil {
			err = json.Unmarshal([]byte(text), &ledger)
		}
		if err != nil {
			return err
		}
		if ledger.Net.String() == expected {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("net of %s: expected %s, found %s", bizID, expected, ledger.Net)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// A request to the admin port.
func (r *runner) ask(method, path, body string) (string, error) {
	request, err := http.NewRequest(method, r.admin+path, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	bytes, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s: %s", method, path, bytes)
	}
	return string(bytes), err
}
