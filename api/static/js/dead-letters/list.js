// @ts-check
// The list of dead letters. Anyone may have written a record's content: it is only ever set as text.

import { cloneTemplate, find, setAttribute, setText } from "../dom.js";
import * as format from "../format.js";

/** @typedef {import("../types.js").DeadLetter} DeadLetter */

/** @param {HTMLElement} list */
export function createList(list) {
  /** @type {Map<string, HTMLElement>} */
  let items = new Map();
  return {
    size: () => items.size,
    /** Whether someone is reading it, so that nothing in it may move. */
    isRead: () => list.scrollTop > 0 || list.matches(":hover, :focus-within"),
    /** Show these; a record that is shown already keeps its element. @param {DeadLetter[]} letters */
    show(letters) {
      items = new Map(letters.map((letter) => [id(letter), items.get(id(letter)) ?? item(letter)]));
      list.replaceChildren(...items.values());
    },
    /** Show these after the others. @param {DeadLetter[]} letters */
    append(letters) {
      for (const letter of letters) if (!items.has(id(letter))) items.set(id(letter), item(letter));
      list.append(...[...items.values()].filter((each) => !each.isConnected));
    },
  };
}

/** Identifies an element; another one once the reason or content of its record differs. @param {DeadLetter} letter */
const id = ({ topic, kafka_partition, kafka_offset, stage, reason, has_record }) =>
  JSON.stringify([topic, kafka_partition, kafka_offset, stage, reason, has_record]);

/** @param {DeadLetter} letter */
function item(letter) {
  const node = cloneTemplate("dead-letter");
  const time = find("time", node);
  setAttribute(time, "datetime", letter.kafka_timestamp);
  setAttribute(time, "title", format.utc(letter.kafka_timestamp));
  setText(time, format.moment(Date.parse(letter.kafka_timestamp), 1));
  setText(find(".place", node), `${letter.topic}, partition ${letter.kafka_partition}, offset ${letter.kafka_offset}`);
  setText(find(".stage", node), letter.stage);
  setText(find(".reason", node), letter.reason);
  const value = content(letter, "value");
  setText(find("summary .text", node), value.slice(0, 300));
  setText(find("pre", node), value);
  setText(find(".note", node), note(letter));
  setText(find(".key", node), content(letter, "key"));
  return node;
}

/** The value or the key in words: its text, or else its bytes in Base64. @param {DeadLetter} letter @param {"key" | "value"} part */
function content(letter, part) {
  if (!letter.has_record) return "not read from Kafka yet";
  const text = letter[`${part}_text`];
  const bytes = letter[`${part}_base64`];
  if (bytes === null) return "none";
  return (text ?? `Base64: ${bytes}`) || "empty";
}

/** @param {DeadLetter} letter */
function note({ value_size, value_base64 }) {
  // Base64 has four characters for each three bytes.
  const isCut = value_size !== null && value_base64 !== null && (value_base64.length * 3) / 4 < value_size;
  return isCut ? `The beginning of ${format.count(value_size)} bytes.` : "";
}
