// Calls an agent by its URL alone, with a2a-go as it is: sends, streams and gets, over every binding.
//
// Prints as JSON: {"BINDING": {"send": text, "stream": [text], "get": state}}.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/a2aproject/a2a-go/v2/a2a"
	"github.com/a2aproject/a2a-go/v2/a2aclient"
	"github.com/a2aproject/a2a-go/v2/a2aclient/agentcard"
	a2agrpc "github.com/a2aproject/a2a-go/v2/a2agrpc/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

type seen struct {
	Send   string   `json:"send"`
	Stream []string `json:"stream"`
	Get    string   `json:"get"`
}

func message(text string) *a2a.SendMessageRequest {
	return &a2a.SendMessageRequest{Message: a2a.NewMessage(a2a.MessageRoleUser, a2a.NewTextPart(text))}
}

func send(ctx context.Context, client *a2aclient.Client, text string) (string, error) {
	result, err := client.SendMessage(ctx, message(text))
	if err != nil {
		return "", err
	}
	task, ok := result.(*a2a.Task)
	if !ok || len(task.Artifacts) == 0 {
		return "", fmt.Errorf("no task with an artifact: %v", result)
	}
	return task.Artifacts[0].Parts[0].Text(), nil
}

func call(ctx context.Context, card *a2a.AgentCard, binding a2a.TransportProtocol) (seen, error) {
	var answers seen
	client, err := a2aclient.NewFromCard(ctx, card,
		a2aclient.WithConfig(a2aclient.Config{PreferredTransports: []a2a.TransportProtocol{binding}}),
		a2agrpc.WithGRPCTransport(grpc.WithTransportCredentials(insecure.NewCredentials())))
	if err != nil {
		return answers, err
	}
	defer func() { _ = client.Destroy() }()
	if answers.Send, err = send(ctx, client, "hello"); err != nil {
		return answers, err
	}
	var id a2a.TaskID
	for event, err := range client.SendStreamingMessage(ctx, message("stream")) {
		if err != nil {
			return answers, err
		}
		id = event.TaskInfo().TaskID
		update, ok := event.(*a2a.TaskArtifactUpdateEvent)
		if !ok {
			continue
		}
		answers.Stream = append(answers.Stream, update.Artifact.Parts[0].Text())
		if len(answers.Stream) > 1 {
			continue
		}
		if _, err := send(ctx, client, "go on"); err != nil {
			return answers, err
		}
	}
	task, err := client.GetTask(ctx, &a2a.GetTaskRequest{ID: id})
	if err != nil {
		return answers, err
	}
	answers.Get = string(task.Status.State)
	return answers, nil
}

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	card, err := agentcard.DefaultResolver.Resolve(ctx, os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	answers := map[a2a.TransportProtocol]seen{}
	for _, binding := range []a2a.TransportProtocol{
		a2a.TransportProtocolJSONRPC, a2a.TransportProtocolHTTPJSON, a2a.TransportProtocolGRPC,
	} {
		if answers[binding], err = call(ctx, card, binding); err != nil {
			log.Fatalf("%s: %v", binding, err)
		}
	}
	_ = json.NewEncoder(os.Stdout).Encode(answers)
}
