// A Go consumer by hand: franz-go, go-json, and columns sent by clickhouse-go over HTTP.
//
// After a kill: at least once. The offsets are committed after the insert, so that one batch may be
// inserted again. https://pkg.go.dev/github.com/twmb/franz-go/pkg/kgo#Client.CommitRecords
package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/twmb/franz-go/pkg/kgo"
)

// env is a variable of the benchmark; only the size and the age of a batch have defaults.
func env(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

func consumer() (*kgo.Client, error) {
	return kgo.NewClient(
		kgo.SeedBrokers(env("BENCH_SERVERS", "")),
		kgo.ConsumeTopics(env("BENCH_TOPIC", "")),
		kgo.ConsumerGroup(env("BENCH_GROUP", "")),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.DisableAutoCommit(),
		// A member that was killed holds its partitions for this time.
		kgo.SessionTimeout(6*time.Second),
		kgo.HeartbeatInterval(2*time.Second),
	)
}

func store() (clickhouse.Conn, error) {
	address, err := url.Parse(env("BENCH_CLICKHOUSE", ""))
	if err != nil {
		return nil, err
	}
	return clickhouse.Open(&clickhouse.Options{
		Addr:     []string{address.Host},
		Protocol: clickhouse.HTTP,
		// As our sink does: merges make the indexes.
		Settings: clickhouse.Settings{"async_insert": 0, "materialize_skip_indexes_on_insert": 0},
		// Over loopback a compressor costs more than it saves.
		Compression: &clickhouse.Compression{Method: clickhouse.CompressionNone},
	})
}

// run inserts batch after batch until the context ends.
func run(ctx context.Context, rows int, age time.Duration) error {
	kafka, err := consumer()
	if err != nil {
		return err
	}
	defer kafka.Close()
	conn, err := store()
	if err != nil {
		return err
	}
	defer conn.Close()
	for ctx.Err() == nil {
		records, err := poll(ctx, kafka, rows, age)
		if err != nil {
			return err
		}
		if len(records) == 0 {
			continue
		}
		if err := insert(ctx, conn, env("BENCH_TABLE", ""), records); err != nil {
			return err
		}
		if err := kafka.CommitRecords(ctx, records...); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// poll returns as many records, or those that came until the first of them had this age.
func poll(ctx context.Context, kafka *kgo.Client, rows int, age time.Duration) ([]*kgo.Record, error) {
	fetches := kafka.PollRecords(ctx, rows)
	records, err := fetches.Records(), fetches.Err()
	limit, cancel := context.WithTimeout(ctx, age)
	defer cancel()
	for err == nil && len(records) < rows {
		fetches = kafka.PollRecords(limit, rows-len(records))
		records, err = append(records, fetches.Records()...), fetches.Err()
	}
	if errors.Is(err, context.DeadlineExceeded) {
		err = nil
	}
	return records, err
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	rows, err := strconv.Atoi(env("BENCH_ROWS", "100000"))
	age, other := time.ParseDuration(env("BENCH_MS", "50") + "ms")
	if err == nil {
		err = other
	}
	if err == nil {
		err = run(ctx, rows, age)
	}
	if err != nil && ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
