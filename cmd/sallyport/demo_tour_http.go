package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"sallyport/internal/demo"
)

const prompt = "What is a sally port?"

// httpSteps show the HTTP side with OpenAI's own client library.
func (t *tour) httpSteps() []step {
	return []step{
		{"a chat completion; the gateway injects the key", t.chatCommand(demo.Model, false), t.chat},
		{"the same, streamed", t.chatCommand(demo.Model, true), t.stream},
		{"another model is refused, as the client library knows refusals", t.chatCommand("dear-1", false), t.refusedModel},
	}
}

func (t *tour) chatCommand(model string, stream bool) string {
	body := fmt.Sprintf("model: %s, user: %q", model, prompt)
	if stream {
		body += ", stream: true"
	}
	return "POST /openai/v1/chat/completions  " + body
}

// model is the SDK as an agent has it: another base URL, and the token as its key.
func (t *tour) model() openai.Client {
	return openai.NewClient(option.WithBaseURL("http://"+t.at.HTTP+"/openai/v1/"), option.WithAPIKey(t.world.Agent),
		option.WithMaxRetries(0))
}

func question(model string) openai.ChatCompletionNewParams {
	return openai.ChatCompletionNewParams{
		Model:    model,
		Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage(prompt)},
	}
}

func (t *tour) chat(ctx context.Context) ([]string, string, error) {
	before := len(t.world.OpenAI.Calls())
	client := t.model()
	reply, err := client.Chat.Completions.New(ctx, question(demo.Model))
	if err != nil {
		return nil, "", err
	}
	if len(reply.Choices) != 1 || reply.Choices[0].Message.Content != demo.Answer() {
		return nil, "", errors.New("that is not what the model said: " + reply.RawJSON())
	}
	lines := []string{reply.Choices[0].Message.Content}
	return lines, "answered; the upstream got its own key and never the token", t.injected(before)
}

func (t *tour) stream(ctx context.Context) ([]string, string, error) {
	before := len(t.world.OpenAI.Calls())
	client := t.model()
	events := client.Chat.Completions.NewStreaming(ctx, question(demo.Model))
	defer func() { _ = events.Close() }()
	var lines []string
	for events.Next() {
		for _, choice := range events.Current().Choices {
			if choice.Delta.Content != "" {
				lines = append(lines, choice.Delta.Content)
			}
		}
	}
	if err := events.Err(); err != nil {
		return lines, "", err
	}
	if strings.Join(lines, "") != demo.Answer() {
		return lines, "", errors.New("that is not what the model said")
	}
	return lines, fmt.Sprintf("streamed in %d pieces", len(lines)), t.injected(before)
}

// injected looks at the one call the upstream received since before: its own
// key is in it, the caller's token nowhere.
func (t *tour) injected(before int) error {
	calls := t.world.OpenAI.Calls()[before:]
	if len(calls) != 1 {
		return fmt.Errorf("the upstream received %d calls", len(calls))
	}
	call := calls[0]
	if got := call.Header.Values("Authorization"); len(got) != 1 || got[0] != "Bearer "+t.world.Key {
		return errors.New("the upstream did not get its key")
	}
	if strings.Contains(fmt.Sprint(call.Header, call.Path, call.Body), t.world.Agent) {
		return errors.New("the upstream got the gateway token")
	}
	return nil
}

func (t *tour) refusedModel(ctx context.Context) ([]string, string, error) {
	before := len(t.world.OpenAI.Calls())
	client := t.model()
	_, err := client.Chat.Completions.New(ctx, question("dear-1"))
	var refusal *openai.Error
	if !errors.As(err, &refusal) {
		return nil, "", fmt.Errorf("it was not refused: %w", err)
	}
	lines := []string{fmt.Sprintf("%d  %s", refusal.StatusCode, refusal.Message)}
	if refusal.StatusCode != 403 || !strings.Contains(refusal.Message, "known-models") {
		return lines, "", errors.New("not a refusal by rule \"known-models\"")
	}
	if n := len(t.world.OpenAI.Calls()); n != before {
		return lines, "", errors.New("the upstream was called all the same")
	}
	return lines, "refused; the upstream was not called", nil
}
