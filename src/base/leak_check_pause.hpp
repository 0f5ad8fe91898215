// SPDX-License-Identifier: Apache-2.0
#pragma once

#if defined(__SANITIZE_ADDRESS__)  // GCC
#define UNMASK_CHECKS_LEAKS
#elif defined(__has_feature)  // Clang
#if __has_feature(address_sanitizer)
#define UNMASK_CHECKS_LEAKS
#endif
#endif

#if defined(UNMASK_CHECKS_LEAKS)
#include <sanitizer/lsan_interface.h>
#endif

namespace unmask {

/// For tests alone: while it lives, the leak check overlooks what this thread allocates. For libraries that
/// are not ours.
class LeakCheckPause {
 public:
#if defined(UNMASK_CHECKS_LEAKS)
  LeakCheckPause() { __lsan_disable(); }
  ~LeakCheckPause() { __lsan_enable(); }
#else
  LeakCheckPause() {}
  ~LeakCheckPause() {}
#endif
  LeakCheckPause(const LeakCheckPause&) = delete;
  LeakCheckPause& operator=(const LeakCheckPause&) = delete;
};

}  // namespace unmask
