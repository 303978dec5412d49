package zvpos

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Starts the library with the simulator that ZVPOS_TEST_ENDPOINT names.
func start(t *testing.T) {
	t.Helper()
	endpoint := os.Getenv("ZVPOS_TEST_ENDPOINT")
	if endpoint == "" {
		t.Fatal("ZVPOS_TEST_ENDPOINT must name a simulator, such as http://127.0.0.1:8080/api/v2")
	}
	answer, err := Init(map[string]any{
		"openId": "fake-open-id-for-test-only-0001", "grantCode": "fake-grant-code-0001",
		"openKey": "fake-open-key-for-test-only-0001", "endpoint": endpoint,
		"journal": filepath.Join(os.Getenv("ZVPOS_TEST_FOLDER"), t.Name()+".db"),
	})
	if err != nil || !answer.Complete() {
		t.Fatal(answer, err)
	}
	t.Cleanup(func() { Shutdown() })
}

func TestAContextThatEndsFirstIsNoOutcome(t *testing.T) {
	start(t)
	ctx, cancel := context.WithCancel(context.Background())
	call, _, err := Start("consume", Consumption{
		BizID: "GO-CONTEXT~late_answer:1500", CustomerID: "383933091455959041", Amount: "1.00"})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	answer, err := call.Wait(ctx)
	var unfinished *UnfinishedError
	if answer != nil || !errors.As(err, &unfinished) || !errors.Is(err, context.Canceled) {
		t.Fatalf("found %v, %v", answer, err)
	}
	answer, err = unfinished.Call.Wait(context.Background())
	if err != nil || !answer.Complete() {
		t.Fatal(answer, err)
	}
	var data ConsumeData
	if err := answer.DecodeData(&data); err != nil || data.TakenFromBalance != "1.00" || data.TakenFromGift != "0.00" {
		t.Fatal(data, err)
	}
}

func TestTextsOfGoAreUTF8(t *testing.T) {
	answer, err := Init(map[string]any{"charset": "gbk"})
	if answer != nil || err == nil || !strings.Contains(err.Error(), "charset") {
		t.Fatalf("found %v, %v", answer, err)
	}
}

func TestAContextThatHasEndedSendsNothing(t *testing.T) {
	start(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	answer, err := Consume(ctx, Consumption{BizID: "GO-ENDED", CustomerID: "383933091455959041", Amount: "1.00"})
	if answer != nil || !errors.Is(err, context.Canceled) {
		t.Fatalf("found %v, %v", answer, err)
	}
	answer, err = Lookup(context.Background(), "GO-ENDED")
	if answer == nil || answer.Code != "ZV-NOT-FOUND" || err == nil {
		t.Fatalf("found %v, %v", answer, err)
	}
}

func TestACallWithADeadlineGivesItsAnswer(t *testing.T) {
	start(t)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	answer, err := Consume(ctx, Consumption{BizID: "GO-SHORT", CustomerID: "383933091455959042", Amount: "500.00"})
	if err != nil || answer.Outcome != Declined || answer.Complete() {
		t.Fatalf("a refusal is a result: %v, %v", answer, err)
	}
}

func TestAnAnswerThatCannotBeReadIsNeverASuccess(t *testing.T) {
	for _, text := range []string{"", "{}", `{"outcome":"done"}`, `{"outcome":null}`, `{"outcome":0}`, "[]"} {
		if answer, err := read(text); answer.Complete() || err == nil {
			t.Errorf("%q: %v, %v", text, answer, err)
		}
	}
	var zero *Answer
	if zero.Complete() {
		t.Error("no answer is no sale")
	}
	text, err := json.Marshal(NotSent)
	if string(text) != `"not_sent"` || err != nil {
		t.Error(string(text), err)
	}
}

func TestARequestWithANulIsRefusedBeforeItIsCutInTwo(t *testing.T) {
	if answer, err := Consume(context.Background(), "{\"bizId\":\"A\"}\x00{"); answer != nil || err == nil {
		t.Errorf("found %v, %v", answer, err)
	}
}
