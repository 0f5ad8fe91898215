// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace unmask {

/// RFC 4648, section 4, with padding.
std::string Base64(std::string_view bytes);

/// What Base64() made. Nothing for any other text: foreign characters, missing padding, stray bits at the
/// end.
std::optional<std::string> BytesOfBase64(std::string_view text);

/// "00ff" to two bytes. Expects an even number of hex digits.
std::string BytesOfHex(std::string_view hex);

}  // namespace unmask
