import { parseArgs } from "node:util";

export interface Options {
  /** Folder with the files of MNIST; without it the digits are drawn. */
  readonly mnist: string | undefined;
  readonly seeds: number;
  readonly epochs: number;
  readonly quick: boolean;
  readonly out: string;
  readonly help: boolean;
}

/** A command line that cannot be understood. */
export class UsageError extends Error {
  override name = "UsageError";
}

export const help = `Trains a small network on images of digits: superlevel, which is given no learning rate,
against Adam and SGD at five learning rates each.

Usage: npm start -- [options]

  --mnist DIR   train on MNIST instead of drawn digits; DIR holds its four IDX files, .gz or plain
  --seeds N     repeat with N initialisations and batch orders, show mean and spread (default 1)
  --epochs N    passes over the training images (default 5)
  --quick       2000 images: a few seconds instead of a minute
  --out DIR     where to write loss.svg (default build/digits)
  --help        this text
`;

export function parseOptions(args: readonly string[]): Options {
  const values = parse(args);
  return {
    mnist: values.mnist,
    seeds: positiveInteger("--seeds", values.seeds ?? "1"),
    epochs: positiveInteger("--epochs", values.epochs ?? "5"),
    quick: values.quick ?? false,
    out: values.out ?? "build/digits",
    help: values.help ?? false,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        mnist: { type: "string" },
        seeds: { type: "string" },
        epochs: { type: "string" },
        quick: { type: "boolean" },
        out: { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    }).values;
  } catch (error) {
    // Node adds advice on positional arguments after the first sentence; this program takes none.
    throw new UsageError((error as Error).message.split(". ")[0]);
  }
}

function positiveInteger(name: string, text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || value > 10_000) {
    throw new UsageError(`${name} must be a whole number from 1 to 10000, not "${text}"`);
  }
  return value;
}
