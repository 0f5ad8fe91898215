// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "unmask/error.hpp"

namespace unmask {

/// The 512 bytes before a file in a tar archive, in the format ustar (POSIX.1-1988): an ordinary file of user
/// 0, mode 644 and time 0, so that equal contents give equal archives. kBadRequest for a name that is empty,
/// absolute, has a part ".." or more than 100 bytes, and for a content of 8 GiB or more: ustar has no place
/// for them.
Result<std::string> TarHeader(std::string_view name, std::uint64_t bytes);

/// The zeros that fill the last block of a content.
std::string TarPadding(std::uint64_t bytes);

/// What ends an archive.
std::string TarEnd();

}  // namespace unmask
