/* SPDX-License-Identifier: Apache-2.0
 *
 * Gradients of depthwise convolutions and of ReLU6, many times faster than PyTorch's on a CPU: see
 * fast_layers.py. Activations are NHWC (PyTorch's channels_last), float or bfloat16; kernels and sums are
 * float. Channels are a multiple of LANES. `padded` is scratch for one picture with its border, so that the
 * inner loops need no test.
 */
#include <stdint.h>

#define LANES 16
typedef float lanes __attribute__((vector_size(4 * LANES), aligned(4)));
typedef uint32_t words __attribute__((vector_size(4 * LANES)));
typedef uint16_t halves __attribute__((vector_size(2 * LANES), aligned(2)));

static inline lanes load_bfloat(const uint16_t* at) {
  return (lanes)(__builtin_convertvector(*(const halves*)at, words) << 16);
}

/* To the nearest, ties to even. NaN is not expected. */
static inline void store_bfloat(uint16_t* at, lanes x) {
  words bits = (words)x;
  bits += 0x7FFF + ((bits >> 16) & 1);
  *(halves*)at = __builtin_convertvector(bits >> 16, halves);
}

static inline lanes load(const void* from, long at, int bfloat) {
  return bfloat ? load_bfloat((const uint16_t*)from + at) : *(const lanes*)((const float*)from + at);
}

/* The gradient before ReLU6, where it gave `y`: nothing where it was cut off. */
static inline lanes through_relu6(lanes gradient, lanes y) {
  return (lanes)((words)gradient & (words)(y > 0) & (words)(y < 6));
}

/* Copies h x w pixels of c channels into a canvas `wide` pixels wide, from pixel (top, left) on, `step`
 * pixels apart; through ReLU6 that gave `active`, unless that is null. */
static inline void spread(const void* from, const void* active, int bfloat, long h, long w, long c,
                          float* canvas, long wide, long top, long left, long step) {
  for (long y = 0; y < h; ++y)
    for (long x = 0; x < w; ++x) {
      float* to = canvas + ((top + y * step) * wide + left + x * step) * c;
      for (long i = 0, at = (y * w + x) * c; i < c; i += LANES) {
        const lanes value = load(from, at + i, bfloat);
        *(lanes*)(to + i) = active ? through_relu6(value, load(active, at + i, bfloat)) : value;
      }
    }
}

#define DEFINE(K)                                                                                          \
  static void kernel_gradient_##K(const float* padded, long wide, const float* gradient, long h, long w,   \
                                  long c, long stride, float* sums) {                                      \
    for (long i = 0; i < c; i += LANES) {                                                                  \
      lanes sum[K * K];                                                                                    \
      _Pragma("GCC unroll 25") for (int t = 0; t < K * K; ++t) sum[t] = *(lanes*)(sums + t * c + i);       \
      for (long y = 0; y < h; ++y)                                                                         \
        for (long x = 0; x < w; ++x) {                                                                     \
          const lanes g = *(const lanes*)(gradient + (y * w + x) * c + i);                                 \
          const float* seen = padded + (y * stride * wide + x * stride) * c + i;                           \
          _Pragma("GCC unroll 5") for (int a = 0; a < K; ++a)                                              \
              _Pragma("GCC unroll 5") for (int b = 0; b < K; ++b) sum[a * K + b] +=                        \
              g * *(const lanes*)(seen + (a * wide + b) * c);                                              \
        }                                                                                                  \
      _Pragma("GCC unroll 25") for (int t = 0; t < K * K; ++t) * (lanes*)(sums + t * c + i) = sum[t];      \
    }                                                                                                      \
  }                                                                                                        \
  static void correlate_##K(const float* padded, long wide, const float* kernel, long h, long w, long c,   \
                            void* out, int bfloat) {                                                       \
    for (long i = 0; i < c; i += LANES) {                                                                  \
      lanes k[K * K];                                                                                      \
      _Pragma("GCC unroll 25") for (int t = 0; t < K * K; ++t) k[t] = *(const lanes*)(kernel + t * c + i); \
      for (long y = 0; y < h; ++y)                                                                         \
        for (long x = 0; x < w; ++x) {                                                                     \
          const float* seen = padded + (y * wide + x) * c + i;                                             \
          lanes first = {0}, second = {0};                                                                 \
          _Pragma("GCC unroll 5") for (int a = 0; a < K; ++a)                                              \
              _Pragma("GCC unroll 5") for (int b = 0; b < K; ++b) {                                        \
            const lanes product = k[a * K + b] * *(const lanes*)(seen + (a * wide + b) * c);               \
            if ((a + b) % 2)                                                                               \
              first += product;                                                                            \
            else                                                                                           \
              second += product;                                                                           \
          }                                                                                                \
          const long at = (y * w + x) * c + i;                                                             \
          if (bfloat)                                                                                      \
            store_bfloat((uint16_t*)out + at, first + second);                                             \
          else                                                                                             \
            *(lanes*)((float*)out + at) = first + second;                                                  \
        }                                                                                                  \
    }                                                                                                      \
  }
