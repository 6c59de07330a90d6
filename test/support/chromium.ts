/** The browser of the tests. */
import { existsSync } from "node:fs";

import { type Browser, chromium } from "playwright-core";

const executablePath = process.env.CHROMIUM_PATH ?? "/usr/bin/chromium";

// On CI a missing browser is a failure, not a reason to skip.
export const skipped = !existsSync(executablePath) && !process.env.CI;
export const skipNote = skipped ? ` (skipped: no Chromium at ${executablePath})` : "";

// Without the last four, Chromium looks for hosts of its own, which a closed network refuses many times over.
const args = [
  ...["--headless", "--no-sandbox", "--disable-quic", "--no-first-run"],
  ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
];

export function launch(graphics: readonly string[] = ["--disable-gpu"]): Promise<Browser> {
  return chromium.launch({ executablePath, args: [...args, ...graphics] });
}
