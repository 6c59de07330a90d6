#include <stddef.h>

enum { K = 6 };

typedef struct {
  double m, v, r, s;
} Tuner;

typedef struct {
  /* Vectors; mu and nu are null with SGD. `n` counts the padding. */
  float *g, *x, *ref, *delta, *mu, *nu;
  size_t n;
  double rate;
  int t;
  double dg, dd, xx, scale;
  Tuner tuners[K];
} State;

void start(State *state);
double step(State *state);
