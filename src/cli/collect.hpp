// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "unmask/error.hpp"

namespace unmask {

/// One thing to analyse, or a path that leads to nothing.
struct Input {
  std::filesystem::path path;
  std::string name;            ///< as the report calls it: the path as the user would write it
  std::optional<Error> error;  ///< a folder that cannot be read or holds nothing to analyse
};

struct Inputs {
  std::vector<Input> files;
  std::size_t skipped = 0;  ///< in folders: by their extension neither pictures nor videos
  std::size_t hidden = 0;   ///< in folders: names that begin with a dot
};

/// Files as they are named; folders in depth, each level sorted by name. In folders, hidden entries and files
/// that are obviously no pictures or videos (documents, archives, sound, programs: by extension) are counted
/// instead of taken; anything else is taken, also without extension. Links are followed, each folder is
/// visited once, so loops end. Whether a file can be opened shows later.
Inputs CollectInputs(const std::vector<std::string>& paths);

/// Words for what was left out in folders; empty when nothing was.
std::string DescribeSkipped(const Inputs& inputs);

}  // namespace unmask
