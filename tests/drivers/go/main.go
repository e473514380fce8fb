// pgx: URLs come in, what each login finds goes out.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"

	"github.com/jackc/pgx/v5"
)

func login(url string) (json.RawMessage, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	if _, pooled := os.LookupEnv("POOLED"); pooled {
		config.DefaultQueryExecMode = pgx.QueryExecModeExec
	}
	ctx := context.Background()
	session, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	defer session.Close(ctx)
	rounds, err := strconv.Atoi(os.Getenv("ROUNDS"))
	var found string
	for round := 0; err == nil && round < rounds; round++ {
		err = session.QueryRow(ctx, os.Getenv("QUERY")).Scan(&found)
	}
	return json.RawMessage(found), err
}

func main() {
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		told := map[string]any{}
		if found, err := login(lines.Text()); err != nil {
			told["refused"] = err.Error()
		} else {
			told["found"] = found
		}
		line, err := json.Marshal(told)
		if err != nil {
			panic(err)
		}
		fmt.Println(string(line))
	}
}