DEFINE(3)
DEFINE(5)

/* Adds to `sums` [k*k][c] the kernel's gradient of n pictures, and to `biases` [c] the bias's: inputs
 * [n,h,w,c], the output's gradients [n,oh,ow,c], before them a ReLU6 that gave `active`, or null. `padded`
 * holds (h+2p)*(w+2p)*c zeros, p = k/2, `flat` oh*ow*c numbers. */
void unmask_kernel_gradient(const char* input, const char* gradient, const char* active, int bfloat, long n,
                            long h, long w, long c, long k, long stride, long oh, long ow, float* padded,
                            float* flat, float* sums, float* biases) {
  const long p = k / 2, wide = w + 2 * p, size = bfloat ? 2 : 4, inputs = h * w * c, outputs = oh * ow * c;
  for (long i = 0; i < n; ++i) {
    spread(input + i * inputs * size, 0, bfloat, h, w, c, padded, wide, p, p, 1);
    spread(gradient + i * outputs * size, active ? active + i * outputs * size : 0, bfloat, oh, ow, c, flat,
           ow, 0, 0, 1);
    if (k == 3)
      kernel_gradient_3(padded, wide, flat, oh, ow, c, stride, sums);
    else
      kernel_gradient_5(padded, wide, flat, oh, ow, c, stride, sums);
    for (long at = 0; at < outputs; at += c)
      for (long j = 0; j < c; j += LANES) *(lanes*)(biases + j) += *(const lanes*)(flat + at + j);
  }
}

/* Writes the input's gradient [n,h,w,c], from the output's and the kernel turned by 180 degrees [k*k][c].
 * `padded` holds (h+2p)*(w+2p)*c zeros, p = k/2. */
void unmask_input_gradient(const char* gradient, const char* active, const float* kernel, int bfloat, long n,
                           long h, long w, long c, long k, long stride, long oh, long ow, float* padded,
                           char* out) {
  const long p = k / 2, wide = w + 2 * p, size = bfloat ? 2 : 4, inputs = h * w * c, outputs = oh * ow * c;
  for (long i = 0; i < n; ++i) {
    spread(gradient + i * outputs * size, active ? active + i * outputs * size : 0, bfloat, oh, ow, c, padded,
           wide, p, p, stride);
    if (k == 3)
      correlate_3(padded, wide, kernel, h, w, c, out + i * inputs * size, bfloat);
    else
      correlate_5(padded, wide, kernel, h, w, c, out + i * inputs * size, bfloat);
  }
}

/* Cuts `count` numbers to 0..6 in place. */
void unmask_relu6(void* x, int bfloat, long count) {
  if (bfloat) {
    uint16_t* at = x;
    for (long i = 0; i < count; ++i) at[i] = at[i] & 0x8000 ? 0 : at[i] > 0x40C0 ? 0x40C0 : at[i];
  } else {
    float* at = x;
    for (long i = 0; i < count; ++i) at[i] = at[i] < 0 ? 0 : at[i] > 6 ? 6 : at[i];
  }
}

/* The gradient before ReLU6, which gave y. */
void unmask_relu6_gradient(const void* gradient, const void* y, int bfloat, long count, void* out) {
  if (bfloat) {
    const uint16_t *g = gradient, *a = y;
    uint16_t* to = out;
    for (long i = 0; i < count; ++i) to[i] = a[i] != 0 && a[i] < 0x40C0 ? g[i] : 0;
  } else {
    const float *g = gradient, *a = y;
    float* to = out;
    for (long i = 0; i < count; ++i) to[i] = a[i] > 0 && a[i] < 6 ? g[i] : 0;
  }
}
