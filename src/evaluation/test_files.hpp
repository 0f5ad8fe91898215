// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/id.hpp"

namespace unmask {

/// For tests: a folder of its own that goes with the object.
class TestFolder {
 public:
  TestFolder() : path_(std::filesystem::path(testing::TempDir()) / ("unmask-evaluation-" + NewTraceId())) {
    std::filesystem::create_directory(path_);
  }
  ~TestFolder() { std::filesystem::remove_all(path_); }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

  /// Writes a file below it, with the folders above that.
  std::filesystem::path Write(const std::string& name, std::string_view content = "x") const {
    const auto file = path_ / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << content;
    return file;
  }

 private:
  std::filesystem::path path_;
};

/// For tests: one entry of a ustar archive (POSIX.1-1988), also with names that no honest program writes.
/// `type`: '0' a file, '1' a hard link, '2' a symbolic link, '5' a folder.
inline std::string TarEntry(std::string_view name, std::string_view content = "", char type = '0',
                            std::string_view link = "") {
  std::array<char, 512> header{};
  const auto put = [&](std::size_t at, std::string_view text) {
    std::memcpy(header.data() + at, text.data(), text.size());
  };
  put(0, name.substr(0, 100));
  put(100, "0000644");
  put(108, "0000000");
  put(116, "0000000");
  put(124, fmt::format("{:011o}", content.size()));
  put(136, "00000000000");
  put(148, "        ");
  header[156] = type;
  put(157, link.substr(0, 100));
  put(257, std::string_view("ustar\00000", 8));
  unsigned sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  put(148, fmt::format("{:06o}", sum));
  header[154] = '\0';
  std::string entry(header.data(), header.size());
  entry += content;
  entry.resize((entry.size() + 511) / 512 * 512, '\0');
  return entry;
}

/// The two empty blocks that end an archive.
inline std::string TarEnd() { return std::string(1024, '\0'); }

}  // namespace unmask
