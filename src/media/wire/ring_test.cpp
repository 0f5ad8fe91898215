// SPDX-License-Identifier: Apache-2.0
#include "media/wire/ring.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cstring>

#include <gtest/gtest.h>

namespace unmask::wire {
namespace {

TEST(Ring, LayoutAlignsRowsAndSlots) {
  const auto layout = LayOutRing(1921, 1081, 3);
  ASSERT_TRUE(layout);
  EXPECT_EQ(layout->stride % 64, 0u);
  EXPECT_GE(layout->stride, 1921u * 3);
  EXPECT_EQ(layout->slot_bytes % 4096, 0u);
  EXPECT_GE(layout->slot_bytes, layout->stride * 1081 + 64);
  EXPECT_EQ(layout->total(), 3 * layout->slot_bytes);
}

TEST(Ring, LayoutRefusesImpossibleSizes) {
  for (const auto& [width, height, slots] :
       {std::tuple(0, 1, 1), {1, 0, 1}, {1, 1, 0}, {-5, 5, 1}, {65536, 1, 1}, {1, 65536, 1}, {1, 1, 65}})
    EXPECT_FALSE(LayOutRing(width, height, slots)) << width << " " << height << " " << slots;
}

TEST(Ring, BothSidesSeeTheSamePixels) {
  const auto layout = *LayOutRing(10, 10, 2);
  auto ours = Ring::Create(layout).value();
  const auto theirs = Ring::Attach(UniqueFd(::dup(ours.fd())), layout).value();
  std::memset(theirs.slot(1), 7, 30);
  EXPECT_EQ(ours.slot(1)[29], 7);
  EXPECT_EQ(ours.slot(0)[0], 0);
}

TEST(Ring, NobodyCanShrinkItUnderTheReader) {
  const auto ring = Ring::Create(*LayOutRing(100, 100, 1)).value();
  EXPECT_NE(::ftruncate(ring.fd(), 0), 0);
  EXPECT_NE(::ftruncate(ring.fd(), 1 << 30), 0);
}

TEST(Ring, AttachRefusesMemoryThatIsTooSmall) {
  const auto small = Ring::Create(*LayOutRing(10, 10, 1)).value();
  EXPECT_FALSE(Ring::Attach(UniqueFd(::dup(small.fd())), *LayOutRing(1000, 1000, 1)));
  EXPECT_FALSE(Ring::Attach(UniqueFd(), *LayOutRing(1, 1, 1)));
}

}  // namespace
}  // namespace unmask::wire
