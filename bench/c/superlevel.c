/*
 * superlevel with six betas over Adam or SGD, Δ stored: what assembly/ does, as plain loops that gcc vectorises. The
 * vectors are handed in: floats, padded with zeros to whole turns of 16, `gap` floats apart, in the order of `State`.
 * Sums: f32 lanes within blocks of 1024 coordinates, f64 across. addon.c calls this from Node.
 */
#include <math.h>
#include "superlevel.h"

enum { BLOCK = 1024, LANES = 16 };

static const double BETAS[K] = {0.9, 0.99, 0.999, 0.9999, 0.99999, 0.999999};
static const double LAMBDA = 0.01, S_INIT = 1e-6, EPS = 1e-30, M_FLOOR = 1e-30;

#define VECTOR(p) __builtin_assume_aligned(p, 64)
#define EACH_BLOCK(from, len, n) \
  for (size_t from = 0, len; from < (n) && (len = (n) - from < BLOCK ? (n) - from : BLOCK); from += len)

static float squares(const float *restrict v, size_t len) {
  v = VECTOR(v);
  float sum = 0;
  for (size_t i = 0; i < (len & -LANES); i++) sum += v[i] * v[i];
  return sum;
}

typedef struct {
  float step, beta1, rest1, beta2, rest2, inverse_root, eps;
} Rates;

static void adam(const float *restrict g, float *restrict delta, float *restrict mu, float *restrict nu, size_t len,
                 Rates k, State *state) {
  g = VECTOR(g), delta = VECTOR(delta), mu = VECTOR(mu), nu = VECTOR(nu);
  float dg = 0;
  for (size_t i = 0; i < (len & -LANES); i++) {
    const float m = k.beta1 * mu[i] + k.rest1 * g[i];
    const float v = k.beta2 * nu[i] + k.rest2 * (g[i] * g[i]);
    const float before = delta[i];
    const float after = before - k.step * m / (sqrtf(v) * k.inverse_root + k.eps);
    mu[i] = m;
    nu[i] = v;
    delta[i] = after;
    dg += before * g[i];
  }
  state->dg += dg;
}

static void sgd(const float *restrict g, float *restrict delta, size_t len, float step, State *state) {
  g = VECTOR(g), delta = VECTOR(delta);
  float dg = 0;
  for (size_t i = 0; i < (len & -LANES); i++) {
    const float before = delta[i];
    const float after = before - step * g[i];
    delta[i] = after;
    dg += before * g[i];
  }
  state->dg += dg;
}

#ifdef NON_TEMPORAL

#include <xmmintrin.h>

/* x goes to memory past the caches: its lines need not be read first. WebAssembly has no such store. */
static void move(float *restrict x, const float *restrict ref, const float *restrict delta, size_t len, float scale,
                 State *state) {
  __m128 xx = _mm_setzero_ps(), dd = xx;
  for (size_t i = 0; i < len; i += 4) {
    const __m128 d = _mm_load_ps(delta + i);
    const __m128 moved = _mm_load_ps(ref + i) + _mm_set1_ps(scale) * d;
    _mm_stream_ps(x + i, moved);
    xx += moved * moved;
    dd += d * d;
  }
  state->xx += xx[0] + xx[1] + xx[2] + xx[3];
  state->dd += dd[0] + dd[1] + dd[2] + dd[3];
}

#else

static void move(float *restrict x, const float *restrict ref, const float *restrict delta, size_t len, float scale,
                 State *state) {
  x = VECTOR(x), ref = VECTOR(ref), delta = VECTOR(delta);
  float xx = 0, dd = 0;
  for (size_t i = 0; i < (len & -LANES); i++) {
    const float moved = ref[i] + scale * delta[i];
    x[i] = moved;
    xx += moved * moved;
    dd += delta[i] * delta[i];
  }
  state->xx += xx;
  state->dd += dd;
}

#endif

static double tune(State *state, double h) {
  double scale = 0;
  for (int k = 0; k < K; k++) {
    Tuner *const tuner = &state->tuners[k];
    const double beta = BETAS[k], before = tuner->m;
    tuner->m = fmax(beta * before, fabs(h) + M_FLOOR);
    tuner->v = beta * beta * tuner->v + h * h;
    tuner->r = fmax(0, beta * tuner->r - tuner->s * fmin(fmax(h, -before), before));
    tuner->s = (S_INIT * tuner->m / K + tuner->r) / (sqrt(tuner->v) + EPS);
    scale += tuner->s;
  }
  return scale;
}

void start(State *state) {
  state->scale = S_INIT;
  for (int k = 0; k < K; k++) state->tuners[k].s = S_INIT / K;
  EACH_BLOCK(from, len, state->n) state->xx += squares(state->x + from, len);
}

/* One step against g; returns S, or NaN and changes nothing when g is not finite. */
double step(State *state) {
  double gg = 0;
  EACH_BLOCK(from, len, state->n) gg += squares(state->g + from, len);
  if (!isfinite(gg)) return NAN;

  const int t = ++state->t;
  const double beta1 = 0.9, beta2 = 0.999;
  const Rates rates = {state->rate / (1 - pow(beta1, t)), beta1, 1 - beta1, beta2, 1 - beta2,
                       1 / sqrt(1 - pow(beta2, t)), 1e-8};
  state->dg = 0;
  EACH_BLOCK(from, len, state->n) {
    if (state->nu) {
      adam(state->g + from, state->delta + from, state->mu + from, state->nu + from, len, rates, state);
    } else {
      sgd(state->g + from, state->delta + from, len, state->rate, state);
    }
  }
  const double h = state->dg + LAMBDA * sqrt(gg) / sqrt(state->xx) * state->scale * state->dd;
  state->scale = tune(state, h);
  state->xx = state->dd = 0;
  EACH_BLOCK(from, len, state->n) {
    move(state->x + from, state->ref + from, state->delta + from, len, state->scale, state);
  }
  return state->scale;
}
