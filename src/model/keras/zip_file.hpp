// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.hpp"

namespace unmask::keras {

/// The parts of a .keras file.
struct ZipParts {
  std::map<std::string, std::string> texts;  ///< small members, by name
  std::vector<PrivateFile> weights;          ///< one: the member model.weights.h5
};

/// Unpacks config.json, metadata.json and model.weights.h5 of a ZIP archive; the last into a nameless file
/// in memory, since the process may be one that makes none. Other members are skipped. Throws BadFile: for no
/// ZIP archive, a damaged one, one of more than 10,000 members, and members beyond 32 MiB (texts) or 4 GiB
/// (weights); and for weights that unpack to more than 16 times the archive and 256 MiB: weights that were
/// trained hardly pack at all, so that is a bomb.
ZipParts UnpackKeras(const std::filesystem::path& file);

/// Whether a file begins as ZIP archives do.
bool LooksLikeZip(std::string_view first_bytes);

}  // namespace unmask::keras
