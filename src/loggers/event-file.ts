import { expectFunction } from "../common/expect.js";
import type { LogTarget } from "./log-to.js";

/*
 * TensorBoard reads files of records: a length of eight bytes, its masked CRC, that many bytes, their masked CRC. Each record is
 * an Event in the encoding of protocol buffers (tensorflow/core/util/event.proto, framework/summary.proto).
 */

/** CRC-32C, the polynomial of Castagnoli, bit-reversed. */
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  return crc;
});

/** A CRC of data that hold CRCs would be weak, so they are stored rotated and moved. */
function maskedCrc(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = TABLE[(crc ^ byte) & 0xff] ^ (crc >>> 8);
  crc = ~crc >>> 0;
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

function record(data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(16 + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length, true);
  view.setUint32(8, maskedCrc(bytes.subarray(0, 8)), true);
  bytes.set(data, 12);
  view.setUint32(12 + data.length, maskedCrc(data), true);
  return bytes;
}

/** The wire types of fields. */
const [VARINT, DOUBLE, BYTES, FLOAT] = [0, 1, 2, 5];
const utf8 = new TextEncoder();

/** Bytes of 7 bits, lowest first; the eighth says that there is more. */
function varint(value: number): number[] {
  const bytes: number[] = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) + 128);
  return [...bytes, value];
}

function fixed(size: 4 | 8, value: number): number[] {
  const view = new DataView(new ArrayBuffer(size));
  if (size === 4) view.setFloat32(0, value, true);
  else view.setFloat64(0, value, true);
  return [...new Uint8Array(view.buffer)];
}

const tag = (field: number, type: number) => varint(field * 8 + type);
const integer = (field: number, value: number) => [...tag(field, VARINT), ...varint(value)];
const double = (field: number, value: number) => [...tag(field, DOUBLE), ...fixed(8, value)];
const float = (field: number, value: number) => [...tag(field, FLOAT), ...fixed(4, value)];
const bytes = (field: number, value: readonly number[] | Uint8Array) => [
  ...tag(field, BYTES),
  ...varint(value.length),
  ...value,
];
const text = (field: number, value: string) => bytes(field, utf8.encode(value));

/** A value of a Summary: a number as simple_value, a text as a tensor of one string for the plugin "text". */
function summaryValue(name: string, value: number | string): number[] {
  if (typeof value === "number") return bytes(1, [...text(1, name), ...float(2, value)]);
  const [STRING, dimension] = [7, bytes(2, integer(1, 1))];
  const tensor = [...integer(1, STRING), ...bytes(2, dimension), ...text(8, value)];
  const metadata = bytes(1, text(1, "text"));
  return bytes(1, [...text(1, name), ...bytes(8, tensor), ...bytes(9, metadata)]);
}

/**
 * A target for {@link logTo} that writes the events TensorBoard reads. The file's name has to hold `tfevents`.
 *
 * @param write gets the bytes of each event, to be appended to the file
 * @param now seconds since 1970, default `Date.now() / 1000`
 * @throws TypeError when `write` is not a function
 * @example
 * import { eventFile } from "superlevel/stability";
 * const parts: Uint8Array[] = [];
 * const events = eventFile((bytes) => parts.push(bytes));
 * events.log({ loss: 0.5 }, { step: 1 });
 * parts.length; // → 2
 */
export function eventFile(write: (bytes: Uint8Array) => void, now = () => Date.now() / 1000): LogTarget {
  expectFunction("eventFile(write)", write);
  expectFunction("eventFile(now)", now);
  const event = (...fields: number[][]) =>
    write(record(Uint8Array.from([...double(1, now()), ...fields.flat()])));
  event(text(3, "brain.Event:2"));
  return {
    log(values, { step }) {
      const summary = Object.entries(values).flatMap(([name, value]) => summaryValue(name, value));
      event(integer(2, step), bytes(5, summary));
    },
  };
}
