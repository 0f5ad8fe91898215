// SPDX-License-Identifier: Apache-2.0
#include "extract/tar.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace unmask {
namespace {

using testing::HasSubstr;

TEST(Tar, HeaderIsUstar) {
  const std::string header = TarHeader("val/real/a.jpg", 1234).value();
  ASSERT_EQ(header.size(), 512U);
  EXPECT_STREQ(header.data(), "val/real/a.jpg");
  EXPECT_STREQ(header.data() + 100, "0000644");
  EXPECT_STREQ(header.data() + 124, "00000002322");
  EXPECT_STREQ(header.data() + 136, "00000000000");
  EXPECT_EQ(header[156], '0');
  EXPECT_EQ(header.substr(257, 8), std::string("ustar\00000", 8));
}

TEST(Tar, ChecksumCountsItselfAsSpaces) {
  std::string header = TarHeader("a", 0).value();
  const unsigned stated = static_cast<unsigned>(std::stoul(header.substr(148, 6), nullptr, 8));
  header.replace(148, 8, 8, ' ');
  unsigned sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  EXPECT_EQ(stated, sum);
}

TEST(Tar, EqualContentsHaveEqualHeaders) { EXPECT_EQ(TarHeader("a", 5).value(), TarHeader("a", 5).value()); }

TEST(Tar, RefusesNamesThatLeadElsewhere) {
  for (const std::string& name : {std::string(), std::string("/etc/passwd"), std::string("a/../../b"),
                                  std::string("a\0b", 3), std::string(101, 'a')})
    EXPECT_EQ(TarHeader(name, 0).error().code, ErrorCode::kBadRequest) << name;
  EXPECT_TRUE(TarHeader(std::string(100, 'a'), 0));
}

TEST(Tar, RefusesWhatHasNoPlaceInTheFormat) {
  EXPECT_TRUE(TarHeader("a", (std::uint64_t{1} << 33) - 1));
  EXPECT_THAT(TarHeader("a", std::uint64_t{1} << 33).error().message, HasSubstr("8 GiB"));
}

TEST(Tar, PaddingFillsTheLastBlock) {
  EXPECT_EQ(TarPadding(0).size(), 0U);
  EXPECT_EQ(TarPadding(1).size(), 511U);
  EXPECT_EQ(TarPadding(512).size(), 0U);
  EXPECT_EQ(TarPadding(513).size(), 511U);
  EXPECT_EQ(TarEnd(), std::string(1024, '\0'));
}

}  // namespace
}  // namespace unmask
