// SPDX-License-Identifier: Apache-2.0
// Linked into every program of a build with a sanitizer: what the sanitizer must know whoever starts the
// program.
#include <dlfcn.h>

// OpenVINO's oneTBB opens a library with RTLD_DEEPBIND, which sanitizers refuse by ending the process.
extern "C" void* dlopen(const char* file, int flags) noexcept {
  using Open = void* (*)(const char*, int);
  static const auto next = reinterpret_cast<Open>(::dlsym(RTLD_NEXT, "dlopen"));
  return next(file, flags & ~RTLD_DEEPBIND);
}

// Undefined behaviour is found far from where its value came from.
extern "C" const char* __ubsan_default_options() { return "print_stacktrace=1"; }
