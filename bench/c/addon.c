/* superlevel.c as a module for Node: create(memory, n, gap, hasMoments, rate) → handle, step(handle) → S. */
#include <node_api.h>
#include <stdlib.h>
#include "superlevel.h"

static napi_value create(napi_env env, napi_callback_info info) {
  size_t count = 5, bytes;
  napi_value argv[5];
  float *at;
  int64_t n, gap;
  bool moments;
  State *state = calloc(1, sizeof(State));
  napi_get_cb_info(env, info, &count, argv, NULL, NULL);
  napi_get_arraybuffer_info(env, argv[0], (void **)&at, &bytes);
  napi_get_value_int64(env, argv[1], &n);
  napi_get_value_int64(env, argv[2], &gap);
  napi_get_value_bool(env, argv[3], &moments);
  napi_get_value_double(env, argv[4], &state->rate);
  if (bytes < (moments ? 6 : 4) * gap * sizeof(float) || n > gap || n % 16 != 0) {
    napi_throw_range_error(env, NULL, "create: the vectors do not fit");
    return NULL;
  }
  state->n = n;
  state->g = at;
  state->x = at + gap;
  state->ref = at + 2 * gap;
  state->delta = at + 3 * gap;
  if (moments) state->mu = at + 4 * gap, state->nu = at + 5 * gap;
  start(state);
  napi_value handle;
  napi_create_external(env, state, NULL, NULL, &handle);
  return handle;
}

static napi_value take_step(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value handle, scale;
  State *state;
  napi_get_cb_info(env, info, &count, &handle, NULL, NULL);
  napi_get_value_external(env, handle, (void **)&state);
  napi_create_double(env, step(state), &scale);
  return scale;
}

NAPI_MODULE_INIT() {
  napi_value function;
  napi_create_function(env, "create", NAPI_AUTO_LENGTH, create, NULL, &function);
  napi_set_named_property(env, exports, "create", function);
  napi_create_function(env, "step", NAPI_AUTO_LENGTH, take_step, NULL, &function);
  napi_set_named_property(env, exports, "step", function);
  return exports;
}
