// SPDX-License-Identifier: Apache-2.0
#include "base/version.hpp"

namespace unmask {

std::string_view Version() { return UNMASK_VERSION; }

}  // namespace unmask
