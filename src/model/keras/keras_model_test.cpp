// SPDX-License-Identifier: Apache-2.0
#include "model/keras/keras_model.hpp"

#include <filesystem>
#include <fstream>
#include <string_view>

#include <gtest/gtest.h>

namespace unmask {
namespace {

TEST(KerasFile, IsKnownByItsFirstBytes) {
  const auto file = std::filesystem::path(testing::TempDir()) / "keras-file-known";
  const auto with = [&](std::string_view content) {
    std::ofstream(file, std::ios::binary) << content;
    return IsKerasFile(file);
  };
  EXPECT_TRUE(with("\x89HDF\r\n\x1a\n"));
  EXPECT_TRUE(with("PK\x03\x04, and anything"));
  EXPECT_FALSE(with("\x89HDF\r\n\x1a"));
  EXPECT_FALSE(with("<?xml version=\"1.0\"?>"));
  EXPECT_FALSE(with(""));
  std::filesystem::remove(file);
  EXPECT_FALSE(IsKerasFile(file));
}

}  // namespace
}  // namespace unmask
