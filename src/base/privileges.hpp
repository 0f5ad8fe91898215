// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace unmask {

/// Whether this is a build with AddressSanitizer or ThreadSanitizer, which need system calls and terabytes of
/// address space that a confined process otherwise does without.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;  // GCC
#elif defined(__has_feature)              // Clang
inline constexpr bool kSanitized = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
inline constexpr bool kSanitized = false;
#endif

/// Gives up all capabilities of the calling thread, for good once no_new_privs is set. Nothing to do, and no
/// failure, for an ordinary user.
void DropCapabilities();

}  // namespace unmask
