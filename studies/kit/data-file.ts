/* The one place where files of data are read: unpacked, and checked against those that the results were recorded with. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";

/** A file of data is not what it should be; the message names the file and what is wrong. */
export class DataError extends Error {
  override name = "DataError";
}

/** Where real data are looked for: a folder with `mnist/`, `cifar10/`, `text/` and `tabular/`. */
export const dataFolder = resolve(
  process.env.SUPERLEVEL_DATA ?? fileURLToPath(new URL("../../../shared/data", import.meta.url)),
);

/** Length and SHA-256 of contents, unpacked; by path in the data folder, without ".gz". */
const known: Readonly<Record<string, readonly [bytes: number, sha256: string]>> = {
  "mnist/t10k-images-idx3-ubyte": [
    7_840_016,
    "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
  ],
  "mnist/t10k-labels-idx1-ubyte": [
    10_008,
    "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
  ],
  "mnist/train-images-idx3-ubyte": [
    47_040_016,
    "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
  ],
  "mnist/train-labels-idx1-ubyte": [
    60_008,
    "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
  ],
  "cifar10/cifar10-test-2000.bin": [
    6_146_000,
    "a365c883b8727b5960b1f88c468d807bb5487294a2fb9b0aa2fb8a93024384c3",
  ],
  "cifar10/cifar10-train-10000.bin": [
    30_730_000,
    "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5",
  ],
  "tabular/digits.csv": [264_712, "6ebb3d2fee246a4e99363262ddf8a00a3c41bee6014c373ed9d9216ba7f651b8"],
  "tabular/iris.csv": [2_734, "f13ffa8fdd56fd8e6c8d16d4081a3fbd3114bcd0aae4256c43205169cd9d1449"],
  "tabular/wine_data.csv": [11_157, "10e8a802908b34f86e5da8ce962f3c806694bc98450a18f61851af59f324bede"],
  "text/tinyshakespeare.txt": [1_115_394, "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"],
};

/** What the file holds, unpacked if it is gzipped. @throws DataError naming the file and what is wrong. */
export function readData(path: string): Uint8Array {
  const bytes = unpacked(path);
  const name = relative(dataFolder, resolve(path)).replaceAll("\\", "/");
  const expected = known[name.replace(/\.gz$/, "")];
  if (expected) verify(path, bytes, ...expected);
  return bytes;
}

function unpacked(path: string): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new DataError(`${path}: cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
  // Recognised by content: a browser or a mirror may have unpacked the file and kept its name.
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return gunzipSync(bytes);
  } catch (error) {
    const truncated = (error as NodeJS.ErrnoException).code === "Z_BUF_ERROR";
    throw new DataError(`${path}: ${truncated ? "truncated gzip stream" : "damaged gzip stream"}`);
  }
}

/** Results on other data could not be compared with those recorded. */
function verify(path: string, bytes: Uint8Array, length: number, sha256: string): void {
  const found = createHash("sha256").update(bytes).digest("hex");
  if (bytes.length === length && found === sha256) return;
  throw new DataError(
    `${path}: not the file that the results were recorded with. Expected ${length} bytes with SHA-256 ${sha256}, ` +
      `got ${bytes.length} bytes with SHA-256 ${found}. Fetch it anew, or take it away to go on without it.`,
  );
}

/** As text of UTF-8. */
export const readText = (path: string): string => new TextDecoder().decode(readData(path));
