/** The plane of the Hessian's two largest eigenvalues. */
import { describe, expect, it } from "vitest";

import { hessianPlane, type LossGrad } from "superlevel/stability";

/** ½ Σ λ_i (q_i · x)² with q a reflection, so that no eigenvector is an axis; and x⁴, which is flat at 0. */
function quadratic(eigenvalues: number[]): { lossGrad: LossGrad; vectors: number[][] } {
  const n = eigenvalues.length;
  const normal = eigenvalues.map((_, i) => 1 / Math.sqrt(n) + 0.1 * i);
  const squares = normal.reduce((sum, value) => sum + value * value, 0);
  const vectors = eigenvalues.map((_, k) =>
    normal.map((value, i) => (i === k ? 1 : 0) - (2 * value * normal[k]) / squares),
  );
  const lossGrad: LossGrad = (x) => {
    const grads = Array.from(x, (value) => 4 * value ** 3);
    let loss = Array.from(x).reduce((sum, value) => sum + value ** 4, 0);
    vectors.forEach((vector, k) => {
      const along = vector.reduce((sum, value, i) => sum + value * x[i], 0);
      loss += (eigenvalues[k] * along * along) / 2;
      for (let i = 0; i < n; i++) grads[i] += eigenvalues[k] * along * vector[i];
    });
    return { loss, grads };
  };
  return { lossGrad, vectors };
}

const origin = (n: number) => new Float64Array(n);
const alignment = (a: ArrayLike<number>, b: readonly number[]) =>
  Math.abs(b.reduce((sum, value, i) => sum + value * a[i], 0));

describe("hessianPlane", () => {
  it.each([[[5, 1]], [[3, 9, 1, -2, 0.5]], [[1, 2, 3, 4, 5, 6, 7, 8, 30, 20]], [[-1, -2, -3]]])(
    "finds the two largest of %j",
    async (eigenvalues) => {
      const { lossGrad, vectors } = quadratic(eigenvalues);
      const plane = await hessianPlane(lossGrad, origin(eigenvalues.length), { tolerance: 1e-6 });
      const order = eigenvalues.map((_, i) => i).sort((a, b) => eigenvalues[b] - eigenvalues[a]);
      [0, 1].forEach((rank) => {
        expect(plane.eigenvalues[rank]).toBeCloseTo(eigenvalues[order[rank]], 5);
        expect(alignment(plane.directions[rank], vectors[order[rank]])).toBeCloseTo(1, 5);
      });
      const [u, v] = plane.directions;
      expect(u.reduce((sum, value, i) => sum + value * v[i], 0)).toBeCloseTo(0, 12);
    },
  );

  it("reports progress, ends when aborted, and names what is wrong", async () => {
    const { lossGrad } = quadratic([1, 2, 3]);
    const seen: number[] = [];
    await hessianPlane(lossGrad, origin(3), { onProgress: ({ done }) => seen.push(done) });
    expect(seen).toEqual(seen.map((_, k) => k + 1));
    expect(seen.length).toBeGreaterThanOrEqual(4);
    await expect(hessianPlane(lossGrad, origin(3), { signal: AbortSignal.abort() })).rejects.toThrow("abort");
    const controller = new AbortController();
    const onProgress = ({ done }: { done: number }) => done === 2 && controller.abort();
    const options = {
      signal: controller.signal,
      onProgress: (progress: { done: number }) => void onProgress(progress),
    };
    await expect(hessianPlane(lossGrad, origin(3), options)).rejects.toMatchObject({ name: "AbortError" });
    await expect(hessianPlane(lossGrad, [1])).rejects.toThrow("origin: expected at least 2 numbers, got 1");
    await expect(hessianPlane(lossGrad, origin(3), { products: 0 })).rejects.toThrow("options.products");
    await expect(hessianPlane((([x]: number[]) => x) as never, [1, 2])).rejects.toThrow("the loss alone");
  });
});
