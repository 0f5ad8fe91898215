// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "unmask/picture.hpp"

namespace unmask {

/// A picture with one face whose YuNet box is known, for the programs that fit and measure.
struct Portrait {
  std::filesystem::path file;
  std::string split;
  Box box;
};

/// Reads a CSV file with at least the columns file, split, face_x, face_y, face_w and face_h, found by their
/// names; pictures lie in `folder`. Rows without a picture or a box are left out.
inline std::vector<Portrait> ReadPortraits(const std::filesystem::path& folder,
                                           const std::filesystem::path& csv) {
  const auto cells = [](const std::string& line) {
    std::vector<std::string> result;
    std::istringstream stream(line);
    for (std::string cell; std::getline(stream, cell, ',');) result.push_back(cell);
    return result;
  };
  std::vector<Portrait> portraits;
  std::ifstream stream(csv);
  std::string line;
  std::getline(stream, line);
  std::map<std::string, std::size_t> columns;
  for (const std::string& name : cells(line)) columns.emplace(name, columns.size());
  while (std::getline(stream, line)) {
    const auto row = cells(line);
    const auto number = [&](const char* name) { return std::stod(row.at(columns.at(name))); };
    try {
      Portrait portrait{.file = folder / row.at(columns.at("file")),
                        .split = row.at(columns.at("split")),
                        .box = {number("face_x"), number("face_y"), number("face_w"), number("face_h")}};
      if (std::filesystem::is_regular_file(portrait.file)) portraits.push_back(portrait);
    } catch (const std::exception&) {
      continue;
    }
  }
  return portraits;
}

}  // namespace unmask
