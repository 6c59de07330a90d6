import { expectOneOf, showUncalled } from "../common/expect.js";
import {
  algorithm1,
  equations,
  mechanic,
  mechanize,
  superlevel,
  type FormName,
  type Tuner,
} from "./tuners.js";

const forms = { superlevel, mechanic, mechanize, equations, algorithm1 };

/** Checks a tuner, which may come from a parsed checkpoint. */
export function resolveTuner(tuner: unknown): Tuner {
  if (typeof tuner !== "object" || tuner === null) {
    throw new TypeError(`tuner: expected a tuner such as superlevel(), or null, got ${showUncalled(tuner)}`);
  }
  const known = Object.keys(forms) as FormName[];
  return forms[expectOneOf("tuner.form", (tuner as { form?: unknown }).form, known)](tuner);
}
