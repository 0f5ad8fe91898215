// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace unmask {

/// RFC 4648, section 4, with padding.
std::string Base64(std::string_view bytes);

/// "00ff" to two bytes. Expects an even number of hex digits.
std::string BytesOfHex(std::string_view hex);

}  // namespace unmask
