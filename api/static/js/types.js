// @ts-check
/**
 * The types that modules share.
 *
 * @typedef {{symbol: string, price: number, volume: number, timestamp: string,
 *   inserted_by: string, kafka_partition: number, kafka_offset: string}} Row
 *   A tick as the API sends it.
 * @typedef {Row & {time: number, move: number}} Tick
 *   `time` is its timestamp in milliseconds; `move` is 1, -1 or 0: the price compared with that of the tick before.
 * @typedef {{symbol: string, price: number, volume: number, timestamp: string, time: number,
 *   move: number, moves: number, open: number, low: number, high: number}} Quote
 *   The content of a card; open, low and high are those of the UTC day, NaN if unknown.
 * @typedef {{start: number, open: number, high: number, low: number, close: number, volume: number,
 *   first: number, last: number}} Candle
 *   `first` and `last` are the times of the ticks of open and close.
 * @typedef {{topic: string, kafka_partition: number, kafka_offset: string, kafka_timestamp: string,
 *   stage: string, reason: string, has_record: boolean,
 *   key_text: string | null, key_base64: string | null,
 *   value_text: string | null, value_base64: string | null, value_size: number | null}} DeadLetter
 *   A dead letter as the API sends it.
 * @typedef {{rule: string, symbol: string, started_at: string, ended_at: string, severity: string,
 *   details: any, message: string}} Alert
 *   An alert as the API sends it.
 * @typedef {{symbols: string[], interval: string, range: string, type: string, window: string,
 *   filter: string, find: string, sort: string}} View
 *   The state that the address holds.
 */

export {};
