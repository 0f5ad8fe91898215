// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace unmask {

/// This build's version, e.g. "0.1.0" (semantic versioning).
std::string_view Version();

}  // namespace unmask
