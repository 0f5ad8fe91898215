// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "unmask/error.hpp"

namespace unmask {

/// Prints "error: NAME: message" and "hint: ..." to standard error, one line each, everything escaped.
/// Without a name: "error: message".
void PrintError(const Error& error, std::string_view name = {});

}  // namespace unmask
