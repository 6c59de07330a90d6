import { addProduct, blend, drift, root, round, square } from "./arithmetic.js";
import { biasOf, write, type Constants, type Linear, type ScalarRule } from "./base.js";

/* What `adam({ nesterov: true })` has of its own: Dozat 2016, as in PyTorch. */

interface Options {
  readonly beta1: number;
  readonly beta2: number;
  readonly eps: number;
  readonly momentumDecay: number;
}

/** Weights of g and of mu in the t-th direction, with the corrections of their bias. */
export function lookAhead({
  beta1,
  momentumDecay,
}: Options): (t: number) => Pick<Linear, "direct" | "carried"> {
  const mu = (t: number) => beta1 * (1 - 0.5 * 0.96 ** (t * momentumDecay));
  const productTo = products(mu);
  return (t) => {
    const product = productTo(t);
    const muNext = mu(t + 1);
    return { direct: (1 - mu(t)) / (1 - product), carried: muNext / (1 - product * muNext) };
  };
}

export function nadamConstants(options: Options): Constants {
  const { beta1, beta2, eps } = options;
  const weights = lookAhead(options);
  const bias2 = biasOf(beta2);
  return (applied, eta, out, fresh) => {
    const { direct, carried } = weights(fresh);
    const inverseRoot = 1 / Math.sqrt(bias2(applied));
    write(out, eta * direct, 1 - beta1, beta2, 1 - beta2, inverseRoot, eps, carried / direct);
  };
}

export const nadamKernel: { readonly NADAM: ScalarRule } = {
  NADAM: {
    update(f, i, gap, g, step, c) {
      const mu = (f[i] = drift(f[i], c[0], g));
      const nu = (f[i + gap] = blend(c[1], f[i + gap], c[2], square(g)));
      return round(round(step * addProduct(g, c[5], mu)) / addProduct(c[4], root(nu), c[3]));
    },
  },
};

/**
 * Π_t = factor(1) ⋯ factor(t), factors below 1 that grow. It remembers the last one, but depends on t alone: a run
 * that resumes multiplies in the same order, so its products are the same to the last bit.
 */
function products(factor: (t: number) => number): (t: number) => number {
  let at = 0;
  let product = 1;
  return (t) => {
    if (t < at) [at, product] = [0, 1];
    for (; at < t; at++) {
      const next = product * factor(at + 1);
      // At 0, or at the smallest number there is, it stays for good.
      if (next === product) break;
      product = next;
    }
    at = t;
    return product;
  };
}
