/** What a run is logged as: values by tag, and the files of TensorBoard, read back by a parser of its own. */
import { adam, createOptimizer, sgd, type GradientSource } from "../../src/index.js";
import { eventFile, logTo, lyapunovMonitor, type LogTarget } from "../../src/stability/index.js";
import { describe, expect, test } from "vitest";

const bowl: GradientSource = ([x, y], g) => {
  g.set([x, 10 * y]);
  return (x * x + 10 * y * y) / 2;
};

type Fields = Map<number, (number | Uint8Array)[]>;

/** The fields of a message of protocol buffers. */
function parse(bytes: Uint8Array): Fields {
  const fields: Fields = new Map();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  const varint = () => {
    let [value, factor] = [0, 1];
    for (; ; factor *= 128) {
      const byte = bytes[at++];
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const key = varint();
    const [field, type] = [key >> 3, key & 7];
    let value: number | Uint8Array;
    if (type === 0) value = varint();
    else if (type === 1) [value, at] = [view.getFloat64(at, true), at + 8];
    else if (type === 5) [value, at] = [view.getFloat32(at, true), at + 4];
    else {
      expect(type).toBe(2);
      const length = varint();
      [value, at] = [bytes.subarray(at, at + length), at + length];
    }
    fields.set(field, [...(fields.get(field) ?? []), value]);
  }
  expect(at).toBe(bytes.length);
  return fields;
}

/** CRC-32C by division of polynomials, one bit at a time. */
function crc32c(bytes: Uint8Array): number {
  let crc = ~0;
  for (const byte of bytes) {
    for (let bit = 0; bit < 8; bit++) {
      const odd = (crc ^ (byte >> bit)) & 1;
      crc = (crc >>> 1) ^ (odd ? 0x82f63b78 : 0);
    }
  }
  return ~crc >>> 0;
}

/** rotr(crc, 15) + 0xa282ead8, undone. */
function unmask(masked: number): number {
  const rotated = (masked - 0xa282ead8) >>> 0;
  return ((rotated << 15) | (rotated >>> 17)) >>> 0;
}

const string = (value: unknown) => new TextDecoder().decode(value as Uint8Array);

/** The events of a file: when, at which step, and what. */
function read(file: Uint8Array) {
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  const events: { time: number; step: number; version?: string; values: Record<string, number | string> }[] =
    [];
  for (let at = 0; at < file.length;) {
    const length = Number(view.getBigUint64(at, true));
    const data = file.subarray(at + 12, at + 12 + length);
    expect(unmask(view.getUint32(at + 8, true))).toBe(crc32c(file.subarray(at, at + 8)));
    expect(unmask(view.getUint32(at + 12 + length, true))).toBe(crc32c(data));
    at += 16 + length;
    const event = parse(data);
    const values: Record<string, number | string> = {};
    for (const bytes of event.has(5) ? (parse(event.get(5)![0] as Uint8Array).get(1) ?? []) : []) {
      const value = parse(bytes as Uint8Array);
      const name = string(value.get(1)![0]);
      if (value.has(2)) values[name] = value.get(2)![0] as number;
      else {
        const tensor = parse(value.get(8)![0] as Uint8Array);
        expect(tensor.get(1)).toEqual([7]);
        const plugin = parse(parse(value.get(9)![0] as Uint8Array).get(1)![0] as Uint8Array);
        expect(string(plugin.get(1)![0])).toBe("text");
        values[name] = string(tensor.get(8)![0]);
      }
    }
    const version = event.has(3) ? string(event.get(3)![0]) : undefined;
    events.push({
      time: event.get(1)![0] as number,
      step: (event.get(2)?.[0] as number) ?? 0,
      ...(version !== undefined && { version }),
      values,
    });
  }
  return events;
}

function file(log: (target: LogTarget) => void): Uint8Array {
  const parts: number[] = [];
  log(
    eventFile(
      (bytes) => parts.push(...bytes),
      () => 1234.5,
    ),
  );
  return Uint8Array.from(parts);
}

describe("files of TensorBoard", () => {
  test('the CRC that both sides use is CRC-32C: of "123456789" it is e3069283', () => {
    expect(crc32c(new TextEncoder().encode("123456789"))).toBe(0xe3069283);
  });

  test("numbers and texts come back, at their steps", () => {
    const long = "ä".repeat(200);
    const events = read(
      file((target) => {
        target.log({ loss: 0.5, "superlevel/scale": 1e-20 }, { step: 1 });
        target.log({ loss: -Infinity, note: long }, { step: 3_000_000_000 });
      }),
    );
    expect(events).toEqual([
      { time: 1234.5, step: 0, version: "brain.Event:2", values: {} },
      { time: 1234.5, step: 1, values: { loss: 0.5, "superlevel/scale": Math.fround(1e-20) } },
      { time: 1234.5, step: 3_000_000_000, values: { loss: -Infinity, note: long } },
    ]);
  });

  test("a record is to the byte what TensorFlow writes", () => {
    // The first record of every file, at wall_time 0: length 24, its CRC, wall_time, file_version, the CRC of both.
    const parts: Uint8Array[] = [];
    eventFile(
      (bytes) => parts.push(bytes),
      () => 0,
    );
    expect(Buffer.from(parts[0]).toString("hex")).toBe(
      `1800000000000000${"a37f4b22"}090000000000000000${"1a0d"}${Buffer.from("brain.Event:2").toString("hex")}${Buffer.from(
        parts[0].subarray(-4),
      ).toString("hex")}`,
    );
  });
});

describe("a run", () => {
  const tensors = [
    { name: "a", shape: [1], values: [1] },
    { name: "b", shape: [1], values: [1] },
  ];

  test("is logged by tag: loss, rate, gradient, update ratio, scale, and the same by tensor", () => {
    const seen: [Record<string, number | string>, number][] = [];
    const logger = logTo({ log: (values, { step }) => seen.push([values, step]) }, { every: 3 });
    const optimizer = createOptimizer(tensors, { base: sgd({ learningRate: 0.05 }), tuner: null });
    optimizer.minimize(bowl, { steps: 7, monitors: [logger] });
    expect(seen.map(([, step]) => step)).toEqual([1, 3, 6]);
    const [values] = seen[0];
    expect(Object.keys(values).sort()).toEqual(
      ["grad_norm", "grad_norm/a", "grad_norm/b", "learning_rate", "loss", "superlevel/scale"].concat([
        "update_ratio",
        "update_ratio/a",
        "update_ratio/b",
      ]),
    );
    expect(values).toMatchObject({
      loss: 5.5,
      learning_rate: 0.05,
      "superlevel/scale": 1,
      "grad_norm/b": 10,
    });
    expect(values.grad_norm).toBeCloseTo(Math.hypot(1, 10), 6);
    expect(values.update_ratio).toBeCloseTo((0.05 * Math.hypot(1, 10)) / Math.SQRT2, 6);
    expect(values["update_ratio/a"]).toBeCloseTo(0.05, 6);
  });

  test("S of a tuner multiplies the update ratio", () => {
    const seen: Record<string, number | string>[] = [];
    const optimizer = createOptimizer([1, 1], { base: adam() });
    const logger = logTo({ log: (values) => seen.push(values) }, { every: 1 });
    optimizer.minimize(bowl, { steps: 5, deterministic: true, monitors: [logger] });
    expect(seen).toHaveLength(5);
    expect(seen[4]["superlevel/scale"]).toBe(optimizer.scale);
  });

  test("findings are logged as text, where they change", () => {
    const texts: [number, string][] = [];
    const monitor = lyapunovMonitor();
    const target: LogTarget = {
      log(values, { step }) {
        const text = values["superlevel/findings"];
        if (text !== undefined) texts.push([step, String(text)]);
      },
    };
    const optimizer = createOptimizer([1, 1], { base: sgd({ learningRate: 0.25 }), tuner: null });
    const monitors = [monitor, logTo(target, { monitor, every: 10 })];
    optimizer.minimize(bowl, { steps: 40, deterministic: true, guard: null, monitors });
    expect(texts).toHaveLength(1);
    expect(texts[0][1]).toContain("learning rate past the edge of stability");
  });

  test("what is wrong with the arguments is named", () => {
    expect(() => logTo({} as LogTarget)).toThrow("logTo(target).log");
    expect(() => logTo({ log: () => 0 }, { every: 0 })).toThrow("logTo.every");
    expect(() => eventFile(3 as never)).toThrow("eventFile(write)");
  });
});
