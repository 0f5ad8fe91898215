// SPDX-License-Identifier: Apache-2.0
#include "media/decoder/heif_outline.hpp"

#include <random>
#include <string>

#include <gtest/gtest.h>

#include "media/decoder/test_heif.hpp"

namespace unmask::decoder {
namespace {

std::optional<HeifOutline> Read(const std::string& bytes) {
  return ReadHeifOutline({reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()});
}

HeifItem Coded(std::uint16_t id, const std::string& type = "hvc1") {
  return {.id = id, .type = type, .data = "coded", .properties = {SizeBox(64, 48)}};
}

HeifItem Grid(std::uint16_t id, int width = 640, int height = 480) {
  return {.id = id, .type = "grid", .data = GridData(1, 2, width, height)};
}

HeifItem Same(std::uint16_t id) { return {.id = id, .type = "iden"}; }

TEST(HeifOutline, TellsHowThePrimaryPictureIsCoded) {
  EXPECT_EQ(Read(HeifFile({Coded(7)}))->coding, "hvc1");
  EXPECT_EQ(Read(HeifFile({Coded(7, "av01"), Coded(8)}))->coding, "av01");
  EXPECT_EQ(Read(HeifFile({Grid(1), Coded(2, "av01"), Coded(3, "av01")}, {{"dimg", 1, {2, 3}}}))->coding,
            "av01");
  EXPECT_EQ(Read(HeifFile({Same(1), Grid(2), Coded(3)}, {{"dimg", 1, {2}}, {"dimg", 2, {3, 3}}}))->coding,
            "hvc1");
  EXPECT_EQ(Read(HeifFile({Coded(1, "vvc1")}))->coding, "vvc1");
}

TEST(HeifOutline, TellsEveryDeclaredSize) {
  const auto outline = Read(HeifFile({Grid(1, 640, 481), Coded(2)}, {{"dimg", 1, {2, 2}}}));
  ASSERT_TRUE(outline);
  ASSERT_EQ(outline->sizes.size(), 2u);
  EXPECT_EQ(outline->sizes[0].width, 64u);
  EXPECT_EQ(outline->sizes[0].height, 48u);
  EXPECT_EQ(outline->sizes[1].width, 640u);
  EXPECT_EQ(outline->sizes[1].height, 481u);
}

TEST(HeifOutline, AGridOfFourByteSizesIsReadAsOne) {
  const std::string data = std::string("\0\1\0\0", 4) + BigEndian(70'000, 4) + BigEndian(5, 4);
  const auto outline =
      Read(HeifFile({{.id = 1, .type = "grid", .data = data}, Coded(2)}, {{"dimg", 1, {2}}}));
  ASSERT_TRUE(outline);
  EXPECT_EQ(outline->sizes.at(1).width, 70'000u);
}

TEST(HeifOutline, AGridThatDoesNotSayItsSizeIsRefused) {
  EXPECT_FALSE(Read(HeifFile({{.id = 1, .type = "grid", .data = "\1\1"}, Coded(2)}, {{"dimg", 1, {2}}})));
}

TEST(HeifOutline, ADerivedPictureOfNothingIsRefused) {
  EXPECT_FALSE(Read(HeifFile({Grid(1)})));
  EXPECT_FALSE(Read(HeifFile({Same(1)}, {{"dimg", 1, {9}}})));
}

TEST(HeifOutline, AnOverlayIsNamedWhereverItIs) {
  const std::string data = std::string(10, '\0') + BigEndian(64, 2) + BigEndian(48, 2);
  const HeifItem overlay{.id = 2, .type = "iovl", .data = data};
  EXPECT_EQ(Read(HeifFile({Same(1), overlay, Coded(3)}, {{"dimg", 1, {2}}, {"dimg", 2, {3}}}))->coding,
            "iovl");
  EXPECT_EQ(Read(HeifFile({Coded(1), overlay}))->coding, "hvc1") << "of no use to the primary picture";
}

TEST(HeifOutline, WhatGoesInACircleIsRefused) {
  EXPECT_FALSE(Read(HeifFile({Same(1)}, {{"dimg", 1, {1}}})));
  EXPECT_FALSE(Read(HeifFile({Same(1), Same(2)}, {{"dimg", 1, {2}}, {"dimg", 2, {1}}})));
  EXPECT_FALSE(Read(HeifFile({Grid(1), Coded(2)}, {{"dimg", 1, {2, 1}}})));
  EXPECT_FALSE(Read(HeifFile({Coded(1), Coded(2)}, {{"auxl", 2, {1}}, {"auxl", 1, {2}}})))
      << "by alpha channels";
  EXPECT_FALSE(Read(HeifFile({Coded(1), Same(2)}, {{"auxl", 2, {1}}, {"dimg", 2, {1}}})));
}

TEST(HeifOutline, FourLevelsAreTheMost) {
  std::vector<HeifItem> items;
  std::vector<HeifReference> references;
  for (std::uint16_t id = 1; id <= 4; ++id) {
    items.push_back(Same(id));
    references.push_back({"dimg", id, {static_cast<std::uint16_t>(id + 1)}});
  }
  items.push_back(Coded(5));
  EXPECT_EQ(Read(HeifFile(items, references))->coding, "hvc1");
  items.back() = Same(5);
  items.push_back(Coded(6));
  references.push_back({"dimg", 5, {6}});
  EXPECT_FALSE(Read(HeifFile(items, references)));
}

TEST(HeifOutline, BoxesThatCouldBeReadInTwoWaysAreRefused) {
  const std::string file = HeifFile({Grid(1), Coded(2)}, {{"dimg", 1, {2, 2}}});
  const auto patched = [&](const std::string& word, std::size_t at, const std::string& by) {
    std::string bytes = file;
    return Read(bytes.replace(bytes.find(word) + word.size() + at, by.size(), by));
  };
  ASSERT_TRUE(Read(file));
  EXPECT_FALSE(patched("dimg", 3, "\1")) << "fewer references than their box has room for";
  EXPECT_FALSE(patched("iloc", 4, "\x22")) << "places in two bytes";
  EXPECT_FALSE(patched("iloc", 0, "\3")) << "a version of the future";
  std::string twice = file;
  twice.insert(file.find("mdat") - 4,
               file.substr(file.find("meta") - 4, file.find("mdat") - file.find("meta")));
  EXPECT_FALSE(Read(twice)) << "two 'meta'";
}

TEST(HeifOutline, WhatWouldKeepLibheifBusyIsRefused) {
  std::vector<HeifItem> items(5'001);
  for (std::size_t i = 0; i < items.size(); ++i) items[i] = Coded(static_cast<std::uint16_t>(i + 1));
  EXPECT_FALSE(Read(HeifFile(items)));
  items.pop_back();
  EXPECT_TRUE(Read(HeifFile(items)));

  std::string file = HeifFile({Coded(1), Coded(2), Coded(3)});
  const std::string all = BigEndian(0, 4) + BigEndian(file.size(), 4);
  for (int i = 0; i < 3; ++i)
    file.replace(file.find("iloc") + 12 + 14 * static_cast<std::size_t>(i) + 6, 8, all);
  EXPECT_FALSE(Read(file)) << "three items of all bytes each";
}

TEST(HeifOutline, AFileWithoutAPrimaryPictureIsRefused) {
  const std::string file = HeifFile({Coded(1)});
  EXPECT_FALSE(Read(""));
  EXPECT_FALSE(Read(file.substr(0, file.find("meta") - 4)));
  std::string other = file;
  other[file.find("pitm") + 9] = 2;
  EXPECT_FALSE(Read(other)) << "an item that does not exist";
  for (std::size_t size = file.find("meta") - 4; size < file.find("mdat") - 4; ++size)
    EXPECT_FALSE(Read(file.substr(0, size))) << size;
}

TEST(HeifOutline, AnyBytesGiveAnAnswer) {
  std::mt19937 random(4);
  const std::string seed = HeifFile({Same(1), Grid(2), Coded(3), Coded(4)},
                                    {{"dimg", 1, {2}}, {"dimg", 2, {3, 3}}, {"auxl", 4, {1}}});
  for (int round = 0; round < 30'000; ++round) {
    std::string bytes = seed;
    for (int change = 0; change < 3; ++change) bytes[random() % bytes.size()] = static_cast<char>(random());
    if (round % 8 == 0) bytes.resize(random() % (bytes.size() + 1));
    const auto outline = Read(bytes);
    EXPECT_TRUE(!outline || outline->coding.size() == 4);
  }
}

}  // namespace
}  // namespace unmask::decoder
