// SPDX-License-Identifier: Apache-2.0
#include "compat/known_media.hpp"

#include <gtest/gtest.h>

namespace unmask::compat {
namespace {

TEST(KnownMedia, WhatNoOriginalReadIsUnsupported) {
  for (const char* container : {"heif", "avif"}) {
    const auto checked = CheckOriginalsRead({.container = container});
    ASSERT_FALSE(checked) << container;
    EXPECT_EQ(checked.error().code, ErrorCode::kUnsupportedMedia);
  }
  for (const char* container : {"jpeg", "png", "webp", "gif", "bmp", "mp4", "mov", "matroska", "webm", "avi"})
    EXPECT_TRUE(CheckOriginalsRead({.container = container})) << container;
}

}  // namespace
}  // namespace unmask::compat
