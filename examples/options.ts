/** `--quick`, which every example takes: a few seconds, for trying it out and for tests. */
export const quick = process.argv.includes("--quick");
