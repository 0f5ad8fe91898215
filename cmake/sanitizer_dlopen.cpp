// SPDX-License-Identifier: Apache-2.0
// Linked into test programs under a sanitizer only: what it must know of OpenVINO, which is not
// ours.
#include <dlfcn.h>

// Its oneTBB opens a library with RTLD_DEEPBIND, which sanitizers refuse by ending the process.
extern "C" void* dlopen(const char* file, int flags) noexcept {
  using Open = void* (*)(const char*, int);
  static const auto next = reinterpret_cast<Open>(::dlsym(RTLD_NEXT, "dlopen"));
  return next(file, flags & ~RTLD_DEEPBIND);
}
