/** A pole on a cart that is pushed left or right (Barto, Sutton and Anderson, 1983), with the numbers of Gym's CartPole-v1. */
export interface CartPole {
  /** Position, speed, angle, angular speed. */
  readonly state: Float64Array;
  /** Pushes for a fiftieth of a second; false once the pole has fallen or the cart has left the track. */
  push(right: boolean): boolean;
}

const [gravity, cart, pole, half, force, dt] = [9.8, 1, 0.1, 0.5, 10, 0.02];
const total = cart + pole;

export function createCartPole(uniform: () => number): CartPole {
  const state = Float64Array.from({ length: 4 }, () => 0.1 * uniform() - 0.05);
  return {
    state,
    push(right) {
      const [x, v, angle, w] = state;
      const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
      const pushed = ((right ? force : -force) + pole * half * w * w * sin) / total;
      const turn = (gravity * sin - cos * pushed) / (half * (4 / 3 - (pole * cos * cos) / total));
      state[0] = x + dt * v;
      state[1] = v + dt * (pushed - (pole * half * turn * cos) / total);
      state[2] = angle + dt * w;
      state[3] = w + dt * turn;
      return Math.abs(state[0]) <= 2.4 && Math.abs(state[2]) <= Math.PI / 15;
    },
  };
}
