package main

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/goccy/go-json"
	"github.com/twmb/franz-go/pkg/kgo"
)

// tick is the value of a message.
type tick struct {
	Symbol    string  `json:"symbol"`
	Price     float64 `json:"price"`
	Volume    uint32  `json:"volume"`
	Timestamp string  `json:"timestamp"`
}

// ISO-8601 in UTC; a fraction of a second may follow.
const layout = "2006-01-02T15:04:05"

const writer = "go"

// types are those of the table, so that the driver need not ask for them before each insert.
var types = []clickhouse.ColumnNameAndType{
	{Name: "symbol", Type: "LowCardinality(String)"},
	{Name: "price", Type: "Float64"},
	{Name: "volume", Type: "UInt32"},
	{Name: "timestamp", Type: "DateTime64(6, 'UTC')"},
	{Name: "kafka_partition", Type: "Int32"},
	{Name: "kafka_offset", Type: "Int64"},
	{Name: "kafka_timestamp", Type: "DateTime64(3, 'UTC')"},
	{Name: "inserted_by", Type: "LowCardinality(String)"},
}

// columns are the rows of a batch, in the order of types.
type columns struct {
	symbols    []string
	prices     []float64
	volumes    []uint32
	timestamps []time.Time
	partitions []int32
	offsets    []int64
	received   []time.Time
	writers    []string
}

func (c *columns) add(record *kgo.Record) error {
	var t tick
	if err := json.Unmarshal(record.Value, &t); err != nil {
		return err
	}
	at, err := time.Parse(layout, t.Timestamp)
	if err != nil {
		return err
	}
	c.symbols = append(c.symbols, t.Symbol)
	c.prices = append(c.prices, t.Price)
	c.volumes = append(c.volumes, t.Volume)
	c.timestamps = append(c.timestamps, at)
	c.partitions = append(c.partitions, record.Partition)
	c.offsets = append(c.offsets, record.Offset)
	c.received = append(c.received, record.Timestamp)
	c.writers = append(c.writers, writer)
	return nil
}

// insert stores the records in one insert, or returns why none of them is known to be stored.
func insert(ctx context.Context, conn clickhouse.Conn, table string, records []*kgo.Record) error {
	var c columns
	for _, record := range records {
		if err := c.add(record); err != nil {
			return fmt.Errorf("partition %d, offset %d: %w", record.Partition, record.Offset, err)
		}
	}
	ctx = clickhouse.Context(ctx, clickhouse.WithColumnNamesAndTypes(types))
	names := "symbol, price, volume, timestamp, kafka_partition, kafka_offset, kafka_timestamp, inserted_by"
	batch, err := conn.PrepareBatch(ctx, fmt.Sprintf("INSERT INTO %s (%s)", table, names))
	if err != nil {
		return err
	}
	defer batch.Close()
	for i, column := range []any{
		c.symbols, c.prices, c.volumes, c.timestamps, c.partitions, c.offsets, c.received, c.writers,
	} {
		if err := batch.Column(i).Append(column); err != nil {
			return err
		}
	}
	return batch.Send()
}
