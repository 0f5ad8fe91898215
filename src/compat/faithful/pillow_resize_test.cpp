// SPDX-License-Identifier: Apache-2.0
#include "compat/faithful/pillow_resize.hpp"

#include <gtest/gtest.h>

#include "compat/faithful/test_pictures.hpp"

namespace unmask::compat {
namespace {

struct Case {
  cv::Size from;
  const char* bicubic;
  const char* nearest;
};

// Recorded from Pillow 12.0.0 by tests/compat/record/pillow_resize.py.
const Case kRecorded[] = {
    {{224, 224}, "3dbca23325a8e74d", "3dbca23325a8e74d"},
    {{100, 80}, "86164edf2e16d17c", "a81dca97d6777b62"},
    {{512, 512}, "0e97433de56f9e41", "a9490bb881f3ff42"},
    {{333, 777}, "c7e9438fd9895c32", "268f0f831d9e20cf"},
    {{900, 224}, "22759b3ff7c4ffb6", "7a1b546d6d7ea850"},
    {{224, 31}, "a0b403931e174630", "09d173428fe8bf2d"},
    {{1, 1}, "376e20774a3e720e", "376e20774a3e720e"},
    {{7, 1000}, "31c4b0a7645ddbeb", "1d3c3a467014419b"},
    {{1500, 2}, "c076f7c413cb8933", "cb8271415e744dfd"},
};

TEST(PillowResize, GivesPillowsBytes) {
  for (const auto& [from, bicubic, nearest] : kRecorded) {
    const cv::Mat picture = Noise(from);
    EXPECT_EQ(HashOf(PillowBicubic(picture, {224, 224})), bicubic) << from;
    EXPECT_EQ(HashOf(PillowNearest(picture, {224, 224})), nearest) << from;
  }
}

TEST(PillowResize, TakesPicturesWhoseRowsLieApart) {
  const cv::Mat picture = Noise({300, 200});
  const cv::Mat part = picture(cv::Rect(20, 30, 111, 77));
  const cv::Mat alone = part.clone();
  EXPECT_EQ(HashOf(PillowBicubic(part, {50, 60})), HashOf(PillowBicubic(alone, {50, 60})));
  EXPECT_EQ(HashOf(PillowBicubic(part, part.size())), HashOf(alone)) << "the same size is a copy";
  EXPECT_EQ(HashOf(PillowNearest(part, {50, 60})), HashOf(PillowNearest(alone, {50, 60})));
}

}  // namespace
}  // namespace unmask::compat
