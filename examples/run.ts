/** `npm run example -- NAME` runs an example; without a name it lists them. `--quick` takes seconds. */
const examples: Record<string, { file: string; what: string }> = {
  logistic: { file: "./logistic.js", what: "logistic regression by hand" },
  "curve-fit": { file: "./curve-fit.js", what: "a curve through noisy points, without derivatives" },
  resume: { file: "./resume.js", what: "a run that is killed and goes on, to the same bits" },
  accumulate: { file: "./accumulate.js", what: "small batches that make the step of a large one" },
  cnn: { file: "./tfjs/cnn.js", what: "TensorFlow.js: a convolutional network on MNIST" },
  gru: { file: "./tfjs/gru.js", what: "TensorFlow.js: a recurrent network on tiny Shakespeare" },
  transformer: {
    file: "./tfjs/transformer.js",
    what: "TensorFlow.js: a small Transformer on tiny Shakespeare",
  },
  page: { file: "./page/serve.js", what: "a web page: points to click and a curve that follows them" },
};

const name = process.argv[2];
if (Object.hasOwn(examples, name ?? "")) {
  // The rest is for the example.
  process.argv.splice(2, 1);
  await import(examples[name].file);
} else {
  if (name !== undefined) {
    console.error(`there is no example ${JSON.stringify(name)}`);
    process.exitCode = 2;
  }
  console.log("usage: npm run example -- NAME [--quick]\n");
  for (const [name, { what }] of Object.entries(examples)) console.log(`  ${name.padEnd(12)} ${what}`);
}
